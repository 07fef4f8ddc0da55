"""A ready-made scheme of `SharedLogin`: access tokens of some minutes, each had for a refresh token that is good once.

The chain of refresh tokens is kept in `engine/access/chain`; here it is said how one is exchanged for the next. Answers
are read in either spelling (`access_token`, `accessToken`), and a token's own `exp` counts for when it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from ml_connector.engine.access.chain import MONTH, Chain, Pairing, Refreshed
from ml_connector.engine.access.sessions import Session
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, OutcomeUnknown, Transient
from ml_connector.ports import Clock
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.credentials import MOVED
from ml_connector.systems.kit.login import Doubt, lifetime
from ml_connector.systems.kit.signed_tokens import ends_at, lasts

JUDGED = (200, 201, *MOVED, 400, 401, 403, 404, 405, 410, 422, 500, 501, 502, 503, 504)
"""What is judged here of the answers; any other may be anybody's."""
AGAIN = "Repeat the pairing, and write the new 'refresh_token' into the secret."


class RefreshToken:
    """Access tokens for a refresh token that rotates; signs requests as bearer."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        chain: Chain,
        pairing: Pairing,
        client: tuple[str, str],
        *,
        path: str,
        in_form: bool = False,
        timeout: float = 30,
        learn: Callable[[str], None] = lambda _: None,
        advice: Callable[[str], str] = lambda _: "",
        setting: str = "'token_url'",
    ) -> None:
        """`path` is on `http`'s server. `client`: id and secret. `in_form`: the body is a form, else it is JSON.

        `learn` hears each refresh token before it is sent, so that it is masked.
        `advice` gives the words that help with a refusal, by what the server said.
        """
        self._http, self._clock, self._chain, self._pairing, self._client = http, clock, chain, pairing, client
        self._path, self._in_form, self._advice, self._setting = path, in_form, advice, setting
        self._learn = learn
        self._longest = timedelta(seconds=timeout + 30)

    def sign(self, request: httpx.Request, session: Session) -> None:
        """Put the access token on a request."""
        request.headers["Authorization"] = f"Bearer {session.value}"

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell an access token that is refused."""
        return Doubt.DEAD if response.status_code == 401 else None

    def log_in(self) -> Session:
        """Refresh. Raises `LoginRefused` where there must be another pairing, `Misconfigured` or `Transient`."""
        fresh = self._chain.refresh(self._pairing, self._exchange, self._longest)
        return Session(fresh.access, fresh.access_ends_at)

    def _exchange(self, token: str) -> Refreshed:
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": self._client[0],
            "client_secret": self._client[1],
        }
        self._learn(token)
        asked = self._clock.now()
        reply = self._http.call(self._call(fields))
        if reply.status not in {200, 201}:
            raise self._refusal(reply)
        return self._read(reply, asked)

    def _call(self, fields: dict[str, str]) -> Call:
        if not self._in_form:
            return Call("POST", self._path, body=fields, safe=False, auth=False, want="json", expect=JUDGED)
        form = str(httpx.QueryParams(fields)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Call(
            "POST", self._path, content=form, headers=headers, safe=False, auth=False, want="json", expect=JUDGED
        )

    def _read(self, reply: Reply, asked: datetime) -> Refreshed:
        body = reply.json()
        access, refresh = (_token(body, name) for name in ("access", "refresh"))
        if access is None or refresh is None:
            missing = "an access token" if access is None else "the next refresh token"
            raise OutcomeUnknown(
                f"{self._http.vendor} answered a refresh with {reply.status} but without {missing}.", taken=True
            )
        short = lasts(access) or lifetime(body.get("expires_in", body.get("expiresIn")))
        access_ends = asked + short if short else ends_at(access)
        longer = body.get("refresh_token_expires_in", body.get("refreshTokenExpiresIn"))
        return Refreshed(access, access_ends, refresh, ends_at(refresh) or asked + _long(longer))

    def _refusal(self, reply: Reply) -> ConnectorError:
        """Say why there is no token; a trouble of the server's own leaves the refresh token as it was."""
        vendor, status, where = self._http.vendor, reply.status, f"{self._http.base_url}{self._path}"
        said = _said(reply)
        if said is None:
            text = reply.text(120) or "no text"
            if status in MOVED or 400 <= status < 500:
                return Misconfigured(
                    f"What answers at {where} is not {vendor} ({status}, {text}): correct {self._setting}."
                )
            return Transient(f"{vendor} answered {status} to a refresh of the login: {text}.")
        if status >= 500:
            return Transient(f"{vendor} could not refresh the login ({status}): {said}.")
        advice = self._advice(said) or AGAIN
        return LoginRefused(f"{vendor} takes the refresh token no more ({status}): {said.rstrip('.')}. {advice}")


def _token(body: Any, kind: str) -> str | None:
    found = (body.get(f"{kind}_token") or body.get(f"{kind}Token")) if isinstance(body, dict) else None
    return found if isinstance(found, str) and found and found.isascii() else None


def _long(told: object) -> timedelta:
    if isinstance(told, bool) or not isinstance(told, (int, float)) or not 0 < told < 10**9:
        return MONTH
    return timedelta(seconds=float(told))


def _said(reply: Reply) -> str | None:
    """Read a refusal in the token service's own words; None where something else answered."""
    try:
        body = reply.json()
    except ValueError:
        return None
    if isinstance(body, str):
        return reply.clean(body)[:300].strip() or None
    if not isinstance(body, dict):
        return None
    words = [body[name] for name in ("error", "error_description", "message", "$message") if body.get(name)]
    return reply.clean(": ".join(str(word) for word in words))[:300] or None

"""Ready-made schemes of `SharedLogin`: Basic credentials that are proven once, and tokens for client credentials.

Either tells a refusal, which is tried once, from an answer that may be anybody's, and from trouble that passes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from ml_connector.engine.access.sessions import MARGIN, Session
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, Transient
from ml_connector.ports import Clock
from ml_connector.systems.http import Call, Http, Reply, listed
from ml_connector.systems.kit.absence import ABSENT_STATUS, NO_SUCH_STATUS, Unproven, unproven
from ml_connector.systems.kit.login import Doubt, knock, lifetime

EVERY = tuple(range(200, 600))
"""All statuses, where the bodies are judged."""
MOVED = (301, 302, 303, 307, 308)
PROVING = (200, *MOVED, 401, 403, *sorted(NO_SUCH_STATUS))
TOLD = (200, 201, *MOVED, 400, 401, 403, *sorted(NO_SUCH_STATUS), 422)
"""What is judged here of the answers to a proof, and to a login; trouble that passes is left to `Http`."""


def basic(user: str, password: str) -> str:
    """Give user and password as the header carries them, without the word `Basic`."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def unauthorized(response: httpx.Response) -> bool:
    """Tell a refusal of the credentials by its status."""
    return response.status_code == 401


class Proven:
    """Credentials on each request, proven by one small call before anything else is asked.

    A server without a login of its own would see a wrong password from all workers at once, and lock the user.
    """

    def __init__(
        self,
        http: Http,
        authorization: Callable[[], str],
        proof: Call,
        *,
        judge: Callable[[Reply], ConnectorError | None],
        nowhere: Callable[[object], Misconfigured],
        refused: Callable[[httpx.Response], bool] = unauthorized,
    ) -> None:
        """`authorization` gives the header's value. `judge`: the error of any answer to the proof, None where it proves
        them, `Unproven` where something in front may have answered; `nowhere` makes the error then, if that lasts.
        """
        self._http, self._authorization, self._proof = http, authorization, proof
        self._verdict, self._nowhere, self._refused = judge, nowhere, refused

    def sign(self, request: httpx.Request, _: Session) -> None:
        """Send the credentials; a session says only that they are proven."""
        request.headers["Authorization"] = self._authorization()

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell a refusal of the credentials, which may be passing: it is looked into by one proving call."""
        return Doubt.DEAD if self._refused(response) else None

    def log_in(self) -> Session:
        """Prove the credentials. Raises `LoginRefused`, `Misconfigured` or `Transient`.

        A user who may not read what the proof reads is logged in all the same.
        """
        headers = {**self._proof.headers, "Authorization": self._authorization()}
        knock(
            self._http, replace(self._proof, headers=headers, auth=False, want="text", judge=self._judge), self._nowhere
        )
        return Session("proven")

    def _judge(self, reply: Reply) -> None:
        if (error := self._verdict(reply)) is not None:
            raise error


class Basic(Proven):
    """User and password on each request, proven by one small call."""

    def __init__(
        self,
        http: Http,
        user: str,
        password: str,
        *,
        proof: str,
        setting: str = "the address",
        hint: str = "",
        field: str = "",
        nowhere: Callable[[object], Misconfigured] | None = None,
        judge: Callable[[Reply], ConnectorError | None] | None = None,
        refused: Callable[[httpx.Response], bool] = unauthorized,
    ) -> None:
        """`proof` is the path, with its query, of a small read of JSON. `setting` names the field with the address.

        `field` is one that the answer to the proof must have, where any object would not do. `hint` ends the message of
        a refusal. A vendor whose statuses say too little gives its own `judge`: the error of any answer to the proof,
        None where it proves them, `Unproven` where something in front may have answered; `nowhere` makes the error
        then, if that lasts. `refused` tells a refusal among the answers to other calls.
        """
        self._user, self._at, self._setting, self._hint, self._field = user, proof, setting, hint, field
        header = f"Basic {basic(user, password)}"
        super().__init__(
            http,
            lambda: header,
            Call("GET", proof, expect=EVERY if judge else PROVING),
            judge=judge or self._by_status,
            nowhere=nowhere or self._not_there,
            refused=refused,
        )

    def _by_status(self, reply: Reply) -> ConnectorError | None:
        said = f"{reply.status}, {reply.text(200) or 'without a text'}"
        if reply.status == 401:
            return LoginRefused(
                f"{self._http.vendor} refused user '{self._user}' at {self._http.base_url}: {said}. Check user and "
                f"password, and whether the user is locked.{self._hint and ' '}{self._hint}"
            )
        if reply.status in MOVED or reply.status in NO_SUCH_STATUS or (reply.status == 200 and not self._proves(reply)):
            return Unproven(f"What answers is not {self._http.vendor}: {said}.")
        return None

    def _proves(self, reply: Reply) -> bool:
        try:
            body = reply.json()
        except ValueError:
            return False
        return isinstance(body, dict) and (not self._field or self._field in body)

    def _not_there(self, said: object) -> Misconfigured:
        where = self._http.base_url
        return Misconfigured(f"{where} can be reached, but {self._at} is not there: correct {self._setting}. {said}")


# ── client credentials ──────────────────────────────────────────────────────────────────────────────────────────


class ScopesRefused(LoginRefused):
    """The client is known, and may not have all scopes that were asked for."""


class ClientCredentials:
    """Tokens for a client's id and secret (OAuth 2), asked for at `token_url`, and put on requests."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        client_id: str,
        client_secret: str,
        token_url: str,
        *,
        scopes: Callable[[], tuple[str, ...]] = tuple,
        setting: str = "the address",
        in_form: bool = False,
        shown: bool = True,
        unsaid: timedelta | None = None,
    ) -> None:
        """`token_url` is a path of `http`'s server; `setting` names the fields of the secret that lead to it.

        `scopes` is asked at each login; without any, none are asked for. `in_form` sends the pair in the body. Not
        `shown`: of a refusal only its code is told, and nothing of the exchange is kept. `unsaid`: how long a token is
        used whose life the server does not say; None for as long as it is taken.
        """
        self._http, self._clock, self._pair = http, clock, (client_id, client_secret)
        self._path, self._scopes, self._setting, self._in_form = token_url, scopes, setting, in_form
        self._shown, self._unsaid = shown, unsaid
        self.granted: frozenset[str] | None = None
        """The scopes that the latest token carries: as its answer tells, else those asked for; None before a login."""

    def sign(self, request: httpx.Request, session: Session) -> None:
        """Put the token on a request."""
        request.headers["Authorization"] = f"Bearer {session.value}"

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell a token that is refused; 403 may be a right granted since, which a new token carries."""
        return {401: Doubt.DEAD, 403: Doubt.VAGUE}.get(response.status_code)

    def log_in(self) -> Session:
        """Get a token. Raises `LoginRefused`, `Misconfigured` or `Transient`."""
        session, self.granted = self.ask(self._scopes())
        return session

    def ask(self, scopes: tuple[str, ...]) -> tuple[Session, frozenset[str]]:
        """Get a token, and the scopes that it carries; `ScopesRefused` where only some of these are granted."""
        form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._in_form:
            form |= dict(zip(("client_id", "client_secret"), self._pair, strict=True))
        else:
            headers["Authorization"] = f"Basic {basic(*self._pair)}"
        asked = self._clock.now()
        content = urlencode(form).encode()
        login = Call(
            "POST",
            self._path,
            content=content,
            headers=headers,
            auth=False,
            expect=TOLD,
            judge=self._there,
            shown=self._shown,
        )
        reply = knock(self._http, login, lambda said: self._nowhere(f". {said}"))
        if reply.status not in {200, 201}:
            raise self._refusal(reply, " ".join(scopes) or "no scope")
        value, lasts = self._token(reply)
        lasts = lasts or self._unsaid
        return Session(value, asked + _kept(lasts) if lasts else None), _granted(reply, scopes)

    def _there(self, reply: Reply) -> None:
        """Try again where a gateway may have said that there is no login: it may be over in a moment."""
        if reply.status in ABSENT_STATUS:
            raise unproven(self._http.vendor, "a login", f"{reply.status}, {reply.text(120) or 'without a text'}")

    def _nowhere(self, said: str) -> Misconfigured:
        return Misconfigured(f"{self._http.base_url} has no {self._path}{said} Correct {self._setting}.")

    def _token(self, reply: Reply) -> tuple[str, timedelta | None]:
        body = reply.json()
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token or not token.isascii():
            raise Transient(
                f"{self._http.vendor} answered a login with {reply.status} but without an access_token: "
                f"{_said(reply)[:200]}"
            )
        return token, lifetime(body.get("expires_in"))

    def _refusal(self, reply: Reply, asked: str) -> LoginRefused | Misconfigured:
        """Say in words why there is no token."""
        said = _said(reply) if self._shown else code_of(reply)
        vendor, base, status = self._http.vendor, self._http.base_url, reply.status
        if status in MOVED or status in NO_SUCH_STATUS:
            return self._nowhere(f" (status {status}).")
        if "scope" in said.lower():
            return (ScopesRefused if _knows_the_client(reply, said) else LoginRefused)(
                f"{vendor} refused the scopes asked for ({asked}): {said}. Let {vendor} grant them to this client, or "
                "list in 'scopes' those that it has."
            )
        if status == 401 or "client" in said.lower():
            return LoginRefused(
                f"{vendor} refused the login: {said}. Check 'client_id' and 'client_secret', and that they belong to "
                f"the region and environment of {base}."
            )
        return LoginRefused(f"{vendor} refused the login with status {status}: {said}. It was asked for: {asked}.")


def _granted(reply: Reply, asked: tuple[str, ...]) -> frozenset[str]:
    """Read which scopes a token carries; an answer that names none of those asked for speaks of something else."""
    told = reply.json().get("scope")
    named = frozenset(told.split()) if isinstance(told, str) else frozenset()
    return named if named & set(asked) else frozenset(asked)


def _kept(end: timedelta) -> timedelta:
    """Tell how long to keep a token: sessions are renewed `MARGIN` early, which would eat up a short one whole."""
    return end if end > 2 * MARGIN else end / 2 + MARGIN


def _knows_the_client(reply: Reply, said: str) -> bool:
    """Tell whether a refusal that speaks of scopes is surely about them: wrong credentials must not be tried again."""
    code = said.lower()
    return "invalid_scope" in code or (reply.status != 401 and "invalid_client" not in code)


def code_of(reply: Reply) -> str:
    """Name a refusal by its OAuth code, and show nothing else of it; by its status where it has none."""
    try:
        body: Any = reply.json()
    except ValueError:
        body = None
    code = body.get("error") if isinstance(body, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{4,40}", code) else f"status {reply.status}"


def _said(reply: Reply) -> str:
    """Read any of the dialects in which a login is refused; never shows what we sent."""
    try:
        body: Any = reply.json()
    except ValueError:
        return reply.text(200) or "no text"
    if not isinstance(body, dict):
        return reply.text(200)
    words = [str(body[name]) for name in ("error", "error_description", "message") if body.get(name)]
    words += [
        f"{'.'.join(map(str, listed(d.get('loc'))))}: {d.get('msg')}"
        for d in listed(body.get("detail"))
        if isinstance(d, dict)
    ]
    return reply.clean(": ".join(words))[:500] or reply.text(200)

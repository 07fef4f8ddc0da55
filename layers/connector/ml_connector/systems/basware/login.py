"""The bearer token: client credentials, shared by all workers (`kit/login`; `docs/vendors/basware.md`)."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from ml_connector.engine.access.sessions import MARGIN, Session
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.ports import Clock
from ml_connector.systems.basware import rights
from ml_connector.systems.basware.settings import Settings
from ml_connector.systems.http import Call, Http, Reply, listed
from ml_connector.systems.kit.absence import ABSENT_STATUS, unproven
from ml_connector.systems.kit.login import Doubt, knock, lifetime

log = logging.getLogger("ml_connector")
MARK = "\n"
"""Between a token and the scopes that it lacks, in what the sessions keep: who takes a token over must know them."""


class ScopesRefused(LoginRefused):
    """The client is known, and may not have all scopes that were asked for."""


def lacking(session: Session) -> frozenset[str]:
    """Name the optional scopes that a token goes without."""
    return frozenset(session.value.partition(MARK)[2].split())


class ClientCredentials:
    """Gets tokens with as many scopes as are granted, and puts them on requests."""

    def __init__(
        self, http: Http, settings: Settings, clock: Clock, scopes: Callable[[], tuple[str, ...]], tenant: str = ""
    ) -> None:
        """`scopes` is asked at each login."""
        self._http, self._settings, self._clock, self._scopes = http, settings, clock, scopes
        self._tenant = tenant
        self.granted: frozenset[str] | None = None
        """The scopes that the latest token carries: as its answer tells, else those asked for; None before a login."""

    def grants(self, scope: str) -> bool:
        """Tell whether the client gets a token for one scope; the token is not kept."""
        try:
            self.token(scope)
        except ScopesRefused:
            return False
        return True

    def token(self, scope: str) -> Session:
        """Get a token for one scope that no flow needs; raises `ScopesRefused` where it is not granted."""
        return self._ask((scope,))[0]

    def sign(self, request: httpx.Request, session: Session) -> None:
        """Put the token on a request."""
        request.headers["Authorization"] = f"Bearer {session.value.partition(MARK)[0]}"

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell a token that is refused; 403 may be a right granted since, which a new token carries."""
        return {401: Doubt.DEAD, 403: Doubt.VAGUE}.get(response.status_code)

    def log_in(self, *, tell: bool = True) -> Session:
        """Log in; without the scopes that no flow needs where the server grants no token with them.

        It is asked for all again with each new token, so that a right granted since is found within its lifetime.
        """
        wanted = self._scopes()
        session, self.granted = self._most(wanted)
        lacking = sorted(rights.OPTIONAL & set(wanted) - self.granted)
        if not lacking:
            return session
        if tell:
            log.warning("%s: %s", self._tenant, rights.lack(lacking), extra={"tenant": self._tenant})
        return replace(session, value=f"{session.value}{MARK}{' '.join(lacking)}")

    def _most(self, wanted: tuple[str, ...]) -> tuple[Session, frozenset[str]]:
        """Get a token with as many scopes as the server grants; credentials that are refused are tried once only."""
        try:
            return self._ask(wanted)
        except ScopesRefused:
            for scopes in rights.fewer(wanted):
                with suppress(ScopesRefused):
                    return self._ask(scopes)
            raise

    def _ask(self, scopes: tuple[str, ...]) -> tuple[Session, frozenset[str]]:
        """Get a token, and the scopes that it carries."""
        secret = self._settings.client_secret.get_secret_value()
        pair = base64.b64encode(f"{self._settings.client_id}:{secret}".encode()).decode()
        form = urlencode({"grant_type": "client_credentials", "scope": " ".join(scopes)})
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        asked = self._clock.now()
        login = Call("POST", "/v1/tokens", content=form.encode(), headers=headers, auth=False, judge=_there,
                     expect=(200, 201, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 422))  # fmt: skip
        reply = knock(self._http, login, self._nowhere)
        if reply.status not in {200, 201}:
            _refuse(reply, scopes, self._http.base_url)
        value, lasts = _token(reply)
        return Session(value, asked + _kept(lasts) if lasts else None), _granted(reply, scopes)

    def _nowhere(self, said: object) -> Misconfigured:
        return Misconfigured(f"{self._http.base_url} has no /v1/tokens: correct 'base_url' or 'region'. {said}")


def _there(reply: Reply) -> None:
    """Try again where a gateway may have said that there is no login: it may be over in a moment."""
    if reply.status in ABSENT_STATUS:
        raise unproven("Basware", "a login", f"{reply.status}, {reply.text(120) or 'without a text'}")


def _token(reply: Reply) -> tuple[str, timedelta | None]:
    """Read token and lifetime. The documentation says minutes, its own example proves seconds."""
    body = reply.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii():
        raise Transient(f"Basware answered a login with 200 but without an access_token: {_said(reply)[:200]}")
    return token, lifetime(body.get("expires_in"))


def _granted(reply: Reply, asked: tuple[str, ...]) -> frozenset[str]:
    """Read which scopes a token carries; an answer that names none of those asked for speaks of something else."""
    told = reply.json().get("scope")
    named = frozenset(told.split()) if isinstance(told, str) else frozenset()
    return named if named & set(asked) else frozenset(asked)


def _kept(end: timedelta) -> timedelta:
    """Tell how long to keep a token: sessions are renewed `MARGIN` early, which would eat up a short one whole."""
    return end if end > 2 * MARGIN else end / 2 + MARGIN


def _refuse(reply: Reply, scopes: tuple[str, ...], base: str) -> None:
    """Say in words why there is no token. Raises `LoginRefused` or `Misconfigured`."""
    said, asked = _said(reply), " ".join(scopes)
    if reply.status in {301, 302, 307, 308, 404, 405}:
        raise Misconfigured(f"{base} has no /v1/tokens (status {reply.status}): correct 'base_url' or 'region'.")
    if "scope" in said.lower():
        raise (ScopesRefused if _knows_the_client(reply, said) else LoginRefused)(
            f"Basware refused the scopes asked for ({asked}): {said}. Let Basware grant them to this client, or list "
            "in 'scopes' those that it has."
        )
    if reply.status == 401 or "client" in said.lower():
        raise LoginRefused(
            f"Basware refused the login: {said}. Check 'client_id' and 'client_secret', and that they belong to the "
            f"region and environment of {base}."
        )
    raise LoginRefused(f"Basware refused the login with status {reply.status}: {said}. It was asked for: {asked}.")


def _knows_the_client(reply: Reply, said: str) -> bool:
    """Tell whether a refusal that speaks of scopes is surely about them: wrong credentials must not be tried again."""
    code = said.lower()
    return "invalid_scope" in code or (reply.status != 401 and "invalid_client" not in code)


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

"""The bearer token: client credentials, shared by all workers, renewed by one of them (`docs/vendors/basware.md`)."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from ml_connector.engine.sessions import MARGIN, Session, Sessions
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.ports import Clock
from ml_connector.systems.basware import rights
from ml_connector.systems.basware.settings import Settings
from ml_connector.systems.http import Call, Http, Reply, listed
from ml_connector.systems.kit.absence import ABSENT_STATUS, Unproven, unproven

log = logging.getLogger("ml_connector")
LONGEST = 86_400.0
"""Seconds that a token is kept at most, whatever a server says of its life."""


MARK = "\n"
"""Between a token and the scopes that it lacks, in what the sessions keep: who takes a token over must know them."""


class ScopesRefused(LoginRefused):
    """The client is known, and may not have all scopes that were asked for."""


class BaswareAuth(httpx.Auth):
    """Puts the token on a request, and renews it once for a request that was refused with it."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        clock: Clock,
        scopes: Callable[[], tuple[str, ...]],
        tenant: str = "",
    ) -> None:
        """`scopes` is asked at each login; `http` must be set before the first request."""
        self._settings, self._sessions, self._clock, self._scopes = settings, sessions, clock, scopes
        self._tenant = tenant
        self.http: Http
        self.granted: frozenset[str] | None = None
        """The scopes that the latest token carries: as its answer tells, else those asked for; None before a login."""
        self._own: Session | None = None

    def ready(self) -> None:
        """Log in where there is no token yet. Outside a request, so that two loops of tries do not multiply."""
        if self._own is None:
            self._sessions.get(self._login)

    def prove(self) -> None:
        """Log in for this connection alone, so that `ping` tries the secret and not yesterday's token.

        Which scopes are left out is for `ping` to tell, and not logged.
        A refusal closes the door for the workers too, without a second try.
        """
        try:
            self._own = self._login(tell=False)
        except LoginRefused as refusal:
            self._tell_all(refusal)
            raise

    def grants(self, scope: str) -> bool:
        """Tell whether the client gets a token for one scope; the token is not kept."""
        try:
            self._ask((scope,))
        except ScopesRefused:
            return False
        return True

    @contextmanager
    def lent(self, scope: str) -> Iterator[None]:
        """Call with a token for one scope that no flow needs; raises `ScopesRefused` where it is not granted."""
        own, granted = self._own, self.granted
        self._own = self._ask((scope,))
        try:
            yield
        finally:
            self._own, self.granted = own, granted

    def lacking(self) -> frozenset[str]:
        """Name the optional scopes that the token in use goes without; logs in where there is none yet."""
        return frozenset(self._session().value.partition(MARK)[2].split())

    def _session(self) -> Session:
        return self._own or self._sessions.get(self._login)

    def _tell_all(self, refusal: LoginRefused) -> None:
        def refused() -> Session:
            raise refusal

        self._sessions.renew(self._sessions.get(refused), refused)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token; 401, or 403 for a right granted since, is worth one new token and never a second."""
        session = self._session()
        request.headers["Authorization"] = _bearer(session)
        response = yield request
        if response.status_code in {401, 403} and self._own is None:
            response.read()  # gives its connection back: with one connection only, the login would wait for it
            session = self._sessions.renew(session, self._login)
            request.headers["Authorization"] = _bearer(session)
            yield request

    def _login(self, *, tell: bool = True) -> Session:
        """Log in; without the scopes that no flow needs where the server grants no token with them.

        It is asked for all again with each new token, so that a right granted since is found within its lifetime.
        """
        wanted = self._scopes()
        session = self._most(wanted)
        lacking = sorted(rights.OPTIONAL & set(wanted) - (self.granted or frozenset()))
        if not lacking:
            return session
        if tell:
            log.warning("%s: %s", self._tenant, rights.lack(lacking), extra={"tenant": self._tenant})
        return replace(session, value=f"{session.value}{MARK}{' '.join(lacking)}")

    def _most(self, wanted: tuple[str, ...]) -> Session:
        """Get a token with as many scopes as the server grants; credentials that are refused are tried once only."""
        try:
            return self._ask(wanted)
        except ScopesRefused:
            for scopes in rights.fewer(wanted):
                with suppress(ScopesRefused):
                    return self._ask(scopes)
            raise

    def _ask(self, scopes: tuple[str, ...]) -> Session:
        secret = self._settings.client_secret.get_secret_value()
        pair = base64.b64encode(f"{self._settings.client_id}:{secret}".encode()).decode()
        form = urlencode({"grant_type": "client_credentials", "scope": " ".join(scopes)})
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        asked = self._clock.now()
        try:
            reply = self.http.call(
                Call("POST", "/v1/tokens", content=form.encode(), headers=headers, auth=False, judge=_there,
                     expect=(200, 201, 301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 422))
            )  # fmt: skip
        except Unproven as error:  # also after some tries
            raise Misconfigured(
                f"{self.http.base_url} has no /v1/tokens: correct 'base_url' or 'region'. {error}"
            ) from error
        if reply.status not in {200, 201}:
            _refuse(reply, scopes, self.http.base_url)
        value, seconds = _token(reply)
        self.granted = _granted(reply, scopes)
        return Session(value, asked + _lifetime(seconds) if seconds else None)


def _there(reply: Reply) -> None:
    """Try again where a gateway may have said that there is no login: it may be over in a moment."""
    if reply.status in ABSENT_STATUS:
        raise unproven("Basware", "a login", f"{reply.status}, {reply.text(120) or 'without a text'}")


def _bearer(session: Session) -> str:
    return f"Bearer {session.value.partition(MARK)[0]}"


def _token(reply: Reply) -> tuple[str, float | None]:
    """Read token and lifetime in seconds. The documentation says minutes, its own example proves seconds."""
    body = reply.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii():
        raise Transient(f"Basware answered a login with 200 but without an access_token: {_said(reply)[:200]}")
    try:
        seconds = float(body.get("expires_in") or 0)
    except (TypeError, ValueError, OverflowError):
        return token, None
    return token, min(seconds, LONGEST) if seconds > 0 else None


def _granted(reply: Reply, asked: tuple[str, ...]) -> frozenset[str]:
    """Read which scopes a token carries; an answer that names none of those asked for speaks of something else."""
    told = reply.json().get("scope")
    named = frozenset(told.split()) if isinstance(told, str) else frozenset()
    return named if named & set(asked) else frozenset(asked)


def _lifetime(seconds: float) -> timedelta:
    """Tell how long to keep a token: sessions are renewed `MARGIN` early, which would eat up a short one whole."""
    end = timedelta(seconds=seconds)
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

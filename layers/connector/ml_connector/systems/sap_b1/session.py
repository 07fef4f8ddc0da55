"""The Service Layer's session: one cookie, shared by all workers, renewed once when the server drops it.

Why by hand: the cookie `B1SESSION` comes without a path, so a cookie jar would scope or lose it
(`docs/vendors/sap_b1.md`). The timeout is one of idleness; what counts is the reaction to a refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import suppress
from datetime import timedelta

import httpx

from ml_connector.engine.sessions import Session, Sessions
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, Transient
from ml_connector.ports import Clock
from ml_connector.redact import MASK, Redactor
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import Unproven, unproven
from ml_connector.systems.sap_b1.replies import Fault, fault_in, whole_number
from ml_connector.systems.sap_b1.settings import Settings

COOKIES = ("B1SESSION", "ROUTEID")
REFUSED_CODES = frozenset({"-304", "100000027"})
SHORTEST = 5
"""Minutes: under this the server's timeout is no help in planning, and only its refusal counts."""
LONGEST = 24 * 60
"""Minutes: what lasts longer is asked for again all the same."""
_DIRECTORY_DOWN = re.compile(r"bound database instance", re.IGNORECASE)
_DIRECTORY_REFUSES = re.compile(r"credentials from SLD", re.IGNORECASE)
_SMALL = 64 * 1024
_COOKIE = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,4000}")
"""What a cookie's value may be made of: it goes into a header."""


_ECHOED = re.compile(r"(B1SESSION=)[^;\s\"'<>&]+", re.IGNORECASE)


class SessionRedactor(Redactor):
    """Masks the session's cookie as well: a server's debug page may say back what it was sent."""

    def text(self, text: str) -> str:
        """Mask a body, an address or a message."""
        return _ECHOED.sub(rf"\1{MASK}", super().text(text))


def forget_cookies(request: httpx.Request) -> None:
    """Let a login leave without the cookies that the client's jar would add."""
    if request.url.path.endswith("/Login"):
        request.headers.pop("Cookie", None)


class ServiceLayerAuth(httpx.Auth):
    """Puts the session's cookie on each request, and replays a request once after the session died."""

    def __init__(self, http: Http, settings: Settings, sessions: Sessions, clock: Clock) -> None:
        self._http, self._settings, self._sessions, self._clock = http, settings, sessions, clock
        self.timeout_minutes: int | None = None
        self._own: Session | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send, and where the session was refused log in and send once more, never a third time.

        A refused session is refused before anything is done, so that a posting may be repeated too
        (`docs/vendors/sap_b1.md`).
        """
        session = self._own or self._sessions.get(self.log_in)
        _sign(request, session)
        response = yield request
        if _is_dead(response) and self._own is None:
            _sign(request, self._sessions.renew(session, self.log_in))
            yield request

    def renew(self) -> None:
        """Replace the session, after a refusal that came with a good status."""
        self._sessions.renew(self._sessions.get(self.log_in), self.log_in)

    def open_own(self) -> None:
        """Log in for this connection alone, so that `ping` tries the password and not yesterday's session.

        The session that the tenant's workers share is left as it is; a refusal closes the door for them too.
        """
        try:
            self._own = self.log_in()
        except LoginRefused as refusal:
            self._tell_all(refusal)
            raise

    def close_own(self) -> None:
        """Log out of the connection's own session; the server ends one that cannot be left when it is idle."""
        if self._own is None:
            return
        with suppress(ConnectorError):
            self._http.call(Call("POST", "/Logout", want="none", expect=(200, 204, 400, 401, 403, 404, 405, 500)))
        self._own = None

    def _tell_all(self, refusal: LoginRefused) -> None:
        """Let the shared session know of a refused password, as if a worker had met it, without a second try."""

        def refused() -> Session:
            raise refusal

        self._sessions.renew(self._sessions.get(refused), refused)

    def log_in(self) -> Session:
        """Open a session. Raises `LoginRefused`, `Misconfigured` or `Transient`."""
        settings = self._settings
        body = {
            "CompanyDB": settings.company_db,
            "UserName": settings.user_name,
            "Password": settings.password.get_secret_value(),
        }
        expect = (200, 201, 204, 400, 401, 403, 404, 405, 410, 500)
        try:
            reply = self._http.call(Call("POST", "/Login", body=body, auth=False, expect=expect, judge=_own_words))
        except Unproven as error:  # also after some tries
            raise Misconfigured(
                f"There is no Service Layer at {settings.service_layer_url}. {error} Correct 'service_layer_url'."
            ) from error
        fault = fault_in(reply)
        if fault is not None:
            raise self._refusal(fault)
        return self._opened(reply)

    def _opened(self, reply: Reply) -> Session:
        body = reply.json() if reply.status in {200, 201} else {}
        cookies = _cookies(reply)
        if isinstance(body, dict) and body.get("SessionId"):
            cookies.setdefault("B1SESSION", str(body["SessionId"]))
        cookies = {name: value for name, value in cookies.items() if _COOKIE.fullmatch(value)}
        if "B1SESSION" not in cookies:
            raise Transient(
                "SAP Business One took the login but gave no session; check that the address is that of the Service "
                "Layer itself."
            )
        self.timeout_minutes = _minutes(body)
        lasts = self.timeout_minutes
        ends = self._clock.now() + timedelta(minutes=lasts) if lasts and lasts >= SHORTEST else None
        return Session(json.dumps(cookies, sort_keys=True), ends)

    def _refusal(self, fault: Fault) -> LoginRefused | Misconfigured | Transient:
        settings = self._settings
        if _DIRECTORY_DOWN.search(fault.text):
            return Transient(
                f"The System Landscape Directory behind SAP Business One does not answer: {fault}. "
                "If it lasts, an administrator refreshes it in the control centre."
            )
        said_no = fault.code in REFUSED_CODES or _DIRECTORY_REFUSES.search(fault.text) is not None
        if fault.status >= 500 and not said_no:
            return Transient(f"SAP Business One could not open a session: {fault}.")
        if fault.status in {404, 405}:
            return Misconfigured(
                f"There is no Service Layer at {settings.service_layer_url}: {fault}. Correct 'service_layer_url'."
            )
        return LoginRefused(
            f"SAP Business One refused the login of user '{settings.user_name}' to company '{settings.company_db}' "
            f"at {settings.service_layer_url}: {fault}. Check user name, password, company database and address, "
            "and whether the user is locked."
        )


def _own_words(reply: Reply) -> None:
    """Try again where a gateway may have said that there is no login: it may be over in a moment."""
    fault = fault_in(reply)
    if fault is not None and fault.anybodys:
        raise unproven("SAP Business One", "a login", fault)


def _sign(request: httpx.Request, session: Session) -> None:
    cookies = json.loads(session.value)
    request.headers["Cookie"] = "; ".join(f"{name}={cookies[name]}" for name in COOKIES if name in cookies)


def _is_dead(response: httpx.Response) -> bool:
    """Read a refusal's body, and no other: pages are streamed under the caller's limits of size and time."""
    if response.status_code == 401:
        response.read()
        return True
    length = whole_number(response.headers.get("content-length") or "0")
    if response.status_code < 400 or length is None or length > _SMALL:
        return False
    body = response.read()
    fault = fault_in(Reply(response.status_code, response.headers, body))
    if fault is None:
        return False
    return fault.may_be_session if response.request.method == "GET" else fault.session_is_dead


def _cookies(reply: Reply) -> dict[str, str]:
    """Read the cookies we know, the text before the first `;` of each header."""
    found = {}
    for header in reply.headers.get_list("set-cookie"):
        name, _, value = header.partition(";")[0].strip().partition("=")
        if name in COOKIES and value:
            found[name] = value
    return found


def _minutes(body: object) -> int | None:
    told = body.get("SessionTimeout") if isinstance(body, dict) else None
    try:
        return min(int(float(told)), LONGEST) if told else None
    except (TypeError, ValueError, OverflowError):
        return None

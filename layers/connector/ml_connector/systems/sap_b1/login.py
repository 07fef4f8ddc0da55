"""The Service Layer's session: one cookie, shared by all workers (`kit/login`), renewed when the server drops it.

Why by hand: the cookie `B1SESSION` comes without a path, so a cookie jar would scope or lose it
(`docs/vendors/sap_b1.md`). The timeout is one of idleness; what counts is the reaction to a refusal.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import timedelta

import httpx

from ml_connector.engine.access.sessions import Session
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, Transient
from ml_connector.ports import Clock
from ml_connector.redact import MASK, Redactor
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.faults import own_words
from ml_connector.systems.kit.login import Doubt, fault_of, knock, lifetime
from ml_connector.systems.sap_b1.faults import VENDOR, Fault, fault_in
from ml_connector.systems.sap_b1.settings import Settings

COOKIES = ("B1SESSION", "ROUTEID")
REFUSED_CODES = frozenset({"-304", "100000027"})
MINUTE = timedelta(minutes=1)
SHORTEST = 5 * MINUTE
"""Under this the server's timeout is no help in planning, and only its refusal counts."""
_DIRECTORY_DOWN = re.compile(r"bound database instance", re.IGNORECASE)
_DIRECTORY_REFUSES = re.compile(r"credentials from SLD", re.IGNORECASE)
_COOKIE = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,4000}")
"""What a cookie's value may be made of: it goes into a header."""


_ECHOED = re.compile(r"(B1SESSION=)[^;\s\"'<>&]+", re.IGNORECASE)


class SessionRedactor(Redactor):
    """Masks the session's cookie as well: a server's debug page may say back what it was sent."""

    def text(self, text: str) -> str:
        """Mask a body, an address or a message."""
        return _ECHOED.sub(rf"\1{MASK}", super().text(text))


class CookieLogin:
    """Logs in, puts the session's cookie on each request, and reads what a refusal says of it."""

    def __init__(self, http: Http, settings: Settings, clock: Clock) -> None:
        self._http, self._settings, self._clock = http, settings, clock
        self.timeout_minutes: int | None = None

    def log_out(self) -> None:
        """End the session that the connection uses; the server ends one that cannot be left when it is idle."""
        with suppress(ConnectorError):
            self._http.call(Call("POST", "/Logout", want="none", expect=(200, 204, 400, 401, 403, 404, 405, 500)))

    def sign(self, request: httpx.Request, session: Session) -> None:
        """Name the session in the one header, in the order that the server's balancer wants."""
        cookies = json.loads(session.value)
        request.headers["Cookie"] = "; ".join(f"{name}={cookies[name]}" for name in COOKIES if name in cookies)

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell a dead session from a refused request (`docs/vendors/sap_b1.md`); vaguer words will do for a read."""
        if response.status_code == 401:
            return Doubt.DEAD
        fault = fault_of(response, fault_in)
        if fault is None:
            return None
        if fault.session_is_dead:
            return Doubt.DEAD
        return Doubt.VAGUE if fault.may_be_session and response.request.method == "GET" else None

    def log_in(self) -> Session:
        """Open a session. Raises `LoginRefused`, `Misconfigured` or `Transient`."""
        settings = self._settings
        body = {
            "CompanyDB": settings.company_db,
            "UserName": settings.user_name,
            "Password": settings.password.get_secret_value(),
        }
        expect = (200, 201, 204, 400, 401, 403, 404, 405, 410, 500)
        judge = own_words(VENDOR, "a login", fault_in, pages=False)
        login = Call("POST", "/Login", body=body, auth=False, expect=expect, judge=judge)
        reply = knock(self._http, login, lambda said: self._nowhere(f". {said}"))
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
        lasts = lifetime(body.get("SessionTimeout") if isinstance(body, dict) else None, MINUTE)
        self.timeout_minutes = int(lasts / MINUTE) if lasts else None
        ends = self._clock.now() + lasts if lasts and lasts >= SHORTEST else None
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
            return self._nowhere(f": {fault}.")
        return LoginRefused(
            f"SAP Business One refused the login of user '{settings.user_name}' to company '{settings.company_db}' "
            f"at {settings.service_layer_url}: {fault}. Check user name, password, company database and address, "
            "and whether the user is locked."
        )

    def _nowhere(self, said: str) -> Misconfigured:
        where = self._settings.service_layer_url
        return Misconfigured(f"There is no Service Layer at {where}{said} Correct 'service_layer_url'.")


def _cookies(reply: Reply) -> dict[str, str]:
    """Read the cookies we know, the text before the first `;` of each header."""
    found = {}
    for header in reply.headers.get_list("set-cookie"):
        name, _, value = header.partition(";")[0].strip().partition("=")
        if name in COOKIES and value:
            found[name] = value
    return found

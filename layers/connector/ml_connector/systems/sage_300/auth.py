"""Basic credentials, in capitals, and proven once before anything else is asked.

The Web API has no login of its own. So the first call of a set of credentials is a small one that proves them, and
what it proved is shared by all workers: a wrong password is tried once, and never by five workers at once. Sage 300
locks users.
"""

from __future__ import annotations

from collections.abc import Generator

import httpx

from ml_connector.engine.sessions import Session, Sessions
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import Unproven, unproven
from ml_connector.systems.sage_300.replies import NO_RIGHT, REFUSED_LOGIN, Fault, fault_in
from ml_connector.systems.sage_300.settings import Settings

JSON = "application/json"
ADMIN = "ADMIN"
EVERY = tuple(range(200, 600))
"""All statuses are judged by what the bodies say (`docs/vendors/sage_300.md`)."""
IIS = (
    "In IIS, Anonymous Authentication must be enabled and Windows Authentication disabled for the Web API; and "
    "'api_url' must be the address of the Web API, up to and including /v1.0/-."
)


def prepare(request: httpx.Request) -> None:
    """Put a content type on every request: without one a GET too is answered 500 (`docs/vendors/sage_300.md`)."""
    request.headers.setdefault("Content-Type", JSON)


class BasicAuth(httpx.Auth):
    """Signs requests. A refusal is looked into by one proving call, and the request replayed once if that is good."""

    def __init__(self, http: Http, settings: Settings, sessions: Sessions) -> None:
        self._http, self._settings, self._sessions = http, settings, sessions
        self._header = f"Basic {settings.basic()}"
        self._refusal: str | None = None
        self._proven: Session | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign and send; nothing leaves after these credentials were refused."""
        session = self._proven or self._sessions.get(self.log_in)
        if self._refusal:
            raise LoginRefused(self._refusal)
        request.headers["Authorization"] = self._header
        response = yield request
        if _refused(response) and self._proven is None:
            self._look_into(session)
            yield request

    def _look_into(self, session: Session) -> None:
        """Prove anew after a refusal. Where that stays open, whoever comes next proves first."""
        try:
            self._sessions.renew(session, self.log_in)
        except (Transient, Misconfigured):
            self._sessions.distrust(session)
            raise

    def prove(self) -> None:
        """Ask the server for sure, so that `ping` tries the password and not yesterday's success.

        A refusal closes the door for the workers too, without a second try.
        """
        try:
            self._proven = self.log_in()
        except LoginRefused as refusal:
            self._tell_all(refusal)
            raise

    def _tell_all(self, refusal: LoginRefused) -> None:
        def refused() -> Session:
            raise refusal

        self._sessions.renew(self._sessions.get(refused), refused)

    def log_in(self) -> Session:
        """Prove the credentials by reading one vendor. Raises `LoginRefused`, `Misconfigured` or `Transient`.

        A user without the right to vendors is logged in all the same.
        """
        path = f"/{self._settings.company_id}/AP/APVendors"
        headers = {"Authorization": self._header}
        try:
            reply = self._http.call(
                Call("GET", path, {"$top": "1", "$select": "VendorNumber"}, headers=headers, auth=False, want="text",
                     expect=EVERY, judge=_own_words)
            )  # fmt: skip
        except Unproven as error:  # also after some tries
            raise Misconfigured(
                f"{self._settings.api_url} can be reached, but what answers is not the Web API: {error} {IIS}"
            ) from error
        self._judge(reply)
        return Session("proven")

    def _judge(self, reply: Reply) -> None:
        fault = fault_in(reply)
        if fault is None:
            _whole(reply, self._settings)
            return
        if fault.code == REFUSED_LOGIN:
            self._refusal = self._why(reply, fault)
            raise LoginRefused(self._refusal)
        if fault.passing or (reply.status < 300 and not fault.page):  # an error in a good answer proves nothing
            hint = f" {IIS}" if fault.page else ""
            raise Transient(f"Sage 300 could not open a session: {fault}.{hint}")
        if fault.page or 300 <= reply.status < 400 or fault.absent or fault.gone:
            raise not_the_api(self._settings.api_url, fault)
        if fault.code == NO_RIGHT and self._settings.user.upper() == ADMIN:
            raise Misconfigured(
                f"Sage 300 took the login of {ADMIN}, who may not use the Web API: {fault}. Make a user of its own, or "
                "set AllowWebApiAccessForAdmin in the web.config of Online/Web and of Online/WebApi."
            )

    def _why(self, reply: Reply, fault: Fault) -> str:
        settings = self._settings
        how = (
            "user and password are sent in upper case (set 'uppercase_password' to false where the password has small "
            "letters)"
            if settings.uppercase_password
            else "the user is sent in upper case, and the password as it is written"
        )
        windows = reply.headers.get("www-authenticate", "").lower()
        iis = f" {IIS}" if fault.page or "ntlm" in windows or "negotiate" in windows else ""
        return (
            f"Sage 300 refused user '{settings.user.upper()}' at {settings.api_url}: {fault}. Note that {how}; "
            "that ADMIN may not use the Web API unless AllowWebApiAccessForAdmin is set in web.config; and that the "
            f"user's security groups need the right 'Sage 300 Web API' in each module (AP, GL, PO, CS).{iis}"
        )


def _own_words(reply: Reply) -> None:
    """Try again where IIS or a gateway may have said that there is nothing: it may be over in a moment."""
    fault = fault_in(reply)
    if fault is not None and fault.anybodys:
        raise unproven("the Web API", "a login", fault)


def not_the_api(api_url: str, fault: Fault) -> Misconfigured:
    """Say that something else than the Web API answers."""
    return Misconfigured(f"{api_url} can be reached, but what answers is not the Web API: {fault}. {IIS}")


def _whole(reply: Reply, settings: Settings) -> None:
    try:
        body = reply.json()
    except ValueError as error:
        raise Transient(f"Sage 300 answered with something else than whole JSON ({error}). {IIS}") from error
    if not isinstance(body, dict) or "value" not in body:
        fault = Fault(reply.status, "", reply.text(120), worded=False)
        raise not_the_api(settings.api_url, fault)


def _refused(response: httpx.Response) -> bool:
    """Read a refusal's body, and no other: pages are streamed under the caller's limits of size and time."""
    if response.status_code == 401:
        response.read()
        return True
    if response.status_code < 400 or int(response.headers.get("content-length") or 0) > 65_536:
        return False
    body = response.read()
    fault = fault_in(Reply(response.status_code, response.headers, body))
    return fault is not None and fault.code == REFUSED_LOGIN

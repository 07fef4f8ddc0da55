"""Basic credentials, in capitals, and proven once before anything else is asked.

The Web API has no login of its own. So the first call of a set of credentials is a small one that proves them, and
what it proved is shared by all workers (`kit/login`): a wrong password is tried once, and never by five workers at
once. Sage 300 locks users.
"""

from __future__ import annotations

import httpx

from ml_connector.engine.access.sessions import Session
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.login import Doubt, fault_of, knock
from ml_connector.systems.sage_300.faults import NO_RIGHT, REFUSED_LOGIN, Fault, fault_in
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


class BasicLogin:
    """Signs requests with the credentials, proves them, and reads what a refusal says of them."""

    def __init__(self, http: Http, settings: Settings) -> None:
        self._http, self._settings = http, settings
        self._header = f"Basic {settings.basic()}"

    def sign(self, request: httpx.Request, _: Session) -> None:
        """Send the credentials; a session says only that they are proven."""
        request.headers["Authorization"] = self._header

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell a refusal of the credentials, which may be passing: it is looked into by one proving call."""
        if response.status_code == 401:
            return Doubt.DEAD
        fault = fault_of(response, fault_in)
        return Doubt.DEAD if fault is not None and fault.code == REFUSED_LOGIN else None

    def log_in(self) -> Session:
        """Prove the credentials by reading one vendor. Raises `LoginRefused`, `Misconfigured` or `Transient`.

        A user without the right to vendors is logged in all the same.
        """
        path = f"/{self._settings.company_id}/AP/APVendors"
        headers = {"Authorization": self._header}
        proof = Call("GET", path, {"$top": "1", "$select": "VendorNumber"}, headers=headers, auth=False, want="text",
                     expect=EVERY, judge=_own_words)  # fmt: skip
        reply = knock(self._http, proof, lambda said: not_the_api(self._settings.api_url, said))
        self._judge(reply)
        return Session("proven")

    def _judge(self, reply: Reply) -> None:
        fault = fault_in(reply)
        if fault is None:
            _whole(reply, self._settings)
            return
        if fault.code == REFUSED_LOGIN:
            raise LoginRefused(self._why(reply, fault))
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
            "user and password are sent in upper case (set 'uppercase_password' to false where the password has lower "
            "case letters)"
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


def not_the_api(api_url: str, said: object) -> Misconfigured:
    """Say that something else than the Web API answers."""
    words = str(said).removesuffix(".")
    return Misconfigured(f"{api_url} can be reached, but what answers is not the Web API: {words}. {IIS}")


def _whole(reply: Reply, settings: Settings) -> None:
    try:
        body = reply.json()
    except ValueError as error:
        raise Transient(f"Sage 300 answered with something else than whole JSON ({error}). {IIS}") from error
    if not isinstance(body, dict) or "value" not in body:
        fault = Fault(reply.status, "", reply.text(120), worded=False)
        raise not_the_api(settings.api_url, fault)

"""Basic credentials, in capitals, and proven once before anything else is asked.

The Web API has no login of its own. So the first call of a set of credentials is a small one that proves them, and
what it proved is shared by all workers (`kit/login`): a wrong password is tried once, and never by five workers at
once. Sage 300 locks users.
"""

from __future__ import annotations

import httpx

from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, Transient
from ml_connector.systems.http import Http, Reply
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.credentials import Basic
from ml_connector.systems.kit.login import fault_of
from ml_connector.systems.sage_300.faults import NO_RIGHT, REFUSED_LOGIN, Fault, fault_in
from ml_connector.systems.sage_300.settings import Settings

JSON = "application/json"
ADMIN = "ADMIN"
IIS = (
    "In IIS, Anonymous Authentication must be enabled and Windows Authentication disabled for the Web API; and "
    "'api_url' must be the address of the Web API, up to and including /v1.0/-."
)


def prepare(request: httpx.Request) -> None:
    """Put a content type on every request: without one a GET too is answered 500 (`docs/vendors/sage_300.md`)."""
    request.headers.setdefault("Content-Type", JSON)


class Proof:
    """What an answer to the reading of one vendor says of the credentials: by its body, not by its status."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def login(self, http: Http) -> Basic:
        """Make the login that this proves."""
        path = f"/{self._settings.company_id}/AP/APVendors?$top=1&$select=VendorNumber"
        return Basic(
            http, *self._settings.credentials(), proof=path, judge=self.judge, nowhere=self.nowhere, refused=_refused
        )

    def nowhere(self, said: object) -> Misconfigured:
        """Say that something else than the Web API answers."""
        url, words = self._settings.api_url, str(said).removesuffix(".")
        return Misconfigured(f"{url} can be reached, but what answers is not the Web API: {words}. {IIS}")

    def judge(self, reply: Reply) -> ConnectorError | None:
        """Find what is wrong; a user without the right to vendors is logged in all the same."""
        fault = fault_in(reply)
        if fault is None:
            return self._whole(reply)
        if fault.anybodys:
            return unproven("the Web API", "a login", fault)
        if fault.code == REFUSED_LOGIN:
            return LoginRefused(self._why(reply, fault))
        if fault.passing or (reply.status < 300 and not fault.page):  # an error in a good answer proves nothing
            return Transient(f"Sage 300 could not open a session: {fault}.{f' {IIS}' if fault.page else ''}")
        if fault.page or 300 <= reply.status < 400 or fault.absent or fault.gone:
            return self.nowhere(fault)
        return self._of_admin(fault)

    def _whole(self, reply: Reply) -> ConnectorError | None:
        try:
            body = reply.json()
        except ValueError as error:
            return Transient(f"Sage 300 answered with something else than whole JSON ({error}). {IIS}")
        if isinstance(body, dict) and "value" in body:
            return None
        return self.nowhere(Fault(reply.status, "", reply.text(120), worded=False))

    def _of_admin(self, fault: Fault) -> Misconfigured | None:
        if fault.code != NO_RIGHT or self._settings.user.upper() != ADMIN:
            return None
        return Misconfigured(
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


def _refused(response: httpx.Response) -> bool:
    fault = fault_of(response, fault_in)
    return response.status_code == 401 or (fault is not None and fault.code == REFUSED_LOGIN)

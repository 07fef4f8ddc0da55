"""The operator's e.net session: one for all workers (`kit/login`), since a second logon ends the first.

The session id travels in the address of each call, with the two spaces that it ends in (`docs/vendors/syspro.md`). No
status tells that it ended: a call is answered with `ERROR` and words that are not known. So the session itself is
asked, by reading its profile, and only then replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import httpx

from ml_connector.engine.access.sessions import Session
from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, Throttled, Transient
from ml_connector.redact import Redactor
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import NO_SUCH_STATUS, unproven
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.in_address import NO_STORE, put, query
from ml_connector.systems.kit.login import Doubt, knock
from ml_connector.systems.kit.worded import STATUSES
from ml_connector.systems.syspro.faults import NOT_LICENSED, VENDOR, error_in, text_in
from ml_connector.systems.syspro.settings import Settings

SESSION = "UserId"
"""The parameter that names the session."""
SEATS = 300.0
"""Seconds until a logon is tried again for which no licence was free."""
_TOKEN = re.compile(r"\s*?([0-9A-Za-z-]{16,80} {0,4})\s*")
_FULL = re.compile(
    r"licen[cs]e|maximum|too many|in use|users? logged|busy|time.?out|database|sql|server", re.IGNORECASE
)

_WRONG = re.compile(r"password|invalid|attempt|lock|disabled|expired|denied", re.IGNORECASE)
"""Words of a refusal that is the operator's own, whatever else it speaks of: it is tried once."""


class OperatorLogin:
    """Logs on, puts the session into each address, and asks it whether it lives."""

    def __init__(self, http: Http, settings: Settings, redactor: Redactor, may_log_on: Callable[[], None]) -> None:
        """`may_log_on` raises `Throttled` while the operator is left to somebody else."""
        self._http, self._settings, self._redactor, self._may_log_on = http, settings, redactor, may_log_on

    def sign(self, request: httpx.Request, session: Session) -> None:
        """Name the session in the address, in place of another one."""
        self._redactor.learn(session.value.strip())
        put(request, SESSION, session.value)

    def doubt(self, response: httpx.Response) -> Doubt | None:  # noqa: ARG002 - the protocol's
        """Conclude nothing from a status: SYSPRO has none for an ended session, and a gateway's is not its own."""
        return None

    def log_in(self) -> Session:
        """Log on. Raises `LoginRefused`, `Misconfigured` or `Transient`."""
        self._may_log_on()
        settings = self._settings
        asked = query(
            Operator=settings.operator,
            OperatorPassword=settings.operator_password.get_secret_value(),
            CompanyId=settings.company_id,
            CompanyPassword=settings.company_password.get_secret_value(),
        )
        logon = Call(
            "GET", f"/Logon?{asked}", auth=False, want="text", expect=STATUSES, headers=NO_STORE, judge=_own_words
        )
        reply = knock(self._http, logon, self._nowhere)
        fault = error_in(reply)
        if fault is not None:
            raise self._refusal(fault)
        token = _TOKEN.fullmatch(text_in(reply))
        if reply.status != 200 or token is None:
            raise Transient(
                f"{VENDOR} answered a logon with neither a session nor an error: {reply.text(120)}. Check that "
                "'enet_url' is the address of the e.net service itself."
            )
        return Session(token[1])

    def log_off(self, session: Session) -> None:
        """Give the licence back; a session that ended already is no error."""
        call = Call("GET", f"/Logoff?{query(**{SESSION: session.value})}", auth=False, want="text", expect=STATUSES)
        with suppress(ConnectorError):
            self._http.call(call)

    def _refusal(self, fault: Fault) -> ConnectorError:
        settings = self._settings
        if fault.code == NOT_LICENSED:
            return Misconfigured(f"{VENDOR} cannot open an e.net session: {fault}. Let SYSPRO license e.net.")
        if fault.code:
            return Transient(f"{VENDOR} could not open a session: {fault}.")
        if _FULL.search(fault.text) and not _WRONG.search(fault.text):
            return Throttled(f"{VENDOR} has no licence free for operator '{settings.operator}': {fault}.", SEATS)
        return LoginRefused(
            f"{VENDOR} refused the logon of operator '{settings.operator}' to company '{settings.company_id}' at "
            f"{settings.enet_url}: {fault}. Check operator, passwords and company, whether the operator is locked, and "
            "whether it may use e.net."
        )

    def _nowhere(self, said: object) -> Misconfigured:
        return Misconfigured(f"There is no e.net service at {self._settings.enet_url}. {said} Correct 'enet_url'.")


def _own_words(reply: Reply) -> None:
    """Try again where a gateway may have said that there is no logon: it may be over in a moment."""
    if error_in(reply) is not None or reply.status == 200:
        return
    if reply.status in NO_SUCH_STATUS:
        raise unproven(VENDOR, "a logon", reply.text(120))
    raise Transient(f"{VENDOR} answered {reply.status} to a logon: {reply.text(120)}.")

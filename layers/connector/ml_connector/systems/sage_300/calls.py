"""One call to the Web API: what passes is tried again, what is in doubt stays in doubt (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from datetime import datetime

from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, OutcomeUnknown, Throttled, Transient
from ml_connector.ports import Chance, Clock
from ml_connector.systems.http import PATIENCE, Call, Http, Reply
from ml_connector.systems.kit.absence import ABSENT_STATUS
from ml_connector.systems.sage_300.login import IIS
from ml_connector.systems.sage_300.metadata import parse
from ml_connector.systems.sage_300.replies import NO_RIGHT, REFUSED_LOGIN, Fault, fault_in, pause_asked

TRIES = 5
FIRST_PAUSE = 0.4
"""Seconds; doubled with each try. The server refuses by how many requests it has at once, and mostly names no time."""


class Caller:
    """Sends, and judges by what the bodies say."""

    def __init__(self, http: Http, clock: Clock, chance: Chance) -> None:
        self._http, self._clock, self._chance = http, clock, chance
        self.sessions_lost = 0

    def call(self, call: Call) -> tuple[Reply, Fault | None]:
        """Send; what passes is tried again with growing pauses, if the call may be repeated."""
        for attempt in range(1, TRIES + 1):
            reply = self._http.call(call)
            fault = None if call.want == "xml" and reply.status == 200 else fault_in(reply)
            trouble = self._trouble(call, reply, fault)
            if trouble is None:
                return reply, fault
            if not isinstance(trouble, Transient):
                raise trouble
            pause = self._pause(trouble, attempt)
            if not call.safe or attempt == TRIES or pause > PATIENCE:
                trouble.spent = True
                raise trouble
            self._clock.sleep(pause)
        raise AssertionError("unreachable")

    def _pause(self, trouble: Transient, attempt: int) -> float:
        """Wait as long as the server asks for, else twice as long as the last time."""
        asked: float | None = getattr(trouble, "retry_after", None)
        return asked if asked is not None else FIRST_PAUSE * 2 ** (attempt - 1) * (0.75 + self._chance.random() / 2)

    def _trouble(self, call: Call, reply: Reply, fault: Fault | None) -> ConnectorError | None:
        """Find what is wrong with the server and not with the request."""
        if fault is None:
            return _torn(call, reply)
        if fault.code == REFUSED_LOGIN:
            return LoginRefused(f"Sage 300 refused the login, also after it was proven anew: {fault}.")
        if fault.flooded:
            said = f"Sage 300 has too many requests at once: {fault}. It is asked less often."
            return Throttled(said, pause_asked(reply, self._clock.now()))
        if 300 <= reply.status < 400:
            return Misconfigured(f"Sage 300 answered with a redirect; correct 'api_url'. {IIS}")
        self.sessions_lost += fault.code == "SessionError"
        answered = fault.code == NO_RIGHT  # IIS answers for the Web API with pages
        anybodys = fault.anybodys and (call.method == "GET" or fault.status in ABSENT_STATUS)
        if fault.passing or anybodys or (fault.page and not answered):
            return _failure(call, reply, fault, self._clock.now())
        return None


def _failure(call: Call, reply: Reply, fault: Fault, now: datetime) -> Transient | OutcomeUnknown:
    """Make the error of a server that failed.

    503 says that the whole server is away: work is parked, and no record's tries are used up.
    """
    said = f"Sage 300 failed: {fault}."
    if not fault.worded or fault.anybodys:
        said = f"Something else than the Web API of Sage 300 answered: {fault}. {IIS}"
    asked = pause_asked(reply, now)
    if call.safe and (reply.status == 503 or asked is not None):
        return Throttled(said, asked)
    return _doubt(call, said, reply)


def _torn(call: Call, reply: Reply) -> ConnectorError | None:
    """Believe a good answer only where its body is whole."""
    if call.want == "none" or (call.method != "GET" and not reply.body.strip()):
        return None
    form = "XML" if call.want == "xml" else "JSON"
    try:
        parse(reply.body) if call.want == "xml" else reply.json()
    except ValueError as error:
        return _doubt(call, f"Sage 300 answered with something else than whole {form} ({error}).", reply)
    return None


def _doubt(call: Call, message: str, reply: Reply) -> Transient | OutcomeUnknown:
    """Leave open what a request did. Under a good status it was taken, whatever its answer became on the way."""
    return Transient(message) if call.safe else OutcomeUnknown(message, taken=reply.took)

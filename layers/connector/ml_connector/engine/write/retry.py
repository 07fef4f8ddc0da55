"""What an attempt that failed means for its chunk: one place, decided by the class of the error alone."""

from __future__ import annotations

from datetime import timedelta

from ml_connector.engine.access.breaker import Closed, Parked
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, iso, readable
from ml_connector.engine.write.attempt import Attempt
from ml_connector.errors import (
    ConnectorError,
    Held,
    LoginRefused,
    Misconfigured,
    OutOfTime,
    Throttled,
    Unreachable,
)

EXHAUSTED = 30
"""Real attempts with growing pauses: about a day. Outages do not count, they park the work."""
SOON = 40
"""Looks, in an hour or two, at what should come by itself: then it is looked at as rarely as anything else."""
BEHIND_LOGIN = 900.0
SOON_AGAIN = 30.0
"""Seconds until the next look, where a secret could not be read just now."""


def backoff(attempts: int, first: float, most: float) -> float:
    """Double the pause with each attempt, in seconds."""
    return min(first * 2.0 ** min(max(attempts - 1, 0), 20), most)


def hold(attempt: Attempt, error: Held) -> None:
    """Hold the chunk for a person or for another record."""
    looks, attempt.chunk.parked_at = attempt.chunk.attempts, None
    if error.soon or error.waiting_for.startswith("parent:"):
        pause = backoff(looks, 2, 120) if looks <= SOON else backoff(looks - SOON, 240, 3600)
    else:
        pause = backoff(looks, 300, 3600)
    attempt.wait(pause, waiting_for=error.waiting_for, reason=str(error), awaits=error.awaits)


def back_off(attempt: Attempt, error: ConnectorError) -> None:
    """Leave the chunk until the trouble may have passed, or give it up after a day of real attempts."""
    if isinstance(error, (LoginRefused, Misconfigured, Unreachable, Throttled)):
        _park(attempt, error)
        return
    if isinstance(error, OutOfTime):  # nobody's trouble: a whole function's time is there for the next attempt
        attempt.chunk.attempts -= 1
        attempt.chunk.parked_at = attempt.chunk.parked_at or attempt.later(
            0
        )  # if no time is ever enough, an alarm tells
        attempt.wait(1, reason=str(error))
        return
    attempt.chunk.parked_at = None
    attempt.chunk.failures += 1
    if attempt.chunk.failures >= EXHAUSTED:
        attempt.dead("exhausted", f"{error} It was tried {attempt.chunk.failures} times over a day.")
    else:
        attempt.wait(backoff(attempt.chunk.failures, 2, 3600), reason=str(error))


def _park(attempt: Attempt, error: ConnectorError) -> None:
    """Leave the chunk until its system is there again; that counts as no attempt."""
    attempt.chunk.parked_at = attempt.chunk.parked_at or attempt.later(0)
    if isinstance(error, (LoginRefused, Misconfigured)):
        attempt.wait(BEHIND_LOGIN, reason=str(error))
        attempt.chunk.cause = "login" if isinstance(error, LoginRefused) else "setup"
        return
    asked = min(getattr(error, "retry_after", None) or 0.0, 3600)
    busy = error.busy if isinstance(error, Parked) else isinstance(error, Throttled)
    if busy and isinstance(error, Parked):  # it waited in a queue, and was not tried: that counts for nothing
        attempt.chunk.attempts -= 1
        attempt.wait(asked, reason=str(error))
    else:
        attempt.wait(max(backoff(attempt.chunk.attempts, 2, 3600), asked), reason=str(error))
    attempt.chunk.cause = "busy" if busy else "away"


def put_off(ledger: Ledger, chunk_id: str, error: ConnectorError) -> Chunk | None:
    """Write on a chunk why nobody can work on it, and leave it until later; None where nobody would have to.

    Its tenant's secrets cannot be used, or not be read just now: there are no connections, and so there is no attempt.
    """
    now, setup = ledger.clock.now(), isinstance(error, Misconfigured)

    def later(chunk: Chunk) -> bool:
        if chunk.state in {"failed", "done"} or (chunk.state != "open" and (chunk.due_at or "") > iso(now)):
            return False
        chunk.state = "waiting" if chunk.state == "open" else chunk.state  # else it tells what was begun
        chunk.due_at = iso(now + timedelta(seconds=BEHIND_LOGIN if setup else SOON_AGAIN))
        chunk.reason, chunk.cause = readable(str(error)), "setup" if setup else None
        chunk.parked_at = (chunk.parked_at or iso(now)) if setup else chunk.parked_at
        return True

    return ledger.change(chunk_id, later)


def trip(attempt: Attempt, error: ConnectorError) -> None:
    """Park the system behind which the trouble lies, so that its other work waits too; count what it refused."""
    breaker = attempt.pair.breakers[attempt.said.get("talking_to", attempt.flow.target)]
    if isinstance(error, (Unreachable, Throttled)):
        breaker.failed(error)
    breaker.refusals += isinstance(error, LoginRefused) and not isinstance(error, Closed)

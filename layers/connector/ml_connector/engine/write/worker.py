"""The writer: one chunk, one attempt, one audit object. It never raises; it reports on the row."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ml_connector import http_log
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.enqueue import wake_up_of
from ml_connector.engine.ledger.rows import Chunk, dump, readable
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write import deferred_audit, retry, uncertain
from ml_connector.engine.write.alignment import AlignmentWriter
from ml_connector.engine.write.attempt import Attempt, BodyGone, claim
from ml_connector.engine.write.case import Case
from ml_connector.engine.write.deactivate import DeactivationWriter
from ml_connector.engine.write.document import DocumentWriter
from ml_connector.engine.write.enrichment import Enrichment
from ml_connector.engine.write.masters import MasterWriter
from ml_connector.engine.write.order_notification import OrderNotification
from ml_connector.engine.write.prerequisites import release_followers
from ml_connector.engine.write.responder import Responder
from ml_connector.errors import (
    Conflict,
    ConnectorError,
    Held,
    LeaseLost,
    LoginRefused,
    Misconfigured,
    NotYet,
    OutcomeUnknown,
    Rejected,
    Transient,
    Unexplained,
)
from ml_connector.flow import Flow
from ml_connector.records import Record

log = logging.getLogger("ml_connector")
TOGETHER = 5
"""Attempts, in about a minute, before a chunk is halved for a trouble that may be over by then."""
STUCK = 20
"""Looks and sendings, in some three hours, after which a person is told of an outcome that stays unknown."""
PARKED = "The bucket of the audit trail did not take an attempt: the table keeps it, and it follows automatically."
KNOWN = frozenset({"send", "rebaseline", "retire", "notice", "broken"})


def write(pair: TenantIntegration, flow: Flow, chunk_id: str) -> Chunk | None:
    """Work on a chunk that was queued; None where nothing was to be done."""
    if deferred_audit.is_parked(pair.ledger(flow.name), chunk_id):
        deferred_audit.bring(pair.runtime, pair.ledger(flow.name), chunk_id)
        return None
    attempt = claim(pair, flow, chunk_id)
    if attempt is None:
        return None
    audits = attempt.chunk.audits
    try:
        with http_log.recording() as exchanges:
            _attempt(attempt)
            uncertain.note(attempt, exchanges)
            if attempt.chunk.state == "sending":
                attempt.wait(60, reason="The attempt ended without a result.")
        _report(attempt, exchanges)
        if flow.maps is not None and not attempt.chunk.in_flight and attempt.chunk.state != "done":
            release_followers(pair, flow)  # what is held or dead brings its records to nobody for now
    except LeaseLost as error:
        log.warning("lease lost", extra={"chunk": chunk_id, "reason": str(error)})
        _taint(attempt, exchanges)
        if exchanges and attempt.chunk.audits == audits:
            _keep(attempt, exchanges, error)
        return None
    return attempt.chunk


def _taint(attempt: Attempt, exchanges: list[http_log.Exchange]) -> None:
    try:
        uncertain.invalidate(attempt, exchanges)
    except ConnectorError as error:
        log.warning("what a lost attempt sent is not marked", extra={"chunk": attempt.chunk.id, "reason": str(error)})


def _keep(attempt: Attempt, exchanges: list[http_log.Exchange], error: LeaseLost) -> None:
    """Keep what a lost attempt said to the vendors, beside the chain: the row belongs to another worker by now."""
    said = {"state": audit.LOST, "step": attempt.chunk.step, "reason": str(error)}
    _audit(attempt, exchanges, said)


def _attempt(attempt: Attempt) -> None:
    """Work, and decide what follows from what went wrong, also while that was decided."""
    try:
        _work(attempt)
    except LeaseLost:
        raise
    except Exception as error:  # a fault of ours: the row must not be lost for it, and a person must hear of it
        log.exception("unexpected", extra={"tenant": attempt.chunk.tenant, "chunk": attempt.chunk.id})
        attempt.chunk.crashes += 1
        attempt.wait(5, reason=f"Internal error ({type(error).__name__}: {error}); it is tried again.")


def _work(attempt: Attempt) -> None:
    try:
        if not _crashed_too_often(attempt):
            _advance(attempt)
    except Held as error:
        retry.hold(attempt, error)
    except OutcomeUnknown as error:
        _unknown(attempt, error)
    except (Transient, LoginRefused, Misconfigured) as error:
        retry.trip(attempt, error)
        retry.back_off(attempt, error)
    except Rejected as error:
        _rejected(attempt, error)
    except BodyGone:
        attempt.chunk.moved = attempt.chunk.count
        attempt.done()
    except NotYet as error:
        attempt.wait(30, reason=str(error))
    except Conflict as error:
        attempt.wait(5, reason=f"Its state changed while it was being written: {error}")


def _advance(attempt: Attempt) -> None:
    if attempt.chunk.op not in KNOWN:
        attempt.wait(
            3600, reason=f"It is to '{attempt.chunk.op}', which only a newer release knows; it is left to that."
        )
    elif attempt.chunk.op == "notice":
        OrderNotification(attempt).advance()
    elif attempt.chunk.op == "retire":
        DeactivationWriter(attempt).advance()
    elif attempt.flow.aligns:
        AlignmentWriter(attempt).advance()
    elif attempt.flow.enriches is not None:
        Enrichment(attempt).advance()
    elif attempt.flow.manner == "master" or attempt.chunk.op == "broken":
        MasterWriter(attempt).advance()
    else:
        DocumentWriter(attempt).advance()


def _unknown(attempt: Attempt, error: OutcomeUnknown) -> None:
    """After a doubt: look soon, send again only after the settle time (see `document.py`, `once.py`)."""
    if attempt.flow.manner == "master":
        uncertain.begin(attempt)
    attempt.chunk.failures += 1
    stuck = attempt.chunk.failures > STUCK
    attempt.wait(
        3600 if stuck else retry.backoff(attempt.chunk.failures, 1, 900),
        reason=str(error),
        waiting_for=f"lookup:{attempt.chunk.key or attempt.chunk.id}" if stuck else None,
    )


def _rejected(attempt: Attempt, error: Rejected) -> None:
    if attempt.chunk.op == "notice":
        attempt.done(None, str(error))
        return
    if attempt.chunk.op == "retire":
        DeactivationWriter(attempt).refuse(str(error))
        return
    if attempt.flow.aligns:
        retry.back_off(attempt, error)
        return
    if attempt.flow.manner == "master":
        _split(attempt, error)
        return
    try:
        Responder(Case(attempt)).refuse(error)
    except Rejected as second:
        attempt.dead(
            "answer refused",
            f"{error} {attempt.pair.title(attempt.flow.source)} did not take our response either: {second}",
        )
    except Held as held:
        retry.hold(attempt, held)
    except ConnectorError as second:
        retry.trip(attempt, second)
        retry.back_off(attempt, second)


def _split(attempt: Attempt, error: ConnectorError) -> None:
    """Find the record that spoils a chunk by halving it; alone, it is rejected with the reason."""
    work = MasterWriter(attempt)
    left = _undecided(work)
    if isinstance(error, Unexplained) and left and (len(left) == 1 or attempt.chunk.failures < TOGETHER):
        _wait_out(attempt, error, next(iter(left)) if len(left) == 1 else None)
        return
    if len(left) <= 1:
        for key in left:
            attempt.chunk.results[key] = ("rejected", str(error))
        work.complete()
        return
    for half in _halves(left):
        attempt.ledger.add(attempt.part([r.key for r in half], op="send"), {"records": half})
        for record in half:
            attempt.chunk.results[record.key] = ("moved", "split")
    work.complete()


def _halves(records: Mapping[str, Record]) -> tuple[list[Record], list[Record]]:
    """Split a chunk that fails for an unexplained reason, until the record that does it stands alone."""
    rows = list(records.values())
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _wait_out(attempt: Attempt, error: Unexplained, alone: str | None) -> None:
    """Pause for a trouble of the target's own. A record that meets it alone is held, so that nobody waits for it."""
    retry.back_off(attempt, error)
    if alone is not None and attempt.chunk.state == "waiting":
        attempt.chunk.waiting_for = f"lookup:{alone}"
        attempt.chunk.stage, attempt.chunk.tokens, attempt.chunk.token_at = 0, [], None


def _crashed_too_often(attempt: Attempt) -> bool:
    if attempt.chunk.crashes < attempt.runtime.crash_limit:
        return False
    reason = "The worker died each time it worked on this."
    if attempt.chunk.waiting_for and attempt.chunk.reason:  # what a person was told before still stands
        reason += f" Before that: {attempt.chunk.reason}"
    several = (
        not attempt.flow.aligns
        and attempt.chunk.op in {"send", "rebaseline"}
        and attempt.flow.manner == "master"
        and attempt.chunk.count > 1
    )
    if several and len(_undecided(MasterWriter(attempt))) != 1:
        attempt.chunk.crashes = 0
        _split(attempt, Rejected(reason))
    else:
        attempt.dead("crashed", reason)
    return True


def _undecided(work: MasterWriter) -> dict[str, Record]:
    work.reject_unreadable()
    return {k: r for k, r in work.records.items() if k not in work.chunk.results}


def _report(attempt: Attempt, exchanges: list[http_log.Exchange]) -> None:
    """Write the audit object, then the row; a dead row goes to the dead-letter queue, whose depth is the alarm.

    What was done is done: whatever fails here but the row itself, the work ends, and says what failed.
    """
    chunk = attempt.chunk
    said = {
        "state": chunk.state,
        "step": chunk.step,
        "reason": chunk.reason,
        "waiting_for": chunk.waiting_for,
        "outcome": chunk.outcome,
        "target": chunk.target,
        "number": chunk.code,
        **attempt.said,
    }
    if chunk.decision is not None:
        said["decision"] = dump(chunk.decision)
    if exchanges or chunk.state in {"done", "failed"}:
        _audit(attempt, exchanges, said)
    try:
        _save(attempt)
    except ValueError as error:  # the row cannot be written as it is: too large, or no text
        log.exception("a state is shortened", extra={"tenant": chunk.tenant, "chunk": chunk.id})
        _shorten(chunk, f"Its state was shortened, since it could not be written: {error}")
        _save(attempt)
    if chunk.state == "failed":
        _bury(attempt)


def _save(attempt: Attempt) -> None:
    if attempt.chunk.state == "done":
        attempt.ledger.finish(attempt.chunk, attempt.item)
    else:
        attempt.save()


def _audit(attempt: Attempt, exchanges: list[http_log.Exchange], said: dict[str, Any]) -> None:
    chunk, at = attempt.chunk, attempt.ledger.now()
    try:
        record = audit.made(chunk, at, exchanges, said)
        if not deferred_audit.store(attempt.runtime, attempt.ledger, chunk, record) and PARKED not in chunk.notes:
            chunk.notes.append(PARKED)
        record.link_to(chunk)
    except Exception as error:  # neither bucket nor table, or no name for either: no reason to post again
        log.exception("an attempt is not in the audit trail", extra={"tenant": chunk.tenant, "chunk": chunk.id})
        what = f"The attempt of {at[:19]}Z is missing from the audit trail ({type(error).__name__}: "
        chunk.notes.append(readable(f"{what}{error})"))


def _shorten(chunk: Chunk, note: str) -> None:
    """Leave a row what it needs to go on; notes of a bulk chunk are keys, which it needs."""
    chunk.reason, chunk.refusal = (readable(text) if text else text for text in (chunk.reason, chunk.refusal))
    chunk.waiting_for = readable(chunk.waiting_for) if chunk.waiting_for else None
    chunk.results = {key: (what, readable(why)) for key, (what, why) in chunk.results.items()}
    notes = [*(readable(one) for one in chunk.notes[-20:]), readable(note)]
    chunk.notes = notes if chunk.key is not None else chunk.notes


def _bury(attempt: Attempt) -> None:
    chunk = attempt.chunk
    try:
        letter = {**wake_up_of(chunk, attempt.pair.scope), "cause": chunk.cause, "death": chunk.death}
        attempt.runtime.queue.dead_letter(chunk.lane, letter)
    except ConnectorError:  # its row is dead all the same, and listed
        log.exception(
            "the message of a failed chunk is not on the dead-letter queue",
            extra={"tenant": chunk.tenant, "chunk": chunk.id},
        )

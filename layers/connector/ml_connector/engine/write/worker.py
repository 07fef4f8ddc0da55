"""The writer: one chunk, one attempt, one audit object. It never raises; it reports on the row."""

from __future__ import annotations

import logging
from typing import Any

from ml_connector import exchange
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.enqueue import ring_of
from ml_connector.engine.ledger.rows import Chunk, dump, readable
from ml_connector.engine.tenant_integration import Pair
from ml_connector.engine.write import deferred_audit, retry, uncertain
from ml_connector.engine.write.attempt import BodyGone, Task, claim
from ml_connector.engine.write.case import Case
from ml_connector.engine.write.deactivate import Retire
from ml_connector.engine.write.document import DocumentWriter
from ml_connector.engine.write.enrichment import Enrichment
from ml_connector.engine.write.masters import Bulk, halves
from ml_connector.engine.write.order_notification import Notice
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


def write(pair: Pair, flow: Flow, chunk_id: str) -> Chunk | None:
    """Work on a chunk that was rung; None where nothing was to be done."""
    if deferred_audit.is_parked(pair.ledger(flow.name), chunk_id):
        deferred_audit.bring(pair.world, pair.ledger(flow.name), chunk_id)
        return None
    task = claim(pair, flow, chunk_id)
    if task is None:
        return None
    audits = task.chunk.audits
    try:
        with exchange.recording() as exchanges:
            _attempt(task)
            uncertain.note(task, exchanges)
            if task.chunk.state == "sending":
                task.wait(60, reason="The attempt ended without a result.")
        _report(task, exchanges)
        if flow.maps is not None and not task.chunk.in_flight and task.chunk.state != "done":
            release_followers(pair, flow)  # what is held or dead brings its records to nobody for now
    except LeaseLost as error:
        log.warning("lease lost", extra={"chunk": chunk_id, "reason": str(error)})
        _taint(task, exchanges)
        if exchanges and task.chunk.audits == audits:
            _keep(task, exchanges, error)
        return None
    return task.chunk


def _taint(task: Task, exchanges: list[exchange.Exchange]) -> None:
    try:
        uncertain.taint(task, exchanges)
    except ConnectorError as error:
        log.warning("what a lost attempt sent is not marked", extra={"chunk": task.chunk.id, "reason": str(error)})


def _keep(task: Task, exchanges: list[exchange.Exchange], error: LeaseLost) -> None:
    """Keep what a lost attempt said to the vendors, beside the chain: the row belongs to another worker by now."""
    said = {"state": audit.LOST, "step": task.chunk.step, "reason": str(error)}
    _audit(task, exchanges, said)


def _attempt(task: Task) -> None:
    """Work, and decide what follows from what went wrong, also while that was decided."""
    try:
        _work(task)
    except LeaseLost:
        raise
    except Exception as error:  # a fault of ours: the row must not be lost for it, and a person must hear of it
        log.exception("unexpected", extra={"tenant": task.chunk.tenant, "chunk": task.chunk.id})
        task.chunk.crashes += 1
        task.wait(5, reason=f"Internal error ({type(error).__name__}: {error}); it is tried again.")


def _work(task: Task) -> None:
    try:
        if not _crashed_too_often(task):
            _advance(task)
    except Held as error:
        retry.hold(task, error)
    except OutcomeUnknown as error:
        _unknown(task, error)
    except (Transient, LoginRefused, Misconfigured) as error:
        retry.blame(task, error)
        retry.pause(task, error)
    except Rejected as error:
        _rejected(task, error)
    except BodyGone:
        task.chunk.moved = task.chunk.count
        task.done()
    except NotYet as error:
        task.wait(30, reason=str(error))
    except Conflict as error:
        task.wait(5, reason=f"Its state changed while it was being written: {error}")


def _advance(task: Task) -> None:
    if task.chunk.op not in KNOWN:
        task.wait(3600, reason=f"It is to '{task.chunk.op}', which only a newer release knows; it is left to that.")
    elif task.chunk.op == "notice":
        Notice(task).advance()
    elif task.chunk.op == "retire":
        Retire(task).advance()
    elif task.flow.enriches is not None:
        Enrichment(task).advance()
    elif task.flow.manner == "master" or task.chunk.op == "broken":
        Bulk(task).advance()
    else:
        DocumentWriter(task).advance()


def _unknown(task: Task, error: OutcomeUnknown) -> None:
    """After a doubt: look soon, send again only after the settle time (see `document.py`)."""
    task.chunk.failures += 1
    stuck = task.chunk.failures > STUCK
    task.wait(
        3600 if stuck else retry.backoff(task.chunk.failures, 1, 900), reason=str(error),
        waiting_for=f"lookup:{task.chunk.key or task.chunk.id}" if stuck else None,
    )  # fmt: skip


def _rejected(task: Task, error: Rejected) -> None:
    if task.chunk.op == "notice":
        task.done(None, str(error))
        return
    if task.chunk.op == "retire":
        Retire(task).refuse(str(error))
        return
    if task.flow.manner == "master":
        _split(task, error)
        return
    try:
        Responder(Case(task)).refuse(error)
    except Rejected as second:
        task.dead(
            "answer refused", f"{error} {task.pair.title(task.flow.source)} did not take our response either: {second}"
        )
    except Held as held:
        retry.hold(task, held)
    except ConnectorError as second:
        retry.blame(task, second)
        retry.pause(task, second)


def _split(task: Task, error: ConnectorError) -> None:
    """Find the record that spoils a chunk by halving it; alone, it is rejected with the reason."""
    work = Bulk(task)
    left = _undecided(work)
    if isinstance(error, Unexplained) and left and (len(left) == 1 or task.chunk.failures < TOGETHER):
        _wait_out(task, error, next(iter(left)) if len(left) == 1 else None)
        return
    if len(left) <= 1:
        for key in left:
            task.chunk.results[key] = ("rejected", str(error))
        work.complete()
        return
    for half in halves(left):
        task.ledger.add(task.part([r.key for r in half], op="send"), {"records": half})
        for record in half:
            task.chunk.results[record.key] = ("moved", "split")
    work.complete()


def _wait_out(task: Task, error: Unexplained, alone: str | None) -> None:
    """Pause for a trouble of the target's own. A record that meets it alone is held, so that nobody waits for it."""
    retry.pause(task, error)
    if alone is not None and task.chunk.state == "waiting":
        task.chunk.waiting_for = f"lookup:{alone}"
        task.chunk.stage, task.chunk.tokens, task.chunk.token_at = 0, [], None


def _crashed_too_often(task: Task) -> bool:
    if task.chunk.crashes < task.world.crash_limit:
        return False
    reason = "The worker died each time it worked on this."
    if task.chunk.waiting_for and task.chunk.reason:  # what a person was told before still stands
        reason += f" Before that: {task.chunk.reason}"
    several = task.chunk.op in {"send", "rebaseline"} and task.flow.manner == "master" and task.chunk.count > 1
    if several and len(_undecided(Bulk(task))) != 1:
        task.chunk.crashes = 0
        _split(task, Rejected(reason))
    else:
        task.dead("crashed", reason)
    return True


def _undecided(work: Bulk) -> dict[str, Record]:
    work.reject_unreadable()
    return {k: r for k, r in work.records.items() if k not in work.chunk.results}


def _report(task: Task, exchanges: list[exchange.Exchange]) -> None:
    """Write the audit object, then the row; a dead row goes to the dead-letter queue, whose depth is the alarm.

    What was done is done: whatever fails here but the row itself, the work ends, and says what failed.
    """
    chunk = task.chunk
    said = {"state": chunk.state, "step": chunk.step, "reason": chunk.reason, "waiting_for": chunk.waiting_for,
            "outcome": chunk.outcome, "target": chunk.target, "number": chunk.code, **task.said}  # fmt: skip
    if chunk.decision is not None:
        said["decision"] = dump(chunk.decision)
    if exchanges or chunk.state in {"done", "failed"}:
        _audit(task, exchanges, said)
    try:
        _save(task)
    except ValueError as error:  # the row cannot be written as it is: too large, or no text
        log.exception("a state is shortened", extra={"tenant": chunk.tenant, "chunk": chunk.id})
        _shorten(chunk, f"Its state was shortened, since it could not be written: {error}")
        _save(task)
    if chunk.state == "failed":
        _bury(task)


def _save(task: Task) -> None:
    if task.chunk.state == "done":
        task.ledger.finish(task.chunk, task.item)
    else:
        task.save()


def _audit(task: Task, exchanges: list[exchange.Exchange], said: dict[str, Any]) -> None:
    chunk, at = task.chunk, task.ledger.now()
    try:
        attempt = audit.made(chunk, at, exchanges, said)
        if not deferred_audit.store(task.world, task.ledger, chunk, attempt) and PARKED not in chunk.notes:
            chunk.notes.append(PARKED)
        attempt.link_to(chunk)
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


def _bury(task: Task) -> None:
    chunk = task.chunk
    try:
        letter = {**ring_of(chunk, task.pair.scope), "cause": chunk.cause, "death": chunk.death}
        task.world.rings.bury(chunk.lane, letter)
    except ConnectorError:  # its row is dead all the same, and listed
        log.exception(
            "the message of a failed chunk is not on the dead-letter queue",
            extra={"tenant": chunk.tenant, "chunk": chunk.id},
        )

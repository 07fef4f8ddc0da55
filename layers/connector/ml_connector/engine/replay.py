"""What a person sets going again: dead chunks, waiting ones, and records that were settled long ago.

Nothing is sent from here. Rows are changed so that the poll and the writer take them up, and what protects against a
second posting (the step of a chunk, the look before sending, the record row) stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import msgspec

from ml_connector.engine.ledger.ledger import TRIES, Ledger
from ml_connector.engine.ledger.rows import Chunk, Decision, dump, load
from ml_connector.engine.poll.documents import enqueue_document
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Conflict, Transient
from ml_connector.flow import Flow, ListedDocument

What = Literal["reopened", "retried", "under way", "queued", "marked", "forgotten", "unknown"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to, and the chunk that it set going, if it was one."""

    what: What
    chunk: Chunk | None = None


# ── chunks ───────────────────────────────────────────────────────────────────────────────────────────────────


def reopen(ledger: Ledger, chunk_id: str, note: str, death: int | None = None) -> Chunk | None:
    """Open a dead chunk, due now; None where it is not dead.

    With `death` only that death is undone: an old dead letter opens nothing. The step is kept, so that a posting in
    doubt is looked up before it is sent again.
    """

    def open_it(chunk: Chunk) -> bool:
        if chunk.state != "failed" or death not in {None, chunk.death}:
            return False
        chunk.failures = chunk.crashes = 0
        if chunk.cause == "answer refused":
            _answer_anew(chunk)
        if chunk.key is None:  # others may have been sent over it while it lay dead: the same goes again
            chunk.stage, chunk.tokens, chunk.token_at = 0, [], None
        chunk.cause = None
        return True

    return _due_now(ledger, chunk_id, note, open_it)


def retry_now(ledger: Ledger, chunk_id: str, note: str) -> Chunk | None:
    """Make a chunk due now that waits for its time or for somebody; None where it does not wait.

    A document that the daily sweep found is hereby a person's to post: it is looked up, and sent if it is not there.
    One that was posted under another's id is hereby said to be what stands there.
    """

    def start(chunk: Chunk) -> bool:
        waits = chunk.state in {"open", "waiting", "posted"}
        if waits and chunk.step == "collided":
            ledger.relink(str(chunk.target), str(chunk.key))  # the writer sends only what is gone from there
        chunk.swept = False
        return waits

    return _due_now(ledger, chunk_id, note, start)


DECIDABLE = ("conflict:", "lookup:", "approval:")
"""What a person may decide over, beside a document that failed for good."""


def decide(ledger: Ledger, chunk_id: str, decision: Decision, note: str) -> Chunk | None:
    """Write a person's decision on a held document, due now; None where it does not wait for one."""

    def write(chunk: Chunk) -> bool:
        if not decidable(chunk):
            return False
        chunk.decision, chunk.swept, chunk.cause = decision, False, None
        chunk.failures = chunk.crashes = 0
        return True

    return _due_now(ledger, chunk_id, note, write)


def decidable(chunk: Chunk) -> bool:
    """Tell whether a document waits for a person, before its source was answered."""
    waits = chunk.state in {"waiting", "posted"} and (chunk.waiting_for or "").startswith(DECIDABLE)
    return chunk.op == "send" and chunk.step not in {"answered", "refusing"} and (waits or chunk.state == "failed")


def approve(ledger: Ledger, note: str) -> int:
    """Let the records be switched off that are missing at their source in great number; returns how many."""

    def agree(chunk: Chunk) -> bool:
        guarded, chunk.guarded = chunk.guarded, None
        return bool(guarded) and chunk.state == "waiting"

    listed = [c.id for c in ledger.unfinished() if c.op == "retire" and c.guarded]
    agreed = [_due_now(ledger, chunk_id, note, agree) for chunk_id in listed]
    return sum(chunk.count for chunk in agreed if chunk is not None)


def dead(ledger: Ledger, cause: str | None = None) -> Iterator[Chunk]:
    """List the dead chunks of a flow."""
    return (c for c in ledger.unfinished() if c.state == "failed" and cause in {None, c.cause})


def keys_of(ledger: Ledger, chunk: Chunk) -> list[str]:
    """List the records that a chunk still has to settle."""
    if chunk.key is not None:
        return [chunk.key]
    body = msgspec.json.decode(ledger.raw_body(chunk.id), type=dict[str, msgspec.Raw])
    records = msgspec.json.decode(body.get("records", b"[]"), type=list[dict[str, object]])
    keys = [str(record["key"]) for record in records] + msgspec.json.decode(body.get("retired", b"[]"), type=list[str])
    return [key for key in keys if chunk.results.get(key, ("",))[0] != "moved"]


def holder(ledger: Ledger, key: str) -> Chunk | None:
    """Find the unfinished chunk that a record is in."""
    return next((chunk for chunk in ledger.unfinished() if key in keys_of(ledger, chunk)), None)


def _due_now(ledger: Ledger, chunk_id: str, note: str, fits: Callable[[Chunk], bool]) -> Chunk | None:
    def set_going(chunk: Chunk) -> bool:
        if not fits(chunk):
            return False
        if chunk.state == "failed":
            chunk.state = "waiting"
        chunk.attempts, chunk.due_at = 0, ledger.now()
        chunk.notes.append(note)
        return True

    return ledger.change(chunk_id, set_going)


def _answer_anew(chunk: Chunk) -> None:
    """Answer again where the source refused our answer: its verdict would only be heard a second time.

    What was posted is read back and answered; what the target had refused is tried at the target once more. Only here:
    a refusal whose teller died may be on its way, and a posting must not meet it.
    """
    chunk.tokens, chunk.token_at = [], None
    if chunk.target:
        chunk.step = "posted"
    elif chunk.step in {"answered", "refusing"}:
        chunk.step, chunk.answer_ok = "refused", True


# ── replay ───────────────────────────────────────────────────────────────────────────────────────────────────


def replay(pair: TenantIntegration, flow: Flow, key: str, note: str) -> Replayed:
    """Send a record again: through the chunk it is in, or by a new one.

    Raises `Transient` where the rows change too fast.
    """
    ledger = pair.ledger(flow.name)
    for _ in range(TRIES):
        chunk = holder(ledger, key)
        if chunk is None:
            break
        done = _set_going(ledger, chunk, note)
        if done.what != "under way" or ledger.chunk(chunk.id) is not None:
            return done  # else it was finished meanwhile
    if flow.manner == "master":
        return Replayed("marked" if _mark(ledger, key) else "unknown")
    return _offer(pair, flow, ledger, key, note)


def _set_going(ledger: Ledger, chunk: Chunk, note: str) -> Replayed:
    if (opened := reopen(ledger, chunk.id, note)) is not None:
        return Replayed("reopened", opened)
    if (sooner := retry_now(ledger, chunk.id, note)) is not None:
        return Replayed("retried", sooner)
    return Replayed("under way", chunk)


def _offer(pair: TenantIntegration, flow: Flow, ledger: Ledger, key: str, note: str) -> Replayed:
    row = ledger.rows([key], consistent=True).get(key)
    last = last_done(ledger, key)
    if last is None and row is None:
        return Replayed("unknown")
    if flow.links is not None and (last is None or last.refers is None):
        return Replayed("forgotten")
    amount = Decimal(last.amount) if last and last.amount else None
    offer = ListedDocument(
        key,
        stamp=last.stamp if last else None,
        refers=last.refers if last else None,
        amount=amount,
        currency=last.currency if last else None,
        number=last.number if last else None,
    )
    chunk = enqueue_document(pair, flow, offer, ledger.now())
    if chunk is None:
        return Replayed("under way", holder(ledger, key))
    return Replayed("queued", retry_now(ledger, chunk.id, note) or chunk)


def last_done(ledger: Ledger, key: str) -> Chunk | None:
    """Find a document's latest finished chunk."""
    for item in ledger.store.query(ledger.pk, "d#", reverse=True):
        if item.data.get("key") == key:
            return load(Chunk, item.data)
    return None


def _mark(ledger: Ledger, key: str) -> bool:
    """Forget what was delivered of a master record, and have everything compared.

    Sources of masters read no single record, and a record that did not change comes only with a full comparison.
    """
    for _ in range(TRIES):
        found = ledger.rows([key], consistent=True).get(key)
        if found is None:
            return False
        row, item = found
        row.delivered_fp = row.seen_fp = None
        row.touch = ledger.now()[:19] + "Z"
        try:
            ledger.store.put(replace(item, data=dump(row)))
        except Conflict:
            continue
        ledger.compare_everything()
        return True
    raise Transient(f"The record {key} is being worked on at this moment; try again in a minute.")

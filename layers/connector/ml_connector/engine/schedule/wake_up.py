"""Finds what is due and queues it. It calls no vendor; so deleting every queue at any moment loses nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ml_connector.engine.ledger.enqueue import wake_up_of
from ml_connector.engine.ledger.ledger import LONGEST_OUT, SENT, Ledger, due_rows, laid_aside, out_until
from ml_connector.engine.ledger.rows import PARKED, Chunk, iso, load
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule.tenant_rows import Wanted
from ml_connector.errors import Transient
from ml_connector.ports import Item

MOST = 200
"""Wake-ups of one lane that may be out at once: a FIFO queue looks only so far ahead."""
KEPT_FREE = 100
"""Of these, kept for the polls: each rings at most 25 of its flow, and four flows share a lane."""
PAGE = 5_000
"""Rows that a tick reads of each of the eight parts of the due index."""
BATCH = 50
"""Rows that are marked and queued between two looks at the clock: two calls to the table, five to the queue."""
ASLEEP = timedelta(hours=1)
"""When a chunk is looked at again whose tenant has ended, or whose flow is off."""
PASSED_OVER = timedelta(minutes=10)
"""When rows are looked at again whose lane is full, where more are due than a tick reads: others are behind them."""


@dataclass
class _Lane:
    """What is due in a lane, and how many wake-ups are out."""

    out: int = 0
    due: list[tuple[Chunk, Item]] = field(default_factory=list)


def wake_due(runtime: Runtime, wanted: Wanted | None = None, until: datetime | None = None, page: int = PAGE) -> int:
    """Queue chunks that are due, in each lane the lower sequence number first; returns how many.

    At most `MOST` of a lane are out at once, but where one process has the state and the queue to itself. `wanted`
    tells whether anybody works on a chunk of a scope; what nobody does is laid aside for an hour; an attempt
    that waits for the bucket needs nobody but the bucket. Work ends at `until`: what is left is the first of the next
    tick, since the oldest come first.
    """
    now = runtime.clock.now()
    lanes, full = _lanes(runtime, now, page)
    if wanted is not None:
        wanted.know(chunk.tenant for lane in lanes.values() for chunk, _ in lane.due)
    notified = 0
    for some in _batches(_marked(runtime, lanes, full, wanted, now)):
        if until is not None and runtime.clock.now() >= until:
            break
        taken = runtime.store.put_many([item for item, _ in some])  # where it fails, a worker has it already
        queue = [due for (_, due), ok in zip(some, taken, strict=True) if ok and due is not None]
        runtime.queue.notify_many((chunk.lane, wake_up_of(chunk, scope)) for chunk, scope in queue)
        notified += len(queue)
    return notified


def _lanes(runtime: Runtime, now: datetime, page: int) -> tuple[dict[str, _Lane], set[str]]:
    """Read what is due by lane, and how many are out: rows that were queued, and whose time is not over.

    Gives also the parts of the index of which there is more than was read.
    """
    lanes: dict[str, _Lane] = defaultdict(_Lane)
    parts: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for item in due_rows(runtime.store, now if runtime.sole else now + LONGEST_OUT, page):
        parts[str(item.due_pk)] += 1
        if (item.pk, item.sk) in seen:
            continue  # it moved in the index while that was read
        seen.add((item.pk, item.sk))
        if (item.due_at or "") > iso(now):
            lanes[str(item.data["lane"])].out += int(item.data.get(SENT, 0))
        else:
            chunk = load(Chunk, item.data)
            lanes[chunk.lane].due.append((chunk, item))
    return lanes, {part for part, count in parts.items() if count >= page}


def _marked(
    runtime: Runtime, lanes: dict[str, _Lane], full: Collection[str], wanted: Wanted | None, now: datetime
) -> Iterator[tuple[Item, tuple[Chunk, str] | None]]:
    """Give the rows to write, with the chunk and scope to notify where it is queued."""
    for lane in lanes.values():
        for chunk, item in sorted(lane.due, key=lambda one: one[0].seq):
            scope = item.pk.rsplit("#", 1)[1]
            sent = int(item.data.get(SENT, 0)) + 1
            if wanted is not None and chunk.op != PARKED and not wanted(chunk, scope):
                yield laid_aside(item, now + ASLEEP), None
            elif runtime.sole or lane.out + sent <= MOST - KEPT_FREE or not lane.out:
                yield out_until(item, now, 0 if runtime.sole else lane.out), (chunk, scope)
                lane.out += sent
            elif item.due_pk in full:
                yield laid_aside(item, now + PASSED_OVER), None


def _batches(
    rows: Iterable[tuple[Item, tuple[Chunk, str] | None]],
) -> Iterator[list[tuple[Item, tuple[Chunk, str] | None]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def release(
    runtime: Runtime, ledger: Ledger, *waiting_for: str, awaits: Collection[str] = (), note: str | None = None
) -> int:
    """Make the chunks due at once that wait for one of `waiting_for`, e.g. after a mapping was set; tells how many.

    `awaits`: also those that wait until one of these records is through (`Chunk.awaits`). `note`: what the audit of
    each says of it.
    """
    causes = frozenset(waiting_for)

    def set_going(chunk: Chunk) -> bool:
        chunk.due_at, chunk.attempts = iso(runtime.clock.now()), 0
        chunk.notes += [note] if note else []
        return _waits(chunk, causes, awaits)

    listed = [chunk.id for chunk in ledger.unfinished() if _waits(chunk, causes, awaits)]
    return sum(_changed(ledger, chunk_id, set_going) for chunk_id in listed)


def _waits(chunk: Chunk, causes: Collection[str], awaits: Collection[str]) -> bool:
    return chunk.state == "waiting" and (chunk.waiting_for in causes or chunk.awaits in awaits)


def _changed(ledger: Ledger, chunk_id: str, fits: Callable[[Chunk], bool]) -> bool:
    try:
        return ledger.change(chunk_id, fits) is not None
    except Transient:
        return False  # workers have it again and again: it does not wait

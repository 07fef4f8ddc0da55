"""Finds what is due and rings it. It calls no vendor; so deleting every queue at any moment loses nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import timedelta

from ml_connector.engine.ledger import Ledger, due_rows, rung
from ml_connector.engine.offer import ring_of
from ml_connector.engine.pair import World
from ml_connector.engine.rows import PARKED, Chunk, iso, load
from ml_connector.errors import Transient

RUNG = timedelta(seconds=60)
"""A chunk that was rung is not rung again within this: the ring may still be on its way."""
MOST = 200
"""Rings of one lane that may be out at once: a FIFO queue looks only so far ahead."""


ASLEEP = timedelta(hours=1)
"""When a chunk is looked at again whose tenant has ended, or whose flow is off."""
Wanted = Callable[[Chunk, str], bool]


def ring_due(world: World, limit: int = 200, wanted: Wanted | None = None) -> int:
    """Ring every chunk that is due, in each lane the lower sequence number first; returns how many.

    `wanted` tells whether anybody works on a chunk of a scope; what nobody does is laid aside for an hour. An attempt
    that waits for the bucket needs nobody but the bucket.
    """
    now = world.clock.now()
    chunks = [(load(Chunk, item.data), item) for item in due_rows(world.store, now, limit)]
    lanes: dict[str, int] = defaultdict(int)
    for chunk, item in sorted(chunks, key=lambda c: (c[0].lane, c[0].seq)):
        scope = item.pk.rsplit("#", 1)[1]
        if wanted is not None and chunk.op != PARKED and not wanted(chunk, scope):
            rung(world.store, item, iso(now + ASLEEP))
            continue
        lanes[chunk.lane] += 1
        if lanes[chunk.lane] > MOST or not rung(world.store, item, iso(now + RUNG)):
            continue
        world.rings.ring(chunk.lane, ring_of(chunk, scope))
    return len(chunks)


def release(
    world: World, ledger: Ledger, *waiting_for: str, awaits: Collection[str] = (), note: str | None = None
) -> int:
    """Make the chunks due at once that wait for one of `waiting_for`, e.g. after a mapping was set; tells how many.

    `awaits`: also those that wait until one of these records is through (`Chunk.awaits`). `note`: what the audit of
    each says of it.
    """
    causes = frozenset(waiting_for)

    def set_going(chunk: Chunk) -> bool:
        chunk.due_at, chunk.attempts = iso(world.clock.now()), 0
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

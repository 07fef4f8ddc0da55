"""Finds what is due and rings it. It calls no vendor; so deleting every queue at any moment loses nothing."""

from __future__ import annotations

from ml_connector.engine.ledger import Ledger, due_rows
from ml_connector.engine.offer import ring_of
from ml_connector.engine.pair import World
from ml_connector.engine.rows import Chunk, iso, load
from ml_connector.errors import Conflict

RUNG = 60.0
"""Seconds within which a chunk that was rung is not rung again."""


def ring_due(world: World, limit: int = 200) -> int:
    """Ring every chunk that is due, the lower sequence number first; returns how many."""
    chunks = [(load(Chunk, item.data), item) for item in due_rows(world.store, world.clock.now(), limit)]
    for chunk, item in sorted(chunks, key=lambda c: (c[0].lane, c[0].seq)):
        scope = item.pk.rsplit("#", 1)[1]
        world.rings.ring(chunk.lane, ring_of(chunk, scope))
    return len(chunks)


def release(world: World, ledger: Ledger, waiting_for: str) -> int:
    """Make the chunks due at once that wait for `waiting_for`, e.g. after a mapping was set."""
    count = 0
    for chunk in list(ledger.unfinished()):
        if chunk.waiting_for != waiting_for or chunk.state != "waiting":
            continue
        found = ledger.chunk(chunk.id)
        if found is None:
            continue
        fresh, item = found
        fresh.due_at = iso(world.clock.now())
        fresh.attempts = 0
        try:
            world.store.put(ledger.place(fresh, item))
        except Conflict:
            continue
        count += 1
    return count

"""What every poll has: the flow's cursor in hand, sequence numbers, and chunks without content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from ml_connector.engine.ledger.enqueue import wake_up_of
from ml_connector.engine.ledger.fingerprint import fingerprint_raw
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, Figures, Reject, Row, cut
from ml_connector.engine.poll.in_flight import InFlight
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.flow import Broken, Flow
from ml_connector.ports import Item
from ml_connector.records import Record

BLOCK = 1000
"""Sequence numbers are reserved in blocks, so that a crash leaves a gap and never a repeat."""
MOST_REJECTS = 200
FIRST = 25
"""Chunks of one lane that a poll rings itself; the tick rings the others, so that at most 200 are out at once."""
Prefetch = Callable[[Iterator[Any]], Iterator[Any]]


def inline(pages: Iterator[Any]) -> Iterator[Any]:
    """Read no page ahead."""
    return pages


@dataclass
class PassState:
    """What a pass over one flow knows while it runs, and what all its parts do.

    `pending`: what is on its way, by key. `out`: chunks of each lane that were not begun yet; `_left`: those that the
    tick rings.
    """

    pair: TenantIntegration
    flow: Flow
    run: str
    prefetch: Prefetch = inline
    deadline: datetime | None = None
    full: bool = False

    def __post_init__(self) -> None:
        """Read the cursor."""
        self.ledger: Ledger = self.pair.ledger(self.flow.name)
        self.cursor, found = self.ledger.cursor()
        self.item: Item = found
        if self.cursor.figures.run != self.run:
            self.cursor.figures = Figures(run=self.run)
        self._block = self.cursor.seq
        self.in_flight = InFlight()
        self.out: Counter[str] = Counter()
        self._left: set[str] = set()

    @cached_property
    def epoch(self) -> str:
        """What shapes what is sent, as it was when this reading began."""
        return self.pair.shape(self.flow)

    def save(self) -> None:
        """Write the cursor; raises `LeaseLost` where another reader has moved it."""
        self.item = self.ledger.save_cursor(self.cursor, self.item)

    def move(self, position: str | None) -> None:
        """Save where the pass stands; what was read until there has been written and queued.

        Behind the last page there is no position: what ends the pass is saved with it.
        """
        assert self.cursor.now is not None
        self.cursor.now.position, self.cursor.now.moved = position, self.ledger.now()
        if position is not None:
            self.save()

    def is_late(self) -> bool:
        """Tell whether the time of this run is over."""
        return self.deadline is not None and self.pair.runtime.clock.now() > self.deadline

    def turn(self, chunk: Chunk) -> int | None:
        """Take a chunk's turn in its lane; None where enough are out, and the tick queues it when it has room."""
        if self.pair.runtime.sole:
            return None  # one process: nobody else notifies, and its queue has no limit
        before = self.out[chunk.lane]
        if before < FIRST:
            self.out[chunk.lane] += 1
            return before
        chunk.due_at = self.ledger.now()
        self._left.add(chunk.id)
        return None

    def notify(self, chunks: Sequence[Chunk]) -> None:
        """Wake the writers for chunks; those that are left wait for the tick."""
        queue = [(c.lane, wake_up_of(c, self.pair.scope)) for c in chunks if c.id not in self._left]
        self.pair.runtime.queue.notify_many(queue)

    def too_old(self, day: date | None) -> bool:
        """Tell whether a document's day lies before the flow's start date."""
        start = self.pair.options.start(self.pair.integration.name, self.flow.name) if self.flow.dated else None
        return start is not None and day is not None and day < start

    def _seq(self) -> int:
        """Take the next sequence number; a block is reserved by a write before its first use."""
        if self._block >= self.cursor.seq:
            self.cursor.seq += BLOCK
            self.save()
        self._block += 1
        return self._block

    def reject(self, reject: Reject) -> None:
        """Keep a rejected record's key and reason with the figures, for the first of them."""
        if len(self.cursor.figures.rejects) < MOST_REJECTS:
            self.cursor.figures.rejects.append((reject[0], cut(reject[1])))

    def blank(self, count: int) -> Chunk:
        """Make a chunk without content."""
        number = seq = self._seq()
        if self.flow.manner == "document":
            seq = int(self.pair.runtime.clock.now().timestamp() * 1000)  # as offers are numbered
        return Chunk(
            id=f"{number:010d}",
            tenant=self.pair.tenant,
            integration=self.pair.integration.name,
            flow=self.flow.name,
            lane=self.pair.lane(self.flow),
            run=self.run,
            created=self.ledger.now(),
            seq=seq,
            count=count,
        )

    def seen_broken(self, broken: Broken, row: Row | None) -> bool:
        """Tell whether a record that cannot be read was rejected just as it is now, and count it."""
        if row is None or row.outcome != "rejected" or row.seen_fp != fingerprint_raw(broken.raw, self.epoch):
            return False
        self.cursor.figures.rejected += 1
        self.reject((broken.key, row.reason or broken.reason))
        return True

    def chunk(self, records: Sequence[Record], broken: Sequence[Broken], op: Any, touch: str | None = None) -> Chunk:
        """Write a chunk of records, and of what could not be read as one."""
        chunk = self.blank(len(records) + len(broken))
        chunk.op, chunk.touch = op, touch
        chunk.renewed = self.flow.follows and any(record.key in self.in_flight for record in records)
        if op == "rebaseline":
            chunk.epoch = self.epoch
        raw = [{"key": b.key, "reason": b.reason, "raw": b.raw} for b in broken]
        self.ledger.add(chunk, {"records": list(records), "broken": raw}, turn=self.turn(chunk))
        return chunk

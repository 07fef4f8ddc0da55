"""At most 200 wake-ups of a lane are out at a time, counted over ticks; and none that is lost is missed for good."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule.wake_up import MOST, wake_due
from tests.clock import Clock

LANE = "acme.basware.master"


class Queue:
    """A FIFO queue of one lane that counts calls and messages."""

    def __init__(self) -> None:
        self.there: deque[str] = deque()
        self.sent = self.calls = self.most = 0

    def notify_many(self, queue: Iterable[tuple[str, Any]]) -> None:
        self.calls += 1
        for _, message in queue:
            self.there.append(message["id"])
            self.sent += 1
        self.most = max(self.most, len(self.there))


class Lane:
    """One lane's ledger, queue, and a writer that takes some seconds for a chunk."""

    def __init__(self, chunks: int, seconds: float) -> None:
        self.clock, self.queue, self.seconds = Clock(datetime(2026, 3, 2, 8, tzinfo=UTC)), Queue(), seconds
        self.runtime = Runtime(
            SqliteStore(":memory:", self.clock),
            self.queue,
            MemoryBlobs(),
            self.clock,  # type: ignore[arg-type]
            SeededRandom(1),
            boot="b",
        )
        self.ledger = Ledger(self.runtime.store, self.clock, tenant="acme", integration="i", scope="s", flow="vendors")
        self.worked: list[str] = []
        for n in range(chunks):
            assert self.ledger.add(
                Chunk(
                    id=f"{n:010d}",
                    tenant="acme",
                    integration="i",
                    flow="vendors",
                    lane=LANE,
                    run="r",
                    seq=n,
                    created=self.ledger.now(),
                    due_at=self.ledger.now(),
                )
            )

    def minute(self) -> None:
        """Tick, then let the writer work for the rest of the minute."""
        ends = self.clock.now() + timedelta(minutes=1)
        wake_due(self.runtime)
        while self.queue.there and self.clock.now() < ends:
            found = self.ledger.chunk(self.queue.there.popleft())
            if found is not None:
                self.clock.sleep(self.seconds)
                self.worked.append(found[0].id)
                self.ledger.finish(*found)
        self.clock.moment = max(self.clock.moment, ends)


@pytest.mark.parametrize(("count", "seconds"), [(2000, 0.5), (2000, 2.0), (600, 10.0)])
def test_a_long_lane_has_at_most_200_wake_ups_out_and_each_is_sent_about_once(count: int, seconds: float) -> None:
    lane = Lane(count, seconds)
    for _ in range(150):
        if len(lane.worked) < count:
            lane.minute()
    assert lane.worked == [f"{n:010d}" for n in range(count)]  # in their order
    assert lane.queue.most <= MOST
    assert lane.queue.sent <= count * 1.05


def test_wake_ups_that_are_lost_are_sent_again() -> None:
    lane = Lane(300, 2.0)
    lane.minute()
    lane.queue.there.clear()
    for _ in range(60):
        lane.minute()
    assert len(lane.worked) == 300
    assert lane.queue.most <= MOST


def test_one_full_lane_keeps_no_other_waiting() -> None:
    lane = Lane(500, 60.0)
    for _ in range(3):
        lane.minute()
    other = Chunk(
        id="other",
        tenant="beta",
        integration="i",
        flow="vendors",
        lane="beta.basware.master",
        run="r",
        created=lane.ledger.now(),
        due_at=lane.ledger.now(),
    )
    assert Ledger(lane.runtime.store, lane.clock, tenant="beta", integration="i", scope="s", flow="vendors").add(other)
    wake_due(lane.runtime, page=30)  # a tick that reads less than is due passes over what has no room
    wake_due(lane.runtime, page=30)
    assert "other" in lane.queue.there


def test_a_tick_stops_in_time_and_the_next_one_goes_on() -> None:
    lane = Lane(90, 1.0)
    assert wake_due(lane.runtime, until=lane.clock.now()) == 0
    assert wake_due(lane.runtime) == 90

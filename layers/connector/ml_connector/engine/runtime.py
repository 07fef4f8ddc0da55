"""What the engine runs on: the ports, the clock, and this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ml_connector.deadline import Deadline
from ml_connector.ports import Blobs, Clock, Queue, Random, Store

LEASE = timedelta(seconds=150)
"""Longer than a writer can live, so that a lease that has ended belongs to nobody."""


@dataclass(frozen=True)
class Runtime:
    """The ports, and this process: `boot` names it; `sole` tells that no other one works on the same state.

    `deadline`: when it ends. A lease lasts no longer than its holder lives. `kept`: what adapters learnt
    of servers, for all connections of the process (`AdapterContext.kept`).
    """

    store: Store
    queue: Queue
    blobs: Blobs
    clock: Clock
    rng: Random
    boot: str
    sole: bool = False
    crash_limit: int = 2
    lease: timedelta = LEASE
    deadline: Deadline = field(default_factory=Deadline)
    kept: dict[tuple[str, ...], tuple[datetime, Any]] = field(default_factory=dict, repr=False, compare=False)

    def lease_ends(self) -> datetime:
        """Tell when a row that is taken now is free for others."""
        return self.deadline.lease_ends(self.clock.now(), self.lease)

    def is_dead(self, owner: str) -> bool:
        """Tell whether the holder of a lease is surely gone."""
        return self.sole and owner != self.boot

"""A queue in memory with the order of SQS FIFO: one message of a group at a time, the oldest first."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ml_connector.ports import Clock


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message taken from its group, which stays closed until `done`, or `again` and its delay."""

    group: str
    message: Mapping[str, Any]
    number: int
    received: int = 0
    """How many times it was taken, this one included."""


class MemoryQueue:
    """Wake-up messages of one process, for any number of threads. All of it may be lost: rows are the truth.

    A group stands in one of `_ready` and `_delayed` exactly when it has messages and none of them is taken.
    """

    def __init__(self, clock: Clock) -> None:
        """`clock` tells when a delay is over; only `wait` goes by real time."""
        self._clock = clock
        self._changed = threading.Condition()
        self._groups: dict[str, deque[QueuedMessage]] = {}
        self._ready: list[tuple[int, str]] = []
        self._delayed: list[tuple[datetime, int, str]] = []
        self._taken: dict[int, QueuedMessage] = {}
        self._count = 0
        self.dead_letters: list[QueuedMessage] = []
        """The dead letters, in order of arrival; whoever redrives removes them."""

    def notify(self, group: str, message: Mapping[str, Any]) -> None:
        """Queue `message`; messages of one group are handled one at a time, in order."""
        with self._changed:
            queued = self._new(group, message)
            self._groups.setdefault(group, deque()).append(queued)
            if len(self._groups[group]) == 1:
                self._open(queued)

    def notify_many(self, queue: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Queue many messages (group, message); of one group in order."""
        for group, message in queue:
            self.notify(group, message)

    def dead_letter(self, group: str, message: Mapping[str, Any]) -> None:
        """Put `message` with the dead letters."""
        with self._changed:
            self.dead_letters.append(self._new(group, message))

    def take(self) -> QueuedMessage | None:
        """Take the oldest message whose group is open; None where there is none now."""
        with self._changed:
            self._end_delays()
            if not self._ready:
                return None
            _, group = heapq.heappop(self._ready)
            queue = self._groups[group]
            queue[0] = queued = replace(queue[0], received=queue[0].received + 1)
            self._taken[queued.number] = queued
            return queued

    def done(self, queued: QueuedMessage) -> None:
        """Remove a taken message and open its group. Raises `ValueError` where it is not taken."""
        with self._changed:
            self._give_back(queued).popleft()
            queue = self._groups[queued.group]
            if queue:
                self._open(queue[0])
            else:
                del self._groups[queued.group]
                self._changed.notify_all()

    def again(self, queued: QueuedMessage, delay_seconds: float = 0) -> None:
        """Leave a taken message first in its group, which stays closed for the delay.

        Raises `ValueError` where it is not taken.
        """
        with self._changed:
            self._give_back(queued)
            if delay_seconds <= 0:
                self._open(queued)
                return
            opens = self._clock.now() + timedelta(seconds=delay_seconds)
            heapq.heappush(self._delayed, (opens, queued.number, queued.group))
            self._changed.notify_all()

    def empty(self) -> bool:
        """Tell whether no message waits, is delayed or is taken; dead letters do not count."""
        with self._changed:
            return not self._groups

    def next_at(self) -> datetime | None:
        """Tell when the next message can be taken; None where that hangs on `queued` or `done`."""
        with self._changed:
            if self._ready:
                return self._clock.now()
            return self._delayed[0][0] if self._delayed else None

    def wait(self, timeout: float) -> bool:
        """Block until a message may be there to take, at most `timeout` real seconds; tell whether one is."""
        with self._changed:
            self._end_delays()
            if not self._ready:
                self._changed.wait(self._patience(timeout))
                self._end_delays()
            return bool(self._ready)

    def _patience(self, timeout: float) -> float:
        if not self._delayed:
            return timeout
        return min(timeout, max((self._delayed[0][0] - self._clock.now()).total_seconds(), 0.0))

    def _new(self, group: str, message: Mapping[str, Any]) -> QueuedMessage:
        self._count += 1
        copy = msgspec.json.decode(msgspec.json.encode(message))  # as a queue would: later changes do not reach it
        return QueuedMessage(group, copy, self._count)

    def _open(self, head: QueuedMessage) -> None:
        heapq.heappush(self._ready, (head.number, head.group))
        self._changed.notify()

    def _end_delays(self) -> None:
        now = self._clock.now()
        while self._delayed and self._delayed[0][0] <= now:
            _, number, group = heapq.heappop(self._delayed)
            heapq.heappush(self._ready, (number, group))

    def _give_back(self, queued: QueuedMessage) -> deque[QueuedMessage]:
        if self._taken.pop(queued.number, None) is None:
            raise ValueError(f"Message {queued.number} of group {queued.group} is not taken.")
        return self._groups[queued.group]

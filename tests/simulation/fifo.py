"""A queue that behaves like SQS FIFO: at least once, one of a group at a time, visibility, DLQ; and it misbehaves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tests.simulation.machine import Machine

DEDUPLICATION = timedelta(minutes=5)


@dataclass
class Letter:
    """One message; `at` is when it can be received (again)."""

    group: str
    body: str
    number: int
    at: datetime
    received: int = 0

    @property
    def message(self) -> Any:
        return msgspec.json.decode(self.body)


class Fifo:
    """One queue with its dead letters."""

    def __init__(self, machine: Machine, name: str, *, visibility: float, most: int) -> None:
        self.machine, self.name, self.visibility, self.most = machine, name, visibility, most
        self.groups: dict[str, deque[Letter]] = {}
        self.dead: list[Letter] = []
        self.sent: dict[str, datetime] = {}
        self.bodies: set[str] = set()
        self._count = 0

    def send(self, group: str, message: Any, dedup: str | None = None) -> None:
        """Queue a message; the same deduplication id within five minutes is one, whatever the body."""
        machine, now = self.machine, self.machine.now()
        body = msgspec.json.encode(message).decode()
        self.bodies.add(body)
        if dedup is not None:
            if dedup in self.sent and now - self.sent[dedup] < DEDUPLICATION:
                return
            self.sent[dedup] = now
        if machine.hit(machine.weather.lost):
            machine.fault("queue: lost")
            return
        late = 0.0
        if machine.hit(machine.weather.delayed):
            machine.fault("queue: late")
            late = machine.dice.uniform(1, 400)
        self._append(group, body, late)
        if machine.hit(machine.weather.doubled):
            machine.fault("queue: doubled")
            self._append(group, body, 0)

    def _append(self, group: str, body: str, late: float) -> None:
        self._count += 1
        at = self.machine.now() + timedelta(seconds=late)
        self.groups.setdefault(group, deque()).append(Letter(group, body, self._count, at))

    def receive(self) -> Letter | None:
        """Take the oldest message whose group is free; it is hidden for the visibility time."""
        now = self.machine.now()
        heads = [queue[0] for queue in self.groups.values() if queue[0].at <= now]
        if not heads:
            return None
        letter = min(heads, key=lambda one: one.number)
        letter.received += 1
        if letter.received > self.most:
            self.done(letter)
            self.dead.append(letter)
            self.machine.note(f"{self.name}: to the DLQ: {letter.body[:120]}")
            return self.receive()
        letter.at = now + timedelta(seconds=self.visibility)
        return letter

    def done(self, letter: Letter) -> None:
        """Delete a message; one that is gone already (a purge) is no error."""
        queue = self.groups.get(letter.group)
        if queue and letter in queue:
            queue.remove(letter)
        if queue is not None and not queue:
            del self.groups[letter.group]

    def next_at(self) -> datetime | None:
        """Tell when the next message can be received."""
        return min((queue[0].at for queue in self.groups.values()), default=None)

    def purge(self) -> None:
        """Lose everything, as when a queue is deleted and made anew."""
        self.groups.clear()

    def again(self) -> None:
        """Make one message that is being handled visible at once: SQS delivers at least once."""
        hidden = [q[0] for q in self.groups.values() if q[0].received and q[0].at > self.machine.now()]
        if hidden:
            self.machine.dice.choice(hidden).at = self.machine.now()


class RecordRings:
    """The `Rings` port on a queue."""

    def __init__(self, queue: Fifo) -> None:
        self.queue, self.machine = queue, queue.machine

    def ring(self, group: str, message: Mapping[str, Any]) -> None:
        self.machine.touch("before ring")
        self.queue.send(group, message)
        self.machine.touch("after ring")

    def ring_many(self, rings: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        for group, message in rings:
            self.ring(group, message)

    def bury(self, group: str, message: Mapping[str, Any]) -> None:
        self.machine.touch("before bury")
        body = msgspec.json.encode(message).decode()
        self.queue.bodies.add(body)
        self.queue.dead.append(Letter(group, body, -1, self.machine.now()))
        self.machine.note(f"buried {message.get('flow')} {message.get('id')}: {message.get('cause')}")
        self.machine.touch("after bury")

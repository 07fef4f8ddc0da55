"""A queue that behaves like SQS FIFO, and misbehaves within what SQS allows.

At least once; one of a group at a time and in order; hidden while it is worked on; only the first 120,000 messages
are looked at; one deduplication id within five minutes is one message, whatever the body; kept for 14 days; after
`most` receives into the dead-letter queue, where its time begins again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ml_connector.errors import Transient
from tests.simulation.machine import Machine

DEDUPLICATION = timedelta(minutes=5)
RETENTION = timedelta(days=14)
LOOK_AHEAD = 120_000


@dataclass
class Letter:
    """One message; `at` is when it can be received (again), `born` when its time in this queue began."""

    group: str
    body: str
    number: int
    at: datetime
    born: datetime
    received: int = 0

    @property
    def message(self) -> Any:
        return msgspec.json.decode(self.body)


class Fifo:
    """One queue with its dead letters."""

    def __init__(
        self,
        machine: Machine,
        name: str,
        *,
        visibility: float,
        most: int,
        retention: timedelta = RETENTION,
        look_ahead: int = LOOK_AHEAD,
    ) -> None:
        self.machine, self.name, self.visibility, self.most = machine, name, visibility, most
        self.retention, self.look_ahead = retention, look_ahead
        self.groups: dict[str, deque[Letter]] = {}
        self.dead: list[Letter] = []
        self.sent: dict[str, datetime] = {}
        self.bodies: set[str] = set()
        self._count = self._waiting = 0

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
        self._waiting += 1
        now = self.machine.now()
        letter = Letter(group, body, self._count, now + timedelta(seconds=late), now)
        self.groups.setdefault(group, deque()).append(letter)

    def receive(self) -> Letter | None:
        """Take the oldest message whose group is free; it is hidden for the visibility time."""
        now = self.machine.now()
        self._expire(now)
        heads = [queue[0] for queue in self.groups.values() if queue[0].at <= now]
        letter = min(heads, key=lambda one: one.number, default=None)
        if letter is None or not self._within_sight(letter):
            return None
        letter.received += 1
        if letter.received > self.most:
            self.done(letter)
            self.dead.append(Letter(letter.group, letter.body, letter.number, now, now))
            self.machine.note(f"{self.name}: to the DLQ: {letter.body[:120]}")
            return self.receive()
        letter.at = now + timedelta(seconds=self.visibility)
        return letter

    def _within_sight(self, letter: Letter) -> bool:
        """Tell whether fewer than `look_ahead` messages stand before one: behind that, SQS finds no group."""
        if self._waiting <= self.look_ahead:
            return True
        before = sum(1 for queue in self.groups.values() for other in queue if other.number < letter.number)
        return before < self.look_ahead

    def _expire(self, now: datetime) -> None:
        for queue in list(self.groups.values()):
            while queue and now - queue[0].born > self.retention:
                self.machine.fault("queue: kept no longer")
                self.done(queue[0])
        self.dead = [letter for letter in self.dead if now - letter.born <= self.retention]

    def done(self, letter: Letter) -> None:
        """Delete a message; one that is gone already (a purge) is no error."""
        queue = self.groups.get(letter.group)
        if queue and letter in queue:
            queue.remove(letter)
            self._waiting -= 1
        if queue is not None and not queue:
            del self.groups[letter.group]

    def next_at(self) -> datetime | None:
        """Tell when the next message can be received."""
        return min((queue[0].at for queue in self.groups.values()), default=None)

    def purge(self) -> int:
        """Lose everything, as when a queue is deleted and made again; gives how many messages were lost."""
        lost = sum(map(len, self.groups.values()))
        self.groups.clear()
        self._waiting = 0
        return lost

    def redrive(self) -> int:
        """Move the dead letters back, as the AWS console does; gives how many."""
        letters, self.dead = self.dead, []
        for letter in letters:
            self._append(letter.group, letter.body, 0)
        return len(letters)

    def again(self) -> bool:
        """Make one message that is being handled visible at once: SQS delivers at least once. False where none is."""
        hidden = [q[0] for q in self.groups.values() if q[0].received and q[0].at > self.machine.now()]
        if hidden:
            self.machine.dice.choice(hidden).at = self.machine.now()
        return bool(hidden)


def taken(machine: Machine, what: str, send: Callable[[], None]) -> None:
    """Send, through a service that throttles, and whose answer may be lost: the message was taken all the same."""
    machine.touch(f"before {what}")
    if machine.stack and machine.hit(machine.weather.throttle):
        machine.fault("queue: throttled")
        raise Transient("AWS throttles the queue; it is tried again later.")
    send()
    if machine.stack and machine.hit(machine.weather.unheard):
        machine.fault("queue: taken, and the answer lost")
        raise Transient("AWS did not answer; the message may have been queued all the same.")
    machine.touch(f"after {what}")


class RecordQueue:
    """The `Queue` port on a queue. `form` spells a message as the release that sends it does."""

    def __init__(self, queue: Fifo, form: Any = dict) -> None:
        self.queue, self.machine, self.form = queue, queue.machine, form

    def notify(self, group: str, message: Mapping[str, Any]) -> None:
        taken(self.machine, "ring", lambda: self.queue.send(group, self.form(message)))

    def notify_many(self, queue: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        for group, message in queue:
            self.notify(group, message)

    def dead_letter(self, group: str, message: Mapping[str, Any]) -> None:
        taken(self.machine, "bury", lambda: self._bury(group, message))

    def _bury(self, group: str, message: Mapping[str, Any]) -> None:
        body = msgspec.json.encode(self.form(message)).decode()
        self.queue.bodies.add(body)
        now = self.machine.now()
        self.queue.dead.append(Letter(group, body, -1, now, now))
        self.machine.note(f"buried {message.get('flow')} {message.get('id')}: {message.get('cause')}")

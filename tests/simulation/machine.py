"""Time, processes and their sudden ends: what every part of the simulation stands on."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

STARTS = (
    datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
    datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
    datetime(2026, 3, 28, 19, 0, tzinfo=UTC),
    datetime(2026, 10, 24, 19, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 14, 0, tzinfo=UTC),
)
"""An ordinary Monday; the eves of both changes of the clock in Europe; the last day of a year."""
UPSETS = frozenset(
    f"ours: {kind}" for kind in ("crash", "timed out", "out of memory", "frozen beyond its lease", "state rolled back")
)
ZOMBIE = (155.0, 400.0)
"""Seconds for which a process stands still and goes on after its lease is over."""


class Killed(BaseException):
    """The process died here: no handler may catch it but the scheduler."""


@dataclass
class Process:
    """One invocation of a function. After `deadline` it is dead, whatever it was doing.

    `skew`: the seconds by which its machine's clock is off; `heard`: what all know at its end, if nothing kept it from
    writing that down; `stranger`: it is another installation's, and knows nothing of ours.
    """

    name: str
    deadline: datetime
    began: datetime
    dead: bool = False
    skew: float = 0.0
    stranger: bool = False
    heard: list[tuple[int, str, Callable[[], Any]]] = field(default_factory=list)

    def end(self, upsets: int) -> None:
        """Count as known to all what it heard, unless something may have kept it from writing that down."""
        for before, _, known in self.heard:
            if not self.dead and before == upsets:
                known()

    def told(self, what: str, upsets: int) -> int:
        """Tell how often it has heard something itself, with nothing that kept it from minding that."""
        return sum(before == upsets and heard == what for before, heard, _ in self.heard)


@dataclass
class Weather:
    """How likely each kind of fault is: by request, by port call, by message, by tick. All zero: calm."""

    wire: float = 0
    late: float = 0
    crash: float = 0
    preempt: float = 0
    zombie: float = 0
    lost: float = 0
    doubled: float = 0
    delayed: float = 0
    missed_tick: float = 0
    doubled_tick: float = 0
    hook: float = 0
    edit: float = 0
    throttle: float = 0
    unheard: float = 0
    stale: float = 0
    lag: float = 0
    jump: float = 0
    foreign: float = 0
    unnamed: float = 0

    @property
    def rough(self) -> float:
        """Tell whether processes suffer."""
        return self.crash or self.jump or self.preempt or self.zombie


@dataclass
class Machine:
    """The clock, the dice, the log of events, and the processes that run (the innermost last).

    Whether a fault strikes is decided one after the other; `keep` (the numbers of decisions) mutes all the others,
    so that a failing history can be shrunk.
    """

    seed: int
    keep: frozenset[int] | None = None
    weather: Weather = field(default_factory=Weather)
    faults: Counter[str] = field(default_factory=Counter)
    stack: list[Process] = field(default_factory=list)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=400))
    preempting: Callable[[int], None] | None = None
    living: Callable[[datetime], None] | None = None
    meddling: Callable[[Any], None] | None = None
    frozen: Process | None = None
    decisions: int = 0
    struck: list[int] = field(default_factory=list)
    touches: int = 0
    echo: bool = False

    def __post_init__(self) -> None:
        self.dice, self._coin = Random(self.seed), Random(f"faults of {self.seed}")
        self.start = self.time = self.dice.choice(STARTS)
        self._hash = hashlib.blake2b(digest_size=16)
        self._inside = False
        self.late: list[tuple[datetime, int, Callable[[], None]]] = []
        self._planned = 0
        self._ambushes: list[tuple[int, Callable[[], None]]] = []

    # ── the vendors' clock, which is the true one ───────────────────────────────────────────────────────────

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass for the process that runs; one that outlives its function's timeout is killed at it."""
        until = self.time + timedelta(seconds=max(0.0, seconds))
        process = self.stack[-1] if self.stack else None
        if process is not None and until > process.deadline:
            self.vendors_until(max(self.time, process.deadline))
            self.die(process, "timed out")
        self.vendors_until(until)

    def vendors_until(self, moment: datetime) -> None:
        """Let time pass, and the vendors do meanwhile what they are late with."""
        while self.late and self.late[0][0] <= moment:
            at, _, act = heapq.heappop(self.late)
            self.time = max(self.time, at)
            act()
        self.time = max(self.time, moment)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Plan what a server does late, whatever of ours runs then."""
        self._planned += 1
        heapq.heappush(self.late, (self.time + timedelta(seconds=seconds), self._planned, act))

    def jump(self, moment: datetime) -> None:
        """Go to a later moment, with no process running."""
        self.vendors_until(moment)

    # ── the log ─────────────────────────────────────────────────────────────────────────────────────────────

    def note(self, text: str) -> None:
        """Write an event down; the hash of all of them tells one history from another."""
        line = f"{self.time:%m-%d %H:%M:%S.%f} {'  ' * len(self.stack)}{text}"
        self._hash.update(line.encode())
        self.last.append(line)
        if self.echo:
            print(line)

    def digest(self) -> str:
        return self._hash.hexdigest()

    def fault(self, kind: str) -> None:
        """Count a fault that was injected."""
        self.faults[kind] += 1
        self.note(f"! {kind}")

    def hit(self, chance: float) -> bool:
        """Throw the coin; in calm weather it is not touched."""
        if chance <= 0:
            return False
        self.decisions += 1
        if self._coin.random() >= chance or (self.keep is not None and self.decisions not in self.keep):
            return False
        self.struck.append(self.decisions)
        return True

    # ── processes ───────────────────────────────────────────────────────────────────────────────────────────

    def die(self, process: Process, how: str) -> None:
        """End a process here."""
        if not process.dead:
            process.dead = True
            self.fault(f"ours: {how}")
        raise Killed(f"{process.name}: {how}")

    def upsets(self) -> int:
        """Count what may have kept a process from writing down what it learnt."""
        return sum(count for kind, count in self.faults.items() if kind in UPSETS or kind.startswith("store: "))

    def touch(self, what: str) -> None:
        """Mark a place where a process may die, or another one may run before it goes on."""
        if not self.stack:
            return
        process = self.stack[-1]
        if process.dead or self.time > process.deadline:
            self.die(process, "timed out")
        if self._ambushes:
            self._spring()
        if self.weather.rough:
            self._suffer(process, what)

    def ambush(self, act: Callable[[], None]) -> None:
        """Do something while a process is at work, at one of its next port calls or requests."""
        self._ambushes.append((self.touches + self.dice.randint(1, 60), act))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let people act while a process is at work: its weather is not theirs."""
        stack, self.stack = self.stack, []
        try:
            yield
        finally:
            self.stack = stack

    def peace(self) -> None:
        """End the storm."""
        self.weather = Weather()
        self._ambushes.clear()

    def _spring(self) -> None:
        self.touches += 1
        ready = [act for at, act in self._ambushes if at <= self.touches]
        self._ambushes = [one for one in self._ambushes if one[0] > self.touches]
        for act in ready:
            act()

    def _suffer(self, process: Process, what: str) -> None:
        if self.hit(self.weather.crash):
            self.note(f"dies at {what}")
            self.die(process, "crash")
        if self.hit(self.weather.jump):
            process.skew = self.dice.uniform(-30, 30)
            self.fault("ours: clock jumps")
        if self.preempting is None or self._inside:
            return
        if self.hit(self.weather.preempt):
            self._between("ours: another worker in between", 1, self.dice.choice((0.0, 0.0, 5.0, 45.0)))
            if self.time > process.deadline:
                self.die(process, "timed out")
        elif self.hit(self.weather.zombie):
            self._freeze(process)

    def _between(self, kind: str, count: int, seconds: float) -> None:
        """Let others work while the process that runs stands still."""
        self._inside = True
        try:
            self.fault(kind)
            self.sleep(seconds)
            assert self.preempting is not None
            self.preempting(count)
        finally:
            self._inside = False

    def _freeze(self, process: Process) -> None:
        """Let a process stand still while the whole world goes on, and wake up long after its lease was over."""
        assert self.living is not None
        assert self.preempting is not None
        stack, self.stack = self.stack, []
        self._inside, self.frozen = True, process
        try:
            self.fault("ours: frozen beyond its lease")
            self.living(self.time + timedelta(seconds=self.dice.uniform(*ZOMBIE)))
            self.preempting(4)
        finally:
            self.stack, self._inside, self.frozen = stack, False, None
        if process.dead:
            raise Killed(f"{process.name}: it was not to wake up")
        process.deadline = max(process.deadline, self.time + timedelta(seconds=30))


@dataclass(frozen=True)
class OurClock:
    """The clock port: true but for the seconds by which the machine of a process is off."""

    machine: Machine

    def now(self) -> datetime:
        machine = self.machine
        return machine.time + timedelta(seconds=machine.stack[-1].skew) if machine.stack else machine.time

    def sleep(self, seconds: float) -> None:
        self.machine.sleep(seconds)

"""Time, processes and their sudden ends: what every part of the simulation stands on."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process died here: no handler may catch it but the scheduler."""


@dataclass
class Process:
    """One invocation of a function. After `deadline` it is dead, whatever it was doing."""

    name: str
    deadline: datetime
    dead: bool = False


@dataclass
class Weather:
    """How likely each kind of fault is: by request, by port call, by message, by tick. All zero: calm."""

    wire: float = 0
    late: float = 0
    crash: float = 0
    preempt: float = 0
    lost: float = 0
    doubled: float = 0
    delayed: float = 0
    missed_tick: float = 0
    doubled_tick: float = 0
    hook: float = 0


@dataclass
class Machine:
    """The clock, the dice, the log of events, and the processes that run (the innermost last)."""

    seed: int
    time: datetime = START
    weather: Weather = field(default_factory=Weather)
    faults: Counter[str] = field(default_factory=Counter)
    stack: list[Process] = field(default_factory=list)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=400))
    preempting: Any = None
    events: int = 0
    guard: bool = True

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self._hash = hashlib.blake2b(digest_size=16)
        self._inside = False

    # ── the clock port ──────────────────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass for the process that runs; one that outlives its function's timeout is killed at it."""
        until = self.time + timedelta(seconds=max(0.0, seconds))
        process = self.stack[-1] if self.stack else None
        if process is not None and until > process.deadline:
            self.time = max(self.time, process.deadline)
            self.die(process, "timed out")
        self.time = until

    def jump(self, moment: datetime) -> None:
        """Go to a later moment, with no process running."""
        self.time = max(self.time, moment)

    # ── the log ─────────────────────────────────────────────────────────────────────────────────────────────

    def note(self, text: str) -> None:
        """Write an event down; the hash of all of them tells one history from another."""
        line = f"{self.time:%d %H:%M:%S.%f} {'  ' * len(self.stack)}{text}"
        self._hash.update(line.encode())
        self.last.append(line)
        self.events += 1

    def digest(self) -> str:
        return self._hash.hexdigest()

    def fault(self, kind: str) -> None:
        """Count a fault that was injected."""
        self.faults[kind] += 1
        self.note(f"! {kind}")

    def hit(self, chance: float) -> bool:
        """Throw the dice; in calm weather they are not touched."""
        return chance > 0 and self.dice.random() < chance

    # ── processes ───────────────────────────────────────────────────────────────────────────────────────────

    def die(self, process: Process, how: str) -> None:
        """End a process here."""
        if not process.dead:
            process.dead = True
            self.fault(f"ours: {how}")
        raise Killed(f"{process.name}: {how}")

    def touch(self, what: str) -> None:
        """Mark a place where a process may die, or another one may run before it goes on."""
        if not self.stack:
            return
        process = self.stack[-1]
        if process.dead or self.time > process.deadline:
            self.die(process, "timed out")
        if self.hit(self.weather.crash):
            self.note(f"dies at {what}")
            self.die(process, "crash")
        if self.preempting is not None and not self._inside and self.hit(self.weather.preempt):
            self._inside = True
            try:
                self.fault("ours: another worker in between")
                self.preempting()
            finally:
                self._inside = False
            if self.time > process.deadline:
                self.die(process, "timed out")

"""Clocks for tests: time passes where somebody sleeps, or where the test says so."""

from __future__ import annotations

from datetime import datetime, timedelta


class Clock:
    """The port of the clock over a `moment` that only sleeping moves; `slept` holds the seconds of each sleep."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


class Hand:
    """What tells a sandbox the time: it stands until it is moved `forward`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)

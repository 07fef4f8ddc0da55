"""Runs seeded cases, counts their outcomes, and says how to repeat one that fails."""

from __future__ import annotations

import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import FrameType
from typing import Protocol

SLOW = 10.0
"""Seconds that one input may take; the slowest ones take a fraction of one."""


class Finding(AssertionError):
    """An input that was not answered as it is documented."""


class Campaign(Protocol):
    """One door to the outside. `case` spoils one input by the dice and gives the class of its answer."""

    def case(self, dice: Random) -> str:
        """Try one input; raises whatever is wrong."""


@dataclass
class Told:
    """What some cases came to: outcomes by name, and the failures as text."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def run(name: str, make: Callable[[], Campaign], seed: int, cases: range) -> Told:
    """Run cases of one campaign. Each has dice of its own, so that it can be repeated alone."""
    campaign, told = make(), Told()
    for number in cases:
        try:
            with patience(SLOW):
                told.outcomes[campaign.case(Random(f"{seed}/{name}/{number}"))] += 1
        except Exception as error:
            told.failures.append(_explained(name, seed, number, error))
            campaign = make()  # whatever the failure left behind must not spoil the next case
    return told


def _explained(name: str, seed: int, number: int, error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)
    last = next(
        (f for f in reversed(where) if "/ml_connector/" in f.filename or "/functions/" in f.filename), where[-1]
    )
    place = f"{last.filename.rpartition('/ml_connector/')[2]}:{last.lineno} {last.name}"
    what = f"{type(error).__name__}: {str(error)[:300]!a}"
    return f"{what}\n  at {place}\n  repeat: python -m tests.fuzz --seed {seed} --only {name} --case {number}"


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Turn a hang into a finding; does nothing outside the main thread, where signals cannot be had."""

    def alarm(_: int, __: FrameType | None) -> None:
        raise Finding(f"still at it after {seconds:.0f} s")

    try:
        before = signal.signal(signal.SIGALRM, alarm)
    except ValueError:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def stopwatch() -> Callable[[], float]:
    """Give a function that tells the seconds since now."""
    begun = time.monotonic()
    return lambda: time.monotonic() - begun

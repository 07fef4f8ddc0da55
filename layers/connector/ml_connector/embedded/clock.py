"""Time and randomness of this machine, and randomness that a seed repeats."""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, datetime
from uuid import UUID, uuid4


class SystemClock:
    """This machine's time."""

    def now(self) -> datetime:
        """Tell the time, zone UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Block this thread for `seconds`; a negative number is none."""
        time.sleep(max(seconds, 0.0))


class SystemRandom:
    """The operating system's randomness; nothing is predictable or repeated after a fork."""

    def __init__(self) -> None:
        self._random = secrets.SystemRandom()

    def random(self) -> float:
        """Draw from [0, 1)."""
        return self._random.random()

    def uuid4(self) -> UUID:
        """Draw a version 4 UUID."""
        return uuid4()


class SeededRandom:
    """Randomness that repeats with its seed: for simulations, never for anything that must not be guessed."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)  # noqa: S311 (a repeated history is what it is for)

    def random(self) -> float:
        """Draw from [0, 1)."""
        return self._random.random()

    def uuid4(self) -> UUID:
        """Draw a version 4 UUID."""
        return UUID(int=self._random.getrandbits(128), version=4)

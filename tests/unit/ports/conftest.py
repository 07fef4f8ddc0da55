"""A clock that stands until it is turned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest


class TurnedClock:
    """Sleeping turns it; `slept` tells what was slept."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 31, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()

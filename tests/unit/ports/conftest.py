"""A clock that stands until it is turned."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 1, 31, 12, tzinfo=UTC))

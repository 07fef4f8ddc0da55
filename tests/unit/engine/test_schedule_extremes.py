"""Schedules that a person may write and no calendar has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ml_connector.engine.schedule.cron import LONGEST, next_due
from ml_connector.errors import Misconfigured

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("count", ["99999999999999", "9" * 5000])
def test_a_rate_beyond_every_calendar_is_a_year(count: str) -> None:
    assert next_due(f"rate({count} days)", NOW, "UTC") == NOW + timedelta(seconds=LONGEST)


@pytest.mark.parametrize(
    "text", ["rate(² hours)", "rate(٣ hours)", "cron(0 0 31 2 *)", "cron(*/0 * * * *)", "cron(\x00)"]
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        next_due(text, NOW, "UTC")

"""The next run counts from when this one was planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ml_connector.engine.schedule.cron import next_due

PLANNED = datetime(2026, 3, 2, 8, 0, 37, tzinfo=UTC)


@pytest.mark.parametrize(("late", "after"), [(0, 300), (62, 300), (299, 300), (300, 600), (640, 900), (3601, 3900)])
def test_every_5_minutes_is_five_from_the_planned_time_however_late_a_run_ends(late: int, after: int) -> None:
    now = PLANNED + timedelta(seconds=late)
    assert next_due("rate(5 minutes)", now, "UTC", planned=PLANNED) == PLANNED + timedelta(seconds=after)


def test_a_run_without_a_plan_or_before_it_counts_from_its_end() -> None:
    ended = PLANNED - timedelta(minutes=2)
    for planned in (None, PLANNED):
        assert next_due("rate(5 minutes)", ended, "UTC", planned=planned) == ended + timedelta(minutes=5)

"""Periods that are months, counted back from the current one, and what a draft does with them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held
from ml_connector.records import Invoice
from ml_connector.systems.kit.drafts import Draft, Months

NOW = date(2026, 1, 15)


@pytest.mark.parametrize(
    ("day", "ago", "is_open"),
    [
        (date(2026, 1, 31), 0, True),
        (date(2025, 12, 1), 1, True),
        (date(2025, 11, 1), 2, True),
        (date(2025, 10, 31), 3, False),
        (date(2026, 2, 1), -1, False),
        (date(2024, 12, 31), 13, False),
    ],
)
def test_a_month_is_open_from_the_earliest_to_the_current_one(day: date, ago: int, is_open: bool) -> None:
    months = Months.back(NOW, 2)
    assert (months.earliest, months.ago(day), months.is_open(day)) == (date(2025, 11, 1), ago, is_open)


@pytest.mark.parametrize("moves", [True, False])
def test_a_closed_month_moves_to_the_current_one_and_a_coming_one_is_waited_for(moves: bool) -> None:
    def opened(day: date) -> Draft:
        record = Invoice(key="i", number="R", company="C", supplier="S", currency="EUR", gross=Decimal(1))
        codes: Any = None
        draft = Draft("The ERP", record, codes, "S", "EUR", "own", day, moves)
        draft.open_day(Months.back(NOW, 2))
        return draft

    assert opened(date(2025, 11, 7)).notes == []
    for day in (date(2025, 10, 7), date(2026, 2, 1)):
        if moves and day < NOW:
            assert opened(day).posted_on == date(2026, 1, 1)
            continue
        with pytest.raises(Held) as held:
            opened(day)
        assert held.value.waiting_for == f"period:{day.isoformat()[:7]}"

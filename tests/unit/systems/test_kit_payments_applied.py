"""What payments apply to invoices, and the days by which they are listed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.errors import Held
from ml_connector.records import Payment
from ml_connector.systems.kit.day_windows import FARTHEST, begin, windows
from ml_connector.systems.kit.remittances import Applied, Part, decided, summed

TODAY = date(2026, 2, 10)


@given(st.integers(0, 400), st.integers(2, 60))
def test_windows_cover_each_day_and_share_their_edges(back: int, most: int) -> None:
    first = TODAY - timedelta(days=back)
    found = list(windows(first, TODAY, most))
    assert found[0][0] == first and found[-1][1] == TODAY
    assert all((last - start).days < most for start, last in found)
    assert all(before[1] == after[0] for before, after in zip(found, found[1:]))  # noqa: B905, RUF007


def test_a_mark_that_lies_ahead_is_no_endless_reading() -> None:
    assert list(windows(TODAY + timedelta(days=9), TODAY, 30)) == [(TODAY, TODAY)]


@pytest.mark.parametrize(
    ("since", "position", "start", "first"),
    [
        ("2026-02-09", None, None, date(2026, 2, 8)),
        ("2026-02-09", "2026-01-20", None, date(2026, 1, 20)),
        (None, None, None, date(2026, 1, 12)),
        (None, None, date(2026, 2, 3), date(2026, 2, 3)),
        (None, None, date(2020, 1, 1), TODAY - FARTHEST),
    ],
)
def test_where_a_reading_begins(since: str | None, position: str | None, start: date | None, first: date) -> None:
    assert begin(since, position, start, TODAY, 30) == first


def test_parts_of_one_invoice_are_one_and_a_discount_is_apart() -> None:
    parts = [
        Part("A", None, net=Decimal(98), gross=Decimal(100)),
        Part("A", "own", net=Decimal(10)),
        Part("B", None, gross=Decimal(50), discount=Decimal(1)),
        Part(None, "key", net=Decimal(-5)),
    ]
    assert summed(parts) == [
        Applied("A", "own", Decimal(108), Decimal(2)),
        Applied("B", None, Decimal(49), Decimal(1)),
        Applied("", "key", Decimal(-5), None),
    ]


@pytest.mark.parametrize("part", [Part("A", None), Part(None, None, net=Decimal(1))])
def test_a_part_that_does_not_say_it_is_no_guess(part: Part) -> None:
    with pytest.raises(ValueError, match="which invoice"):
        summed([part])


def test_a_payments_amount_is_that_of_its_only_part() -> None:
    assert summed([Part("A", None).whole(Decimal(7))]) == [Applied("A", None, Decimal(7), None)]


@pytest.mark.parametrize("state", ["paid", "failed", None])
def test_a_state_that_nobody_mapped_is_held(state: str | None) -> None:
    one = Payment(key="1", invoice="", number="1", amount=Decimal(1), currency="", state=state, said="Odd")  # type: ignore[arg-type]
    if state is not None:
        assert decided(one) is one
        return
    with pytest.raises(Held, match="Odd") as told:
        decided(one)
    assert told.value.waiting_for == "lookup:1"

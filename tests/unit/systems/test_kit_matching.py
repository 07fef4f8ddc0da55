"""Coding rows are matched with what was received and not yet invoiced, and go to ledger codes that are there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.coding import coded
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.matching import OpenReceipt, match
from ml_connector.systems.kit.totals import PricedRow, by_account


class Codes:
    """Every code is the same on both sides."""

    def erp(self, kind: str, code: str) -> str:
        return code


def draft() -> Draft:
    record = Invoice(key="i", number="R", company="C", supplier="S", currency="EUR", gross=Decimal(1))
    codes: Any = Codes()
    return Draft("The ERP", record, codes, "S", "EUR", "own", date(2026, 1, 1))


def priced(net: str, **fields: Any) -> PricedRow:
    return PricedRow(CodingRow(key="1", **fields), Decimal(net), None, None)


def receipts(*left: str) -> list[OpenReceipt[str]]:
    return [
        OpenReceipt(f"G{place}", f"000{place}", f"0G{place}", Decimal(value)) for place, value in enumerate(left, 1)
    ]


@pytest.mark.parametrize(
    ("net", "left", "matches"),
    [
        ("100", ["60", "40"], [("G1", "60", True), ("G2", "40", True)]),
        ("75", ["60", "40"], [("G1", "60", True), ("G2", "15", False)]),
        ("103", ["60", "40"], [("G1", "60", True), ("G2", "40", True)]),
        ("-30", ["60", "-40"], [("G2", "-30", False)]),
        ("60", ["60", "40"], [("G1", "60", True)]),
    ],
)
def test_a_row_takes_open_receipts_one_after_the_other(net: str, left: list[str], matches: list[Any]) -> None:
    found = match(draft(), [priced(net, order_number="P1")], lambda _: receipts(*left))
    assert [(one.what, str(one.value), one.whole) for one in found] == matches


def test_a_receipt_is_given_once_with_what_all_rows_take_of_it() -> None:
    asked: list[str] = []

    def received(order: str) -> list[OpenReceipt[str]]:
        asked.append(order)
        return receipts("60")

    rows = [
        priced("50", order_number="P1"),
        priced("5", order_number=" P1"),
        priced("5", order_number="P1"),
        priced("9"),
    ]
    assert [(one.value, one.whole) for one in match(draft(), rows, received)] == [(60, True)]
    assert [(one.value, one.whole) for one in match(draft(), rows[:2], lambda _: receipts("60"))] == [(55, False)]
    assert asked == ["P1"]
    with pytest.raises(Held, match="nothing received on order P1") as held:
        match(draft(), [priced("60", order_number="P1"), priced("1", order_number="P1")], received)
    assert held.value.waiting_for == "order:P1"


@pytest.mark.parametrize(
    ("named", "took"),
    [
        ({"order_line": "2"}, "G2"),
        ({"order_line": "0002"}, "G2"),
        ({"receipt_number": "G3"}, "G3"),
        ({"receipt_number": "0G3"}, "G3"),
    ],
)
def test_a_row_takes_its_own_line_and_receipt(named: dict[str, str], took: str) -> None:
    (one,) = match(draft(), [priced("5", order_number="P1", **named)], lambda _: receipts("9", "9", "9"))
    assert one.what == took


def ledger(codes: Iterable[str]) -> set[str]:
    return set(codes) & {"10-5500", "20-5500", "6100"}


def test_a_cost_center_stands_in_its_section_of_the_account() -> None:
    one = draft()
    rows = [priced("1", account="10-5500", cost_center="20"), priced("1", account="6100")]
    assert [code for _, code in coded(one, rows, ledger, 1)] == ["20-5500", "6100"]
    assert one.used["account=20-5500"] == "10-5500" and not one.notes


def test_a_cost_center_that_goes_nowhere_is_noted() -> None:
    one = draft()
    assert coded(one, [priced("1", account="6100", cost_center="20")], ledger, None, "cost_centers")[0][1] == "6100"
    assert "The cost center 20" in one.notes[0] and "'cost_centers'" in one.notes[0]


def test_a_code_that_is_not_there_holds_its_account() -> None:
    with pytest.raises(Held, match="no ledger code 30-5500") as held:
        coded(draft(), [priced("1", account="10-5500", cost_center="30")], ledger, 1)
    assert held.value.waiting_for == "account:10-5500"
    with pytest.raises(Rejected, match="neither an account"):
        coded(draft(), [priced("1")], ledger, 1)


def test_what_is_compared_of_a_distribution_is_the_sum_on_each_account() -> None:
    assert by_account([("1", Decimal("1.10")), ("2", Decimal(5)), ("1", Decimal("-0.10"))]) == {
        "account 1": "1.00",
        "account 2": "5",
    }

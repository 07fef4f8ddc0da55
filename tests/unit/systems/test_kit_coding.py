"""Ledger codes of coding rows: mapped, or those that the ERP's own order has."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, Invoice, OrderLine, PurchaseOrder
from ml_connector.systems.kit.coding import OrderedLines, coded
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.totals import PricedRow

LEDGER = {"E-6100", "7000"}


class Codes:
    def erp(self, kind: str, code: str) -> str:
        return f"E-{code}"


def draft(*rows: CodingRow) -> Draft:
    record = Invoice(key="i", number="R-1", company="C", supplier="S", currency="EUR", gross=Decimal(1), rows=rows)
    codes: Any = Codes()
    return Draft("The ERP", record, codes, "S", "EUR", "own", date(2026, 1, 1))


def row(**fields: Any) -> CodingRow:
    return CodingRow(key="1", net=Decimal(1), **fields)


def line(number: str, key: str = "", **fields: Any) -> OrderLine:
    return OrderLine(key=key or number, number=number, quantity=Decimal(1), net=Decimal(1), **fields)


def order(*lines: OrderLine) -> PurchaseOrder:
    return PurchaseOrder(key="P1", number="P1", supplier="S", currency="EUR", lines=lines)


def accounts(*rows: CodingRow, own: Any = lambda _: None) -> list[str]:
    priced = [PricedRow(one, Decimal(1), None, None) for one in rows]
    return [code for _, code in coded(draft(*rows), priced, lambda asked: set(asked) & LEDGER, None, own=own)]


def test_what_the_erp_itself_says_of_a_row_needs_no_mapping() -> None:
    rows = (row(account="6100"), row(account="6100", order_number="P1"))
    assert accounts(*rows, own=lambda one: "7000" if one.order_number else None) == ["E-6100", "7000"]


def test_an_own_account_that_is_not_there_is_held_on_itself() -> None:
    with pytest.raises(Held, match="no ledger code 9999") as held:
        accounts(row(), own=lambda _: "9999")
    assert held.value.waiting_for == "account:9999"
    with pytest.raises(Rejected, match="neither an account nor an order"):
        accounts(row())


@pytest.mark.parametrize("named", ["2", "02", "2000~1"])
def test_a_line_is_found_by_its_number_or_key_and_an_order_is_read_once(named: str) -> None:
    asked = list[str]()

    def read(number: str) -> PurchaseOrder:
        asked.append(number)
        return order(line("1"), line("2", "2000~1", account="7000"))

    lines = OrderedLines(draft(), read, "POPLIN")
    one = row(order_number="P1 ", order_line=named)
    assert [found.account for _ in range(2) if (found := lines.of(one))] == ["7000", "7000"]
    assert asked == ["P1"]


def test_a_row_that_names_no_line_takes_the_only_one_and_none_of_several() -> None:
    one, two = line("1", account="7000"), line("2", account="7001")
    assert OrderedLines(draft(), lambda _: order(one), "POPLIN").of(row(order_number="P1")) == one
    assert OrderedLines(draft(), lambda _: order(one, two), "POPLIN").of(row(order_number="P1")) is None
    assert OrderedLines(draft(), lambda _: order(one), "POPLIN").of(row(order_line="1")) is None


def test_an_order_or_line_that_the_erp_does_not_have_holds_a_row_without_coding_only() -> None:
    here = draft()
    lines = OrderedLines(here, {"P1": order(line("1"))}.get, "POPLIN")
    for one, what in (("P9", "order P9"), ("P1", "line 7 of order P1")):
        with pytest.raises(Held) as held:
            lines.of(row(order_number=one, order_line="7"))
        assert held.value.waiting_for == f"order:{one}"
        assert lines.of(row(account="6100", order_number=one, order_line="7")) is None
        assert here.notes[-1] == f"The ERP has no {what}: coding row 1 was posted as it is coded."

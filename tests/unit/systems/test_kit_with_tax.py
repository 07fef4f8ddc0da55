"""Lines that make an invoice's total with their tax."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held
from ml_connector.records import CodingRow, SupplierInvoice
from ml_connector.systems.kit.with_tax import lines_with_tax

CENTS = Decimal("0.05")


def invoice(gross: str, *rows: CodingRow, tax: str | None = None) -> SupplierInvoice:
    values: dict[str, Any] = {"key": "B1", "number": "N1", "company": "1", "supplier": "V1", "currency": "EUR"}
    return SupplierInvoice(**values, gross=Decimal(gross), tax=Decimal(tax) if tax else None, rows=rows)


def row(key: str, net: str, *, tax: str | None = None, gross: str | None = None) -> CodingRow:
    amounts = {"net": Decimal(net), "tax": Decimal(tax) if tax else None, "gross": Decimal(gross) if gross else None}
    return CodingRow(key=key, account=f"61{key}", **amounts)


@pytest.mark.parametrize(
    ("made", "want"),
    [
        (invoice("300", row("1", "100"), row("2", "200")), {"1": "100", "2": "200"}),
        (invoice("119", row("1", "100", tax="19")), {"1": "119"}),
        (invoice("119", row("1", "100", tax="18", gross="119")), {"1": "119"}),
        (invoice("119", row("1", "100"), tax="19"), {"1": "100", "1~tax": "19"}),
        (invoice("-119", row("1", "-100"), tax="-19"), {"1": "-100", "1~tax": "-19"}),
        (invoice("100.01", row("1", "50"), row("2", "50")), {"1": "50", "2": "50.01"}),
    ],
)
def test_the_lines_make_the_total(made: SupplierInvoice, want: dict[str, str]) -> None:
    lines = lines_with_tax(made, CENTS)
    assert {line.key: worth for line, worth in lines} == {key: Decimal(worth) for key, worth in want.items()}
    assert all(line.account for line, _ in lines)


def test_lines_that_make_another_total_are_a_conflict() -> None:
    with pytest.raises(Held, match="19 less than its total") as told:
        lines_with_tax(invoice("119", row("1", "100"), tax="7"), CENTS)
    assert told.value.waiting_for == "conflict:B1"


@pytest.mark.parametrize("rows", [(), (CodingRow(key="1", net=Decimal(1)),), (CodingRow(key="1", account="6"),)])
def test_nothing_is_sent_without_account_and_amount(rows: tuple[CodingRow, ...]) -> None:
    with pytest.raises(Held, match="no GL account or amount") as told:
        lines_with_tax(invoice("1", *rows), CENTS)
    assert told.value.waiting_for == "lookup:B1"

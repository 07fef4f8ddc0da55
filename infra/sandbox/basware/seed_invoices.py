"""Builds correct invoices: services, purchase orders, credit notes; amounts exact to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import NamedTuple

from .codec import Record

TAX = {"V0": Decimal(0), "V1": Decimal(7), "V2": Decimal(19)}
"""Tax code to percent."""
CENT = Decimal("0.01")
CURRENCIES = ("EUR",) * 8 + ("USD",)
TELLING_AMOUNTS = tuple(map(Decimal, ("12345678901.23", "0.30", "0.01", "1000000.10", "999.99", "1.10")))
"""Untaxed nets that a float, a rounding or a field too short would spoil."""
EVERYDAY_AMOUNTS = tuple(map(Decimal, ("8640.23", "0.30", "0.01", "12500.10", "999.99", "1.10")))
"""In their place where people look on: as telling as a company's ordinary invoices get."""


class OrderRow(NamedTuple):
    """One line of a purchase order as the accounting system holds it; the amount is net, in document currency."""

    order_number: str | int
    line_number: str | int
    amount: Decimal | str
    tax_code: str
    account: str
    cost_centre: str
    supplier: str


class Coding(NamedTuple):
    """What one coding row carries."""

    account: str
    cost_centre: str
    net: Decimal
    tax_code: str
    order: str | None = None
    line: str | None = None


@dataclass
class Seeded:
    """One invoice, and what a correct connector does with it; see `seed.Expectation`."""

    record: Record
    fate: str = "post"
    why: str = "in order"
    breaks_schema: bool = False


def tax_of(net: Decimal, code: str) -> Decimal:
    """Return the tax on `net`, rounded half up to the cent as the accounting systems do."""
    return (net * TAX[code] / 100).quantize(CENT, ROUND_HALF_UP)


class Maker:
    """Makes one invoice after the other from one random source."""

    def __init__(self, rng: Random, companies: tuple[str, ...], today: date) -> None:
        self._rng, self._companies, self._today = rng, companies, today
        self._made = 0

    def service(self) -> Seeded:
        """Return an invoice for services: one to four rows."""
        rows = [self._coding(self._amount()) for _ in range(self._rng.choice((1, 1, 2, 3, 4)))]
        return Seeded(self.invoice(rows))

    def telling(self, net: Decimal) -> Seeded:
        """Return an untaxed invoice over exactly `net`, in two rows where it can be split."""
        part = (net / 3).quantize(CENT, ROUND_HALF_UP)
        amounts = [part, net - part] if part and net - part else [net]
        return Seeded(self.invoice([self._coding(amount, "V0") for amount in amounts]), why="a telling amount")

    def credit_note(self) -> Seeded:
        """Return a credit note: every amount is negative."""
        rows = [self._coding(-self._amount()) for _ in range(self._rng.choice((1, 2)))]
        record = self.invoice(rows) | {"invoiceTypeCode": "CREDIT", "invoiceTypeName": "Credit note"}
        return Seeded(record, why="a credit note")

    def for_order(self, rows: Sequence[OrderRow]) -> Seeded:
        """Return an invoice over the given lines of one purchase order, for their full amounts."""
        codings = [
            Coding(r.account, r.cost_centre, Decimal(r.amount), r.tax_code, str(r.order_number), str(r.line_number))
            for r in rows
        ]
        record = self.invoice(codings, supplier=rows[0].supplier) | {"currencyCode": "EUR"}
        return Seeded(record | {"orderNumbers": [str(rows[0].order_number)]}, why="matched to a purchase order")

    def _amount(self) -> Decimal:
        return Decimal(self._rng.randrange(1_00, 25_000_00)) / 100

    def _coding(self, net: Decimal, tax_code: str | None = None) -> Coding:
        account = f"{400000 + self._rng.randrange(120)}"
        return Coding(account, f"CC{100 + self._rng.randrange(20)}", net, tax_code or self._rng.choice(list(TAX)))

    def invoice(self, codings: Sequence[Coding], *, supplier: str | None = None) -> Record:
        """Return an invoice over `codings` whose totals add up."""
        self._made += 1
        code = supplier or f"V{10000 + self._rng.randrange(300)}"
        dated = self._today - timedelta(days=self._rng.randrange(1, 25))
        rows = [self._row(index, coding) for index, coding in enumerate(codings, 1)]
        return {
            **self._head(code, dated),
            **_totals(rows),
            "codingRows": rows,
            "companyCode": self._companies[self._made % len(self._companies)],
            "currencyCode": self._rng.choice(CURRENCIES),
        }

    def _head(self, supplier: str, dated: date) -> Record:
        return {
            "invoiceId": self._rng.randbytes(16).hex(),
            "processingStatus": "WaitingForTransfer",
            "invoiceNumber": f"RE-{self._rng.randrange(10_000, 99_999)}{self._made:03d}",
            "supplierCode": supplier,
            "supplierName": f"Supplier {supplier}",
            "paymentBlock": False,
            "invoiceDate": _stamp(dated),
            "dueDate": _stamp(dated + timedelta(days=30)),
            "voucherDate": _stamp(self._today),
            "invoiceTypeCode": "INVOICE",
            "invoiceTypeName": "Invoice",
            "description": f"Invoice of {dated.isoformat()}",
            "referenceNumber": f"{self._rng.randrange(10**9):09d}",
        }

    def _row(self, index: int, coding: Coding) -> Record:
        """Return one coding row; the row indexes have gaps, as the vendor's do."""
        tax = tax_of(coding.net, coding.tax_code)
        row: Record = {
            "externalCode": self._rng.randbytes(16).hex(),
            "rowIndex": 2 * index - 1,
            "accountCode": coding.account,
            "accountName": f"Account {coding.account}",
            "costCenterCode": coding.cost_centre,
            "costCenterName": f"Cost centre {coding.cost_centre}",
            "netTotal": coding.net,
            "grossTotal": coding.net + tax,
            "taxSum": tax,
            "taxCode": coding.tax_code,
            "taxPercent": TAX[coding.tax_code],
            "text1": f"Row {index}",
        }
        if coding.order:
            row |= {"orderNumber": coding.order, "orderLineNumber": coding.line, "matchedNetSum": coding.net}
        return row


def _totals(rows: Sequence[Record]) -> Record:
    """Return the header's sums, and the tax code where all rows share it."""
    net, tax = sum(row["netTotal"] for row in rows), sum(row["taxSum"] for row in rows)
    totals: Record = {"netSum": net, "taxSum1": tax, "grossSum": net + tax}
    codes = {row["taxCode"] for row in rows}
    if len(codes) == 1:
        totals |= {"taxCode": rows[0]["taxCode"], "taxPercent1": rows[0]["taxPercent"]}
    return totals


def _stamp(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"

"""What is looked up for an invoice, each time anew: what stands in the way is mended there meanwhile.

The database compares letter by letter: a key is looked up in every form that it may have, and sent as SYSPRO keeps it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ml_connector.errors import Misconfigured
from ml_connector.systems.kit.matching import Match, OpenReceipt
from ml_connector.systems.kit.tables import Row, amount, day, text
from ml_connector.systems.syspro.client import Client, forms
from ml_connector.systems.syspro.faults import VENDOR
from ml_connector.systems.syspro.settings import Settings

SUPPLIER = ("Supplier", "Currency", "GrnMatchReqd", "DefTaxCode")
GRN = ("Supplier", "Grn", "GrnSource", "Journal", "JournalEntry")
"""What tells a receipt from the others."""
RECEIPT = (*GRN, "OrigGrnValue", "QtyReceived", "PurchaseOrder", "PurchaseOrderLin", "OrigReceiptDate")
WORTH = "worth"
"""What a receipt was entered for, and adjusted by since: what its quantity counts for."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Supplier:
    """What an invoice must know of its supplier. `code` is as SYSPRO keeps it; `matched`: receipts must be named."""

    code: str
    currency: str
    tax_code: str
    matched: bool


class Lookups:
    """Reads a company's records."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client, self._settings = client, settings
        self._spelt: dict[str, str] = {}

    def company(self) -> tuple[date, str]:
        """Read the accounting date and the local currency."""
        profile = self._client.profile()
        today = day({"AccountingDate": profile.get("accountingdate", "")}, "AccountingDate")
        if today is None:
            raise Misconfigured(
                f"{VENDOR}'s logon profile tells no accounting date of company {self._client.company}, so nothing says "
                "which period is the current one. Set it there."
            )
        return today, profile.get("localcurrencycode", "")

    def supplier(self, code: str, local: str = "") -> Supplier | None:
        """Read a supplier; one without a currency is kept in the company's."""
        asked = forms(code)
        rows = {row["Supplier"]: row for row in self._client.rows_by("ApSupplier", SUPPLIER, "Supplier", asked)}
        row = next((rows[one] for one in asked if one in rows), None)
        if row is None:
            return None
        self._spelt[code] = row["Supplier"]
        currency, tax = text(row, "Currency") or local, text(row, "DefTaxCode") or ""
        return Supplier(row["Supplier"], currency, tax, text(row, "GrnMatchReqd") == "Y")

    def spelt(self, code: str) -> str:
        """Give a supplier's code as SYSPRO keeps it, which does not change; as it is where there is none."""
        return self._spelt.get(code) or (self.supplier(code) and self._spelt[code]) or code

    def ledger(self, codes: Iterable[str]) -> set[str]:
        """Tell which of some ledger codes the company has."""
        mine, where = ("Company", "EQ", self._client.company), self._settings.ledger
        rows = self._client.rows_by("GenMaster", ("Company", "GlCode"), "GlCode", codes, mine, company=where)
        return {row["GlCode"].strip() for row in rows}

    def receipts(self, supplier: str, order: str) -> list[OpenReceipt[Row]]:
        """List an order's receipts and returns of which something is not invoiced yet, the oldest first.

        That is their value, less what was matched with invoices, and with what it was adjusted by.
        """
        of = ("Supplier", "EQ", supplier)
        rows = self._client.rows_by("GrnDetails", RECEIPT, "PurchaseOrder", forms(order), of, order=GRN)
        moved: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        for table, column in (("GrnMatching", "MatchedValue"), ("GrnAdjustment", "GrnAdjValue")):
            for row in self._client.rows_by(table, (*GRN, column), "Grn", [one["Grn"] for one in rows], of, order=GRN):
                moved[column, *_key(row)] += amount(row, column) or ZERO
        rows.sort(key=lambda row: (row["OrigReceiptDate"], _key(row)))
        for row in rows:
            row[WORTH] = f"{(amount(row, 'OrigGrnValue') or ZERO) + moved['GrnAdjValue', *_key(row)]:f}"
        left = ((row, (amount(row, WORTH) or ZERO) - moved["MatchedValue", *_key(row)]) for row in rows)
        return [OpenReceipt(row, row["PurchaseOrderLin"], row["Grn"], value) for row, value in left if value]


def matched(one: Match[Row]) -> dict[str, str]:
    """Name a receipt, all that is left of it or a part by quantity and value."""
    row, share = one.what, {"GrnMatchType": "O"}
    if not one.whole:
        quantity = (amount(row, "QtyReceived") or ZERO) * one.value / (amount(row, WORTH) or one.value)
        share = {
            "GrnMatchType": "P",
            "GrnPartialMatchQuantity": f"{quantity:.6f}",
            "GrnPartialMatchValue": f"{one.value}",
        }
    names = zip(("GrnSupplier", "GrnGrn", "GrnFlag", "GrnJournal", "GrnEntry"), GRN, strict=True)
    return share | {name: row[column] for name, column in names}


def _key(row: Row) -> tuple[str, ...]:
    return tuple(bare(row[name]) for name in GRN)


def bare(code: str) -> str:
    """Give what the forms of a key have in common, to compare two of them."""
    plain = code.strip().upper()
    return (plain.lstrip("0") or "0") if plain.isdecimal() else plain

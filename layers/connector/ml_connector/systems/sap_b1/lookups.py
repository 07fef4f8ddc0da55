"""Small facts of a company that an invoice needs, read once and remembered for the connection's life."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

from ml_connector.errors import Misconfigured, Rejected
from ml_connector.systems.kit.money import Money
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.faults import VENDOR
from ml_connector.systems.sap_b1.query import Query
from ml_connector.systems.sap_b1.rows import (
    YES,
    CenterRow,
    CurrencyRow,
    ReverseGroupRow,
    RoundingRow,
    RuleRow,
    SupplierTaxRow,
    TotalRow,
    VatGroupRow,
    VatRateRow,
    told,
)

INPUT_TAX = "bovcInputTax"
FEW = 20
_LOCAL = "DocTotalFc eq 0 and DocTotal gt 0"
_DIGITS = re.compile(r"cd(\d)Digits?")
_ROUNDINGS = {"trr_RoundDown": ROUND_DOWN, "trr_RoundUp": ROUND_UP}


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """An input tax group on a day. `reverse`: its tax shows in no total (reverse charge, acquisition)."""

    code: str
    rate: Decimal
    reverse: bool

    @property
    def shown(self) -> Decimal:
        """The percentage that it adds to a document's total."""
        return Decimal(0) if self.reverse else self.rate


class Lookups:
    """Cost centers' dimensions, input tax by percentage and supplier, currencies."""

    def __init__(self, layer: ServiceLayer) -> None:
        self._layer = layer
        self._dimensions: dict[str, int] = {}
        self._supplier_taxes: dict[str, str | None] = {}
        self._roundings: dict[str, str] = {}
        self._currencies: dict[str, str | None] | None = None
        self._groups: list[VatGroupRow] | None = None
        self._local: str | None = None
        self._untold = False

    def dimension(self, code: str) -> int | None:
        """Tell the dimension (1 to 5) of a cost center or distribution rule; None where there is neither."""
        if code not in self._dimensions:
            center = self._layer.get("ProfitCenters", code, CenterRow)
            found = center or self._layer.get("DistributionRules", code, RuleRow, optional=True)
            if found is None:
                return None
            self._dimensions[code] = found.in_which_dimension or 1
        return self._dimensions[code]

    def groups(self, on: date) -> dict[str, TaxGroup]:
        """List the input tax groups that have a rate on a day, by code; none where the company shows none."""
        if self._groups is None:  # a server that does not know of reverse charge refuses to tell of it
            self._groups = self._listed(ReverseGroupRow) or self._listed(VatGroupRow)
        return {
            group.code: TaxGroup(group.code, rate, getattr(group, "acquisition_reverse", None) == YES)
            for group in self._groups
            if _usable(group) and (rate := _rate(group, on)) is not None
        }

    def _listed(self, row: type[VatGroupRow]) -> list[VatGroupRow]:
        query = Query("VatGroups", row, "Code", "Category eq 'bovcInputTax'", lenient=True)
        return [group for batch in self._layer.pages(query) for group in batch.rows]

    def tax_groups(self, percent: Decimal, on: date) -> list[str] | None:
        """List the groups that add a percentage to a total; None where the company shows no groups with rates."""
        groups = self.groups(on)
        fitting = [code for code, group in groups.items() if group.rate == percent and not group.reverse]
        return fitting if groups else None

    def supplier_tax(self, card_code: str) -> str | None:
        """Tell the tax group that a supplier's lines get where they name none."""
        if card_code not in self._supplier_taxes:
            row = self._layer.get("BusinessPartners", card_code, SupplierTaxRow)
            self._supplier_taxes[card_code] = row.vat_group if row else None
        return self._supplier_taxes[card_code]

    def rounding(self, card_code: str) -> str:
        """Tell how a supplier's taxes are rounded: halves up, unless its master data say otherwise."""
        if card_code not in self._roundings:
            try:
                row = self._layer.get("BusinessPartners", card_code, RoundingRow)
            except (Misconfigured, Rejected):
                row = None  # a release without the field
            rule = row.tax_rounding_rule if row else None
            self._roundings[card_code] = _ROUNDINGS.get(rule or "", ROUND_HALF_UP)
        return self._roundings[card_code]

    def money(self, iso: str, code: str) -> Money:
        """Give the amounts of a currency, with the decimals that the company gave it; `code` is the company's own."""
        return Money.of(iso, VENDOR, self._decimals(code))

    def _decimals(self, code: str) -> int | None:
        """Tell the decimals that the company set for a currency; None where it leaves them to the default."""
        if self._currencies is None:
            query = Query("Currencies", CurrencyRow, "Code", lenient=True)
            try:
                rows = [row for batch in self._layer.pages(query) for row in batch.rows]
                self._currencies = {row.code: row.decimals for row in rows}
            except (Misconfigured, Rejected):
                self._currencies = {}  # this user may not see them
        setting = self._currencies.get(code) or ""
        digits = _DIGITS.fullmatch(setting)
        return 0 if setting == "cdWithoutDecimals" else int(digits[1]) if digits else None

    def local_currency(self) -> str | None:
        """Tell the company's currency: by a document in it, which has no foreign total, else by asking the company.

        Asked when it is first needed, once in a connection's life. None where neither tells; then it is asked again
        if what came was nobody's answer. Nothing is remembered of an attempt that failed, or that another thread is
        at: taken for an answer, it would have a foreign document sent with its amounts in the company's own currency.
        """
        if self._local is None and not self._untold:
            self._local = self._of_a_document() or self._of_the_company()
        return self._local

    def _of_a_document(self) -> str | None:
        for entity in ("PurchaseInvoices", "PurchaseOrders"):
            query = Query(entity, TotalRow, "DocEntry", _LOCAL, size=FEW, top=FEW)
            try:
                rows = next(self._layer.pages(query)).rows
            except (Misconfigured, Rejected):
                continue  # a server that cannot filter so; the next way may tell
            for row in rows:
                if not row.doc_total_fc and row.doc_total and (currency := told(row.doc_currency)):
                    return currency
        return None

    def _of_the_company(self) -> str | None:
        said = self._layer.told("CompanyService_GetAdminInfo")
        found = (said or {}).get("LocalCurrency")
        local = told(found) if isinstance(found, str) else None
        self._untold = said is not None and local is None
        return local

    def is_foreign(self, currency: str) -> bool:
        """Tell whether a currency is known to be another than the company's own."""
        local = self.local_currency()
        return local is not None and local != currency

    def is_local(self, currency: str | None) -> bool:
        """Tell whether a currency is known to be the company's own."""
        return currency is not None and self.local_currency() == currency


def _usable(group: VatGroupRow) -> bool:
    return group.category in {None, INPUT_TAX, "I"} and group.inactive != YES


def _rate(group: VatGroupRow, on: date) -> Decimal | None:
    """Give the percentage that is in force on a day."""
    lines = [line for line in group.rates or () if (line.effectivefrom or "")[:10] <= on.isoformat()]
    latest = max(lines, key=lambda line: (line.effectivefrom or "")[:10], default=VatRateRow())
    return latest.rate

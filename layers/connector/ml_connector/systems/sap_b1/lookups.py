"""Small facts of a company that an invoice needs, read once and remembered for the connection's life."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ml_connector.errors import Misconfigured, Rejected
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.paging import Query
from ml_connector.systems.sap_b1.wire import YES, CenterRow, RuleRow, SupplierTaxRow, TotalRow, VatGroupRow, VatRateRow

INPUT_TAX = "bovcInputTax"
_LOCAL = "DocTotalFc eq 0 and DocTotal gt 0"


class Lookups:
    """Cost centres' dimensions, input tax by percentage and supplier, the local currency."""

    def __init__(self, layer: ServiceLayer) -> None:
        self._layer = layer
        self._dimensions: dict[str, int] = {}
        self._supplier_taxes: dict[str, str | None] = {}
        self._groups: list[VatGroupRow] | None = None
        self._local: str | None = None
        self._asked = False

    def dimension(self, code: str) -> int | None:
        """Tell the dimension (1 to 5) of a cost centre or distribution rule; None where there is neither."""
        if code not in self._dimensions:
            center = self._layer.get("ProfitCenters", code, CenterRow)
            found = center or self._layer.get("DistributionRules", code, RuleRow)
            if found is None:
                return None
            self._dimensions[code] = found.in_which_dimension or 1
        return self._dimensions[code]

    def tax_groups(self, percent: Decimal, on: date) -> list[str] | None:
        """List the input tax groups of a percentage on a day; None where the company keeps no tax groups."""
        if self._groups is None:
            query = Query("VatGroups", VatGroupRow, "Code", "Category eq 'bovcInputTax'", optional=True)
            self._groups = list(self._layer.rows(query))
        if not self._groups:
            return None
        return [g.code for g in self._groups if _usable(g) and _rate(g, on) == percent]

    def supplier_tax(self, card_code: str) -> str | None:
        """Tell the tax group that a supplier's lines get where they name none."""
        if card_code not in self._supplier_taxes:
            row = self._layer.get("BusinessPartners", card_code, SupplierTaxRow)
            self._supplier_taxes[card_code] = row.vat_group if row else None
        return self._supplier_taxes[card_code]

    def local_currency(self) -> str | None:
        """Tell the company's currency by a document in it: such a one has no foreign total.

        A company without such a document is asked itself. None where that does not tell either.
        """
        for entity in ("PurchaseInvoices", "PurchaseOrders"):
            if self._local is None:
                query = Query(entity, TotalRow, "DocEntry", _LOCAL, size=1, top=1)
                try:
                    row = next(iter(next(self._layer.pages(query)).rows), None)
                except (Misconfigured, Rejected):
                    continue  # a server that cannot filter so; the next way may tell
                self._local = row.doc_currency if row else None
        if self._local is None and not self._asked:
            self._asked = True
            self._local = self._layer.told("CompanyService_GetAdminInfo").get("LocalCurrency")
        return self._local

    def is_foreign(self, currency: str) -> bool:
        """Tell whether a currency is known to be another than the company's own."""
        local = self.local_currency()
        return local is not None and local != currency


def _usable(group: VatGroupRow) -> bool:
    return group.category in {None, INPUT_TAX, "I"} and group.inactive != YES


def _rate(group: VatGroupRow, on: date) -> Decimal | None:
    """Give the percentage that is in force on a day."""
    lines = [line for line in group.rates or () if (line.effectivefrom or "")[:10] <= on.isoformat()]
    latest = max(lines, key=lambda line: (line.effectivefrom or "")[:10], default=VatRateRow())
    return latest.rate

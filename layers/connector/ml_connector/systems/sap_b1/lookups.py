"""Small facts of a company that an invoice needs, read once and remembered for the connection's life."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ml_connector.errors import Misconfigured, Rejected
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.paging import Query
from ml_connector.systems.sap_b1.wire import YES, CenterRow, told
from ml_connector.systems.sap_b1.wire_lookups import RuleRow, SupplierTaxRow, TotalRow, VatGroupRow, VatRateRow

INPUT_TAX = "bovcInputTax"
FEW = 20
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
            found = center or self._layer.get("DistributionRules", code, RuleRow, optional=True)
            if found is None:
                return None
            self._dimensions[code] = found.in_which_dimension or 1
        return self._dimensions[code]

    def tax_groups(self, percent: Decimal, on: date) -> list[str] | None:
        """List the input tax groups of a percentage on a day; None where the company shows no groups with rates."""
        if self._groups is None:
            query = Query("VatGroups", VatGroupRow, "Code", "Category eq 'bovcInputTax'", lenient=True)
            self._groups = [group for batch in self._layer.pages(query) for group in batch.rows]
        rates = {g.code: rate for g in self._groups if _usable(g) and (rate := _rate(g, on)) is not None}
        return [code for code, rate in rates.items() if rate == percent] if rates else None

    def supplier_tax(self, card_code: str) -> str | None:
        """Tell the tax group that a supplier's lines get where they name none."""
        if card_code not in self._supplier_taxes:
            row = self._layer.get("BusinessPartners", card_code, SupplierTaxRow)
            self._supplier_taxes[card_code] = row.vat_group if row else None
        return self._supplier_taxes[card_code]

    def local_currency(self) -> str | None:
        """Tell the company's currency: by a document in it, which has no foreign total, else by asking the company.

        Asked when it is first needed, once in a connection's life. None where neither tells.
        """
        if not self._asked:
            self._local = self._of_a_document() or self._of_the_company()
            self._asked = True
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
        found = self._layer.told("CompanyService_GetAdminInfo").get("LocalCurrency")
        return told(found) if isinstance(found, str) else None

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

"""What an invoice must know of its vendor, read once and remembered for the connection's life."""

from __future__ import annotations

from msgspec import Struct

from ml_connector.folding import same
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.keyed import Wanted
from ml_connector.systems.sage_300.masters import is_active, said
from ml_connector.systems.sage_300.paging import Query


class VendorFacts(Struct, rename="pascal"):
    """A vendor has one currency and one tax group (`docs/vendors/sage_300.md`)."""

    vendor_number: str
    currency_code: str | None = None
    tax_group: str | None = None
    status: str | None = None

    @property
    def currency(self) -> str | None:
        """Give the currency; None where the company has only one."""
        return said(self.currency_code)

    @property
    def taxed(self) -> bool:
        """Tell whether tax is worked out for the vendor."""
        return said(self.tax_group) is not None

    @property
    def active(self) -> bool:
        """Tell whether the vendor may be invoiced; being on hold is no bar."""
        return is_active(self.status)


def vendors_query(*where: str) -> Query[VendorFacts]:
    """Vendors."""
    return Query("AP/APVendors", VendorFacts, lambda row: row.vendor_number.strip(), *where)


class Vendors:
    """Vendors by number. One that is not there is asked for again."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._known: dict[str, VendorFacts] = {}

    def forget(self, number: str) -> None:
        """Read a vendor anew the next time: a person mends it."""
        self._known.pop(number, None)

    def get(self, number: str) -> VendorFacts | None:
        """Read a vendor, whatever its letters' case: Sage 300 keeps capitals. None where there is none."""
        if number not in self._known:
            asked = dict.fromkeys((number, number.upper()))
            wanted = Wanted(vendors_query, "VendorNumber", asked, lambda row: (row.vendor_number.strip(),))
            rows = {row.vendor_number.strip(): row for row in self._api.keyed.rows(wanted)}
            found = rows.get(number) or next((row for code, row in rows.items() if same(code, number)), None)
            if found is None:
                return None
            self._known[number] = found
        return self._known[number]

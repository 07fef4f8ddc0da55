"""Books of the integration whose invoices go the other way: Sage X3, whose invoices AvidXchange approves and pays."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ..sandbox import avidxchange, fixtures_avidxchange, fixtures_sage_x3, sage_x3
from .demo_books import CLIENT, Books, Secret, X3Books

STATUS = "YAPSTA"
"""The field of X3's invoice that shows how far it has come."""


class SubmittedBooks(Books):
    """Sage X3 whose posted, unpaid invoices are approved and paid in AvidXchange."""

    tenant, system, title, platform_title = "acme-avid", "sage_x3", "Sage X3", "AvidXchange"
    platform_system, source_system, target = "avidxchange", "", ""

    def __init__(self) -> None:
        self.world = fixtures_avidxchange.seeded_systems()
        self.app = sage_x3.create_app(self.world.erp)
        self.due = {str(row["NUM"]): row for row in fixtures_avidxchange.unpaid(self.world.erp)}
        super().__init__()

    def platform_app(self) -> Any:
        """Serve AvidXchange."""
        return avidxchange.create_app(self.world.ap)

    def secret(self, url: str) -> Secret:
        """Give X3's login, and through what payments and statuses are written there."""
        classes = {"payment": "PAYMENTH", "supplier_invoice": "PINVOICE", "open_item": "GACCDUDATE"}
        return X3Books.plain(url) | {
            "classes": {name: {"class": code, "representation": f"Z{code}"} for name, code in classes.items()},
            "payment": {"type": "VIRMT", "bank": "BNK01", "site": fixtures_sage_x3.SITE},
            "invoice_status_field": STATUS,
        }

    def platform_secret(self, url: str) -> Secret:
        """Give AvidXchange's secret."""
        return {"base_url": url, "token_url": f"{url}/token"} | CLIENT

    def masters(self) -> dict[str, tuple[str, int]]:
        """Count what AvidXchange must have: vendors, and the accounts of the chart as GL codes."""
        erp = self.world.erp
        accounts = [row for row in erp.rows("GACCOUNT") if row["COA"] == fixtures_sage_x3.CHART]
        return {"vendors": ("vendors", len(erp.rows("BPSUPPLIER"))), "GL codes": ("codes", len(accounts))}

    def booked(self) -> Iterator[tuple[str, Decimal]]:
        """Yield X3's number and the amount of each invoice that AvidXchange has from there."""
        for one in self.world.ap.invoices.values():
            if not one.captured:
                yield number_of(one), one.amount


def number_of(invoice: Any) -> str:
    """Take X3's number out of our own, which has something of the tenant behind it."""
    return str(invoice.external_id).rpartition("-")[0]

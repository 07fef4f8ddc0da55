"""The demonstration's tenant whose invoices go the other way: from Sage X3 to AvidXchange, which approves and pays."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..sandbox import avidxchange, fixtures_avidxchange, fixtures_sage_x3, sage_x3
from ..sandbox.avidxchange import back_office, paying
from .demo_books import Books, Secret, X3Books
from .demo_part import Part

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

    def platform(self) -> Secret:
        """Give AvidXchange's secret but for its addresses."""
        return {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}

    def masters(self) -> dict[str, tuple[str, int]]:
        """Count what AvidXchange must have: vendors, and the accounts of the chart as GL codes."""
        erp = self.world.erp
        accounts = [row for row in erp.rows("GACCOUNT") if row["COA"] == fixtures_sage_x3.CHART]
        return {"vendors": ("vendors", len(erp.rows("BPSUPPLIER"))), "GL codes": ("codes", len(accounts))}

    def booked(self) -> Iterator[tuple[str, Decimal]]:
        """Yield X3's number and the amount of each invoice that AvidXchange has from there."""
        for one in self.world.ap.invoices.values():
            if not one.captured:
                yield _number(one), one.amount


def _number(invoice: Any) -> str:
    """Take X3's number out of our own, which has something of the tenant behind it."""
    return str(invoice.external_id).rpartition("-")[0]


@dataclass
class SubmittedPart(Part):
    """Submit what is unpaid; then one invoice is approved and paid there, and X3 shows it."""

    books: SubmittedBooks
    chosen: str = ""

    def onboard(self, erp_url: str, ap_url: str) -> None:
        """Write the tenant's two secrets."""
        tenant, ap = self.books.tenant, self.books.platform()
        self.stack.put_secret(tenant, self.books.system, json.dumps(self.books.secret(erp_url)))
        self.stack.put_secret(
            tenant, "avidxchange", json.dumps({"base_url": ap_url, "token_url": f"{ap_url}/token", **ap})
        )

    def check_masters(self) -> None:
        """Compare vendors and GL codes."""
        ap, wanted = self.books.world.ap, self.books.wanted
        codes = [key for key in ap.codes if key[0] == "GL Account"]
        known = {str(row["BPSNUM"]) for row in self.books.world.erp.rows("BPSUPPLIER")}
        self.equal("vendors", wanted["vendors"][1], len(known & set(ap.vendors)))
        accounts = {str(row["ACC"]) for row in self.books.world.erp.rows("GACCOUNT")}
        self.equal("GL codes", wanted["GL codes"][1], len(accounts & {value for _, value in codes}))

    def check_invoices(self) -> None:
        """Compare what was submitted with what is unpaid in X3, and look for what was submitted twice."""
        booked = list(self.books.booked())
        for number, times in Counter(number for number, _ in booked).items():
            if times > 1:
                self.wrong(f"submitted twice: {number}")
        for number, row in self.books.due.items():
            sums = [amount for one, amount in booked if one == number]
            if len(sums) != 1 or abs(sums[0]) != row["AMTATI"]:
                self.wrong(f"{number} of {row['AMTATI']} stands in AvidXchange as {sums}")
        if strange := {number for number, _ in booked} - self.books.due.keys():
            self.wrong(f"submitted although nothing was due: {', '.join(sorted(strange))}")

    def people_act(self) -> Iterator[str]:
        """Approve an invoice and pay it."""
        ap = self.books.world.ap
        one = next(
            one for one in ap.invoices.values() if not one.captured and one.amount > 0 and one.state == "received"
        )
        self.chosen = _number(one)
        back_office.approve(ap, one.id)
        paying.clear(ap, paying.pay(ap, [one.id]).id)
        yield f"{one.number} is approved and paid in AvidXchange, with {one.amount:.2f}"

    def check_act_two(self) -> None:
        """Look for the payment on the open item, and for the status on the invoice."""
        erp = self.books.world.erp
        item = next(row for row in erp.rows("GACCDUDATE") if row["NUM"] == self.chosen)
        self.equal(f"entered on the open item of {self.chosen}", item["AMTCUR"], item["PAYCUR"] + item["TMPCUR"])
        self.equal(f"{STATUS} of {self.chosen}", "paid", str(erp.find("PINVOICE", self.chosen)[STATUS]).strip())
        self.check_invoices()

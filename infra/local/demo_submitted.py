"""The demonstration's tenant whose invoices go the other way: from Sage X3 to AvidXchange, which approves and pays."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..sandbox.avidxchange import back_office, paying
from .demo_part import Part
from .submitted_books import STATUS, SubmittedBooks, number_of


@dataclass
class SubmittedPart(Part):
    """Submit what is unpaid; then one invoice is approved and paid there, and X3 shows it."""

    books: SubmittedBooks
    chosen: str = ""

    def onboard(self, erp_url: str, ap_url: str) -> None:
        """Write the tenant's two secrets."""
        books = self.books
        for system, secret in ((books.system, books.secret(erp_url)), ("avidxchange", books.platform_secret(ap_url))):
            self.stack.put_secret(books.tenant, system, json.dumps(secret))

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
        self.chosen = number_of(one)
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

"""The details of an invoice: coding rows in the words of `InvoiceDetails` (`docs/vendors/sage_300.md`).

A row on an order goes to the account that the order's line was bought on, any other to the account that it is coded
to. The order itself is not invoiced: the Web API has no way to (`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml_connector.errors import Held
from ml_connector.folding import same
from ml_connector.records import CodingRow
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.kit.totals import Totals
from ml_connector.systems.kit.values import children, text, whole
from ml_connector.systems.sage_300.accounts import Ledger, bare
from ml_connector.systems.sage_300.faults import NotOffered
from ml_connector.systems.sage_300.orders import Orders, is_closed, line_key, order_number
from ml_connector.systems.sage_300.receipts import Row

TEXT_LIMIT = 60
STEP = 20
"""Lines are numbered as the vendor's own samples do it."""


@dataclass
class Lines:
    """What a writer of lines needs; notes and codes are left in the draft."""

    draft: Draft
    ledger: Ledger
    orders: Orders
    tax_group: str | None = None

    def __post_init__(self) -> None:
        """Write into the draft's notes."""
        self.invoice, self.notes, self.used = self.draft.invoice, self.draft.notes, self.draft.used

    def write(self, sums: Totals) -> list[dict[str, Any]]:
        """Give the details; raises `Held` or `Rejected`. A field that sets others comes before them."""
        sign = self.draft.sign
        ordered = self._ordered()
        details = []
        for number, row in enumerate(sums.rows, 1):
            detail: dict[str, Any] = {"LineNumber": number * STEP, "GLAccount": self._account(row.row, ordered)}
            detail["DistributionDescription"] = self.draft.text_of(row.row, TEXT_LIMIT)
            if (tax_class := self._tax_class(row.row)) is not None:
                detail["TaxClass1"] = tax_class
            detail["DistributedAmount"] = row.net * sign
            details.append(detail)
        return details

    def order(self) -> str | None:
        """Name the one order that the invoice is about; None where there are several or none."""
        numbers = {row.order_number.strip() for row in self.invoice.rows if row.order_number}
        return numbers.pop() if len(numbers) == 1 else None

    # ── account ─────────────────────────────────────────────────────────────────────────────────────────────

    def _account(self, row: CodingRow, orders: dict[str, Row] | None) -> str:
        line = self._order_line(row, orders) if row.order_number and orders is not None else None
        bought_on = text(line, "ExpenseAccount") if line is not None else None
        if bought_on is not None:
            account = bare(bought_on)
            self.used[f"account={account}"] = row.account or account
            self._differs(row, account)
            return account
        if not row.account:
            raise self.draft.uncoded(row)
        return self._coded(row, row.account)

    def _coded(self, row: CodingRow, code: str) -> str:
        natural = self.draft.codes.erp("account", code)
        center = None
        if row.cost_center and self.ledger.split:
            center = self.draft.codes.erp("cost_center", row.cost_center)
        elif row.cost_center:
            self.draft.center_left_out(row, "cost_center_segment")
        try:
            account = self.ledger.join(natural, center)
        except Held as held:
            kind, _, theirs = held.waiting_for.partition(":")
            raise Held(f"{kind}:{code if theirs == natural else theirs}", str(held)) from held
        self.used[f"account={account}"] = code
        return account

    def _differs(self, row: CodingRow, account: str) -> None:
        if not row.account:
            return
        natural, center = self.ledger.parts([account])[account]
        if row.account not in {natural, account} or (row.cost_center and center and row.cost_center != center):
            coded = f"{row.account}/{row.cost_center}" if row.cost_center else row.account
            self.notes.append(
                f"Coding row {row.key} has {coded}; it was posted to {account}, the account of order "
                f"{row.order_number}."
            )

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def _ordered(self) -> dict[str, Row] | None:
        """Read the orders that the rows name, together; None where the server offers none."""
        numbers = sorted({row.order_number.strip() for row in self.invoice.rows if row.order_number})
        try:
            return {order_number(row): row for row in self.orders.by_number(numbers)} if numbers else {}
        except NotOffered:
            self.notes.append(
                "This server offers no purchase orders: coding rows on orders are posted to their own accounts."
            )
            return None

    def _order_line(self, row: CodingRow, orders: dict[str, Row]) -> Row | None:
        """Find the line that a row names; raises `Held` where it or its order is not there."""
        number = (row.order_number or "").strip()
        order = orders.get(number)
        if order is None or not same(text(order, "Vendor"), self.draft.supplier):
            raise self.draft.no_order(number)
        try:
            lines, closed = children(order, "PurchaseOrderLines"), is_closed(order)
        except ValueError as error:
            raise Held(f"order:{number}", f"Purchase order {number} cannot be read: {error}") from error
        if closed:
            self.notes.append(f"Order {number} is complete in Sage 300.")
        if not row.order_line:
            return lines[0] if len(lines) == 1 else None
        wanted = row.order_line.strip()
        for numbered in (True, False):
            for place, line in enumerate(lines, 1):
                if wanted == (whole(line, "LineNumber") if numbered else line_key(line, place)):
                    return line
        raise self.draft.no_line(number, wanted, "LineNumber")

    # ── tax ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _tax_class(self, row: CodingRow) -> int | None:
        """Take the tax group of a row's code, and its class: a code is mapped to `GROUP` or `GROUP/CLASS`."""
        code = row.tax_code or self.invoice.tax_code
        if not code:
            return None
        theirs = self.draft.codes.erp("tax", code)
        group, _, number = theirs.partition("/")
        self.used[f"tax={group}"] = code
        if self.tax_group is not None and group != self.tax_group:
            raise Held(
                f"tax:{code}",
                f"Invoice {self.invoice.number} has tax of the groups {self.tax_group} and {group}; Sage 300 takes one "
                "to an invoice. Map both codes to classes of one group, such as GROUP/1 and GROUP/2.",
            )
        self.tax_group = group
        return row_number(number)

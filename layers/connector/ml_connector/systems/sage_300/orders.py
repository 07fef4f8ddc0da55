"""Purchase orders with their lines, receipts and returns (`docs/vendors/sage_300.md`).

Of what comes back only little is documented, so rows are read whole and by several spellings (`names.py`). A receipt
lives elsewhere and may not move its order's stamp: so after the changed orders come the orders of changed receipts
and returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

from ml_connector.flow import Broken, Page
from ml_connector.records import PurchaseOrder
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.masters import after, raw_of
from ml_connector.systems.sage_300.names import text
from ml_connector.systems.sage_300.order_rows import (
    Ordered,
    day_or_none,
    highest,
    long_closed,
    order_number,
    ordered,
    purchase_order,
)
from ml_connector.systems.sage_300.paging import Batch, Query, in_filters
from ml_connector.systems.sage_300.receipts import Book, Receipts, Row, orders_of, receipts_query, returns_query
from ml_connector.systems.sage_300.segments import Ledger

Phase = Literal["orders", "receipts", "returns"]
PHASES: tuple[Phase, ...] = ("orders", "receipts", "returns")
"""Changed orders first, then the orders of changed receipts and returns."""


def orders_query(*where: str) -> Query[Row]:
    """Purchase orders."""
    return Query("PO/POPurchaseOrders", None, order_number, *where)


class Orders:
    """The source of purchase orders. At first the open ones, then whatever changed."""

    def __init__(self, api: WebApi, ledger: Ledger, start: date | None = None) -> None:
        """`start`: older orders are not taken up at the first reading."""
        self._api, self._ledger, self._receipts, self._start = api, ledger, Receipts(api), start
        self._currencies: dict[str, str | None] = {}

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[PurchaseOrder]]:
        """Read orders since the day `since`. A position is the phase and the place in it."""
        begin, _, place = (position or "orders|").partition("|")
        phases = [phase for phase in PHASES if since or phase == "orders"]
        phases = phases[phases.index(begin) :] if begin in phases else phases
        for number, phase in enumerate(phases):
            following = f"{phases[number + 1]}|" if number + 1 < len(phases) else None
            for page in self._phase(phase, since, place or None):
                yield replace(page, position=f"{phase}|{page.position}" if page.position else following)
            place = ""

    def reread(self, keys: Sequence[str]) -> Iterator[Page[PurchaseOrder]]:
        """Read these very orders with lines and receipts; what is gone is left out.

        For orders whose closing or receiving moved no stamp. The pages have neither position nor stamp: what is read
        so says nothing about what else changed.
        """
        for where in in_filters("PurchaseOrderNumber", map(self._api.text, dict.fromkeys(keys))):
            for batch in self._api.pages(orders_query(where)):
                page = self._page(batch, batch.rows, [Broken(bad.key, bad.reason, bad.raw) for bad in batch.spoiled])
                yield replace(page, position=None, stamp=None)

    def _phase(self, phase: Phase, since: str | None, place: str | None) -> Iterator[Page[PurchaseOrder]]:
        if phase == "orders":
            for batch in self._api.pages(orders_query(*self._wanted(since)), place):
                broken = [Broken(bad.key, bad.reason, bad.raw) for bad in batch.spoiled]
                rows = [row for row in batch.rows if since or not long_closed(row)]
                yield self._page(batch, rows, broken)
            return
        query, own, lines = (
            (receipts_query, "ReceiptDate", "receipt_lines")
            if phase == "receipts"
            else (returns_query, "ReturnDate", "return_lines")
        )
        stamped, dated = after(self._api, "LastPostingDate", since or ""), after(self._api, own, since or "")
        for batch in self._api.offered(query(f"{stamped} or {dated}", dated), place):
            broken = [Broken(f"{phase[:-1]}~{bad.key}", bad.reason, bad.raw) for bad in batch.spoiled]
            numbers = sorted({n for row in batch.rows for n in orders_of(row, lines)} | self._by_receipt(batch.rows))
            yield self._page(batch, self.by_number(numbers), broken)

    def _wanted(self, since: str | None) -> tuple[str, ...]:
        """Filter by the stamp, which is inferred; a server that does not know it is asked for everything."""
        if since is None:
            begin = f"PurchaseOrderDate gt {self._api.day(self._start - timedelta(days=1))}" if self._start else ""
            return (begin, "") if begin else ("",)
        stamp, *others = (
            after(self._api, name, since) for name in ("LastPostingDate", "DateCompleted", "PurchaseOrderDate")
        )
        return " or ".join((stamp, *others)), stamp, ""

    def _by_receipt(self, returns: Sequence[Row]) -> set[str]:
        """Find the orders of returns that name only the receipt."""
        numbers = {
            number for row in returns if not orders_of(row, "return_lines") and (number := text(row, "receipt_number"))
        }
        found: set[str] = set()
        for where in in_filters("ReceiptNumber", map(self._api.text, sorted(numbers))):
            for row in self._api.rows(receipts_query(where), needed=False):
                found |= orders_of(row, "receipt_lines")
        return found

    def by_number(self, numbers: Iterable[str]) -> list[Row]:
        """Read orders by their numbers, some thirty to a call."""
        return [
            row
            for where in in_filters("PurchaseOrderNumber", map(self._api.text, numbers))
            for row in self._api.rows(orders_query(where))
        ]

    # ── conversion ──────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, batch: Batch[Row], rows: Sequence[Row], broken: list[Broken]) -> Page[PurchaseOrder]:
        """Convert orders; place and stamp are those of the batch that led to them."""
        taken = [one for row in rows if (one := ordered(row, broken)) is not None]
        book = Book()
        for one in taken:
            for key, line in one.lines:
                book.enter(one.number, line, key)
        heads = {one.number: (one.vendor, day_or_none(one.row)) for one in taken}
        receipts = self._receipts.of(heads, book, broken) if heads else {}
        accounts = self._ledger.parts(
            {account for one in taken for _, line in one.lines if (account := text(line, "account"))}
        )
        currencies = self._currencies_of(taken)
        records = []
        for one in taken:
            try:
                records.append(purchase_order(one, currencies.get(one.vendor), receipts, accounts))
            except ValueError as error:
                broken.append(Broken(one.number, str(error), raw_of(one.row)))
        return Page(records, broken, batch.position, highest(batch.rows))

    def _currencies_of(self, orders: Sequence[Ordered]) -> dict[str, str | None]:
        """Find the vendors' currencies for orders that show none: a vendor has one, and is ordered from in it."""
        wanted = {one.vendor for one in orders if text(one.row, "currency") is None}
        missing = sorted(wanted - self._currencies.keys())
        self._currencies |= dict.fromkeys(missing)
        for where in in_filters("VendorNumber", map(self._api.text, missing)):
            query: Query[Row] = Query("AP/APVendors", None, lambda row: str(text(row, "vendor")), where)
            self._currencies |= {str(text(row, "vendor")): text(row, "currency") for row in self._api.rows(query)}
        return self._currencies

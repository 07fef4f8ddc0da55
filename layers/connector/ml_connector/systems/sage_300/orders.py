"""Purchase orders with their lines, receipts and returns (`docs/vendors/sage_300.md`).

Of what comes back only little is documented, so rows are read whole and by several spellings (`names.py`). A receipt
lives elsewhere and may not move its order's stamp: so after the changed orders come the orders of changed receipts
and returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from ml_connector.errors import Transient
from ml_connector.flow import Broken
from ml_connector.records import PurchaseOrder
from ml_connector.systems.kit.masters import begin
from ml_connector.systems.kit.orders import Phase, ReceiptBook, each
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.keyed import Wanted
from ml_connector.systems.sage_300.masters import after
from ml_connector.systems.sage_300.names import day, text
from ml_connector.systems.sage_300.order_rows import (
    Ordered,
    day_or_none,
    long_closed,
    order_number,
    ordered,
    purchase_order,
    stamp_of,
)
from ml_connector.systems.sage_300.paging import Query
from ml_connector.systems.sage_300.receipts import Receipts, Row, enter, orders_of, receipts_query, returns_query
from ml_connector.systems.sage_300.segments import Ledger


def orders_query(*where: str) -> Query[Row]:
    """Purchase orders."""
    return Query("PO/POPurchaseOrders", None, order_number, *where)


class Orders:
    """The `kit.orders.Purchasing` of a company."""

    def __init__(self, api: WebApi, ledger: Ledger, start: date | None = None) -> None:
        """`start`: older orders are not taken up at the first reading."""
        self._api, self._ledger, self._receipts, self._start = api, ledger, Receipts(api), start
        self._currencies: dict[str, str | None] = {}

    def changed(self, phase: Phase, since: str | None, place: str | None) -> Iterator[Batch[Row]]:
        """Read by stamp and date; both are asked for, since neither is documented."""
        if phase == "orders":
            yield from self._api.pages(orders_query(*self._wanted(since)), place)
            return
        query, own = (receipts_query, "ReceiptDate") if phase == "receipts" else (returns_query, "ReturnDate")
        stamped, dated = after(self._api, "LastPostingDate", since or ""), after(self._api, own, since or "")
        asked = query(f"{stamped} or {dated}", dated, "")
        for batch in self._api.offered(asked, place):
            every = not self._api.unfiltered(asked)
            fresh = [row for row in batch.rows if every or _since(row, f"{phase[:-1]}_date", since or "")]
            yield replace(batch, rows=fresh)

    def _wanted(self, since: str | None) -> tuple[str, ...]:
        """Filter by the stamp, which is inferred; a server that does not know it is asked for everything."""
        if since is None:
            begin = f"PurchaseOrderDate gt {self._api.day(self._start - timedelta(days=1))}" if self._start else ""
            return (begin, "") if begin else ("",)
        stamp, *others = (
            after(self._api, name, since) for name in ("LastPostingDate", "DateCompleted", "PurchaseOrderDate")
        )
        return " or ".join((stamp, *others)), stamp, ""

    def long_closed(self, row: Row) -> bool:
        """Leave out at the first reading what is closed."""
        return long_closed(row)

    def orders_named_by(self, phase: Phase, rows: Sequence[Row]) -> set[str]:
        """Name the orders in heads and lines, and those of returns that name only the receipt."""
        return {number for row in rows for number in orders_of(row, f"{phase[:-1]}_lines")} | self._by_receipt(rows)

    def _by_receipt(self, returns: Sequence[Row]) -> set[str]:
        """Find the orders of returns that name only the receipt."""
        numbers = {
            number for row in returns if not orders_of(row, "return_lines") and (number := text(row, "receipt_number"))
        }
        found: set[str] = set()
        wanted = Wanted(receipts_query, "ReceiptNumber", sorted(numbers), lambda row: (text(row, "receipt_number"),))
        for batch in self._api.keyed.offered(wanted):
            for bad in batch.spoiled:
                raise Transient(f"Sage 300 gave a receipt, {bad.key}: {bad.reason}")
            for row in batch.rows:
                found |= orders_of(row, "receipt_lines")
        return found

    def by_keys(self, keys: Iterable[str]) -> Iterator[Batch[Row]]:
        """Read orders by their numbers, some thirty to a call."""
        return self._api.keyed.batches(_numbered(keys))

    def by_number(self, numbers: Iterable[str]) -> list[Row]:
        """Read orders by their numbers; a spoiled one raises `Transient`."""
        wanted = set(numbers)
        return [row for row in self._api.keyed.rows(_numbered(wanted)) if order_number(row) in wanted]

    # ── conversion ──────────────────────────────────────────────────────────────────────────────────────────

    def convert(self, rows: Sequence[Row], broken: list[Broken]) -> list[PurchaseOrder]:
        """Convert orders with their receipts, in their vendors' currencies."""
        taken = [one for row in rows if (one := ordered(row, broken)) is not None]
        book = ReceiptBook()
        for one in taken:
            for key, line in one.lines:
                enter(book, one.number, key, line)
        if taken:
            self._receipts.of({one.number: (one.vendor, day_or_none(one.row)) for one in taken}, book, broken)
        accounts = self._ledger.parts(
            {account for one in taken for _, line in one.lines if (account := text(line, "account"))}
        )
        currencies = self._currencies_of(taken)

        def order(one: Ordered) -> PurchaseOrder:
            return purchase_order(one, currencies.get(one.vendor), book, accounts)

        return each(taken, order, broken, key=lambda one: one.number, row=lambda one: one.row)

    def stamp(self, row: Row) -> str | None:
        """Tell the day of the last posting; a stamp that is no day is nobody's."""
        return stamp_of(row)

    def _currencies_of(self, orders: Sequence[Ordered]) -> dict[str, str | None]:
        """Find the vendors' currencies for orders that show none: a vendor has one, and is ordered from in it."""
        wanted = {one.vendor for one in orders if text(one.row, "currency") is None}
        missing = sorted(wanted - self._currencies.keys())
        vendors = Wanted(_vendors_query, "VendorNumber", missing, lambda row: (text(row, "vendor"),))
        found = {str(text(row, "vendor")): text(row, "currency") for row in self._api.keyed.rows(vendors)}
        self._currencies |= dict.fromkeys(missing) | found  # only now: a failure is no answer
        return self._currencies


def _vendors_query(*where: str) -> Query[Row]:
    """Vendors, whole."""
    return Query("AP/APVendors", None, lambda row: str(text(row, "vendor")), *where)


def _numbered(numbers: Iterable[str]) -> Wanted[Row]:
    """Want orders by their numbers."""
    return Wanted(orders_query, "PurchaseOrderNumber", numbers, lambda row: (text(row, "order_number"),))


def _since(row: Row, name: str, since: str) -> bool:
    """Tell whether a receipt or return may have come since a day: a server that takes no filter by day gives all."""
    try:
        days = [day(row, "posted_on"), day(row, name)]
    except ValueError:
        return True  # it is told of where it is read
    first = begin(since)
    told = [one for one in days if one]
    return not told or max(told) >= first

"""Purchase orders with their lines, receipts and returns (`docs/vendors/sage_300.md`).

Of what comes back only little is documented, so rows are read whole and by several spellings (`names.py`). A receipt
lives elsewhere and may not move its order's stamp: so after the changed orders come the orders of changed receipts
and returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial

from ml_connector.errors import Transient
from ml_connector.flow import Broken, Page
from ml_connector.records import PurchaseOrder
from ml_connector.systems.kit.masters import begin
from ml_connector.systems.kit.orders import Phase, in_phases
from ml_connector.systems.kit.paging import only_asked_for, without_known
from ml_connector.systems.kit.rows import Batch, raw_of
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.keyed import Wanted
from ml_connector.systems.sage_300.masters import after
from ml_connector.systems.sage_300.names import day, text
from ml_connector.systems.sage_300.order_rows import (
    Ordered,
    day_or_none,
    highest,
    long_closed,
    order_number,
    ordered,
    purchase_order,
)
from ml_connector.systems.sage_300.paging import Query
from ml_connector.systems.sage_300.receipts import Book, Receipts, Row, orders_of, receipts_query, returns_query
from ml_connector.systems.sage_300.segments import Ledger


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
        """Read orders since the day `since`, and each once, whatever led to it (`kit/orders`)."""
        return in_phases(partial(self._phase, since), since, position)

    def reread(self, keys: Sequence[str]) -> Iterator[Page[PurchaseOrder]]:
        """Read these very orders with lines and receipts; what is gone is left out.

        For orders whose closing or receiving moved no stamp. The pages have neither position nor stamp: what is read
        so says nothing about what else changed.
        """
        pages = (self._page(batch, batch.rows, batch.broken) for batch in self._api.keyed.batches(_numbered(keys)))
        return only_asked_for(pages, keys)

    def _phase(
        self, since: str | None, phase: Phase, place: str | None, given: set[str]
    ) -> Iterator[Page[PurchaseOrder]]:
        if phase == "orders":
            for batch in self._api.pages(orders_query(*self._wanted(since)), place):
                broken = batch.broken
                rows = [row for row in batch.rows if since or not long_closed(row)]
                yield self._page(batch, rows, broken)
            return
        query, own, name, lines = (
            (receipts_query, "ReceiptDate", "receipt_date", "receipt_lines")
            if phase == "receipts"
            else (returns_query, "ReturnDate", "return_date", "return_lines")
        )
        stamped, dated = after(self._api, "LastPostingDate", since or ""), after(self._api, own, since or "")
        asked = query(f"{stamped} or {dated}", dated, "")
        for batch in self._api.offered(asked, place):
            broken = [Broken(f"{phase[:-1]}~{bad.key}", bad.reason, bad.raw) for bad in batch.spoiled]
            every = not self._api.unfiltered(asked)
            fresh = [row for row in batch.rows if every or _since(row, name, since or "")]
            named = {number for row in fresh for number in orders_of(row, lines)} | self._by_receipt(fresh)
            numbers = sorted(without_known(named, given))
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
        wanted = Wanted(receipts_query, "ReceiptNumber", sorted(numbers), lambda row: (text(row, "receipt_number"),))
        for batch in self._api.keyed.offered(wanted):
            for bad in batch.spoiled:
                raise Transient(f"Sage 300 gave a receipt, {bad.key}: {bad.reason}")
            for row in batch.rows:
                found |= orders_of(row, "receipt_lines")
        return found

    def by_number(self, numbers: Iterable[str]) -> list[Row]:
        """Read orders by their numbers, some thirty to a call."""
        wanted = set(numbers)
        return [row for row in self._api.keyed.rows(_numbered(wanted)) if order_number(row) in wanted]

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
            except (ValueError, ArithmeticError) as error:
                broken.append(Broken(one.number, str(error), raw_of(one.row)))
        return Page(records, broken, batch.position, highest(batch.rows))

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

"""Purchase orders with their lines, receipts and returns (`docs/vendors/sage_300.md`).

A receipt lives elsewhere and may not move its order's stamp: so after the changed orders come the orders of changed
receipts and returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from ml_connector.flow import Broken
from ml_connector.records import OrderLine, PurchaseOrder, Receipt
from ml_connector.systems.kit.masters import begin
from ml_connector.systems.kit.orders import Phase, ReceiptBook, each
from ml_connector.systems.kit.rows import Batch, all_rows, raw_of
from ml_connector.systems.kit.values import ZERO, amount, children, day, flag, text, whole
from ml_connector.systems.sage_300.accounts import Ledger
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.faults import VENDOR
from ml_connector.systems.sage_300.lookups import vendors_query
from ml_connector.systems.sage_300.masters import after
from ml_connector.systems.sage_300.query import KeyFilter, Query
from ml_connector.systems.sage_300.receipts import Receipts, Row, enter, orders_of, receipts_query, returns_query

PLANS = frozenset({"standing", "future"})
"""Orders of these types are patterns of orders to come: nothing can be received on them."""
Accounts = Mapping[str, tuple[str, str | None]]


def orders_query(where: str = "") -> Query[Row]:
    """Purchase orders."""
    return Query("PO/POPurchaseOrders", None, order_number, where)


class Orders:
    """The `kit.orders.Purchasing` of a company."""

    def __init__(self, api: WebApi, ledger: Ledger, start: date | None = None) -> None:
        """`start`: older orders are not taken up at the first reading."""
        self._api, self._ledger, self._receipts, self._start = api, ledger, Receipts(api), start
        self._currencies: dict[str, str | None] = {}

    def changed(self, phase: Phase, since: str | None, place: str | None) -> Iterator[Batch[Row]]:
        """Read by stamp and date."""
        if phase == "orders":
            yield from self._api.pages(orders_query(self._wanted(since)), place)
            return
        query, own = (receipts_query, "ReceiptDate") if phase == "receipts" else (returns_query, "ReturnDate")
        asked = query(self._since(query(), ("LastPostingDate", own), since or ""))
        for batch in self._api.offered(asked, place):
            every = not self._api.unfiltered(asked)
            yield replace(batch, rows=[row for row in batch.rows if every or _since(row, own, since or "")])

    def _wanted(self, since: str | None) -> str:
        """Filter by the stamp and what else tells of a change."""
        if since is None:
            return f"PurchaseOrderDate gt {self._api.day(self._start - timedelta(days=1))}" if self._start else ""
        return self._since(orders_query(), ("LastPostingDate", "DateCompleted", "PurchaseOrderDate"), since)

    def _since(self, query: Query[Row], fields: Sequence[str], since: str) -> str:
        """Ask for what changed by any of these days; without the first, the stamp, nothing tells of every change."""
        stamp, *others = fields
        told = [stamp, *(name for name in others if self._api.has(query, name))]
        return " or ".join(after(self._api, name, since) for name in told)

    def long_closed(self, row: Row) -> bool:
        """Leave out at the first reading what is closed."""
        return long_closed(row)

    def orders_named_by(self, phase: Phase, rows: Sequence[Row]) -> set[str]:
        """Name the orders in heads and lines, and those of returns that name only the receipt."""
        lines = "ReceiptLine2s" if phase == "receipts" else "ReturnLines"
        return {number for row in rows for number in orders_of(row, lines)} | self._by_receipt(rows)

    def _by_receipt(self, returns: Sequence[Row]) -> set[str]:
        """Find the orders of returns that name only the receipt."""
        numbers = {
            number for row in returns if not orders_of(row, "ReturnLines") and (number := text(row, "ReceiptNumber"))
        }
        wanted = KeyFilter(receipts_query, "ReceiptNumber", sorted(numbers), lambda row: (text(row, "ReceiptNumber"),))
        receipts = all_rows(self._api.keyed.offered(wanted), VENDOR, "POReceipts")
        return {number for row in receipts for number in orders_of(row, "ReceiptLine2s")}

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
            {account for one in taken for _, line in one.lines if (account := text(line, "ExpenseAccount"))}
        )
        currencies, unread = self._currencies_of(taken)

        def order(one: Ordered) -> PurchaseOrder:
            if one.vendor in unread and one.vendor not in currencies and text(one.row, "Currency") is None:
                raise ValueError(f"Its currency is that of vendor {one.vendor}. {unread[one.vendor]}")
            return purchase_order(one, currencies.get(one.vendor), book, accounts)

        return each(taken, order, broken, key=lambda one: one.number, row=lambda one: one.row)

    def stamp(self, row: Row) -> str | None:
        """Tell the day of the last posting; a stamp that is no day is nobody's."""
        try:
            stamp = day(row, "LastPostingDate")
        except ValueError:
            return None
        return stamp.isoformat() if stamp else None

    def _currencies_of(self, orders: Sequence[Ordered]) -> tuple[dict[str, str | None], dict[str, str]]:
        """Find the vendors' currencies for orders that show none: a vendor has one, and is ordered from in it.

        Also says why a vendor cannot be read; such a one is asked for again the next time.
        """
        wanted = {one.vendor for one in orders if text(one.row, "Currency") is None}
        missing = sorted(wanted - self._currencies.keys())
        vendors = KeyFilter(vendors_query, "VendorNumber", missing, lambda row: (row.vendor_number.strip(),))
        batches = list(self._api.keyed.batches(vendors))
        found = {row.vendor_number.strip(): row.currency for batch in batches for row in batch.rows}
        unread = {bad.key.strip(): bad.reason for batch in batches for bad in batch.spoiled}
        if nameless := next((why for key, why in unread.items() if key.startswith("?")), None):
            unread |= {vendor: nameless for vendor in missing if vendor not in found}  # it may be any of these
        self._currencies |= dict.fromkeys(set(missing) - unread.keys()) | found  # a failure is no answer
        return self._currencies, unread


def _numbered(numbers: Iterable[str]) -> KeyFilter[Row]:
    """Want orders by their numbers."""
    return KeyFilter(orders_query, "PurchaseOrderNumber", numbers, lambda row: (text(row, "PurchaseOrderNumber"),))


def _since(row: Row, name: str, since: str) -> bool:
    """Tell whether a receipt or return may have come since a day: a server that takes no filter by day gives all."""
    try:
        days = [day(row, "LastPostingDate"), day(row, name)]
    except ValueError:
        return True  # it is told of where it is read
    first = begin(since)
    told = [one for one in days if one]
    return not told or max(told) >= first


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order that could be named, and its lines by key."""

    row: Row
    number: str
    vendor: str
    lines: tuple[tuple[str, Row], ...]


def order_number(row: Row) -> str:
    """Name an order."""
    number = text(row, "PurchaseOrderNumber")
    if number is None:
        raise ValueError("The order has no PurchaseOrderNumber.")
    return number


def line_key(line: Row, place: int) -> str:
    """Name an order's line: by the sequence that never changes, else by its number."""
    return whole(line, "PurchaseOrderLineSequence") or whole(line, "LineNumber") or str(place)


def is_closed(row: Row) -> bool:
    """Tell whether nothing more is expected on an order."""
    complete = flag(row, "Completed")
    return complete if complete is not None else day(row, "DateCompleted") is not None


def ordered(row: Row, broken: list[Broken]) -> Ordered | None:
    """Take an order apart; None for one that cannot be, and for what is no order yet."""
    number = order_number(row)
    if (text(row, "PurchaseOrderType") or "").lower() in PLANS:
        return None
    try:
        lines = tuple(
            (line_key(line, place), line) for place, line in enumerate(children(row, "PurchaseOrderLines"), 1)
        )
        vendor = text(row, "Vendor")
        if vendor is None:
            raise ValueError("The order has no Vendor.")
    except ValueError as error:
        broken.append(Broken(number, str(error), raw_of(row)))
        return None
    return Ordered(row, number, vendor, lines)


def long_closed(row: Row) -> bool:
    """Leave out at the first reading what is closed; but not where orders carry no stamp to find a closing by."""
    try:
        return is_closed(row) and day(row, "LastPostingDate") is not None
    except ValueError:
        return False


def day_or_none(row: Row) -> date | None:
    """Give an order's day. One that is none is left to the conversion."""
    try:
        return day(row, "PurchaseOrderDate")
    except ValueError:
        return None


def purchase_order(ordered: Ordered, currency: str | None, book: ReceiptBook, accounts: Accounts) -> PurchaseOrder:
    """Convert an order. Raises `ValueError` where it has no currency, or a number or date that is none."""
    row = ordered.row
    currency = text(row, "Currency") or currency
    if currency is None:
        raise ValueError("The order has no Currency, and neither has its vendor.")
    lines = tuple(_line(line, key, book.of(ordered.number, key), accounts) for key, line in ordered.lines)
    return PurchaseOrder(
        key=ordered.number,
        number=ordered.number,
        supplier=ordered.vendor,
        currency=currency,
        status=_status(row, ordered, lines),
        created=day(row, "PurchaseOrderDate"),
        description=text(row, "Description"),
        payment_term=text(row, "TermsCode"),
        lines=lines,
    )


def _status(row: Row, ordered: Ordered, lines: Sequence[OrderLine]) -> Literal["open", "closed", "cancelled"]:
    """Tell how an order stands: there is no status field, it follows from what is complete."""
    if not is_closed(row):
        return "open"
    canceled = all((amount(line, "QuantityCanceled") or ZERO) > 0 for _, line in ordered.lines) and bool(ordered.lines)
    return "cancelled" if canceled and not any(line.receipts for line in lines) else "closed"


def _line(line: Row, key: str, receipts: tuple[Receipt, ...], accounts: Accounts) -> OrderLine:
    """Convert a line. Quantities are in the unit of the order."""
    quantity, price = amount(line, "QuantityOrdered") or ZERO, amount(line, "UnitCost")
    account, cost_center = accounts.get(text(line, "ExpenseAccount") or "", (None, None))
    return OrderLine(
        key=key,
        number=whole(line, "LineNumber") or key,
        quantity=quantity,
        net=_net(line, quantity, price),
        unit_price=price,
        item=text(line, "ItemNumber"),
        description=text(line, "ItemDescription"),
        unit=text(line, "UnitOfMeasure"),
        account=account,
        cost_center=cost_center,
        closed=flag(line, "Completed") or False,
        receipts=receipts,
    )


def _net(line: Row, quantity: Decimal, price: Decimal | None) -> Decimal:
    """Give a line's net: as it stands, else cost less discount, else quantity times price."""
    net = amount(line, "NetExtendedCost")
    if net is not None:
        return net
    cost = amount(line, "ExtendedCost")
    if cost is None:
        cost = quantity * (price or ZERO)
    return cost - (amount(line, "DiscountAmount") or ZERO)

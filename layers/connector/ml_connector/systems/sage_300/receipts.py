"""Goods receipts and returns, which point at the orders' lines from behind.

Receipts are asked for by the numbers of a whole page of orders, some thirty to a call; one that draws on several
orders has no number in its head and is found by its vendor. Returns are found by vendor: nothing is documented of
what they name (`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from ml_connector.flow import Broken
from ml_connector.records import Receipt
from ml_connector.systems.kit.orders import LineKey, ReceiptBook, apart, earliest
from ml_connector.systems.kit.rows import raw_of
from ml_connector.systems.kit.values import ZERO, amount, children, day, text, whole
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.query import KeyFilter, Query

Row = dict[str, Any]


def receipts_query(where: str = "") -> Query[Row]:
    """Goods receipts; before 2022.2 they were read where they are created (`docs/vendors/sage_300.md`)."""
    return Query("PO/POGetReceipts", None, receipt_number, where, instead="PO/POReceipts")


def returns_query(where: str = "") -> Query[Row]:
    """Returns of goods received."""
    return Query("PO/POReturns", None, return_number, where)


def receipt_number(row: Row) -> str:
    """Name a receipt."""
    return _named(text(row, "ReceiptNumber"), "receipt")


def return_number(row: Row) -> str:
    """Name a return."""
    return _named(text(row, "ReturnNumber"), "return")


def _named(number: str | None, what: str) -> str:
    if number is None:
        raise ValueError(f"The {what} has no number.")
    return number


def orders_of(row: Row, lines: str) -> set[str]:
    """List the orders that a receipt or return names, in its head or its lines."""
    return {number for one in (row, *_lines(row, lines)) if (number := text(one, "PurchaseOrderNumber")) is not None}


def _lines(row: Row, name: str) -> list[Row]:
    try:
        return children(row, name)
    except ValueError:
        return []


def enter(book: ReceiptBook, order: str, key: str, line: Row) -> None:
    """Enter a line of an order, as receipts and returns find it: by key, by number, by item."""
    book.enter(order, key, number=whole(line, "LineNumber"), item=text(line, "ItemNumber"))


def _about(book: ReceiptBook, order: str | None, line: Row) -> LineKey | None:
    """Find the order's line that a receipt's or return's line is about; None where nothing tells."""
    if order is None:
        return None
    among = book.called(order, "item", text(line, "ItemNumber"))
    sharing = [one for one in book.called(order, "number", whole(line, "LineNumber")) if one in among]
    surely = book.called(order, "key", whole(line, "PurchaseOrderLineSequence"))
    found = surely or (sharing if len(among) > 1 else []) or among
    return (order, found[0]) if found else None


class Receipts:
    """Finds what was received and sent back on orders."""

    def __init__(self, api: WebApi) -> None:
        self._api = api

    def of(self, heads: Mapping[str, tuple[str, date | None]], book: ReceiptBook, broken: list[Broken]) -> None:
        """Enter the receipts and returns of orders: number -> (vendor, day). What cannot be read goes into `broken`."""
        for row in self._receipts(heads, broken):
            with _spoiling("receipt", receipt_number(row), row, broken):
                _take(row, book)
        for row in self._read(self._of_vendors(returns_query, heads, "ReturnDate"), broken):
            with _spoiling("return", return_number(row), row, broken):
                _give_back(row, book)

    def _receipts(self, heads: Mapping[str, tuple[str, date | None]], broken: list[Broken]) -> Iterator[Row]:
        numbered = KeyFilter(
            receipts_query, "PurchaseOrderNumber", list(heads), lambda row: orders_of(row, "ReceiptLine2s")
        )
        mixed = self._of_vendors(receipts_query, heads, "ReceiptDate", "PurchaseOrderNumber eq ''")
        seen: set[str] = set()
        for row in chain(self._read(numbered, broken), self._read(mixed, broken)):
            if (number := receipt_number(row)) not in seen:
                seen.add(number)
                yield row

    def _of_vendors(
        self, make: Callable[..., Query[Row]], heads: Mapping[str, tuple[str, date | None]], field_name: str, *more: str
    ) -> KeyFilter[Row]:
        """Want those of the vendors, from a while before the day of the oldest order on."""
        since = earliest(on for _, on in heads.values())
        tail = [*more, *([f"{field_name} gt {self._api.day(since)}"] if since else [])]
        vendors = sorted({vendor for vendor, _ in heads.values()})
        return KeyFilter(make, "Vendor", vendors, lambda row: (text(row, "Vendor"),), " and ".join(tail))

    def _read(self, wanted: KeyFilter[Row], broken: list[Broken]) -> Iterator[Row]:
        for batch in self._api.keyed.offered(wanted):
            broken.extend(apart("receipts", bad) for bad in batch.spoiled)
            yield from batch.rows


@contextmanager
def _spoiling(what: str, number: str, row: Row, broken: list[Broken]) -> Iterator[None]:
    """Let a receipt or return that cannot be read cost only what of it was not entered yet."""
    try:
        yield
    except (ValueError, ArithmeticError) as error:
        broken.append(Broken(f"{what}~{number}", str(error), raw_of(row)))


def _take(row: Row, book: ReceiptBook) -> None:
    """Enter a receipt's lines under the order lines that they are about."""
    number = receipt_number(row)
    for place, line in enumerate(children(row, "ReceiptLine2s"), 1):
        target = _about(book, text(line, "PurchaseOrderNumber") or text(row, "PurchaseOrderNumber"), line)
        quantity = _counted(line, "QuantityReceived")
        net = _cost(line, quantity)
        if target is not None:
            key, on = _line_id(line, "ReceiptLineSequence", place), day(row, "ReceiptDate")
            book.take(target, Receipt(key=f"{number}~{key}", number=number, quantity=quantity, received_on=on, net=net))


def _give_back(row: Row, book: ReceiptBook) -> None:
    """Enter a return's lines as negative receipts that name what they take back."""
    number = return_number(row)
    for place, line in enumerate(children(row, "ReturnLines"), 1):
        quantity = _counted(line, "QuantityReturned")
        net = _cost(line, quantity)
        target, origin = _origin(row, line, book)
        if target is not None:
            key, on = _line_id(line, "ReturnLineSequence", place), day(row, "ReturnDate")
            back = Receipt(key=f"return~{number}~{key}", number=number, quantity=quantity, received_on=on, net=net)
            book.give_back(back, origin, target)


def _origin(row: Row, line: Row, book: ReceiptBook) -> tuple[LineKey | None, str | None]:
    """Find the order line and the receipt of a return: by its receipt's line, else by order and item."""
    receipt = text(line, "ReceiptNumber") or text(row, "ReceiptNumber")
    key = whole(line, "ReceiptLineSequence")
    if receipt and key and (line_of := book.taken(f"{receipt}~{key}")) is not None:
        return line_of, f"{receipt}~{key}"
    order = text(line, "PurchaseOrderNumber") or text(row, "PurchaseOrderNumber")
    if order is None and receipt is not None and (first := book.received(receipt)) is not None:
        order = first[0][0]
    target = _about(book, order, line)
    mine = book.received(receipt, target) if target is not None else None
    return target, mine[1].key if mine else None


def _counted(line: Row, name: str) -> Decimal:
    """Give a quantity in the unit of the order, where that is told beside the one of the receipt."""
    counted = amount(line, f"Ordered{name}")
    return (amount(line, name) if counted is None else counted) or ZERO


def _line_id(line: Row, name: str, place: int) -> str:
    """Name a line within its document, by what never changes."""
    return whole(line, name) or whole(line, "LineNumber") or str(place)


def _cost(line: Row, quantity: Decimal) -> Decimal | None:
    cost = amount(line, "ExtendedCost")
    if cost is None and (price := amount(line, "UnitCost")) is not None:
        return price * quantity
    return cost

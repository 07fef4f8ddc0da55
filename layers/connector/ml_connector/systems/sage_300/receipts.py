"""Goods receipts and returns, which point at the orders' lines from behind.

Receipts are asked for by the numbers of a whole page of orders, some thirty to a call; one that draws on several
orders has no number in its head and is found by its vendor. Returns are found by vendor: nothing is documented of
what they name (`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from ml_connector.flow import Broken
from ml_connector.records import Receipt
from ml_connector.systems.kit.orders import earliest, sent_back
from ml_connector.systems.kit.rows import raw_of
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.keyed import Wanted
from ml_connector.systems.sage_300.names import ZERO, amount, children, day, text, whole
from ml_connector.systems.sage_300.paging import Query

Row = dict[str, Any]
LineKey = tuple[str, str]
"""An order's number, and the key of its line."""


def receipts_query(*where: str) -> Query[Row]:
    """Goods receipts. Before 2022.2 they were read where they are created (`docs/vendors/sage_300.md`)."""
    return Query("PO/POGetReceipts", None, receipt_number, *where, instead="PO/POReceipts")


def returns_query(*where: str) -> Query[Row]:
    """Returns of goods received."""
    return Query("PO/POReturns", None, return_number, *where)


def receipt_number(row: Row) -> str:
    """Name a receipt."""
    return _named(text(row, "receipt_number"), "receipt")


def return_number(row: Row) -> str:
    """Name a return."""
    return _named(text(row, "return_number"), "return")


def _named(number: str | None, what: str) -> str:
    if number is None:
        raise ValueError(f"The {what} has no number.")
    return number


def orders_of(row: Row, lines: str) -> set[str]:
    """List the orders that a receipt or return names, in its head or its lines."""
    return {number for one in (row, *_lines(row, lines)) if (number := text(one, "order_number")) is not None}


def _lines(row: Row, name: str) -> list[Row]:
    try:
        return children(row, name)
    except ValueError:
        return []


@dataclass
class Book:
    """The lines of some orders, as receipts and returns find them: by key, by number, by item."""

    by_key: dict[LineKey, LineKey] = field(default_factory=dict)
    by_number: dict[LineKey, LineKey] = field(default_factory=dict)
    by_item: dict[LineKey, list[LineKey]] = field(default_factory=lambda: defaultdict(list))

    def enter(self, order: str, line: Row, key: str) -> None:
        """Enter a line of an order."""
        mine = (order, key)
        self.by_key[mine] = mine
        if number := whole(line, "line_number"):
            self.by_number[order, number] = mine
        if item := text(line, "item"):
            self.by_item[order, item].append(mine)

    def find(self, order: str, line: Row) -> LineKey | None:
        """Find the order's line that a receipt's or return's line is about; None where nothing tells."""
        if (key := whole(line, "order_line_key")) and (order, key) in self.by_key:
            return order, key
        if (number := whole(line, "order_line_number")) and (order, number) in self.by_number:
            return self.by_number[order, number]
        among = self.by_item.get((order, text(line, "item") or ""), [])
        if len(among) == 1:
            return among[0]
        if (number := whole(line, "line_number")) and self.by_number.get((order, number)) in among:
            return self.by_number[order, number]
        return among[0] if among else None


class Receipts:
    """Finds what was received and sent back on orders."""

    def __init__(self, api: WebApi) -> None:
        self._api = api

    def of(
        self, heads: Mapping[str, tuple[str, date | None]], book: Book, broken: list[Broken]
    ) -> dict[LineKey, tuple[Receipt, ...]]:
        """Read the receipts and returns of orders: number -> (vendor, day). What cannot be read goes into `broken`."""
        found: dict[LineKey, list[Receipt]] = defaultdict(list)
        origins: dict[tuple[str, str], LineKey] = {}
        for row in self._receipts(heads, broken):
            _take(row, set(heads), book, found, origins, broken)
        for row in self._read(self._of_vendors(returns_query, heads, "ReturnDate"), broken):
            _give_back(row, set(heads), book, found, origins, broken)
        return {key: tuple(receipts) for key, receipts in found.items()}

    def _receipts(self, heads: Mapping[str, tuple[str, date | None]], broken: list[Broken]) -> Iterator[Row]:
        numbered = Wanted(
            receipts_query, "PurchaseOrderNumber", list(heads), lambda row: orders_of(row, "receipt_lines")
        )
        mixed = self._of_vendors(receipts_query, heads, "ReceiptDate", "PurchaseOrderNumber eq ''")
        seen: set[str] = set()
        for row in chain(self._read(numbered, broken), self._read(mixed, broken)):
            if (number := receipt_number(row)) not in seen:
                seen.add(number)
                yield row

    def _of_vendors(
        self, make: Callable[..., Query[Row]], heads: Mapping[str, tuple[str, date | None]], field_name: str, *more: str
    ) -> Wanted[Row]:
        """Want those of the vendors, from a while before the day of the oldest order on."""
        since = earliest(on for _, on in heads.values())
        tail = [*more, *([f"{field_name} gt {self._api.day(since)}"] if since else [])]
        vendors = sorted({vendor for vendor, _ in heads.values()})
        return Wanted(make, "Vendor", vendors, lambda row: (text(row, "vendor"),), " and ".join(tail))

    def _read(self, wanted: Wanted[Row], broken: list[Broken]) -> Iterator[Row]:
        for batch in self._api.keyed.offered(wanted):
            broken.extend(Broken(f"receipt~{bad.key}", bad.reason, bad.raw) for bad in batch.spoiled)
            yield from batch.rows


def _take(
    row: Row,
    orders: set[str],
    book: Book,
    found: dict[LineKey, list[Receipt]],
    origins: dict[tuple[str, str], LineKey],
    broken: list[Broken],
) -> None:
    """Enter a receipt's lines under the order lines that they are about."""
    number = receipt_number(row)
    try:
        for place, line in enumerate(children(row, "receipt_lines"), 1):
            order = text(line, "order_number") or text(row, "order_number")
            target = book.find(order, line) if order in orders and order is not None else None
            quantity = amount(line, "received") or ZERO
            net = _cost(line, quantity)
            if target is None or not (quantity or net):
                continue
            key = _line_id(line, "receipt_line_key", place)
            receipt = Receipt(
                key=f"{number}~{key}",
                number=number,
                quantity=quantity,
                received_on=day(row, "receipt_date"),
                net=net,
            )
            found[target].append(receipt)
            origins[number, key] = target
    except (ValueError, ArithmeticError) as error:
        broken.append(Broken(f"receipt~{number}", str(error), raw_of(row)))


def _give_back(
    row: Row,
    orders: set[str],
    book: Book,
    found: dict[LineKey, list[Receipt]],
    origins: Mapping[tuple[str, str], LineKey],
    broken: list[Broken],
) -> None:
    """Enter a return's lines as negative receipts that name what they take back."""
    number = return_number(row)
    try:
        for place, line in enumerate(children(row, "return_lines"), 1):
            quantity = amount(line, "returned") or ZERO
            target, origin = _origin(row, line, orders, book, found, origins)
            net = _cost(line, quantity)
            if target is None or not (quantity or net):
                continue
            key = f"return~{number}~{_line_id(line, 'return_line_key', place)}"
            back = Receipt(key=key, number=number, quantity=quantity, received_on=day(row, "return_date"), net=net)
            found[target].append(sent_back(back, origin))
    except (ValueError, ArithmeticError) as error:
        broken.append(Broken(f"return~{number}", str(error), raw_of(row)))


def _origin(
    row: Row,
    line: Row,
    orders: set[str],
    book: Book,
    found: Mapping[LineKey, Sequence[Receipt]],
    origins: Mapping[tuple[str, str], LineKey],
) -> tuple[LineKey | None, str | None]:
    """Find the order line and the receipt of a return: by its receipt's line, else by order and item."""
    receipt = text(line, "receipt_number") or text(row, "receipt_number")
    key = whole(line, "receipt_line_key") or whole(line, "receipt_line_number")
    if receipt and key and (receipt, key) in origins:
        return origins[receipt, key], f"{receipt}~{key}"
    order = text(line, "order_number") or text(row, "order_number")
    if order is None and receipt is not None:
        order = next((target[0] for (number, _), target in origins.items() if number == receipt), None)
    target = book.find(order, line) if order in orders and order is not None else None
    if target is None:
        return None, None
    mine = [one for one in found.get(target, ()) if not one.key.startswith("return~") and receipt in {None, one.number}]
    return target, mine[0].key if mine else None


def _line_id(line: Row, name: str, place: int) -> str:
    """Name a line within its document, by what never changes."""
    return whole(line, name) or whole(line, "line_number") or str(place)


def _cost(line: Row, quantity: Decimal) -> Decimal | None:
    cost = amount(line, "cost")
    if cost is None and (price := amount(line, "unit_cost")) is not None:
        return price * quantity
    return cost

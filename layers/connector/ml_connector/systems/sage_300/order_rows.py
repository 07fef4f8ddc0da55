"""An order as it came, and the canonical order made of it (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from ml_connector.flow import Broken
from ml_connector.records import OrderLine, PurchaseOrder, Receipt
from ml_connector.systems.kit.orders import ReceiptBook
from ml_connector.systems.kit.rows import raw_of
from ml_connector.systems.sage_300.names import ZERO, amount, children, day, flag, text, whole
from ml_connector.systems.sage_300.receipts import Row

PLANS = frozenset({"standing", "future"})
"""Orders of these types are patterns of orders to come: nothing can be received on them."""
Accounts = Mapping[str, tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order that could be named, and its lines by key."""

    row: Row
    number: str
    vendor: str
    lines: tuple[tuple[str, Row], ...]


def order_number(row: Row) -> str:
    """Name an order."""
    number = text(row, "order_number")
    if number is None:
        raise ValueError("The order has no PurchaseOrderNumber.")
    return number


def line_key(line: Row, place: int) -> str:
    """Name an order's line: by the sequence that never changes, else by its number."""
    return whole(line, "order_line_key") or whole(line, "line_number") or str(place)


def is_closed(row: Row) -> bool:
    """Tell whether nothing more is expected on an order."""
    complete = flag(row, "complete")
    if complete is None:
        complete = flag(row, "order_status")
    return complete if complete is not None else day(row, "completed_on") is not None


def ordered(row: Row, broken: list[Broken]) -> Ordered | None:
    """Take an order apart; None for one that cannot be, and for what is no order yet."""
    number = order_number(row)
    if (text(row, "order_type") or "").lower() in PLANS:
        return None
    try:
        lines = tuple((line_key(line, place), line) for place, line in enumerate(children(row, "order_lines"), 1))
        vendor = text(row, "vendor")
        if vendor is None:
            raise ValueError("The order has no Vendor.")
    except ValueError as error:
        broken.append(Broken(number, str(error), raw_of(row)))
        return None
    return Ordered(row, number, vendor, lines)


def long_closed(row: Row) -> bool:
    """Leave out at the first reading what is closed; but not where orders carry no stamp to find a closing by."""
    try:
        return is_closed(row) and day(row, "posted_on") is not None
    except ValueError:
        return False


def day_or_none(row: Row) -> date | None:
    """Give an order's day. One that is none is left to the conversion."""
    try:
        return day(row, "order_date")
    except ValueError:
        return None


def stamp_of(row: Row) -> str | None:
    """Give the day of the last posting; a stamp that is no day is nobody's."""
    try:
        stamp = day(row, "posted_on")
    except ValueError:
        return None
    return stamp.isoformat() if stamp else None


def purchase_order(ordered: Ordered, currency: str | None, book: ReceiptBook, accounts: Accounts) -> PurchaseOrder:
    """Convert an order. Raises `ValueError` where it has no currency, or a number or date that is none."""
    row = ordered.row
    currency = text(row, "currency") or currency
    if currency is None:
        raise ValueError("The order has no Currency, and neither has its vendor.")
    lines = tuple(_line(line, key, book.of(ordered.number, key), accounts) for key, line in ordered.lines)
    return PurchaseOrder(
        key=ordered.number,
        number=ordered.number,
        supplier=ordered.vendor,
        currency=currency,
        status=_status(row, ordered, lines),
        created=day(row, "order_date"),
        description=text(row, "description"),
        payment_term=text(row, "terms"),
        lines=lines,
    )


def _status(row: Row, ordered: Ordered, lines: Sequence[OrderLine]) -> Literal["open", "closed", "cancelled"]:
    """Tell how an order stands: there is no status field, it follows from what is complete."""
    told = (text(row, "order_status") or "").lower()
    if told in {"cancelled", "canceled", "deleted"}:
        return "cancelled"
    if not is_closed(row):
        return "open"
    canceled = all((amount(line, "canceled") or ZERO) > 0 for _, line in ordered.lines) and bool(ordered.lines)
    return "cancelled" if canceled and not any(line.receipts for line in lines) else "closed"


def _line(line: Row, key: str, receipts: tuple[Receipt, ...], accounts: Accounts) -> OrderLine:
    """Convert a line. Quantities are in the unit of the order."""
    quantity, price = amount(line, "ordered") or ZERO, amount(line, "unit_cost")
    account, cost_center = accounts.get(text(line, "account") or "", (None, None))
    return OrderLine(
        key=key,
        number=whole(line, "line_number") or key,
        quantity=quantity,
        net=_net(line, quantity, price),
        unit_price=price,
        item=text(line, "item"),
        description=text(line, "item_text"),
        unit=text(line, "unit"),
        account=account,
        cost_center=cost_center,
        closed=flag(line, "line_complete") or False,
        receipts=receipts,
    )


def _net(line: Row, quantity: Decimal, price: Decimal | None) -> Decimal:
    """Give a line's net: as it stands, else cost less discount, else quantity times price."""
    net = amount(line, "net_cost")
    if net is not None:
        return net
    cost = amount(line, "cost")
    if cost is None:
        cost = quantity * (price or ZERO)
    return cost - (amount(line, "discount") or ZERO)

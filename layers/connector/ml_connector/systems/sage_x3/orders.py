"""Purchase orders with their lines, and what was received on them.

A line is a price row and one or more quantity rows of the same POPLIN (`docs/vendors/sage_x3.md`). Receipts stand in
PRECEIPT, whose lines name order, line and quantity row; they move no date of their order. A contract is no order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from ml_connector.flow import Broken
from ml_connector.records import OrderLine, PurchaseOrder, Receipt
from ml_connector.systems.kit.conditions import Condition, changed_since, in_lists
from ml_connector.systems.kit.graphql import Fields
from ml_connector.systems.kit.orders import LineKey, Phase, ReceiptBook, apart, each, earliest
from ml_connector.systems.kit.rows import Batch, raw_of
from ml_connector.systems.kit.values import ZERO, amount, day, text, whole
from ml_connector.systems.sage_x3.entities import NO, PURCHASE_ORDER, RECEIPT, WHOLE, YES, Entity, Reader, Record, menu
from ml_connector.systems.sage_x3.faults import NotPublished
from ml_connector.systems.sage_x3.settings import Settings

log = logging.getLogger("ml_connector")
CONTRACT, CLOSED, SERVICE = 2, 3, 3
"""Of POHTYP, LINSTA and LINPURTYP."""


class Orders:
    """The `kit.orders.Purchasing` of a folder."""

    def __init__(
        self, reader: Reader, settings: Settings, center_type: Callable[[], str | None], start: date | None = None
    ) -> None:
        """`center_type` names the dimension type of cost centers. `start`: older orders are not taken up at first."""
        self._reader, self._settings, self._center, self._start = reader, settings, center_type, start
        self._orders = PURCHASE_ORDER.as_configured(settings.classes)

    @cached_property
    def _receipts(self) -> Entity | None:
        """Tell how receipts are read: by header with lines, or line by line; None where GraphQL does not have them."""
        entity = RECEIPT.as_configured(self._settings.classes)
        try:
            fields = self._reader.properties(entity)
        except NotPublished as error:
            log.warning("Orders are read without receipts: %s", error)
            return None
        if {"POHNUM", "PTDLIN"} <= fields:
            return replace(entity, key=("PTHNUM", "PTDLIN"), fields=Fields(entity.fields.paths))
        return entity

    def changed(self, phase: Phase, since: str | None, place: str | None) -> Iterator[Batch[Record]]:
        """Read orders by their change field, receipts by theirs, whole; without one all that may matter."""
        entity = self._orders if phase == "orders" else self._receipts if phase == "receipts" else None
        if entity is None:
            return
        asked = changed_since(self._reader.changed_field(entity), since)
        if since is None:
            fields, begin = self._reader.properties(entity), self._start
            asked += [("ORDDAT", "ge", begin)] if begin is not None and "ORDDAT" in fields else []
            asked += [("CLEFLG", "eq", NO)] if "CLEFLG" in fields else []
        for batch in self._reader.pages(entity, asked, place):
            yield batch if phase == "orders" else self._whole(entity, batch)

    def long_closed(self, row: Record) -> bool:
        """Leave out at the first reading what is closed, and what is older than the start."""
        ordered = _day(row, "ORDDAT")
        return text(row, "CLEFLG") == str(YES) or (ordered is not None and ordered < (self._start or ordered))

    def orders_named_by(self, phase: Phase, rows: Sequence[Record]) -> set[str]:  # noqa: ARG002 - receipts only
        """Name the orders of receipts."""
        return {order for row in rows for line in lines_with(row, "POHNUM") if (order := text(line, "POHNUM"))}

    def by_keys(self, keys: Sequence[str]) -> Iterator[Batch[Record]]:
        """Read these orders whole."""
        return self._reader.by_keys(self._orders, keys)

    def stamp(self, row: Record) -> str | None:
        """Tell the last change of an order or a receipt."""
        entity = self._receipts if text(row, "PTHNUM") else self._orders
        field = self._reader.changed_field(entity) if entity else None
        return field.stamp(row) if field else None

    def convert(self, rows: Sequence[Record], broken: list[Broken]) -> list[PurchaseOrder]:
        """Convert orders with their lines and receipts; contracts and other companies' orders are left out."""
        asked = [row for row in rows if self._counts(row)]
        batch = self._whole(self._orders, Batch(asked, [self._orders.key_of(row) for row in asked]))
        broken += batch.broken
        found = [row for row in batch.rows if self._counts(row)]
        book = ReceiptBook()
        book.enter_all(self._received(found, broken))
        return each(found, lambda row: self._order(row, book), broken, key=self._orders.key_of)

    def _counts(self, row: Record) -> bool:
        """Tell whether a record is an order, and the company's own where it says whose it is."""
        own = self._settings.company_code or text(row, "CPY")
        return text(row, "POHTYP") != str(CONTRACT) and text(row, "CPY") in {None, own}

    def _whole(self, entity: Entity, batch: Batch[Record]) -> Batch[Record]:
        """Read the lines of those records that came without them."""
        named = list(zip(batch.rows, batch.row_keys, strict=True))
        rows = {key: row for row, key in named if row.get(WHOLE) or not entity.fields.nested}
        bare = [key for _, key in named if key not in rows]
        read = list(self._reader.by_keys(entity, bare)) if bare else []
        rows |= {key: row for one in read for row, key in zip(one.rows, one.row_keys, strict=True)}
        spoiled = [*batch.spoiled, *(bad for one in read for bad in one.spoiled)]
        bad = {one.key for one in spoiled}
        keys = [key for key in batch.keys if key in rows or key in bad]
        return replace(batch, rows=[rows[key] for key in keys if key not in bad], keys=keys, spoiled=spoiled)

    # ── receipts ────────────────────────────────────────────────────────────────────────────────────────────

    def _received(self, orders: Sequence[Record], broken: list[Broken]) -> Iterator[tuple[LineKey, Receipt]]:
        """Read what was received on orders; those on which nothing is are not asked for."""
        some = {self._orders.key_of(row): row for row in orders if text(row, "RCPFLG") != str(NO)}
        entity = self._receipts if some else None
        if entity is None:
            return
        for asked in self._questions(entity, some):
            for batch in self._reader.pages(entity, asked, None):
                read = self._whole(entity, batch)
                broken += [apart("receipts", bad) for bad in read.spoiled]
                for row in read.rows:
                    yield from each_receipt(row, some, broken)

    def _questions(self, entity: Entity, orders: Mapping[str, Record]) -> Iterator[list[Condition]]:
        """Ask for the receipts of orders: by their numbers where receipts are listed line by line, else by supplier."""
        fields = self._reader.properties(entity)
        if "POHNUM" in fields:
            return ([("POHNUM", "in", some)] for some in in_lists(orders))
        first = earliest(_day(row, "ORDDAT") for row in orders.values())
        late: list[Condition] = [("RCPDAT", "ge", first)] if first and "RCPDAT" in fields else []
        suppliers = sorted({code for row in orders.values() if (code := text(row, "BPSNUM"))})
        if "BPSNUM" not in fields:
            return iter([late])
        return ([("BPSNUM", "in", some), *late] for some in in_lists(suppliers))

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def _order(self, row: Record, book: ReceiptBook) -> PurchaseOrder:
        """Convert an order. Raises `ValueError` where a number, date or code is missing or none."""
        key = self._orders.key_of(row)
        supplier, currency = text(row, "BPSNUM"), text(row, "CUR")
        if supplier is None or currency is None:
            raise ValueError(f"The order has no {'BPSNUM' if supplier is None else 'CUR'}.")
        return PurchaseOrder(
            key=key,
            number=key,
            supplier=supplier,
            currency=currency,
            status=status(row),
            created=day(row, "ORDDAT"),
            description=text(row, "ORDREF"),
            payment_term=text(row, "PTE"),
            revision=whole(row, "REVNUM"),
            lines=tuple(self._lines(key, row, book)),
        )

    def _lines(self, order: str, row: Record, book: ReceiptBook) -> Iterator[OrderLine]:
        for number, places in joined(row).items():
            for sequence, one in places.items():
                one.update({name: row.get(name) for name in ("DIE", "CCE") if name not in one})
                yield self._line(line_key(number, sequence, places), number, one, book, order)

    def _line(self, key: str, number: str, one: Record, book: ReceiptBook, order: str) -> OrderLine:
        """Convert a line; one of text alone, with neither item nor quantity, is a service of one."""
        quantity = amount(one, "QTYUOM") or amount(one, "QTYPUU") or ZERO
        net_price = amount(one, "NETPRI")
        price = net_price if net_price is not None else amount(one, "GROPRI")
        net = amount(one, "LINAMT")
        net = quantity * (price or ZERO) if net is None else net
        service = text(one, "LINPURTYP") == str(SERVICE)
        if not quantity:
            service, quantity, price, net = True, Decimal(1), net or price, net or price or ZERO
        center, others = self._dimensions(one)
        return OrderLine(
            key=key,
            number=number,
            quantity=quantity,
            net=net,
            unit_price=price,
            service=service,
            item=text(one, "ITMREF"),
            description=text(one, "ITMDES") or text(one, "ITMDES1"),
            unit=text(one, "UOM") or text(one, "PUU"),
            tax_code=_first(one.get("VAT")),
            account=text(one, "ACC"),
            cost_center=center,
            dimensions=others,
            closed=menu(one, "LINCLEFLG") == YES or menu(one, "LINSTA") == CLOSED,
            receipts=book.of(order, key),
        )

    def _dimensions(self, one: Record) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """Give a line's cost center, and all of its (type, code) pairs."""
        kinds, codes = (one[name] if isinstance(one.get(name), list) else [one.get(name)] for name in ("DIE", "CCE"))
        pairs = [(_first(kind), _first(code)) for kind, code in zip(kinds, codes, strict=False)]
        found = tuple((kind, code) for kind, code in pairs if kind and code)
        return next((code for kind, code in found if kind == self._center()), None), found


def _told(value: Any) -> bool:
    return value is not None and value not in ("", " ")


def _first(value: Any) -> str | None:
    """Give a code; of a field that is repeated the first one."""
    return text({"": next(iter(value), None) if isinstance(value, list) else value}, "")


def _day(row: Record, name: str) -> date | None:
    try:
        return day(row, name)
    except ValueError:
        return None  # it is told of where the order is converted


def status(row: Record) -> Literal["open", "closed", "cancelled"]:
    """Tell how an order stands. Raises `ValueError` for what is neither yes nor no: nothing follows from it."""
    closed = menu(row, "CLEFLG")
    if closed not in {None, NO, YES}:
        raise ValueError(f"CLEFLG is {closed}, which is neither no (1) nor yes (2).")
    return "closed" if closed == YES else "open"


def lines_with(row: Record, name: str) -> list[Record]:
    """Give the record itself where it is a receipt's line, else the lines of its collections that have a field."""
    if "PTDLIN" in row:
        return [row]
    lists = (value for value in row.values() if isinstance(value, list))
    return [one for some in lists for one in some if isinstance(one, dict) and name in one]


def joined(row: Record) -> dict[str, dict[str, Record]]:
    """Give an order's lines by number and quantity row, each with what its price row says.

    Raises `ValueError` for a row without a number.
    """
    prices, places = dict[str, Record](), dict[str, dict[str, Record]]()
    for one in lines_with(row, "POPLIN"):
        number, told = whole(one, "POPLIN"), {name: value for name, value in one.items() if _told(value)}
        if number is None:
            raise ValueError("One of its lines has no POPLIN.")
        if {"POQSEQ", "QTYUOM", "QTYPUU"} & one.keys():
            rows = places.setdefault(number, {})
            sequence = whole(one, "POQSEQ") or "1"
            rows[sequence] = rows.get(sequence, {}) | told
        else:
            prices[number] = told | prices.get(number, {})
    numbers = sorted({*prices, *places}, key=lambda one: (len(one), one))
    return {n: {at: prices.get(n, {}) | one for at, one in places.get(n, {"1": {}}).items()} for n in numbers}


def line_key(number: str, sequence: str | None, places: Mapping[str, Any]) -> str:
    """Name a line: by its number, and its quantity row where it has several of them."""
    if len(places) < 2:
        return number
    return f"{number}~{sequence if sequence in places else next(iter(places))}"


def each_receipt(row: Record, orders: Mapping[str, Record], broken: list[Broken]) -> Iterator[tuple[LineKey, Receipt]]:
    """Convert those lines of a receipt that are on these orders; what cannot be read costs only itself."""
    name = text(row, "PTHNUM") or ""
    for place, line in enumerate(lines_with(row, "POHNUM"), 1):
        order, number = text(line, "POHNUM"), whole(line, "POPLIN")
        if order is None or order not in orders or number is None:
            continue
        key = f"{name}~{whole(line, 'PTDLIN') or place}"
        try:
            quantity, price = amount(line, "QTYUOM") or amount(line, "QTYPUU") or ZERO, amount(line, "NETPRI")
            on = line_key(number, whole(line, "POQSEQ"), joined(orders[order]).get(number, {}))
            net = None if price is None else price * quantity
            received = day(line, "RCPDAT") or day(row, "RCPDAT")
            yield (order, on), Receipt(key=key, number=name, quantity=quantity, received_on=received, net=net)
        except (ValueError, ArithmeticError) as error:
            broken.append(Broken(f"receipt~{key}", str(error), raw_of(line)))

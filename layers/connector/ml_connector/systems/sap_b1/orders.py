"""Purchase orders with their lines, receipts and returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from ml_connector.flow import Broken
from ml_connector.records import OrderLine, PurchaseOrder, Receipt
from ml_connector.systems.kit.masters import begin
from ml_connector.systems.kit.orders import Phase, ReceiptBook, each
from ml_connector.systems.kit.rows import Batch, Spoiled
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.query import Query, any_of, in_parts
from ml_connector.systems.sap_b1.receipts import (
    NOTE,
    ORDER,
    Receipts,
    base_entries,
    notes_query,
    returns_query,
)
from ml_connector.systems.sap_b1.rows import ZERO, DocumentRow, LineRow, day, stamp_day, told

SIZE = 100
SERVICE = "dDocument_Service"
MANUAL_UNIT = "Manual"
"""What `UoMCode` says where the line has no unit of measure of the company's list."""


class Orders:
    """The `kit.orders.Purchasing` of a company."""

    def __init__(self, layer: ServiceLayer, lookups: Lookups, tax_code_field: str) -> None:
        self._layer, self._receipts, self._tax_code_field = layer, Receipts(layer), tax_code_field
        self._lookups = lookups

    def changed(self, phase: Phase, since: str | None, place: str | None) -> Iterator[Batch[DocumentRow]]:
        """Read by the day of the last change; at first the orders that are open."""
        where = f"UpdateDate ge {self._layer.day(begin(since))}" if since else "DocumentStatus eq 'bost_Open'"
        query = {"orders": _orders_query, "receipts": notes_query, "returns": returns_query}[phase]
        return self._layer.pages(query(where), place)

    def long_closed(self, _: DocumentRow) -> bool:
        """Leave nothing out: closed orders are not asked for at first."""
        return False

    def orders_named_by(self, phase: Phase, rows: Sequence[DocumentRow]) -> set[str]:
        """Name what goods receipts are based on; returns are based on those."""
        notes = rows if phase == "receipts" else self._notes(base_entries(rows, NOTE))
        return set(map(str, base_entries(notes, ORDER)))

    def by_keys(self, keys: Sequence[str]) -> Iterator[Batch[DocumentRow]]:
        """Read orders by DocEntry, some at a time. A key that is none comes back as spoiled."""
        nonsense = [key for key in keys if not key.isdecimal()]
        if nonsense:
            said = "is no key of a purchase order (a DocEntry)."
            yield Batch((), nonsense, [Spoiled(key, f"'{key}' {said}", "") for key in nonsense])
        for part in in_parts(key for key in keys if key.isdecimal()):
            yield from self._layer.pages(_orders_query(any_of("DocEntry", part)))

    def _notes(self, entries: Iterable[int]) -> list[DocumentRow]:
        return [
            note
            for part in in_parts(sorted(entries))
            for note in self._layer.rows(notes_query(any_of("DocEntry", map(str, part))))
            if note.doc_entry in part
        ]

    def convert(self, rows: Sequence[DocumentRow], broken: list[Broken]) -> list[PurchaseOrder]:
        """Convert orders with their receipts."""
        book = self._receipts.of(rows, broken)

        def order(row: DocumentRow) -> PurchaseOrder:
            return purchase_order(row, row.currency or self._lookups.local_currency(), book, self._tax_code_field)

        return each(rows, order, broken, key=lambda row: str(row.doc_entry))

    def stamp(self, row: DocumentRow) -> str | None:
        """Tell the day of the last change."""
        return stamp_day(row.update_date)


def _orders_query(where: str) -> Query[DocumentRow]:
    return Query("PurchaseOrders", DocumentRow, "DocEntry", where, size=SIZE)


def purchase_order(
    row: DocumentRow,
    currency: str | None,
    book: ReceiptBook,
    tax_code_field: str = "VatGroup",
) -> PurchaseOrder:
    """Convert an order. Raises `ValueError` where it has no supplier, no currency or a date that is none."""
    if not row.card_code:
        raise ValueError("The order has no CardCode.")
    if currency is None:
        raise ValueError("The order has no DocCurrency, and the company does not tell its own currency.")
    service = row.doc_type == SERVICE
    return PurchaseOrder(
        key=str(row.doc_entry),
        number=row.number,
        supplier=row.card_code,
        currency=currency,
        status="cancelled" if row.void else "closed" if row.document_status == "bost_Close" else "open",
        created=day(row.doc_date),
        description=told(row.comments),
        payment_term=None if row.payment_group_code is None else str(row.payment_group_code),
        lines=tuple(
            _line(line, service, book.of(str(row.doc_entry), str(line.line_num)), tax_code_field) for line in row.lines
        ),
    )


def _line(line: LineRow, service: bool, receipts: tuple[Receipt, ...], tax_code_field: str) -> OrderLine:
    """Convert a line. Its number is `LineNum`, which never changes; the row's place on the screen may."""
    return OrderLine(
        key=str(line.line_num),
        number=str(line.line_num),
        quantity=Decimal(1) if service else line.quantity or ZERO,
        net=line.net,
        unit_price=line.net if service else line.price or line.unit_price,
        service=service,
        item=told(line.item_code),
        description=told(line.item_description),
        unit=told(line.measure_unit if line.uom_code in {None, MANUAL_UNIT} else line.uom_code),
        tax_code=told(line.tax_code if tax_code_field == "TaxCode" else line.vat_group),
        tax_percent=line.tax_percentage_per_row,
        account=told(line.account_code),
        cost_center=told(line.cost_center),
        dimensions=line.dimensions,
        closed=not line.open,
        receipts=receipts,
    )

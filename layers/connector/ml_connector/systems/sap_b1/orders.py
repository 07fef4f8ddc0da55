"""Purchase orders with their lines, receipts and returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial

from ml_connector.flow import Broken, Page
from ml_connector.records import OrderLine, PurchaseOrder, Receipt
from ml_connector.systems.kit.masters import begin
from ml_connector.systems.kit.orders import Phase, in_phases
from ml_connector.systems.kit.paging import only_asked_for, without_known
from ml_connector.systems.kit.rows import Batch, raw_of
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.paging import Query, any_of, in_parts
from ml_connector.systems.sap_b1.receipts import (
    NOTE,
    ORDER,
    RETURN,
    OrderLineKey,
    Receipts,
    base_entries,
    broken_document,
    notes_query,
    returns_query,
)
from ml_connector.systems.sap_b1.wire import ZERO, DocumentRow, LineRow, day, stamp_day, told

SIZE = 100
SERVICE = "dDocument_Service"
MANUAL_UNIT = "Manual"
"""What `UoMCode` says where the line has no unit of measure of the company's list."""


class Orders:
    """The source of purchase orders. At first the open ones, then whatever changed."""

    def __init__(self, layer: ServiceLayer, lookups: Lookups, tax_code_field: str) -> None:
        self._layer, self._receipts, self._tax_code_field = layer, Receipts(layer), tax_code_field
        self._lookups = lookups

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[PurchaseOrder]]:
        """Read orders since the day `since`, and each once, whatever led to it (`kit/orders`)."""
        return in_phases(partial(self._phase, since), since, position)

    def reread(self, keys: Sequence[str]) -> Iterator[Page[PurchaseOrder]]:
        """Read these very orders with lines and receipts, some at a time; what is gone is left out.

        For orders whose closing or receiving moved no stamp. The pages have neither position nor stamp: what is read
        so says nothing about what else changed. A key that is no DocEntry comes back as broken.
        """
        wanted = list(dict.fromkeys(str(int(key)) if key.isdecimal() else key for key in keys))
        return only_asked_for(self._reread(wanted), wanted)

    def _reread(self, wanted: Sequence[str]) -> Iterator[Page[PurchaseOrder]]:
        nonsense = [Broken(key, f"'{key}' is no key of a purchase order (a DocEntry).") for key in wanted
                    if not key.isdecimal()]  # fmt: skip
        if nonsense:
            yield Page((), nonsense)
        for part in in_parts(key for key in wanted if key.isdecimal()):
            for batch in self._layer.pages(_orders_query(any_of("DocEntry", part))):
                yield self._page(batch, batch.rows, batch.broken)

    def _phase(
        self, since: str | None, phase: Phase, place: str | None, given: set[str]
    ) -> Iterator[Page[PurchaseOrder]]:
        changed = ""
        if since:
            changed = f"UpdateDate ge {self._layer.day(begin(since))}"
        if phase == "orders":
            for batch in self._layer.pages(_orders_query(changed or "DocumentStatus eq 'bost_Open'"), place):
                yield self._page(batch, batch.rows, batch.broken)
            return
        query = notes_query(changed) if phase == "receipts" else returns_query(changed)
        for batch in self._layer.pages(query, place):
            notes = batch.rows if phase == "receipts" else self._notes(base_entries(batch.rows, NOTE))
            broken = [broken_document(NOTE if phase == "receipts" else RETURN, bad) for bad in batch.spoiled]
            yield self._page(batch, self._by_entry(without_known(base_entries(notes, ORDER), given)), broken)

    def _by_entry(self, entries: Iterable[int]) -> list[DocumentRow]:
        return [
            order
            for part in in_parts(sorted(entries))
            for order in self._layer.rows(_orders_query(any_of("DocEntry", map(str, part))))
            if order.doc_entry in part
        ]

    def _notes(self, entries: Iterable[int]) -> list[DocumentRow]:
        return [
            note
            for part in in_parts(sorted(entries))
            for note in self._layer.rows(notes_query(any_of("DocEntry", map(str, part))))
            if note.doc_entry in part
        ]

    def _page(
        self, batch: Batch[DocumentRow], orders: Sequence[DocumentRow], broken: list[Broken]
    ) -> Page[PurchaseOrder]:
        """Convert orders; place and stamp are those of the batch that led to them."""
        receipts = self._receipts.of(orders, broken)
        records = []
        for row in orders:
            try:
                currency = row.currency or self._lookups.local_currency()
                records.append(purchase_order(row, currency, receipts, self._tax_code_field))
            except (ValueError, ArithmeticError) as error:
                broken.append(Broken(str(row.doc_entry), str(error), raw_of(row)))
        stamps = [stamp for row in batch.rows if (stamp := stamp_day(row.update_date))]
        return Page(records, broken, batch.position, max(stamps, default=None))


def _orders_query(where: str) -> Query[DocumentRow]:
    return Query("PurchaseOrders", DocumentRow, "DocEntry", where, size=SIZE)


def purchase_order(
    row: DocumentRow,
    currency: str | None,
    receipts: dict[OrderLineKey, tuple[Receipt, ...]],
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
            _line(line, service, receipts.get((row.doc_entry, line.line_num), ()), tax_code_field) for line in row.lines
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

"""Goods receipts and returns, which point at the orders' lines from behind.

A line can be found only through its document: filters on lines do not exist (`docs/vendors/sap_b1.md`), so the
documents of the suppliers in question are read and sorted by what their lines are based on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ml_connector.flow import Broken
from ml_connector.records import Receipt
from ml_connector.systems.kit.orders import Phase, ReceiptBook, apart, earliest
from ml_connector.systems.kit.rows import Spoiled, raw_of
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.query import Query, any_of, in_parts
from ml_connector.systems.sap_b1.rows import ZERO, DocumentRow, LineRow, day

ORDER, NOTE, RETURN = 22, 20, 21
"""Object types, as `BaseType` names them."""


def notes_query(where: str) -> Query[DocumentRow]:
    """Goods receipts."""
    return Query("PurchaseDeliveryNotes", DocumentRow, "DocEntry", where, optional=True)


def returns_query(where: str) -> Query[DocumentRow]:
    """Returns of goods received."""
    return Query("PurchaseReturns", DocumentRow, "DocEntry", where, optional=True)


def base_entries(documents: Iterable[DocumentRow], base_type: int) -> set[int]:
    """List the documents that the lines of these are based on."""
    return {
        line.base_entry
        for document in documents
        for line in document.lines
        if line.base_type == base_type and line.base_entry is not None
    }


class Receipts:
    """Finds what was received and sent back on orders."""

    def __init__(self, layer: ServiceLayer) -> None:
        self._layer = layer

    def of(self, orders: Sequence[DocumentRow], broken: list[Broken]) -> ReceiptBook:
        """Read the receipts and returns of orders, by (DocEntry, LineNum). Cancelled ones do not count.

        Documents that do not parse are added to `broken`.
        """
        book = ReceiptBook()
        suppliers = sorted({order.card_code for order in orders if order.card_code})
        since = earliest(map(_ordered_on, orders))
        entries = {order.doc_entry for order in orders}
        for part in in_parts(suppliers):
            where, received = self._where(part, since), False
            for note, line in _lines(self._read(notes_query(where), "receipts", broken)):
                if line.base_type == ORDER and line.base_entry in entries and line.base_line is not None:
                    book.take((str(line.base_entry), str(line.base_line)), _receipt(NOTE, note, line))
                    received = True
            for back, line in _lines(self._read(returns_query(where), "returns", broken)) if received else ():
                if line.base_type == NOTE:
                    book.give_back(_receipt(RETURN, back, line), f"{NOTE}~{line.base_entry}~{line.base_line}")
        return book

    def notes_on(self, order: DocumentRow) -> list[DocumentRow]:
        """Read the goods receipts based on one order, oldest first."""
        where = self._where([order.card_code or ""], earliest([_ordered_on(order)]))
        notes = self._layer.rows(notes_query(where))
        return [n for n in notes if not n.void and order.doc_entry in base_entries([n], ORDER)]

    def _where(self, suppliers: Iterable[str], since: date | None) -> str:
        where = any_of("CardCode", map(self._layer.text, suppliers))
        return f"{where} and DocDate ge {self._layer.day(since)}" if since else where

    def _read(self, query: Query[DocumentRow], phase: Phase, broken: list[Broken]) -> Iterator[DocumentRow]:
        for batch in self._layer.pages(query):
            broken.extend(apart(phase, bad) for bad in batch.spoiled)
            for document in batch.rows:
                try:
                    day(document.doc_date)
                except ValueError as error:
                    broken.append(apart(phase, Spoiled(str(document.doc_entry), str(error), raw_of(document))))
                else:
                    if not document.void:
                        yield document


def _ordered_on(order: DocumentRow) -> date | None:
    """Give an order's day. One that is none is left to its conversion."""
    try:
        return day(order.doc_date)
    except ValueError:
        return None


def _lines(documents: Iterable[DocumentRow]) -> Iterator[tuple[DocumentRow, LineRow]]:
    return ((document, line) for document in documents for line in document.lines)


def _receipt(kind: int, document: DocumentRow, line: LineRow) -> Receipt:
    return Receipt(
        key=f"{kind}~{document.doc_entry}~{line.line_num}",
        number=document.number,
        quantity=line.quantity or ZERO,
        received_on=day(document.doc_date),
        net=line.row_total_fc or line.line_total,
    )

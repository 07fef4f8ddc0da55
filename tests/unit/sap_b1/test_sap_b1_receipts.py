"""Receipts that are dated before their order: it was entered after the goods had come."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from ml_connector.records import PurchaseOrder
from ml_connector.systems.sap_b1.receipts import Receipts
from ml_connector.systems.sap_b1.rows import DocumentRow

LINE = {"LineNum": 0, "LineTotal": 50, "Quantity": 10}
FROM_ORDER = {"LineNum": 0, "BaseType": 22, "BaseEntry": 1, "BaseLine": 0, "Quantity": 6}
FROM_NOTE = {"LineNum": 0, "BaseType": 20, "BaseEntry": 7, "BaseLine": 0, "Quantity": 2}


def books(order_day: str, note_day: str) -> Any:
    """Answer with an order, a receipt and a return of it, as far as the filter lets documents of that day through."""
    rows: dict[str, Any] = {
        "PurchaseOrders": ({"DocEntry": 1, "DocCurrency": "EUR"}, order_day, LINE),
        "PurchaseDeliveryNotes": ({"DocEntry": 7}, note_day, FROM_ORDER),
        "PurchaseReturns": ({"DocEntry": 8}, note_day, FROM_NOTE),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        head, day, line = rows[request.url.path.rpartition("/")[2]]
        since = re.search(r"DocDate ge '?([0-9-]{10})", request.url.params.get("$filter", ""))
        shown = not since or day >= since[1]
        row = {**head, "CardCode": "V1", "DocDate": day, "DocumentLines": [line]}
        return httpx.Response(200, content=json.dumps({"value": [row] if shown else []}))

    return answer


@pytest.mark.parametrize("note_day", ["2026-02-07", "2025-11-12"])
def test_goods_that_came_before_their_order_was_entered_count(bench: Any, note_day: str) -> None:
    bench.server.answer = books("2026-02-10", note_day)
    (page,) = bench.connection.source(PurchaseOrder).pages(None, None)
    assert not page.broken
    assert [int(receipt.quantity) for receipt in page.records[0].lines[0].receipts] == [6, -2]


def test_an_invoice_finds_the_receipt_that_came_before_its_order(bench: Any) -> None:
    bench.server.answer = books("2026-02-10", "2026-02-07")
    order = DocumentRow(doc_entry=1, card_code="V1", doc_date="2026-02-10")
    assert [note.doc_entry for note in Receipts(bench.layer).notes_on(order)] == [7]


def test_the_first_day_of_all_has_none_before_it(bench: Any) -> None:
    bench.server.answer = books("0001-01-01", "0001-01-01")
    order = DocumentRow(doc_entry=1, card_code="V1", doc_date="0001-01-01")
    assert [note.doc_entry for note in Receipts(bench.layer).notes_on(order)] == [7]

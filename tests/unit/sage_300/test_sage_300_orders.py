"""Orders with lines, receipts and returns, by whichever names the server has for them."""

from __future__ import annotations

import re
from decimal import Decimal

import httpx
import pytest

from ml_connector.records import PurchaseOrder


def order(number="PO1", **fields):
    line = {
        "LineNumber": 1000,
        "ItemNumber": "A1",
        "QuantityOrdered": 10,
        "UnitCost": 5,
        "ExtendedCost": 50,
        "UnitOfMeasure": "Ea.",
        "PurchaseOrderLineSequence": 7,
    }
    return {
        "PurchaseOrderNumber": number,
        "Vendor": "1200",
        "PurchaseOrderDate": "2026-01-15T00:00:00Z",
        "PurchaseOrderType": "Active",
        "Completed": "No",
        "LastPostingDate": "2026-02-01T00:00:00Z",
        "Currency": "CAD",
        "PurchaseOrderLines": [line],
        **fields,
    }


def receipt(number="RC1", order="PO1", quantity=4, **line):
    lines = [
        {
            "LineNumber": 10,
            "ItemNumber": "A1",
            "QuantityReceived": quantity,
            "UnitCost": 5,
            "PurchaseOrderLineSequence": 7,
            "ReceiptLineSequence": 31,
            **line,
        }
    ]
    return {
        "ReceiptNumber": number,
        "PurchaseOrderNumber": order,
        "Vendor": "1200",
        "ReceiptDate": "2026-02-03T00:00:00Z",
        "ReceiptLine2s": lines,
    }


def back(quantity=1, **head):
    line = {"LineNumber": 10, "ItemNumber": "A1", "QuantityReturned": quantity, "UnitCost": 5}
    return {"ReturnNumber": "RT1", "Vendor": "1200", "ReturnDate": "2026-02-05", "ReturnLines": [line], **head}


def test_an_order_is_read_with_its_lines(bench):
    bench.server.rows("PO/POPurchaseOrders", order(TermsCode="N30", Description="Paper"))
    (one,) = bench.all(PurchaseOrder)
    assert (one.key, one.supplier, one.currency, one.status, one.payment_term) == ("PO1", "1200", "CAD", "open", "N30")
    (line,) = one.lines
    assert (line.key, line.number, line.quantity, line.net, line.item, line.unit) == (
        "7",
        "1000",
        Decimal(10),
        Decimal(50),
        "A1",
        "Ea.",
    )


def test_a_line_without_item_and_quantity_is_its_sum(bench):
    row = order()
    freight = {
        "LineNumber": 2000,
        "ItemNumber": "",
        "ItemDescription": "Freight",
        "QuantityOrdered": 0,
        "UnitCost": 0,
        "ExtendedCost": "500.00",
        "PurchaseOrderLineSequence": 8,
    }
    row["PurchaseOrderLines"].append(freight)
    bench.server.rows("PO/POPurchaseOrders", row)
    bench.server.rows(
        "PO/POGetReceipts",
        receipt(quantity=0, ItemNumber="", UnitCost=0, ExtendedCost="200.00", PurchaseOrderLineSequence=8),
    )
    line = bench.all(PurchaseOrder)[0].lines[1]
    assert (line.key, line.quantity, line.net, line.item) == ("8", Decimal(0), Decimal("500.00"), None)
    (came,) = line.receipts
    assert (came.quantity, came.net) == (Decimal(0), Decimal("200.00"))


def test_receipts_and_returns_stand_under_the_line_they_are_about(bench):
    bench.server.rows("PO/POPurchaseOrders", order())
    bench.server.rows("PO/POGetReceipts", receipt())
    bench.server.rows("PO/POReturns", back(ReceiptNumber="RC1"))
    received, returned = bench.all(PurchaseOrder)[0].lines[0].receipts
    assert (received.key, received.number, received.quantity, received.net) == ("RC1~31", "RC1", Decimal(4), 20)
    assert (returned.quantity, returned.net, returned.reverses) == (Decimal(-1), Decimal(-5), "RC1~31")


def test_closed_orders_are_left_out_at_first_and_followed_later(bench):
    bench.server.rows("PO/POPurchaseOrders", order("PO1", Completed="Yes"), order("PO2"))
    assert [one.key for one in bench.all(PurchaseOrder)] == ["PO2"]
    assert [(one.key, one.status) for one in bench.all(PurchaseOrder, since="2026-02-01")][:2] == [
        ("PO1", "closed"),
        ("PO2", "open"),
    ]


def test_an_order_of_which_all_was_canceled_is_cancelled(bench):
    row = order(Completed="Yes")
    row["PurchaseOrderLines"][0]["QuantityCanceled"] = 10
    bench.server.rows("PO/POPurchaseOrders", row)
    assert bench.all(PurchaseOrder, since="2026-02-01")[0].status == "cancelled"


def test_a_plan_is_no_order(bench):
    bench.server.rows("PO/POPurchaseOrders", order(PurchaseOrderType="Standing"), order("PO2"))
    assert [one.key for one in bench.all(PurchaseOrder)] == ["PO2"]


def test_a_receipt_makes_its_order_be_read_again(bench):
    def orders(request):
        where = request.url.params.get("$filter", "")
        return httpx.Response(200, json={"value": [order("PO9")] if "'PO9'" in where else []})

    bench.server.answers["PO/POPurchaseOrders"] = orders
    bench.server.rows("PO/POGetReceipts", receipt(order="PO9"))
    found = bench.all(PurchaseOrder, since="2026-02-05")
    assert [(one.key, len(one.lines[0].receipts)) for one in found] == [("PO9", 1)]
    assert "LastPostingDate gt 2026-02-03T00:00:00Z or ReceiptDate gt 2026-02-03T00:00:00Z" in bench.server.asked(
        "PO/POGetReceipts"
    )


def test_a_return_makes_its_order_be_read_again_by_its_receipt(bench):
    def orders(request):
        where = request.url.params.get("$filter", "")
        return httpx.Response(200, json={"value": [order("PO9")] if "'PO9'" in where else []})

    def receipts(request):
        named = "ReceiptNumber eq 'RC1'" in request.url.params.get("$filter", "")
        named = named or "'PO9'" in request.url.params.get("$filter", "")
        return httpx.Response(200, json={"value": [receipt(order="PO9")] if named else []})

    bench.server.answers |= {"PO/POPurchaseOrders": orders, "PO/POGetReceipts": receipts}
    bench.server.rows("PO/POReturns", back(ReceiptNumber="RC1"))
    (one,) = bench.all(PurchaseOrder, since="2026-02-05")
    assert [r.quantity for r in one.lines[0].receipts] == [Decimal(4), Decimal(-1)]


def test_an_order_whose_receipt_and_return_changed_too_is_given_once(bench):
    bench.server.rows("PO/POPurchaseOrders", order(LastPostingDate="2026-02-06T00:00:00Z"))
    bench.server.rows("PO/POGetReceipts", receipt())
    bench.server.rows("PO/POReturns", back(ReceiptNumber="RC1"))
    (one,) = bench.all(PurchaseOrder, since="2026-02-05")
    assert [r.quantity for r in one.lines[0].receipts] == [Decimal(4), Decimal(-1)]
    assert len(bench.server.asked("PO/POPurchaseOrders")) == 1


def test_a_stamp_that_the_server_does_not_know_gives_way_to_a_comparison(bench, fault):
    def orders(request):
        if "LastPostingDate" in request.url.params.get("$filter", ""):
            return fault(400, "InvalidParameters", "Could not find a property named 'LastPostingDate'")
        return httpx.Response(200, json={"value": [order()]})

    bench.server.answers["PO/POPurchaseOrders"] = orders
    assert [one.key for one in bench.all(PurchaseOrder, since="2026-02-05")] == ["PO1"]


def test_a_hundred_orders_cost_a_few_calls_and_no_address_is_too_long(bench):
    bench.server.rows("PO/POPurchaseOrders", *(order(f"PO{n:010d}", Vendor=f"V{n % 40:05d}") for n in range(100)))
    assert len(bench.all(PurchaseOrder)) == 100
    assert len(bench.server.requests) <= 12
    assert max(len(r.url.raw_path) for r in bench.server.requests) < 2048


def test_a_receipt_of_several_orders_is_found_by_its_vendor(bench):
    row = receipt(PurchaseOrderNumber="PO1")
    row["PurchaseOrderNumber"] = ""

    def receipts(request):
        named = "PurchaseOrderNumber eq ''" in request.url.params.get("$filter", "")
        return httpx.Response(200, json={"value": [row] if named else []})

    bench.server.rows("PO/POPurchaseOrders", order())
    bench.server.answers["PO/POGetReceipts"] = receipts
    assert len(bench.all(PurchaseOrder)[0].lines[0].receipts) == 1


def test_an_order_without_a_currency_takes_its_vendors(bench):
    row = order()
    del row["Currency"]
    bench.server.rows("PO/POPurchaseOrders", row)
    assert bench.all(PurchaseOrder)[0].currency == "CAD"


def test_an_order_that_cannot_be_read_is_rejected_alone(bench):
    bench.server.rows("PO/POPurchaseOrders", order("PO1", PurchaseOrderLines="?"), order("PO2", Vendor=None), order())
    pages = bench.pages(PurchaseOrder)
    assert {b.key for page in pages for b in page.broken} == {"PO1", "PO2"}


def test_the_account_of_a_line_goes_out_in_the_platforms_parts(make):
    bench = make(cost_center_segment="2")
    row = order()
    row["PurchaseOrderLines"][0]["ExpenseAccount"] = "6260-200"
    bench.server.rows("PO/POPurchaseOrders", row)
    bench.server.rows(
        "GL/GLAccounts",
        {"UnformattedAccount": "6260200", "AccountSegmentCode1": "6260", "AccountSegmentCode2": "200"},
    )
    line = bench.all(PurchaseOrder)[0].lines[0]
    assert (line.account, line.cost_center) == ("6260", "200")


def test_without_a_segment_the_account_of_a_line_is_the_unformatted_one(bench):
    row = order()
    row["PurchaseOrderLines"][0]["ExpenseAccount"] = "6260-200"
    bench.server.rows("PO/POPurchaseOrders", row)
    assert bench.all(PurchaseOrder)[0].lines[0].account == "6260200"


def test_open_orders_are_read_again_by_number(bench):
    bench.server.rows("PO/POPurchaseOrders", order(Completed="Yes"))
    (page,) = bench.connection.source(PurchaseOrder).reread(["PO1", "PO2"])
    assert [(r.key, r.status) for r in page.records] == [("PO1", "closed")]
    assert (page.position, page.stamp) == (None, None)


@pytest.mark.parametrize("position", [None, "orders|", "receipts|", "returns|"])
def test_a_pass_goes_on_from_its_position(bench, position):
    pages = list(bench.connection.source(PurchaseOrder).pages("2026-02-05", position))
    following = ["receipts|", "returns|", None]
    begin = following.index(position) + 1 if position in following and position else 0
    assert [page.position for page in pages] == following[begin:]


def test_a_start_date_narrows_the_first_reading(make):
    bench = make(options={"start_dates": {"purchase_orders": "2026-01-01"}})
    bench.all(PurchaseOrder)
    assert bench.server.asked("PO/POPurchaseOrders") == ["PurchaseOrderDate gt 2025-12-31T00:00:00Z"]


def test_goods_that_came_before_their_order_was_entered_count(bench):
    def from_then_on(row, name):
        def answer(request):
            since = re.search(rf"{name} gt (\S{{10}})", request.url.params.get("$filter", ""))
            return httpx.Response(200, json={"value": [row] if since and row[name][:10] > since[1] else []})

        return answer

    mixed = {**receipt(PurchaseOrderNumber="PO1"), "PurchaseOrderNumber": "", "ReceiptDate": "2026-01-12"}
    sent_back = back(ReceiptNumber="RC1", ReturnDate="2026-01-13")
    bench.server.rows("PO/POPurchaseOrders", order())  # of January 15th
    bench.server.answers["PO/POGetReceipts"] = from_then_on(mixed, "ReceiptDate")
    bench.server.answers["PO/POReturns"] = from_then_on(sent_back, "ReturnDate")
    (one,) = bench.all(PurchaseOrder)
    assert [one.quantity for one in one.lines[0].receipts] == [4, -1]

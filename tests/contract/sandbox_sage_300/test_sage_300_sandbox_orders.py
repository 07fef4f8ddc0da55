"""Purchase orders, receipts, returns (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.sage_300 import back_office


@pytest.fixture
def order(api):
    lines = [
        {"LineNumber": 1000, "ItemNumber": "A1-105/0", "Location": "1", "QuantityOrdered": 10, "UnitCost": 5},
        {"LineNumber": 2000, "ItemNumber": "A1-106/0", "QuantityOrdered": 4, "UnitCost": Decimal("1.25")},
    ]
    return api.made("PO/POPurchaseOrders", {"Vendor": "V10000", "PurchaseOrderLines": lines})


def read(api, order):
    return api.read(f"PO/POPurchaseOrders({order['PurchaseOrderSequenceKey']})")


def test_an_order_is_numbered_and_added_up(order):
    assert (order["PurchaseOrderNumber"], order["PurchaseOrderType"], order["Completed"]) == (
        "PO000201",
        "Active",
        "No",
    )
    line = order["PurchaseOrderLines"][1]
    assert (line["ExtendedCost"], line["TaxAmount1"], line["QuantityOutstanding"]) == (5, Decimal("0.95"), 4)
    assert order["DocumentTotal"] == 55 + Decimal("9.5") + Decimal("0.95")


def test_an_order_can_be_found_by_number_and_type(api, order):
    text = "PurchaseOrderNumber eq 'PO000201' and PurchaseOrderType eq 'Active'"
    assert [row["Vendor"] for row in api.rows(f"PO/POPurchaseOrders?$filter={text}")] == ["V10000"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"VendorNumber": "V10000"}, "InvalidPayload"),
        ({"Vendor": "V99999"}, "RecordInvalid"),
        ({"PurchaseOrderLines": []}, "RecordInvalid"),
        ({"PurchaseOrderLines": [{"ItemNumber": "NOPE", "QuantityOrdered": 1}]}, "RecordInvalid"),
        ({"PurchaseOrderLines": [{"ItemNumber": "A1-105/0", "QuantityOrdered": 0}]}, "RecordInvalid"),
    ],
)
def test_a_wrong_order_is_refused(api, expect_refusal, change, code):
    body = {"Vendor": "V10000", "PurchaseOrderLines": [{"ItemNumber": "A1-105/0", "QuantityOrdered": 1}]} | change
    expect_refusal(api.call("POST", "PO/POPurchaseOrders", body), 400, code)


def test_a_receipt_moves_its_order_and_is_read_under_another_name(api, order, clock):
    clock.forward(days=3)
    body = {
        "PurchaseOrderNumber": order["PurchaseOrderNumber"],
        "Vendor": "V10000",
        "ReceiptLine2s": [{"ItemNumber": "A1-105/0", "QuantityReceived": 4}],
    }
    receipt = api.made("PO/POReceipts", body)
    assert receipt["ReceiptLine2s"][0]["UnitCost"] == 5
    shown = api.rows(f"PO/POGetReceipts?$filter=PurchaseOrderNumber eq '{order['PurchaseOrderNumber']}'")
    assert [row["ReceiptNumber"] for row in shown] == [receipt["ReceiptNumber"]]
    line = read(api, order)["PurchaseOrderLines"][0]
    assert (line["QuantityReceived"], line["QuantityOutstanding"], line["Completed"]) == (4, 6, "No")
    assert read(api, order)["LastPostingDate"][:10] == "2026-02-13"


def test_an_order_that_has_all_its_goods_is_completed(api, world, order):
    back_office.receive(world, order["PurchaseOrderSequenceKey"])
    after = read(api, order)
    assert (after["Completed"], after["DateCompleted"][:10], after["LinesComplete"]) == ("Yes", "2026-02-10", 2)


def test_a_receipt_without_an_order_is_taken_and_one_for_a_foreign_order_is_not(api, order, expect_refusal):
    line = {"ItemNumber": "A1-105/0", "QuantityReceived": 1}
    api.made("PO/POReceipts", {"Vendor": "V10000", "ReceiptLine2s": [line]})
    for change in ({"PurchaseOrderNumber": "NOPE"}, {"PurchaseOrderNumber": "PO000201", "Vendor": "V10001"}):
        expect_refusal(api.call("POST", "PO/POReceipts", {"ReceiptLine2s": [line]} | change), 400, "RecordInvalid")
    wrong = {"PurchaseOrderNumber": "PO000201", "ReceiptLine2s": [line | {"ItemNumber": "A1-107/0"}]}
    expect_refusal(api.call("POST", "PO/POReceipts", wrong), 400, "RecordInvalid", "no such line")


def test_returned_goods_stand_on_the_receipt_and_in_a_return(api, world, order, expect_refusal):
    receipt = back_office.receive(world, order["PurchaseOrderSequenceKey"], {1000: Decimal(4)})
    lines = [{"ItemNumber": "A1-105/0", "QuantityReturned": 3}]
    made = api.made("PO/POReturns", {"ReceiptNumber": receipt["ReceiptNumber"], "ReturnLines": lines})
    assert (made["PurchaseOrderNumber"], made["ReturnLines"][0]["ExtendedCost"]) == ("PO000201", 15)
    shown = api.read(f"PO/POGetReceipts({receipt['ReceiptSequenceKey']})")
    assert shown["ReceiptLine2s"][0]["QuantityReturned"] == 3
    again = {"ReceiptNumber": receipt["ReceiptNumber"], "ReturnLines": [lines[0] | {"QuantityReturned": 2}]}
    expect_refusal(api.call("POST", "PO/POReturns", again), 400, "RecordInvalid", "were not received")


def test_only_the_desktop_changes_or_completes_an_order(api, world, order):
    key = order["PurchaseOrderSequenceKey"]
    change = {"PurchaseOrderLines": [{"LineNumber": 1000, "QuantityOrdered": 12}], "OnHold": "Yes"}
    back_office.change(world, "POPurchaseOrders", {"PurchaseOrderSequenceKey": key} | change)
    after = read(api, order)
    assert (after["OnHold"], after["PurchaseOrderLines"][0]["ExtendedCost"]) == ("Yes", 60)
    back_office.complete(world, key)
    line = read(api, order)["PurchaseOrderLines"][0]
    assert (line["QuantityCanceled"], line["QuantityOutstanding"], line["Completed"]) == (12, 0, "Yes")


def test_matched_invoices_are_read_only(api, expect_refusal):
    assert api.rows("PO/POInvoices")[0]["InvoiceNumber"] == "PI000001"
    expect_refusal(api.call("POST", "PO/POInvoices", {}), 405, "MethodNotAllowed")

"""Goods received notes: what makes them, and how invoices are matched to them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.syspro import back_office, grn
from infra.sandbox.syspro.errors import Refusal
from tests.contract.sandbox_syspro.conftest import errors, line, posted

SUPPLIER = "V10013"  # wants its invoices matched


@pytest.fixture
def order(world) -> str:
    lines = [
        {
            "MStockCode": f"S{n}",
            "MOrderQty": Decimal(10),
            "MPrice": Decimal("12.50"),
            "MGlCode": "400001-CC101",
            "MTaxCode": "Z",
        }
        for n in (1, 2)
    ]
    return str(back_office.order(world, SUPPLIER, lines)["PurchaseOrder"])


def match(note: Mapping[str, Any], kind: str = "O", **more: str) -> dict[str, Any]:
    key = {"GrnMatchType": kind, "GrnGrn": note["Grn"], "GrnFlag": note["GrnSource"], "GrnJournal": note["Journal"]}
    return {"GrnDetails": {**key, "GrnEntry": note["JournalEntry"], **more}}


def bill(entry: Any, value: str = "125.00", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = entry(
        line(value), Supplier=SUPPLIER, TransactionValue=value, TaxValue="0", TaxCode="Z", **fields
    )
    return made


def test_a_receipt_makes_a_note_for_each_line(world, order):
    notes = back_office.receive(world, order, {1: Decimal(4), 2: Decimal(10)})
    assert [(n["PurchaseOrder"], n["PurchaseOrderLin"], n["OrigGrnValue"], n["JournalEntry"]) for n in notes] == [
        (order, 1, Decimal(50), 1),
        (order, 2, Decimal(125), 2),
    ]
    assert len({note["Grn"] for note in notes}) == 1
    assert [row["MReceivedQty"] for row in back_office.lines_of(world, order)] == [4, 10]
    (back,) = back_office.receive(world, order, {1: Decimal(-1)})
    assert (back["QtyReceived"], back["OrigGrnValue"]) == (Decimal(-1), Decimal("-12.50"))


def test_without_the_grn_system_there_is_a_history_of_receipts(world, order):
    before, world.grn_system = len(world.rows("GrnDetails")), False
    back_office.receive(world, order, {1: Decimal(4)})
    back_office.receive(world, order, {1: Decimal(-1)})
    assert [row["QtyReceived"] for row in world.rows("PorHistReceipt")] == [4, -1]
    assert len(world.rows("GrnDetails")) == before


def test_matching_is_demanded_where_the_supplier_demands_it(api, world, entry):
    assert errors(api.invoice(bill(entry))) == [f"GRN matching is required for supplier '{SUPPLIER}'"]
    world.untick_grn = True
    posted(api.invoice(bill(entry)))


def test_o_takes_what_is_outstanding_once(api, world, entry, order):
    first, _ = back_office.receive(world, order)
    posted(api.invoice(bill(entry) | match(first)))
    (row,) = world.rows("GrnMatching")
    assert (row["Invoice"], row["MatchedValue"], row["MatchedQty"]) == ("INV-1", Decimal(125), Decimal(10))
    assert grn.outstanding(world, first) == (0, 0)
    again = bill(entry, Invoice="INV-2") | match(first)
    assert errors(api.invoice(again)) == [f"GRN '{first['Grn']}' is already fully matched"]


def test_p_takes_a_quantity_and_a_value(api, world, entry, order):
    first, _ = back_office.receive(world, order)
    part = match(first, "P", GrnPartialMatchQuantity="4", GrnPartialMatchValue="50.00")
    posted(api.invoice(bill(entry, "50.00") | part))
    assert grn.outstanding(world, first) == (Decimal(75), Decimal(6))
    world.put(
        "GrnAdjustment",
        {name: first[name] for name in grn.TABLES["GrnDetails"].key} | {"Number": 1, "GrnAdjValue": Decimal(5)},
    )
    assert grn.outstanding(world, first)[0] == 80
    for more in (
        {"GrnPartialMatchQuantity": "7", "GrnPartialMatchValue": "50.00"},
        {"GrnPartialMatchQuantity": "6", "GrnPartialMatchValue": "80.01"},
        {"GrnPartialMatchQuantity": "6"},
        {"GrnPartialMatchValue": "10.00"},
    ):
        assert errors(api.invoice(bill(entry, "90.00", Invoice="INV-2") | match(first, "P", **more)))


def test_u_needs_a_value(api, world, entry, order):
    first, _ = back_office.receive(world, order)
    assert errors(api.invoice(bill(entry) | match(first, "U"))) == [
        "XML element '{GrnDetails}{GrnMatchValue}' cannot be spaces"
    ]
    posted(api.invoice(bill(entry, "120.00") | match(first, "U", GrnMatchValue="120.00")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"GrnGrn": "P00099999"},
        {"GrnFlag": "I"},
        {"GrnJournal": "9"},
        {"GrnEntry": "2x"},
        {"GrnMatchType": "F"},
        {"GrnSupplier": "V10000"},
    ],
)
def test_a_note_is_named_by_its_whole_key(api, world, entry, order, wrong):
    first, _ = back_office.receive(world, order)
    details = match(first)["GrnDetails"] | wrong
    assert errors(api.invoice(bill(entry) | {"GrnDetails": details}))
    assert not world.rows("ApInvoice") and not world.rows("GrnMatching")


def test_more_cannot_be_matched_than_the_goods_on_the_invoice(api, world, entry, order):
    first, second = back_office.receive(world, order)
    both = {"GrnDetails": [match(first)["GrnDetails"], match(second)["GrnDetails"]]}
    assert "is more than the goods" in errors(api.invoice(bill(entry, "200.00") | both))[0]
    assert "is more than the goods" in errors(api.invoice(bill(entry, "250.00", FreightCharge="1.00") | both))[0]
    twice = {"GrnDetails": [match(first)["GrnDetails"]] * 2}
    assert "is named twice" in errors(api.invoice(bill(entry, "250.00") | twice))[0]
    posted(api.invoice(bill(entry, "250.00") | both))


def test_an_installation_may_complete_an_order_with_its_last_receipt(world, order):
    back_office.receive(world, order, {1: Decimal(10)})
    world.receipts_complete_orders = True
    back_office.receive(world, order, {2: Decimal(9)})
    assert world.find("PorMasterHdr", order)["OrderStatus"] == "1"
    back_office.receive(world, order, {2: Decimal(1)})
    assert world.find("PorMasterHdr", order)["OrderStatus"] == "9"


def test_orders_end_by_completion_or_cancellation(world, order):
    with pytest.raises(Refusal):
        back_office.complete(world, "no such order")
    done = back_office.complete(world, order)
    assert (done["OrderStatus"], done["DatePoCompleted"]) == ("9", "2026-02-10")
    gone = back_office.cancel_order(world, order, "/")
    assert (gone["OrderStatus"], gone["CancelledFlag"]) == ("/", "Y")

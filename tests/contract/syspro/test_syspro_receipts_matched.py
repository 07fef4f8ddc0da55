"""Invoices of suppliers that are invoiced for receipts only: each receipt is matched with what is left of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.syspro import back_office
from ml_connector.errors import Held

SUPPLIER, ORDER = "V10003", "000000000770001"


@pytest.fixture
def ordered(bench):
    """An order of two lines: 100.00 received in two parts, and 100.00 in one."""
    lines = [
        {"MStockCode": "A1-1", "MOrderQty": Decimal(10), "MPrice": Decimal(10), "MGlCode": "400001-CC101"},
        {"MStockCode": "A1-2", "MOrderQty": Decimal(5), "MPrice": Decimal(20), "MGlCode": "400001-CC101"},
    ]
    back_office.order(bench.world, SUPPLIER, lines, number=ORDER)
    back_office.receive(bench.world, ORDER, {1: Decimal(6)})
    bench.clock.sleep(86_400)
    back_office.receive(bench.world, ORDER, {1: Decimal(4), 2: Decimal(5)})
    return bench


@pytest.fixture
def bill(invoice, row):
    def maker(net, line="1", **fields):
        order = {"order_number": ORDER, "order_line": line}
        one = row(
            net=net,
            tax="0",
            **{**order, **{k: fields.pop(k) for k in list(fields) if k in {"receipt_number", "order_number"}}},
        )
        return invoice(net, one, supplier=SUPPLIER, **fields)

    return maker


def matched(bench):
    return [(row["MatchedValue"], row["MatchedQty"]) for row in bench.world.rows("GrnMatching")]


def test_all_that_was_received_is_matched_whole(ordered, bill):
    ordered.post(bill("100.00"))
    assert matched(ordered) == [(Decimal(60), Decimal(6)), (Decimal(40), Decimal(4))]
    assert ">P<" not in ordered.sent()[0].partition("GrnDetails")[2]


def test_a_part_is_matched_by_quantity_and_value_and_the_rest_later(ordered, bill):
    ordered.post(bill("75.00"))
    assert matched(ordered) == [(Decimal(60), Decimal(6)), (Decimal(15), Decimal("1.5"))]
    ordered.post(bill("25.00", key="inv-2", number="R-4712"))
    assert matched(ordered)[2:] == [(Decimal(25), Decimal("2.5"))]


def test_what_was_adjusted_counts(ordered, bill):
    note = next(row for row in ordered.world.rows("GrnDetails") if row["PurchaseOrder"] == ORDER)
    key = {name: note[name] for name in ("Supplier", "Grn", "GrnSource", "Journal", "JournalEntry")}
    ordered.world.put("GrnAdjustment", {**key, "Number": 1, "GrnAdjValue": Decimal(-10)})
    prepared = ordered.prepare(bill("50.00"))
    assert [one["GrnMatchType"] for one in prepared.body["item"]["GrnDetails"]] == ["O"]


def test_a_part_of_what_was_adjusted_is_no_more_than_the_quantity_that_came(ordered, bill):
    note = next(
        r for r in ordered.world.rows("GrnDetails") if (r["PurchaseOrder"], r["PurchaseOrderLin"]) == (ORDER, 2)
    )
    key = {name: note[name] for name in ("Supplier", "Grn", "GrnSource", "Journal", "JournalEntry")}
    ordered.world.put("GrnAdjustment", {**key, "Number": 1, "GrnAdjValue": Decimal(25)})
    ordered.post(bill("110.00", line="2"))
    assert matched(ordered) == [(Decimal(110), Decimal("4.4"))]


def test_a_line_that_is_coded_to_two_accounts_names_its_receipt_once(ordered, invoice, row):
    order = {"order_number": ORDER, "order_line": "2", "tax": "0"}
    other = row(key="2", net="40.00", account="400002-CC102", cost_center="CC102", **order)
    ordered.post(invoice("100.00", row(net="60.00", **order), other, supplier=SUPPLIER))
    assert matched(ordered) == [(Decimal(100), Decimal(5))]


def test_a_row_is_matched_with_its_own_line_and_receipt(ordered, bill):
    ordered.post(bill("100.00", line="2"))
    (one,) = ordered.world.rows("GrnMatching")
    note = next(
        row
        for row in ordered.world.rows("GrnDetails")
        if row["Grn"] == one["Grn"] and row["Journal"] == one["Journal"] and row["JournalEntry"] == one["JournalEntry"]
    )
    assert int(note["PurchaseOrderLin"]) == 2
    second = [row["Grn"] for row in ordered.world.rows("GrnDetails") if row["PurchaseOrder"] == ORDER][1]
    prepared = ordered.prepare(bill("40.00", receipt_number=second, key="inv-2", number="R-4712"))
    assert [(g["GrnMatchType"], g["GrnGrn"]) for g in prepared.body["item"]["GrnDetails"]] == [("O", second)]


@pytest.mark.parametrize("order", ["770001", ORDER])
def test_an_order_is_found_with_and_without_its_zeros(ordered, bill, order):
    ordered.post(bill("100.00", order_number=order))
    assert len(matched(ordered)) == 2


def test_an_order_without_an_open_receipt_is_waited_for(ordered, bill):
    ordered.post(bill("100.00"))
    for one, order in (
        (bill("10.00", number="R-5"), ORDER),
        (bill("10.00", order_number="770777", number="R-5"), "770777"),
    ):
        with pytest.raises(Held, match="Enter the receipt there") as held:
            ordered.prepare(one)
        assert held.value.waiting_for == f"order:{order}"


def test_more_than_was_received_is_matched_as_far_as_it_goes(ordered, bill):
    ordered.post(bill("103.00"))
    assert matched(ordered) == [(Decimal(60), Decimal(6)), (Decimal(40), Decimal(4))]


def test_a_row_without_an_order_of_such_a_supplier_is_held(ordered, invoice, row):
    with pytest.raises(Held):
        ordered.post(invoice("10.00", row(net="10.00", tax="0"), supplier=SUPPLIER))


def test_other_suppliers_need_no_receipt(bench, invoice, row):
    bench.post(invoice("10.00", row(net="10.00", tax="0", order_number="770777")))
    assert bench.world.rows("GrnMatching") == []

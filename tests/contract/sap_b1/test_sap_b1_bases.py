"""What an invoice draws on: free lines, sums among goods, branches, and orders that share a number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sap_b1 import back_office
from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice, PurchaseOrder

ITEM = {
    "ItemCode": "I1000",
    "ItemDescription": "Bolt",
    "Quantity": Decimal(10),
    "UnitPrice": Decimal(25),
    "VatGroup": "V0",
    "AccountCode": "400002",
}
FREE = ITEM | {"ItemCode": "I1001", "Quantity": Decimal(2), "UnitPrice": Decimal(0)}
FREIGHT = {
    "ItemDescription": "Freight",
    "Quantity": Decimal(0),
    "LineTotal": Decimal("500.00"),
    "VatGroup": "V0",
    "AccountCode": "400003",
}


def entered(bench: Any, *lines: dict[str, Any], **header: Any) -> dict[str, Any]:
    body = {"CardCode": "V10000", "DocDate": "2026-01-15", "DocumentLines": list(lines or (ITEM,)), **header}
    return back_office.change(bench.world, "PurchaseOrders", body)


def on(order: dict[str, Any], line: int, net: str, **more: Any) -> CodingRow:
    fields = {"account": "400001", "tax_code": "V0", "tax": Decimal(0), **more}
    return CodingRow(
        key=f"{order['DocEntry']}.{line}",
        net=Decimal(net),
        order_number=str(order["DocNum"]),
        order_line=str(line),
        **fields,
    )


@pytest.mark.parametrize("received", [False, True])
@pytest.mark.parametrize("stated", [None, Decimal(2)])
def test_a_free_line_is_drawn_on_its_order_like_the_others(
    bench: Any, invoice: Any, received: bool, stated: Decimal | None
) -> None:
    order = entered(bench, ITEM, FREE)
    note = back_office.receive(bench.world, order["DocEntry"]) if received else None
    rows = on(order, 0, "250.00", quantity=Decimal(10)), on(order, 1, "0.00", quantity=stated)
    document = bench.post(invoice("250.00", *rows))
    assert document["DocType"] == "dDocument_Items"
    lines = document["DocumentLines"]
    assert [line["BaseType"] for line in lines] == [20 if received else 22] * 2
    assert [(line["Quantity"], line["UnitPrice"]) for line in lines] == [(10, 25), (2, 0)]
    assert (note or order)["DocumentStatus"] == "bost_Close"


def test_a_residue_of_rounding_goes_to_no_free_line(make: Any, invoice: Any) -> None:
    bench = make(rounding_account="400004")
    order = entered(bench, ITEM, FREE)
    rows = on(order, 0, "250.00", quantity=Decimal(10)), on(order, 1, "0.00")
    lines = bench.post(invoice("250.01", *rows))["DocumentLines"]
    assert [line["LineTotal"] for line in lines] == [Decimal("250.01"), 0]


def test_a_row_of_nothing_beside_goods_does_not_part_them_from_their_order(bench: Any, invoice: Any, row: Any) -> None:
    order = entered(bench)
    text = row(key="t", net="0.00", tax="0.00", tax_code="V0")
    prepared = bench.connection.target(Invoice).prepare(invoice("250.00", on(order, 0, "250.00"), text), bench.codes)
    assert len(prepared.body["DocumentLines"]) == 1
    assert any("left out" in note for note in prepared.notes)


@pytest.mark.parametrize("received", [False, True])
def test_a_sum_among_goods_is_offered_and_invoiced_by_its_amount(bench: Any, invoice: Any, received: bool) -> None:
    order = entered(bench, ITEM, FREIGHT)
    if received:
        back_office.receive(bench.world, order["DocEntry"])
    shown = next(one for one in bench.all(PurchaseOrder) if one.key == str(order["DocEntry"])) if not received else None
    if shown is not None:
        assert [(line.quantity, line.net) for line in shown.lines] == [(10, 250), (0, 500)]
    rows = on(order, 0, "250.00", quantity=Decimal(10)), on(order, 1, "500.00", quantity=Decimal(1))
    document = bench.post(invoice("750.00", *rows))
    assert document["DocType"] == "dDocument_Items"
    assert [line["LineTotal"] for line in document["DocumentLines"]] == [250, 500]
    assert order["DocumentStatus"] == "bost_Close"


def test_a_part_of_a_sum_leaves_the_rest_open(bench: Any, invoice: Any) -> None:
    order = entered(bench, FREIGHT)
    bench.post(invoice("200.00", on(order, 0, "200.00")))
    assert (order["DocumentStatus"], order["DocumentLines"][0]["OpenAmount"]) == ("bost_Open", 300)
    bench.post(invoice("300.00", on(order, 0, "300.00"), key="second", number="R-2"))
    assert order["DocumentStatus"] == "bost_Close"
    with pytest.raises(Held) as held:
        bench.post(invoice("1.00", on(order, 0, "1.00"), key="third", number="R-3"))
    assert held.value.waiting_for == f"order:{order['DocNum']}"


# ── branches ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("received", [False, True])
def test_the_branch_is_the_orders_or_receipts(make: Any, invoice: Any, received: bool) -> None:
    bench = make(branch_id=1)
    bench.world.branches = {1: "Nord", 2: "Süd"}
    bench.codes.mapped["branch", "HH"] = "1"
    order = entered(bench, BPL_IDAssignedToInvoice=2)
    if received:
        back_office.receive(bench.world, order["DocEntry"])
    document = bench.post(invoice("250.00", on(order, 0, "250.00"), organization="HH"))
    assert document["BPL_IDAssignedToInvoice"] == 2


def test_a_company_without_branches_is_asked_for_none(bench: Any, invoice: Any) -> None:
    order = entered(bench)
    order["BPL_IDAssignedToInvoice"] = -1
    prepared = bench.connection.target(Invoice).prepare(invoice("250.00", on(order, 0, "250.00")), bench.codes)
    assert "BPL_IDAssignedToInvoice" not in prepared.body


def test_two_branches_in_one_invoice_hold_and_both_orders_are_named(make: Any, invoice: Any) -> None:
    bench = make(branch_id=1)
    bench.world.branches = {1: "Nord", 2: "Süd"}
    first, second = (entered(bench, BPL_IDAssignedToInvoice=branch) for branch in (1, 2))
    rows = on(first, 0, "250.00"), on(second, 0, "250.00")
    with pytest.raises(Held, match=f"R-4711.*1 .order {first['DocNum']}.*2 .order {second['DocNum']}") as held:
        bench.connection.target(Invoice).prepare(invoice("500.00", *rows), bench.codes)
    assert held.value.waiting_for == f"order:{second['DocNum']}"


@pytest.mark.parametrize("sign", [1, -1])
def test_where_nothing_is_drawn_the_order_that_is_named_goes_before_the_secret(
    make: Any, invoice: Any, row: Any, sign: int
) -> None:
    """A credit note names the order; an invoice with a row of no order goes to accounts as a whole."""
    bench = make(branch_id=1)
    bench.world.branches = {1: "Nord", 2: "Süd"}
    order = entered(bench, BPL_IDAssignedToInvoice=2)
    plain = row(key="p", net=f"{sign * 10}.00", tax="0.00", tax_code="V0")
    document = bench.post(invoice(f"{sign * 260}.00", on(order, 0, f"{sign * 250}.00"), plain))
    assert document["BPL_IDAssignedToInvoice"] == 2
    bench.codes.mapped["branch", "HH"] = "1"
    more = on(order, 0, f"{sign * 250}.00")
    document = bench.post(invoice(f"{sign * 260}.00", more, plain, organization="HH", key="b", number="R-2"))
    assert document["BPL_IDAssignedToInvoice"] == 1


# ── orders of one number ────────────────────────────────────────────────────────────────────────────────────


def twins(bench: Any, *prices: str) -> list[dict[str, Any]]:
    """Enter orders with one DocNum in several number series."""
    made = [entered(bench, ITEM | {"UnitPrice": Decimal(price)}) for price in prices]
    for series, order in enumerate(made, 7):
        order |= {"DocNum": 4242, "Series": series}
    return made


def _prepared(bench: Any, made: Invoice) -> tuple[int, str]:
    prepared = bench.connection.target(Invoice).prepare(made, bench.codes)
    return prepared.body["DocumentLines"][0]["BaseEntry"], " ".join(prepared.notes)


@pytest.mark.parametrize(("net", "taken"), [("250.00", 0), ("400.00", 1), ("30.00", 1)])
def test_of_two_open_orders_with_one_number_the_amounts_choose_and_the_note_names_both(
    bench: Any, invoice: Any, net: str, taken: int
) -> None:
    both = twins(bench, "25", "40")
    entry, note = _prepared(bench, invoice(net, on(both[0], 0, net)))
    assert entry == both[taken]["DocEntry"]
    for series, order in enumerate(both, 7):
        assert f"document {order['DocEntry']} (series {series}" in note
    assert f"Taken: document {entry}" in note


def test_what_is_received_and_open_counts_like_an_open_order(bench: Any, invoice: Any) -> None:
    """The order itself is closed by its receipt, and the newer one has the number by chance."""
    old, new = twins(bench, "25", "40")
    back_office.receive(bench.world, old["DocEntry"])
    document = bench.post(invoice("250.00", on(old, 0, "250.00")))
    assert document["DocumentLines"][0]["BaseType"] == 20
    assert new["DocumentStatus"] == "bost_Open"


def test_a_number_of_another_supplier_or_of_what_is_done_is_no_question(bench: Any, invoice: Any) -> None:
    old, new, other = twins(bench, "25", "25", "25")
    old["DocumentStatus"] = old["DocumentLines"][0]["LineStatus"] = "bost_Close"
    other["CardCode"] = "V10001"
    entry, note = _prepared(bench, invoice("250.00", on(new, 0, "250.00")))
    assert entry == new["DocEntry"] and "stands for" not in note

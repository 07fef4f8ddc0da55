"""Purchase orders with their receipts and returns, and payments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sap_b1 import back_office
from infra.sandbox.sap_b1.seed import order_lines
from ml_connector.records import Invoice, Payment, PurchaseOrder


def test_the_first_pass_reads_open_orders_only(bench: Any) -> None:
    theirs = {str(r["DocEntry"]) for r in bench.world.rows("PurchaseOrders") if r["DocumentStatus"] == "bost_Open"}
    assert {o.key for o in bench.all(PurchaseOrder)} == theirs


def test_lines_are_what_the_company_keeps(bench: Any) -> None:
    orders = {int(o.key): o for o in bench.all(PurchaseOrder)}
    for line in order_lines(bench.world):
        if line.doc_entry not in orders:
            continue
        order = orders[line.doc_entry]
        ours = next(one for one in order.lines if one.number == str(line.line_num))
        assert (order.number, order.supplier, order.currency) == (str(line.order_number), line.card_code, line.currency)
        assert (ours.net, ours.service, ours.closed) == (line.line_total, line.service, not line.open)
        assert (ours.account, ours.cost_center, ours.tax_percent) == (line.account, line.cost_centre, line.percent)
        if not line.service:
            assert ours.quantity == line.quantity


def test_receipts_and_returns_stand_at_their_lines(bench: Any) -> None:
    order = next(o for o in bench.all(PurchaseOrder) if not o.lines[0].service and not o.lines[0].receipts)
    line = order.lines[0]
    note = back_office.receive(bench.world, int(order.key), {int(line.key): Decimal(1)})
    back = back_office.give_back(bench.world, note["DocEntry"], {note["DocumentLines"][0]["LineNum"]: Decimal(1)})
    changed = next(o for o in bench.all(PurchaseOrder, "2026-02-10") if o.key == order.key)
    receipts = next(one for one in changed.lines if one.key == line.key).receipts
    assert [r.quantity for r in receipts] == [Decimal(1), Decimal(-1)]
    assert receipts[0].number == str(note["DocNum"])
    assert receipts[1].number == str(back["DocNum"])
    assert receipts[1].reverses == receipts[0].key
    assert receipts[1].net == -(receipts[0].net or 0)


def test_an_order_that_was_cancelled_or_closed_is_told(bench: Any) -> None:
    read = {o.key: o.status for o in bench.all(PurchaseOrder, "2026-01-01")}
    for row in bench.world.rows("PurchaseOrders"):
        if str(row["DocEntry"]) in read:
            open_ = row["DocumentStatus"] == "bost_Open"
            expected = "cancelled" if row["Cancelled"] == "tYES" else "open" if open_ else "closed"
            assert read[str(row["DocEntry"])] == expected


@pytest.mark.parametrize("part", [None, "40.00"])
def test_a_payment_of_a_posted_invoice(bench: Any, invoice: Any, row: Any, part: str | None) -> None:
    document = bench.post(invoice("119.00", row(net="100.00", tax="19.00")))
    paid = back_office.pay(bench.world, document["DocEntry"], Decimal(part) if part else None)
    source = bench.connection.source(Payment)
    (offer,) = [o for page in source.list_documents(None, None) for o in page.documents]
    assert (offer.refers, offer.void, offer.currency) == (f"18:{document['DocEntry']}", False, "EUR")
    assert offer.amount == Decimal(part or "119.00")
    payment = source.fetch(offer.key).record
    assert (payment.amount, payment.paid_total, payment.cancelled) == (offer.amount, offer.amount, False)
    assert (payment.number, payment.method) == (str(paid["DocNum"]), "transfer")
    assert payment.reference == f"TRF-{document['DocEntry']}"


def test_payments_add_up_and_a_cancelled_one_counts_no_more(bench: Any, invoice: Any, row: Any) -> None:
    entry = bench.post(invoice("119.00", row(net="100.00", tax="19.00")))["DocEntry"]
    first = back_office.pay(bench.world, entry, Decimal("19.00"))
    second = back_office.pay(bench.world, entry)
    source = bench.connection.source(Payment)
    key = f"{second['DocEntry']}~18~{entry}~1"
    assert source.fetch(key).record.paid_total == Decimal("119.00")
    before = source.fetch(key).stamp
    from infra.sandbox.sap_b1.payments import cancel_payment

    cancel_payment(bench.world, second["DocEntry"])
    after = source.fetch(key)
    assert after.stamp != before
    assert (after.record.cancelled, after.record.paid_total) == (True, first["TransferSum"])
    offers = {o.key: o.void for page in source.list_documents(None, None) for o in page.documents}
    assert offers[key]


def test_a_payment_in_foreign_currency_is_told_in_it(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.upsert("BusinessPartners", {"CardCode": "V10000", "Currency": "##"})
    entry = bench.post(invoice("119.00", row(net="100.00", tax="19.00"), currency="USD"))["DocEntry"]
    back_office.pay(bench.world, entry)
    source = bench.connection.source(Payment)
    (offer,) = [o for page in source.list_documents(None, None) for o in page.documents]
    assert (offer.amount, offer.currency) == (Decimal("119.00"), "USD")
    payment = source.fetch(offer.key).record
    assert (payment.paid_total, payment.currency) == (Decimal("119.00"), "USD")


def test_a_payment_that_is_gone(bench: Any) -> None:
    assert bench.connection.source(Payment).fetch("99~18~1~1").standing == "gone"
    assert bench.connection.target(Invoice).refuses_duplicates is False


def test_an_orders_line_names_the_cost_centres_of_all_its_dimensions(bench: Any) -> None:
    order = next(o for o in bench.all(PurchaseOrder) if o.lines[0].cost_center)
    kept = bench.world.find("PurchaseOrders", int(order.key))["DocumentLines"][0]
    kept["CostingCode2"] = "PR2"
    line = next(o for o in bench.all(PurchaseOrder) if o.key == order.key).lines[0]
    assert line.cost_center == kept["CostingCode"]
    assert line.dimensions == (("1", kept["CostingCode"]), ("2", "PR2"))

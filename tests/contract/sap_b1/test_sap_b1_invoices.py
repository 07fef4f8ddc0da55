"""Approved invoices, posted to the simulated company to the cent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sap_b1 import back_office
from infra.sandbox.sap_b1.seed import OrderLine, order_lines
from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice


def ordered(bench: Any, wanted: Callable[[OrderLine], bool]) -> OrderLine:
    """The first open order line of a kind."""
    return next(line for line in order_lines(bench.world) if wanted(line) and line.currency == "EUR")


def against(line: OrderLine, quantity: str, net: str, **more: Any) -> CodingRow:
    return CodingRow(
        key="1",
        net=Decimal(net),
        quantity=Decimal(quantity),
        order_number=str(line.order_number),
        order_line=str(line.line_num),
        **more,
    )


def with_tax(net: Decimal, percent: Decimal) -> str:
    return str(net + (net * percent / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP"))


def test_a_plain_invoice_becomes_a_service_document(bench: Any, invoice: Any, row: Any) -> None:
    document = bench.post(
        invoice("226.00", row(net="100.00", tax="19.00"), row(key="2", net="100.00", tax="7.00", tax_code="V1"))
    )
    assert document["DocType"] == "dDocument_Service"
    assert (document["NumAtCard"], document["DocTotal"]) == ("R-4711", Decimal("226.00"))
    days = (document["DocDate"], document["TaxDate"], document["DocDueDate"])
    assert days == ("2026-02-01", "2026-01-30", "2026-03-01")
    first = document["DocumentLines"][0]
    assert (first["AccountCode"], first["CostingCode"], first["VatGroup"]) == ("400001", "CC101", "V2")


@pytest.mark.parametrize("net", ["12345678901.23", str(Decimal("0.1") + Decimal("0.2")), "0.01", "99999999.99"])
def test_money_arrives_to_the_cent(bench: Any, invoice: Any, row: Any, net: str) -> None:
    gross = with_tax(Decimal(net), Decimal(19))
    assert bench.post(invoice(gross, row(net=net)))["DocTotal"] == Decimal(gross)


def test_without_an_accounting_date_it_is_posted_today_where_the_company_is(bench: Any, invoice: Any, row: Any) -> None:
    bench.clock.moment = bench.clock.moment.replace(hour=23, minute=30)
    document = bench.post(invoice("119.00", row(net="100.00"), accounting_date=None))
    assert document["DocDate"] == "2026-02-11"


def test_a_cost_centre_goes_into_its_dimension(bench: Any, invoice: Any, row: Any) -> None:
    line = bench.post(invoice("119.00", row(net="100.00", cost_center="PR2")))["DocumentLines"][0]
    assert (line.get("CostingCode"), line["CostingCode2"]) == (None, "PR2")


def test_a_credit_note_is_posted_as_one_with_positive_amounts(bench: Any, invoice: Any, row: Any) -> None:
    document = bench.post(invoice("-119.00", row(net="-100.00", tax="-19.00")))
    assert document["DocTotal"] == Decimal("119.00")
    assert list(bench.world.tables["PurchaseCreditNotes"]) == [document["DocEntry"]]


def test_a_foreign_invoice_keeps_its_currency(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.upsert("BusinessPartners", {"CardCode": "V10000", "Currency": "##"})
    document = bench.post(invoice("119.00", row(net="100.00", tax="19.00"), currency="USD"))
    assert (document["DocTotalFc"], document["DocCurrency"]) == (Decimal("119.00"), "USD")


def test_tax_is_found_by_percentage_where_no_code_is_given(bench: Any, invoice: Any, row: Any) -> None:
    document = bench.post(invoice("107.00", row(net="100.00", tax_code=None, tax_percent="7.000")))
    assert document["DocumentLines"][0]["VatGroup"] == "V1"
    with pytest.raises(Held) as held:
        bench.connection.target(Invoice).prepare(
            invoice("116.00", row(net="100.00", tax_code=None, tax_percent="16")), bench.codes
        )
    assert held.value.waiting_for == "tax:16"


def test_without_any_word_of_tax_the_amounts_decide(bench: Any, invoice: Any, row: Any) -> None:
    """The supplier's own tax group would be added by itself, and make another total."""
    free = bench.post(invoice("100.00", row(net="100.00", tax_code=None)))
    assert free["DocumentLines"][0]["VatGroup"] == "V0"
    taxed = bench.post(invoice("107.00", row(net="100.00", tax_code=None), tax=Decimal("7.00"), number="b"))
    assert taxed["DocumentLines"][0]["VatGroup"] == "V1"


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_ordered_goods_not_yet_received_draw_on_the_order(bench: Any, invoice: Any) -> None:
    line = ordered(bench, lambda o: o.open and not o.service and not o.received and o.open_quantity > 1)
    net = line.unit_price * 1
    document = bench.post(invoice(with_tax(net, line.percent), against(line, "1", str(net)), supplier=line.card_code))
    first = document["DocumentLines"][0]
    assert document["DocType"] == "dDocument_Items"
    assert (first["BaseType"], first["BaseEntry"], first["BaseLine"]) == (22, line.doc_entry, line.line_num)
    assert (first["LineTotal"], first["Quantity"]) == (net, Decimal(1))


def test_received_goods_draw_on_the_receipt(bench: Any, invoice: Any) -> None:
    line = ordered(bench, lambda o: len(o.receipts) == 1 and not o.service)
    entry, number, quantity = line.receipts[0]
    net = (line.unit_price * quantity).quantize(Decimal("0.01"))
    made = invoice(with_tax(net, line.percent), against(line, str(quantity), str(net)), supplier=line.card_code)
    first = bench.post(made)["DocumentLines"][0]
    assert (first["BaseType"], first["BaseEntry"], first["BaseLine"]) == (20, entry, number)


def test_a_quantity_over_several_receipts_is_shared_out_and_the_cents_agree(bench: Any, invoice: Any) -> None:
    line = ordered(bench, lambda o: o.open and not o.service and not o.received and o.open_quantity >= 6)
    first = back_office.receive(bench.world, line.doc_entry, {line.line_num: Decimal(1)})
    second = back_office.receive(bench.world, line.doc_entry, {line.line_num: Decimal(2)})
    made = invoice(with_tax(Decimal("100.00"), line.percent), supplier=line.card_code)
    rows = (against(line, "6", "100.00", receipt_number=str(second["DocNum"])),)
    lines = bench.post(_with(made, rows))["DocumentLines"]
    assert [(one["BaseType"], one["BaseEntry"], one["Quantity"]) for one in lines] == [
        (20, second["DocEntry"], Decimal(2)),
        (20, first["DocEntry"], Decimal(1)),
        (22, line.doc_entry, Decimal(3)),
    ]
    assert sum(one["LineTotal"] for one in lines) == Decimal("100.00")


def _with(made: Invoice, rows: tuple[CodingRow, ...]) -> Invoice:
    import msgspec

    return msgspec.structs.replace(made, rows=rows)


def test_a_service_order_is_drawn_on_by_amount(bench: Any, invoice: Any) -> None:
    line = ordered(bench, lambda o: o.open and o.service)
    gross = with_tax(line.line_total, line.percent)
    row = against(line, "1", str(line.line_total))
    document = bench.post(invoice(gross, row, supplier=line.card_code))
    first = document["DocumentLines"][0]
    assert (document["DocType"], first["BaseType"], first["BaseEntry"]) == ("dDocument_Service", 22, line.doc_entry)
    assert first["AccountCode"] == line.account


def test_goods_and_plain_rows_in_one_invoice_go_to_accounts_with_a_note(bench: Any, invoice: Any, row: Any) -> None:
    line = ordered(bench, lambda o: o.open and not o.service and not o.received and o.percent == 19)
    made = invoice(
        "238.00", against(line, "1", "100.00", tax_code="V2"), row(key="2", net="100.00"), supplier=line.card_code
    )
    prepared = bench.connection.target(Invoice).prepare(made, bench.codes)
    assert "close the order" in prepared.notes[0].lower()
    document = bench.post(made)
    assert document["DocType"] == "dDocument_Service"
    assert document["DocumentLines"][0]["ItemDescription"].startswith(f"PO {line.order_number}/{line.line_num}")
    assert document["DocumentLines"][0]["AccountCode"] == line.account


def test_an_order_that_is_not_there_holds(bench: Any, invoice: Any, row: Any) -> None:
    target = bench.connection.target(Invoice)
    other = ordered(bench, lambda o: o.card_code != "V10000")
    for number in ("999999", "PO-1", str(other.order_number)):
        with pytest.raises(Held) as held:
            target.prepare(invoice("1.19", row(net="1.00", order_number=number, order_line="0")), bench.codes)
        assert held.value.waiting_for == f"order:{number}"


def test_more_than_is_open_holds(bench: Any, invoice: Any) -> None:
    line = ordered(bench, lambda o: o.open and not o.service and not o.received)
    gross = with_tax(Decimal("1000.00"), line.percent)
    made = invoice(gross, against(line, "100000", "1000.00"), supplier=line.card_code)
    with pytest.raises(Held, match="100000 invoiced") as held:
        bench.connection.target(Invoice).prepare(made, bench.codes)
    assert held.value.waiting_for == f"order:{line.order_number}"


# ── totals ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_residue_goes_to_the_rounding_account(make: Any, invoice: Any, row: Any) -> None:
    bench = make(rounding_account="400050")
    document = bench.post(invoice("119.02", row(net="100.00", tax="19.00")))
    assert [(one["AccountCode"], one["LineTotal"]) for one in document["DocumentLines"]] == [
        ("400001", Decimal("100.00")),
        ("400050", Decimal("0.02")),
    ]


def test_a_residue_without_a_rounding_account_or_over_the_tolerance_holds(make: Any, invoice: Any, row: Any) -> None:
    for settings, gross in (({}, "119.02"), ({"rounding_account": "400050"}, "119.06")):
        bench = make(**settings)
        with pytest.raises(Held) as held:
            bench.connection.target(Invoice).prepare(invoice(gross, row(net="100.00", tax="19.00")), bench.codes)
        assert held.value.waiting_for == "conflict:inv-1"


# ── look ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_entered_by_hand_is_found_and_a_cancelled_one_is_not(bench: Any, invoice: Any, row: Any) -> None:
    from infra.sandbox.sap_b1 import changes

    document = bench.post(invoice("119.00", row(net="100.00", tax="19.00")))
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00")), bench.codes)
    (found,) = target.look(prepared)
    assert (found.amount, found.currency, found.state, found.ours) == (Decimal("119.00"), "EUR", "posted", False)
    assert (found.dated, found.posted_on) == (date(2026, 1, 30), date(2026, 2, 1))
    assert prepared.dated == found.dated
    changes.act(bench.world, "PurchaseInvoices", document["DocEntry"], "Cancel")
    assert target.look(prepared) == []


def test_our_own_key_is_found_first(make: Any, invoice: Any, row: Any) -> None:
    bench = make(external_id_field="U_ExtId")
    bench.world.user_fields["PurchaseInvoices"] = ["U_ExtId"]
    bench.post(invoice("119.00", row(net="100.00")))
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00")), bench.codes)
    assert prepared.body["U_ExtId"] == bench.context.outward("invoice", "inv-1")
    assert [found.ours for found in target.look(prepared)] == [True]


def test_quotes_in_a_number_stay_one_number(bench: Any, invoice: Any, row: Any) -> None:
    number = "O'Neill & Co/7 + 100% 'x'"
    assert bench.post(invoice("119.00", row(net="100.00"), number=number))["NumAtCard"] == number


@pytest.mark.parametrize("reply", ["empty", "-2028"])
def test_an_invoice_that_awaits_approval_is_held_and_found_as_a_draft(
    bench: Any, invoice: Any, row: Any, reply: str
) -> None:
    bench.world.approval_for, bench.world.approval_reply = {"V10000"}, reply
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00")), bench.codes)
    with pytest.raises(Held) as held:
        target.send(prepared)
    assert held.value.waiting_for == "approval:inv-1"
    (draft,) = target.look(prepared)
    assert draft.state == "draft"
    back_office.change(bench.world, "PurchaseInvoices", by_hand(prepared))
    assert [found.state for found in target.look(prepared)] == ["posted", "draft"], "another one does not hide it"
    back_office.approve(bench.world, int(draft.id.partition(":")[2]))
    assert [found.state for found in target.look(prepared)] == ["posted", "posted"]


def by_hand(prepared: Any) -> dict[str, Any]:
    return {**prepared.body, "TaxDate": "2025-11-30"}


def test_a_draft_that_its_approver_refused_is_told_from_one_that_waits(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.approval_for = {"V10000"}
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00")), bench.codes)
    with pytest.raises(Held):
        target.send(prepared)
    (draft,) = target.look(prepared)
    assert (draft.partner, draft.reference, draft.amount) == ("V10000", prepared.reference, prepared.amount)
    back_office.reject(bench.world, int(draft.id.partition(":")[2]))
    assert [found.state for found in target.look(prepared)] == ["rejected"]


def test_a_draft_in_another_spelling_of_the_number_is_found(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.approval_for = {"V10000"}
    target = bench.connection.target(Invoice)
    with pytest.raises(Held):
        target.send(target.prepare(invoice("119.00", row(net="100.00"), number="R\u20137 A"), bench.codes))
    again = target.prepare(invoice("119.00", row(net="100.00"), key="inv-2", number="r-7 a"), bench.codes)
    assert [found.state for found in target.look(again)] == ["draft"]


def test_our_key_is_found_under_the_field_that_it_was_sent_in(make: Any, invoice: Any, row: Any) -> None:
    """The setting may be changed, or taken out, while a posting is in doubt."""
    bench = make(external_id_field="U_ExtId")
    for entity in ("PurchaseInvoices", "PurchaseCreditNotes"):
        bench.world.user_fields[entity] = ["U_ExtId", "U_Other"]
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00")), bench.codes)
    found = target.send(prepared)
    for fields in ({}, {"external_id_field": "U_Other"}):
        other = make(**fields)
        other.world.__dict__.update(bench.world.__dict__)
        (there,) = other.connection.target(Invoice).look(prepared)
        assert (there.id, there.ours) == (found.id, True)

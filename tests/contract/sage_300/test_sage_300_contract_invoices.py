"""Invoices arrive as batches that balance, once, and in the state that the tenant asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from infra.sandbox.sage_300 import back_office, order_lines
from ml_connector.errors import Held, OutcomeUnknown, Rejected, Throttled, Transient

BATCHES = "APInvoiceBatches"


def owed(batch):
    (one,) = batch["Invoices"]
    return one["DocumentTotalIncludingTax"] - one["DocumentTotalBeforeTaxes"] - one["TotalTaxAmount"]


def test_an_invoice_becomes_a_batch_that_is_ready_to_post_and_balances(bench, invoice, row):
    batch = bench.post(invoice("119.00", row(net="100.00", tax="19.00")))
    (one,) = batch["Invoices"]
    assert batch["BatchStatus"] == "ReadyToPost"
    assert owed(batch) == 0
    assert (one["VendorNumber"], one["DocumentNumber"], one["DocumentType"]) == ("1200", "R-4711", "Invoice")
    assert (one["DocumentDate"], one["PostingDate"], one["DueDate"]) == ("2026-01-30", "2026-02-01", "2026-03-01")
    assert [d["GLAccount"] for d in one["InvoiceDetails"]] == ["400001CC101"]


def test_a_tax_of_its_own_stands_over_the_vendors_rate(bench, invoice, row):
    batch = bench.post(invoice("107.00", row(net="100.00", tax="7.00")))
    assert batch["Invoices"][0]["TotalTaxAmount"] == 7
    assert owed(batch) == 0


def test_an_invoice_without_tax_balances_with_a_vendor_that_is_taxed(bench, invoice, row):
    assert owed(bench.post(invoice("100.00", row(net="100.00", tax="0.00")))) == 0


def test_tax_groups_and_classes_are_named_by_mapping(bench, invoice, row):
    bench.codes.mapped |= {("tax", "A"): "VAT/1", ("tax", "B"): "VAT/2"}
    rows = (row(key="1", net="100", tax="19", tax_code="A"), row(key="2", net="100", tax="7", tax_code="B"))
    batch = bench.post(invoice("226.00", *rows))
    assert batch["Invoices"][0]["TaxGroup"] == "VAT"
    assert [d["TaxClass1"] for d in batch["Invoices"][0]["InvoiceDetails"]] == [1, 2]
    assert owed(batch) == 0


def test_a_credit_note_is_one(bench, invoice, row):
    batch = bench.post(invoice("-119.00", row(net="-100.00", tax="-19.00")))
    assert batch["Invoices"][0]["DocumentType"] == "CreditNote"
    assert batch["Invoices"][0]["DocumentTotalIncludingTax"] == 119


def test_rounding_is_taken_up_so_that_the_batch_balances(bench, invoice, row):
    rows = [row(key=str(n), net="33.33", tax="6.33") for n in range(3)]
    assert owed(bench.post(invoice("119.00", *rows))) == 0


def test_a_row_on_an_order_goes_to_the_account_that_it_was_bought_on(bench, invoice, row):
    line = next(o for o in order_lines(bench.world) if o.open and o.currency == "EUR" and o.received)
    one = row(net="100.00", tax="0", order_number=line.order_number, order_line=str(line.line_number))
    batch = bench.post(invoice("100.00", one, supplier=line.vendor))
    assert batch["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] == line.account
    assert batch["Invoices"][0]["PONumber"] == line.order_number


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        ({"supplier": "NOBODY"}, "supplier:NOBODY"),
        ({"currency": "USD"}, "currency:USD"),
        ({"due_date": None, "payment_term": "N99"}, "term:N99"),
        ({"tax_code": "X9"}, "tax:X9"),
        ({"accounting_date": date(2031, 1, 1)}, "period:2031-01"),
    ],
)
def test_what_the_company_does_not_know_is_waited_for(bench, invoice, row, change, waits):
    with pytest.raises(Held) as held:
        bench.post(invoice("100.00", row(net="100.00", tax="0"), **change))
    assert held.value.waiting_for == waits
    assert bench.world.rows(BATCHES) == []


@pytest.mark.parametrize(
    ("coded", "waits"),
    [
        ({"account": "999999"}, "account:999999"),
        ({"account": "400118", "cost_center": "CC100"}, "account:400118"),
        ({"account": "400119", "cost_center": "CC119"}, "account:400119"),
        ({"account": "4000", "cost_center": None}, "account:4000"),
    ],
    ids=["unknown", "inactive", "not for this department", "prohibited"],
)
def test_an_account_that_cannot_be_posted_to_is_waited_for(bench, invoice, row, coded, waits):
    with pytest.raises(Held) as held:
        bench.post(invoice("100.00", row(net="100.00", tax="0", **coded)))
    assert held.value.waiting_for == waits


def test_an_inactive_vendor_is_waited_for(bench, invoice, row):
    bench.world.find("APVendors", "1200")["Status"] = "Inactive"
    with pytest.raises(Held) as held:
        bench.post(invoice("100.00", row(net="100.00", tax="0")))
    assert held.value.waiting_for == "supplier:1200"


def test_a_locked_period_is_held_or_moved(make, invoice, row):
    one = invoice("100.00", row(net="100.00", tax="0"))
    strict, lenient = make(), make(options={"closed_period": "next_open"})
    for bench in (strict, lenient):
        bench.world.closed_periods |= {"2026-02"}
    with pytest.raises(Held) as held:
        strict.post(one)
    assert held.value.waiting_for == "period:2026-02"
    found = lenient.target.send(lenient.target.prepare(one, lenient.codes))
    back = lenient.target.read_back(found)
    assert lenient.batch(back)["Invoices"][0]["PostingDate"] == "2026-03-01"
    assert (found.posted_on, back.posted_on, back.dated) == (date(2026, 3, 1), date(2026, 3, 1), date(2026, 1, 30))


def test_a_number_that_the_vendor_has_already_is_a_conflict(bench, invoice, row):
    bench.post(invoice("100.00", row(net="100.00", tax="0")))
    again = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0"), key="inv-2"), bench.codes)
    (found,) = bench.target.look(again)
    assert not found.ours
    with pytest.raises(Held) as held:
        bench.target.send(again)
    assert held.value.waiting_for == "conflict:inv-2"


def test_a_batch_deleted_in_the_desktop_no_longer_counts(bench, invoice, row):
    batch = bench.post(invoice("100.00", row(net="100.00", tax="0")))
    back_office.delete_batch(bench.world, batch["BatchNumber"])
    assert bench.target.look(bench.target.trace(invoice("100.00"), bench.codes)) == []


def test_a_batch_posted_in_the_desktop_is_found_posted_and_counted_once(bench, invoice, row):
    one = invoice("100.00", row(net="100.00", tax="0"))
    batch = bench.post(one)
    back_office.post(bench.world, batch["BatchNumber"])
    (found,) = bench.target.look(bench.target.trace(one, bench.codes))
    assert (found.id, found.ours) == (f"{batch['BatchNumber']}:1", True)
    (posted,) = bench.target.look(
        replace(
            bench.target.trace(one, bench.codes),
            lookup={**bench.target.trace(one, bench.codes).lookup, "own": "ml-connector another"},
        )
    )
    assert (posted.dated, posted.posted_on) == (date(2026, 1, 30), date(2026, 2, 1))
    assert bench.target.read_back(found).amount == Decimal("100.00")


def test_a_document_typed_by_hand_is_found_and_left_as_it_is(bench, invoice, row):
    other = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    by_hand = {**other.body, "Description": "typed by hand"}
    bench.connection.api.create("AP/APInvoiceBatches", by_hand)
    (found,) = bench.target.look(other)
    assert not found.ours
    assert (found.dated, found.posted_on) == (date(2026, 1, 30), date(2026, 2, 1))
    assert other.dated == found.dated
    bench.target.read_back(found)
    assert bench.batch(found)["BatchStatus"] == "Open"


# ── doubts ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["drop", "truncated", "500", "504", "200-html", "session", "drop-before"])
def test_a_creation_in_doubt_is_never_done_twice(bench, invoice, row, kind):
    prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    bench.world.faults.add(kind, BATCHES, "POST")
    with pytest.raises(OutcomeUnknown):
        bench.target.send(prepared)
    assert bench.calls("POST", BATCHES) == 1
    there = bench.target.look(prepared)
    found = there[0] if there else bench.target.send(prepared)
    bench.target.read_back(found)
    assert [b["BatchStatus"] for b in bench.world.rows(BATCHES)] == ["ReadyToPost"]


def test_a_creation_that_comes_late_is_found_after_the_settle_time(bench, invoice, row):
    prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    bench.world.faults.add("late", BATCHES, "POST", seconds=300)
    with pytest.raises(OutcomeUnknown):
        bench.target.send(prepared)
    assert bench.target.look(prepared) == []
    bench.clock.moment += timedelta(seconds=900)
    (found,) = bench.target.look(prepared)
    assert found.ours


def test_too_many_requests_had_no_effect(bench, invoice, row):
    prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    bench.world.faults.add("429", BATCHES, "POST")
    with pytest.raises(Throttled):
        bench.target.send(prepared)
    assert bench.target.send(prepared).ours


@pytest.mark.parametrize("kind", ["500", "drop", "drop-before", "429", "502"])
def test_setting_ready_to_post_survives_a_fault(bench, invoice, row, kind):
    prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    found = bench.target.send(prepared)
    bench.world.faults.add(kind, BATCHES, "PATCH")
    bench.target.read_back(found)
    assert bench.batch(found)["BatchStatus"] == "ReadyToPost"


def test_a_locked_batch_waits_until_it_is_free(bench, invoice, row):
    found = bench.target.send(bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes))
    number = int(found.number)
    bench.world.locked_batches.add(number)
    with pytest.raises(Transient):
        bench.target.read_back(found)
    bench.world.locked_batches.clear()
    bench.target.read_back(found)
    assert bench.batch(found)["BatchStatus"] == "ReadyToPost"


def test_a_server_before_2021_leaves_the_batch_open(bench, invoice, row):
    bench.world.ready_to_post = False
    found = bench.target.send(bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes))
    assert bench.target.read_back(found).amount == Decimal("100.00")
    assert bench.batch(found)["BatchStatus"] == "Open"


# ── posting ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_with_post_batches_the_batch_is_posted(make, invoice, row):
    bench = make(post_batches=True)
    batch = bench.post(invoice("119.00", row(net="100.00", tax="19.00")))
    assert batch["BatchStatus"] == "Posted"
    assert bench.world.get("APPostedDocuments", ("1200", "R-4711")) is not None


@pytest.mark.parametrize("kind", ["drop", "500", "504", "429"])
def test_a_posting_in_doubt_is_looked_at_and_not_repeated_blindly(make, invoice, row, kind):
    bench = make(post_batches=True)
    found = bench.target.send(bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes))
    bench.world.faults.add(kind, "APPostInvoices", "POST")
    with pytest.raises(Transient):
        bench.target.read_back(found)
    assert bench.target.read_back(found).amount == Decimal("100.00")
    assert bench.batch(found)["BatchStatus"] == "Posted"
    assert len(bench.world.tables["APPostedDocuments"]) == 1


def test_a_posting_that_fails_is_held_and_followed_into_the_error_batch(make, invoice, row):
    bench = make(post_batches=True)
    bench.world.locked_period = "posting"
    bench.world.closed_periods |= {"2026-02"}
    found = bench.target.send(bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes))
    for _ in range(2):
        with pytest.raises(Held) as held:
            bench.target.read_back(found)
        assert held.value.waiting_for == "period:2026-02"
    bench.world.closed_periods.clear()
    fresh = max(b["BatchNumber"] for b in bench.world.rows(BATCHES))
    assert f"in batch {fresh}" in str(held.value)
    back_office.post(bench.world, fresh)
    back = bench.target.read_back(found)
    assert (back.number, back.amount) == (str(fresh), Decimal("100.00"))


def test_a_refusal_for_no_known_reason_is_the_records_own(bench, invoice, row):
    with pytest.raises(Rejected):
        bench.post(invoice("100.123", row(net="100.123", tax="0")))

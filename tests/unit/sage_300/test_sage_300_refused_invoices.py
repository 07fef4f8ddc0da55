"""What Sage refuses of an invoice, and how its words are understood."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured, NotUnderstood, OutcomeUnknown, Throttled, Transient
from tests.unit.sage_300.test_sage_300_invoices import BATCHES, TAKEN, entry, order


@pytest.mark.parametrize(
    ("code", "text", "waits"),
    [
        ("RecordInvalid", "Account 6260 does not exist.", "account:6100"),
        ("General", "G/L account '6260' is inactive.", "account:6100"),
        ("RecordInvalid", "Vendor '1200' does not exist.", "supplier:1200"),
        ("RecordInvalid", "Tax group 'GST' for vendor '1200' is invalid.", "tax:V1"),
        ("General", "Terms code N30 does not exist.", "term:30D"),
        ("RecordInvalid", "The fiscal period is closed.", "period:2026-02"),
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500])
def test_refusals_name_the_platforms_code_whatever_the_status(bench, invoice, row, fault, status, code, text, waits):
    bench.codes.mapped |= {("account", "6100"): "6260", ("tax", "V1"): "GST", ("term", "30D"): "N30"}
    one = invoice("86.60", row(account="6100", net="80", tax="6.60", tax_code="V1"), due_date=None, payment_term="30D")
    bench.server.answers[f"POST {BATCHES}"] = lambda _: fault(status, code, text)
    with pytest.raises(Held) as held:
        bench.target.send(bench.target.prepare(one, bench.codes))
    assert held.value.waiting_for == waits


@pytest.mark.parametrize(
    ("status", "code", "text", "error"),
    [
        (400, "RecordInvalid", "Something else is wrong.", NotUnderstood),
        (400, "InvalidPayload", "The payload is not valid.", NotUnderstood),
        (403, "Forbidden", "No rights.", Misconfigured),
        (400, "General", "Batch is locked by another user.", Transient),
        (429, "TooManyRequests", "flooded", Throttled),
        (500, "InternalServerError", "oops", OutcomeUnknown),
        (500, "SessionError", "no session", OutcomeUnknown),
    ],
)
def test_every_other_refusal_is_one_of_the_engines_classes(bench, invoice, fault, status, code, text, error):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: fault(status, code, text)
    prepared = bench.target.prepare(invoice(), bench.codes)
    with pytest.raises(error):
        bench.target.send(prepared)
    assert len(bench.server.sent("POST", BATCHES)) == 1


@pytest.mark.parametrize("torn", [httpx.Response(201, text='{"BatchNum'), httpx.Response(200, text="<html>")])
def test_an_answer_that_is_not_whole_leaves_the_posting_in_doubt(bench, invoice, torn):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: torn
    with pytest.raises(OutcomeUnknown):
        bench.target.send(bench.target.prepare(invoice(), bench.codes))


def test_a_duplicate_is_a_conflict_that_names_the_batch(bench, invoice, fault):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: fault(409, "RecordDuplicate", "Document number exists.")
    bench.server.rows(
        BATCHES,
        {
            "BatchNumber": 77,
            "BatchStatus": "Open",
            "Description": "by hand",
            "Invoices": [
                {
                    "EntryNumber": 3,
                    "VendorNumber": "1200",
                    "DocumentNumber": "r-4711",
                    "DocumentType": "Invoice",
                    "DocumentTotalIncludingTax": 86.6,
                }
            ],
        },
    )
    with pytest.raises(Held, match="it has batch 77") as held:
        bench.target.send(bench.target.prepare(invoice(), bench.codes))
    assert held.value.waiting_for == "conflict:inv-1"


def test_a_field_that_the_release_does_not_know_is_left_out(bench, invoice, row, fault):
    bench.server.rows("PO/POPurchaseOrders", order())
    no = fault(400, "InvalidPayload", "The property 'PONumber' does not exist.")
    bench.server.script(f"POST {BATCHES}", no, httpx.Response(201, json=TAKEN))
    named = invoice("80", row(net="80", tax="0", order_number="PO1", order_line="1000"))
    assert bench.target.send(bench.target.prepare(named, bench.codes)).number == "109"
    first, second = bench.server.sent("POST", BATCHES)
    assert set(first["Invoices"][0]) - set(second["Invoices"][0]) == {"PONumber"}


def test_the_trace_needs_nothing_that_posting_may_have_used_up(bench, invoice, row):
    one = invoice("80", row(net="80", tax="0", order_number="GONE"))
    trace = bench.target.trace(one, bench.codes)
    assert trace.lookup["number"] == "R-4711"
    assert bench.server.requests == []


def test_a_vendor_and_an_account_mapped_in_other_letters_are_sent_as_sage_spells_them(bench, invoice, row):
    def only(resource, field, code, **more):
        def answer(request):
            there = f"{field} eq '{code}'" in request.url.params.get("$filter", "")
            return httpx.Response(200, json={"value": [{field: code, **more}] if there else []})

        bench.server.answers[resource] = answer

    only("AP/APVendors", "VendorNumber", "V1", CurrencyCode="CAD")
    only("GL/GLAccounts", "UnformattedAccount", "6260AB")
    bench.codes.mapped |= {("supplier", "S-9"): "v1", ("account", "6260"): "6260-ab"}
    prepared = bench.target.prepare(invoice("80.00", row(net="80.00", tax="0"), supplier="S-9"), bench.codes)
    assert entry(prepared)["VendorNumber"] == prepared.partner == prepared.lookup["vendor"] == "V1"
    assert entry(prepared)["InvoiceDetails"][0]["GLAccount"] == "6260AB"
    traced = bench.target.trace(invoice("80.00", supplier="S-9"), bench.codes)
    assert traced.natural == prepared.natural


def test_an_account_that_is_split_is_joined_whatever_its_letters(make, invoice, row):
    bench = make(cost_center_segment="2")
    account = {"UnformattedAccount": "62ABEU", "AccountSegmentCode1": "62AB", "AccountSegmentCode2": "EU"}
    bench.server.rows("GL/GLAccounts", account)
    bench.codes.mapped |= {("account", "6260"): "62ab", ("cost_center", "C1"): "eu"}
    coded = row(net="80.00", tax="0", cost_center="C1")
    (detail,) = entry(bench.target.prepare(invoice("80.00", coded), bench.codes))["InvoiceDetails"]
    assert detail["GLAccount"] == "62ABEU"


def test_a_credit_note_without_tax_states_no_negative_zero(bench, invoice, row):
    bench.server.answers["POST AP/APInvoiceBatches"] = lambda _: httpx.Response(201, json={"BatchNumber": 109})
    rows = (row(net="-80.00", tax="0"), row(key="2", net="0.00", tax="0"))
    bench.target.send(bench.target.prepare(invoice("-80.00", *rows, tax=Decimal("0.00")), bench.codes))
    (sent,) = [one.content for one in bench.server.requests if one.method == "POST"]
    assert b'"TaxAmount1":0.00' in sent and b":-0" not in sent

"""What is promised to a customer and stands in no other test by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime

import httpx
import pytest

from ml_connector.errors import Held, OutcomeUnknown, Throttled
from ml_connector.flow import Found
from ml_connector.integrations.sage_300_basware import SAGE_300_BASWARE

BATCHES = "AP/APInvoiceBatches"


def test_master_data_goes_out_and_invoices_come_back_after_it():
    ways = {flow.name: (flow.source, flow.target) for flow in SAGE_300_BASWARE.flows}
    out, back = ("sage_300", "basware"), ("basware", "sage_300")
    assert ways == {"vendors": out, "accounts": out, "cost_centers": out, "purchase_orders": out, "invoices": back}
    assert SAGE_300_BASWARE.flow("invoices").after == ("vendors", "accounts", "cost_centers")
    assert SAGE_300_BASWARE.flow("invoices").manner == "document"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", date(2026, 2, 10)), ("America/Vancouver", date(2026, 2, 9)), ("Pacific/Auckland", date(2026, 2, 10))],
)
def test_without_a_voucher_date_the_day_is_that_of_the_companys_zone(make, invoice, zone, expected):
    bench = make(timezone=zone)
    bench.clock.moment = datetime(2026, 2, 10, 3, 0, tzinfo=UTC)
    prepared = bench.target.prepare(invoice(accounting_date=None), bench.codes)
    assert (prepared.posted_on, prepared.body["BatchDate"]) == (expected, expected.isoformat())


def test_a_batch_is_described_by_our_key_within_what_sage_keeps(bench, invoice):
    bodies = [bench.target.prepare(invoice(key=key), bench.codes).body for key in ("i" * 90, "i" * 89, "i" * 90)]
    first, other, again = (body["Description"] for body in bodies)
    assert first == again != other
    assert all(len(one) <= 60 for one in (first, other))


def test_a_batch_is_never_posted_unless_the_tenant_says_so(bench):
    shown = {"BatchNumber": 109, "BatchStatus": "Open", "Description": "ml-connector x", "Invoices": [{}]}
    bench.server.answers[f"GET {BATCHES}(109)"] = lambda _: httpx.Response(200, json=shown)
    bench.server.answers[f"PATCH {BATCHES}(109)"] = lambda _: httpx.Response(204)
    bench.target.read_back(Found("109:1", "109"))
    assert [r.method for r in bench.server.requests] == ["GET", "PATCH", "GET"]


@pytest.mark.parametrize("status", [200, 204])
def test_posting_needs_neither_posting_errors_nor_posted_documents(make, fault, status):
    bench = make(post_batches=True)
    entry = {"EntryNumber": 1, "VendorNumber": "1200", "DocumentNumber": "R-4711", "DocumentTotalIncludingTax": 86.6}
    shown = {"BatchNumber": 109, "BatchStatus": "Open", "Description": "ml-connector x", "Invoices": [entry]}
    shown["NumberOfErrors"] = 0

    def becomes(word):
        def answer(_):
            shown["BatchStatus"] = word
            return httpx.Response(status)

        return answer

    bench.server.answers |= {
        f"PATCH {BATCHES}(109)": becomes("ReadyToPost"),
        "AP/APPostInvoices('$process')": becomes("Posted"),
        f"GET {BATCHES}(109)": lambda _: httpx.Response(200, json=shown),
        "AP/APPostedDocuments": lambda _: fault(404, "ResourceNotFound", "no such resource"),
        "AP/APPostingErrorMessages": lambda _: fault(404, "ResourceNotFound", "no such resource"),
    }
    assert bench.target.read_back(Found("109:1", "109")).number == "109"
    assert shown["BatchStatus"] == "Posted"
    del shown["NumberOfErrors"]
    with pytest.raises(Held, match="neither posted documents nor posting errors"):
        bench.target.read_back(Found("109:1", "109"))


def test_every_request_of_an_invoice_has_a_content_type_and_credentials_retries_too(bench, invoice, fault):
    entry = {"EntryNumber": 1, "DocumentTotalIncludingTax": 86.6}
    shown = {"BatchNumber": 109, "BatchStatus": "Open", "Description": "ml-connector x", "Invoices": [entry]}
    busy, cut = fault(429, "TooManyRequests", "flooded"), httpx.Response(502)
    bench.server.script(f"GET {BATCHES}(109)", busy, cut, httpx.Response(200, json=shown))
    bench.server.script(f"PATCH {BATCHES}(109)", httpx.Response(401), busy, httpx.Response(204))
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(201, json=shown)
    bench.target.read_back(bench.target.send(bench.target.prepare(invoice(), bench.codes)))
    seen = bench.server.requests + bench.server.proofs
    assert {r.method for r in seen} == {"GET", "POST", "PATCH"}
    assert {r.headers["content-type"] for r in seen} == {"application/json"}
    assert len({r.headers["authorization"] for r in seen}) == 1


@pytest.mark.parametrize("status", [200, 400, 429, 500, 503])
def test_a_creation_that_met_too_many_requests_was_not_done_whatever_the_status(bench, invoice, fault, status):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: fault(status, "TooManyRequests", "flooded")
    prepared = bench.target.prepare(invoice(), bench.codes)
    with pytest.raises(Throttled):
        bench.target.send(prepared)
    assert len(bench.server.sent("POST", BATCHES)) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_any_other_failure_of_a_creation_is_a_doubt_and_not_sent_again(bench, invoice, status):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(status, headers={"retry-after": "1"})
    prepared = bench.target.prepare(invoice(), bench.codes)
    with pytest.raises(OutcomeUnknown):
        bench.target.send(prepared)
    assert len(bench.server.sent("POST", BATCHES)) == 1

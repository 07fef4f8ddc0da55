"""What a server may write otherwise than another: numbers as text, text as numbers, answers with less in them."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from ml_connector.errors import NotUnderstood, Throttled, Transient
from ml_connector.flow import Found
from ml_connector.records import Account, Supplier

BATCHES = "AP/APInvoiceBatches"
READY = "Batch 109 is ready to post, and not posted: that is left to people in Sage 300."


def answering(number, **more):
    """A server that has entered one batch, and shows it."""
    entry = {"EntryNumber": 1, "VendorNumber": "1200", "DocumentNumber": "R-4711", "DocumentTotalIncludingTax": 86.6}
    return {"BatchNumber": number, "BatchStatus": "Open", "Description": "by hand", "Invoices": [entry], **more}


@pytest.mark.parametrize("number", [109, "109", 109.0, "109.000", "000109"])
def test_a_batch_number_is_read_in_every_spelling(bench, invoice, number):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(201, json=answering(number))
    bench.server.answers[f"{BATCHES}(109)"] = lambda _: httpx.Response(200, json=answering(number))
    found = bench.target.send(bench.target.prepare(invoice(), bench.codes))
    assert (found.id, found.number) == ("109:1", "109")
    assert bench.target.read_back(found).amount == Decimal("86.6")


@pytest.mark.parametrize(
    "taken", [{"BatchNumber": 109}, {"BatchNumber": 109, "Invoices": []}, {"BatchNumber": 109, "Invoices": None}]
)
def test_an_answer_that_names_only_the_batch_is_enough(bench, invoice, taken):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(201, json=taken)
    assert bench.target.send(bench.target.prepare(invoice(), bench.codes)).id == "109:1"


NOTHING = [
    httpx.Response(204),
    httpx.Response(201),
    httpx.Response(200, text=" "),
    httpx.Response(201, json={}),
    httpx.Response(201, json={"BatchNumber": 0}),
]


@pytest.mark.parametrize("empty", NOTHING)
def test_a_creation_that_answers_nothing_is_looked_up(bench, invoice, empty):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: empty
    prepared = bench.target.prepare(invoice(), bench.codes)
    bench.server.rows(BATCHES, answering(109, Description=prepared.lookup["own"]))
    found = bench.target.send(prepared)
    assert (found.id, found.ours) == ("109:1", True)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_setting_ready_may_answer_with_or_without_a_body(bench, status):
    shown = answering(109, Description="ml-connector x")

    def ready(_):
        shown["BatchStatus"] = "ReadyToPost"
        return httpx.Response(status, json=shown if status == 200 else None)

    bench.server.answers[f"PATCH {BATCHES}(109)"] = ready
    bench.server.answers[f"GET {BATCHES}(109)"] = lambda _: httpx.Response(200, json=shown)
    assert bench.target.read_back(Found("109:1", "109")).notes == (READY,)


def test_a_batch_that_stays_open_says_what_the_server_said(bench, fault):
    bench.server.answers[f"GET {BATCHES}(109)"] = lambda _: httpx.Response(
        200, json=answering(109, Description="ml-connector x")
    )
    bench.server.answers[f"PATCH {BATCHES}(109)"] = lambda _: fault(405, "MethodNotAllowed", "PATCH is unknown")
    (note,) = bench.target.read_back(Found("109:1", "109")).notes
    assert "PATCH is unknown" in note


@pytest.mark.parametrize(
    "said", ["", "404 page not found", "<html>404</html>", '{"error": {"code": 404, "message": "x"}}']
)
def test_a_record_is_gone_where_the_web_api_says_so_and_on_nobody_elses_word(bench, fault, said):
    bench.server.answers[f"GET {BATCHES}(109)"] = lambda _: fault(404, "RecordNotFound", "A Record cannot be found")
    assert bench.connection.api.get(BATCHES, "(109)") is None
    bench.server.answers[f"GET {BATCHES}(109)"] = lambda _: httpx.Response(404, text=said)
    with pytest.raises(Transient, match="Something else than the Web API"):
        bench.connection.api.get(BATCHES, "(109)")


def test_codes_that_come_as_numbers_are_read_as_the_texts_they_are(bench, invoice):
    bench.server.rows(
        "AP/APVendors", {"VendorNumber": 1200, "VendorName": "A", "PhoneNumber": 6045551234, "ZipPostalCode": 12345}
    )
    (one,) = bench.all(Supplier)
    assert (one.key, one.phone, one.addresses[0].postal_code) == ("1200", "6045551234", "12345")
    assert bench.target.prepare(invoice(), bench.codes).lookup["vendor"] == "1200"
    bench.server.rows("GL/GLAccounts", {"UnformattedAccount": 6260, "Description": "Office", "Status": "Active"})
    assert [one.code for one in bench.all(Account)] == ["6260"]


def test_a_batch_whose_vendor_comes_as_a_number_is_found(bench, invoice):
    row = answering("000109")
    row["Invoices"][0] |= {"VendorNumber": 1200, "EntryNumber": "1"}
    bench.server.rows(BATCHES, row)
    (found,) = bench.target.look(bench.target.trace(invoice(), bench.codes))
    assert found.id == "109:1"


def test_a_list_without_count_and_link_is_whole_also_with_exactly_a_hundred_rows(bench):
    bench.server.rows("AP/APVendors", *({"VendorNumber": f"{n:05d}", "VendorName": "A"} for n in range(100)))
    assert len(bench.all(Supplier)) == 100


@pytest.mark.parametrize("total", [100, 200, 300])
def test_pages_of_exactly_a_hundred_are_read_to_the_end(bench, total):
    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        body = {"value": [{"VendorNumber": f"{n:05d}", "VendorName": "A"} for n in range(skip, min(total, skip + 100))]}
        if skip + 100 < total:
            body["@odata.nextLink"] = f"http://localhost/x/AP/APVendors?%24skip={skip + 100}"
        return httpx.Response(200, json=body)

    bench.server.answers["AP/APVendors"] = answer
    assert len(bench.all(Supplier)) == total


@pytest.mark.parametrize("header", ["7", "90"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_time_that_the_server_names_is_kept_to(bench, header, status):
    good = httpx.Response(200, json={"value": [{"VendorNumber": "1", "VendorName": "A"}]})
    code = "TooManyRequests" if status == 429 else ""
    busy = httpx.Response(status, json={"error": {"code": code}}, headers={"retry-after": header})
    bench.server.script("AP/APVendors", busy, good)
    if header == "7":
        assert len(bench.all(Supplier)) == 1
        assert bench.clock.slept == [7.0]
    else:
        with pytest.raises(Throttled) as asked:
            bench.all(Supplier)
        assert (asked.value.retry_after, bench.clock.slept) == (90.0, [])


@pytest.mark.parametrize("text", ["The payload is not valid.", "Unknown property"])
def test_the_order_number_is_left_out_where_a_payload_is_refused_without_a_reason(bench, invoice, row, fault, text):
    line = {"LineNumber": 1000, "ExpenseAccount": "6260"}
    bench.server.rows(
        "PO/POPurchaseOrders", {"PurchaseOrderNumber": "PO1", "Vendor": "1200", "PurchaseOrderLines": [line]}
    )
    no = fault(400, "InvalidPayload", text)
    bench.server.script(f"POST {BATCHES}", no, httpx.Response(201, json={"BatchNumber": 109}))
    prepared = bench.target.prepare(invoice("80", row(net="80", tax="0", order_number="PO1")), bench.codes)
    assert bench.target.send(prepared).number == "109"
    assert ["PONumber" in body["Invoices"][0] for body in bench.server.sent("POST", BATCHES)] == [True, False]


def test_a_refusal_in_the_words_of_the_web_framework_is_held_with_those_words(bench, invoice):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(400, json={"Message": "DocumentDate is wrong."})
    with pytest.raises(NotUnderstood, match="DocumentDate is wrong"):
        bench.target.send(bench.target.prepare(invoice(), bench.codes))


@pytest.mark.parametrize(
    ("body", "error"),
    [({"error": "Too many requests"}, Throttled), ({"error": {"message": "slow down"}}, Throttled), (None, Throttled)],
)
def test_a_429_is_one_also_without_a_code(bench, invoice, body, error):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(429, json=body)
    with pytest.raises(error):
        bench.target.send(bench.target.prepare(invoice(), bench.codes))

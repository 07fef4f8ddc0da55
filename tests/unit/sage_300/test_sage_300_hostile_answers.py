"""What fuzzing found in the Web API's answers, and in the secrets that people write."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from ml_connector.errors import ConnectorError, Held, Misconfigured, OutcomeUnknown, Transient
from ml_connector.flow import Found
from ml_connector.records import PurchaseOrder, Supplier
from ml_connector.systems.sage_300 import Settings
from ml_connector.systems.settings import parse

BATCHES = "AP/APInvoiceBatches"
VENDOR = {"VendorNumber": "1200", "VendorName": "A", "CurrencyCode": "CAD", "TaxGroup": "BCTAX"}
HEADER = base64.b64encode(b"WEBAPI:SECRET-1X").decode()
NO_NUMBERS = ["²", "٣", "-5", "9" * 5000, "x", "1.5"]


def test_the_credentials_of_the_header_are_masked_where_a_server_says_them_back(bench):
    bench.server.proof = lambda request: httpx.Response(
        401, json={"error": {"code": "Unauthorized", "message": {"value": request.headers["authorization"][6:]}}}
    )
    with pytest.raises(ConnectorError) as refusal:
        bench.pages(Supplier)
    assert HEADER not in str(refusal.value)
    assert "***" in str(refusal.value)


def test_a_code_that_is_the_credentials_is_masked(bench):
    error = {"code": f"{HEADER}-1", "message": {"value": "x"}}
    bench.server.answers["AP/APVendors"] = lambda _: httpx.Response(200, json={"error": error})
    with pytest.raises(ConnectorError) as refusal:
        bench.pages(Supplier)
    assert HEADER not in str(refusal.value)
    assert "***-1" in str(refusal.value)


def test_a_list_without_rows_is_shown_without_the_credentials_in_it(bench):
    bench.server.answers["AP/APVendors"] = lambda _: httpx.Response(200, json={"trace": f"SECRET-1X {HEADER}"})
    with pytest.raises(Transient, match=r"without 'value': .*\*\*\*") as trouble:
        bench.pages(Supplier)
    assert "SECRET-1X" not in str(trouble.value)
    assert HEADER not in str(trouble.value)


def test_an_error_within_a_success_is_no_refusal_of_a_batch(bench, invoice):
    prepared = bench.target.prepare(invoice(), bench.codes)
    body = {"error": {"code": "UnknownError", "message": {"lang": "en-US", "value": "An error has occurred."}}}
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(200, json=body)
    with pytest.raises(OutcomeUnknown, match="UnknownError"):
        bench.target.send(prepared)


def test_a_record_that_is_none_is_shown_without_the_credentials_in_it(bench):
    bench.server.answers[f"GET {BATCHES}(109)"] = lambda _: httpx.Response(200, json=[f"SECRET-1X {HEADER}"])
    with pytest.raises(Transient, match=r"no record: .*\*\*\*") as trouble:
        bench.target.read_back(Found("109:1", "109"))
    assert "SECRET-1X" not in str(trouble.value)


@pytest.mark.parametrize("count", NO_NUMBERS)
def test_a_count_that_is_no_number_is_none(bench, count):
    bench.server.answers["AP/APVendors"] = lambda _: httpx.Response(
        200, json={"value": [VENDOR], "@odata.count": count}
    )
    (page,) = bench.pages(Supplier)
    assert [one.key for one in page.records] == ["1200"]


@pytest.mark.parametrize("place", [*NO_NUMBERS, ""])
def test_a_link_to_no_place_is_read_again_later(bench, place):
    body = {"value": [VENDOR], "@odata.nextLink": f"http://inner/AP/APVendors?$skip={place}"}
    bench.server.answers["AP/APVendors"] = lambda _: httpx.Response(200, json=body)
    with pytest.raises(Transient, match="loop"):
        bench.pages(Supplier)


def test_a_link_that_is_no_address_is_read_again_later(bench):
    body = {"value": [VENDOR], "@odata.nextLink": "http://["}
    bench.server.answers["AP/APVendors"] = lambda _: httpx.Response(200, json=body)
    with pytest.raises(Transient, match="loop"):
        bench.pages(Supplier)


@pytest.mark.parametrize("row", [0, {}, {"VendorName": ["x"]}])
@pytest.mark.parametrize("count", [3, 150])
def test_a_page_of_rows_without_keys_is_not_read_for_ever(bench, row, count):
    bench.server.answers["AP/APVendors"] = lambda _: httpx.Response(200, json={"value": [VENDOR] + [row] * count})
    pages = bench.pages(Supplier)
    assert [one.key for page in pages for one in page.records] == ["1200"]
    assert len({one.key for page in pages for one in page.broken}) == count
    assert len(bench.server.asked("APVendors")) <= 2
    assert pages[-1].position is None, "the last page says that it is the last"


@pytest.mark.parametrize("told", [True, False])
def test_pages_that_end_with_the_same_row_without_a_key_are_all_read(bench, told):
    rows = [{"VendorNumber": f"{n:04d}", "VendorName": "A"} for n in range(250)]
    rows[99] = rows[198] = {"VendorNumber": None}

    def answer(request):
        skip = int(request.url.params.get("$skip", 0))
        body = {"value": rows[skip : skip + 100]} | ({"@odata.count": 250} if told else {})
        return httpx.Response(200, json=body)

    bench.server.answers["AP/APVendors"] = answer
    pages = bench.pages(Supplier)
    assert len([one.key for page in pages for one in page.records]) == 248
    assert len({one.key for page in pages for one in page.broken}) == 2


@pytest.mark.parametrize("number", ["²", "-5", "9" * 5000, "x", "1.5", 0, True, [], {}])
def test_a_new_batch_of_no_number_is_looked_for(bench, invoice, number):
    prepared = bench.target.prepare(invoice(), bench.codes)
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(201, json={"BatchNumber": number})
    with pytest.raises(OutcomeUnknown, match="without naming the batch"):
        bench.target.send(prepared)


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_a_batch_of_no_number_is_not_touched(bench, number):
    with pytest.raises(Transient, match="no number"):
        bench.target.read_back(Found(f"{number}:1", number))
    assert bench.server.requests == []


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_a_batch_of_no_number_among_others_hides_none_of_them(bench, invoice, number):
    prepared = bench.target.prepare(invoice(), bench.codes)
    entry = {"EntryNumber": 1, "VendorNumber": "1200", "DocumentNumber": "R-4711", "DocumentTotalIncludingTax": 86.6}
    good = {"BatchNumber": 109, "BatchStatus": "Open", "Invoices": [entry]}
    bench.server.rows(BATCHES, {"BatchNumber": number, "BatchStatus": "Open", "Invoices": []}, good)
    assert [one.id for one in bench.target.look(prepared)] == ["109:1"]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"InvoiceDetails": "x"},
        {"InvoiceDetails": [7]},
        {"InvoiceDetails": [{"DistributedAmount": "x"}]},
        {"TaxAmount1": "x"},
        {"DocumentTotalIncludingTax": "x"},
        {"DocumentTotalIncludingTax": []},
    ],
    ids=str,
)
def test_a_document_that_cannot_be_read_is_neither_set_ready_nor_taken_for_another(bench, invoice, spoilt):
    prepared = bench.target.prepare(invoice(), bench.codes)
    entry = {"EntryNumber": 1, "VendorNumber": "1200", "DocumentNumber": "R-4711", "DocumentTotalIncludingTax": 86.6}
    own = {"BatchNumber": 109, "BatchStatus": "Open", "Description": prepared.lookup["own"]}
    batch = own | {"Invoices": [entry | {"TaxAmount1": 6.6} | spoilt]}
    bench.server.rows(BATCHES, batch)
    bench.server.answers[f"GET {BATCHES}(109)"] = lambda _: httpx.Response(200, json=batch)
    with pytest.raises(Transient, match="cannot be read"):
        bench.target.read_back(Found("109:1", "109"))
    if "DocumentTotalIncludingTax" in spoilt:
        with pytest.raises(Transient, match="cannot be read"):
            bench.target.look(prepared)
    assert bench.server.sent("PATCH", "(109)") == []


@pytest.mark.parametrize("entries", [7, "x", {"x": 1}, [7], [[]], [], None])
def test_a_batch_that_was_taken_is_known_by_its_number_whatever_is_said_of_its_entries(bench, invoice, entries):
    prepared = bench.target.prepare(invoice(), bench.codes)
    body = {"BatchNumber": 109, "Invoices": entries}
    bench.server.answers[f"POST {BATCHES}"] = lambda _: httpx.Response(201, json=body)
    assert bench.target.send(prepared).id == "109:1"


@pytest.mark.parametrize("periods", [7, "x", {"x": 1}, [7], True])
def test_a_calendar_without_a_list_of_periods_tells_nothing(bench, invoice, periods):
    bench.server.rows("CS/CSFiscalCalendars", {"FiscalYear": "2026", "FiscalPeriods": periods})
    assert bench.target.prepare(invoice(), bench.codes).posted_on.isoformat() == "2026-02-01"


def test_a_vendor_without_a_number_is_no_vendors_currency(bench):
    order = {"PurchaseOrderNumber": "PO1", "Vendor": "1200", "PurchaseOrderLines": []}
    bench.server.rows("PO/POPurchaseOrders", order)
    bench.server.rows("AP/APVendors", {"CurrencyCode": "CAD"})
    (page,) = bench.pages(PurchaseOrder)
    ((key, reason),) = [(bad.key, bad.reason) for bad in page.broken]
    assert key == "PO1" and reason.startswith(
        "Its currency is that of vendor 1200. It cannot be read: the field Vendor"
    )


def test_an_invoice_waits_for_an_order_that_cannot_be_read(bench, invoice, row):
    line = {"LineNumber": 1, "ExpenseAccount": "6260"}
    order = {"PurchaseOrderNumber": "PO1", "Vendor": "1200", "PurchaseOrderLines": [line], "DateCompleted": "soon"}
    bench.server.rows("PO/POPurchaseOrders", order)
    with pytest.raises(Held, match="cannot be read") as held:
        bench.target.prepare(invoice("80.00", row(net="80.00", order_number="PO1")), bench.codes)
    assert held.value.waiting_for == "order:PO1"


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000])
def test_a_tax_code_mapped_to_a_class_that_is_no_number_names_its_group_alone(bench, invoice, number):
    bench.codes.mapped["tax", "V1"] = f"BCTAX/{number}"
    prepared = bench.target.prepare(invoice(tax_code="V1"), bench.codes)
    (entry,) = prepared.body["Invoices"]
    assert entry["TaxGroup"] == "BCTAX"
    assert "TaxClass1" not in entry["InvoiceDetails"][0]


PLAIN = {"api_url": "https://erp.example/v1.0/-", "company": "SAMLTD", "user": "webapi", "password": "hidden-17"}


@pytest.mark.parametrize("name", ["api_url", "company", "cost_center_segment", "date_literal"])
@pytest.mark.parametrize("secret", ["hidden-17", "https://hidden-17"])
def test_a_password_in_the_wrong_field_is_not_shown(name, secret):
    with pytest.raises(Misconfigured, match=name) as refusal:
        parse(Settings, json.dumps({**PLAIN, name: secret}), "acme/sage_300", insecure=False)
    assert "hidden-17" not in str(refusal.value)


@pytest.mark.parametrize(("written", "read"), [("2", "2"), ("002", "2"), ("10", "10"), ("0" * 5000 + "2", "2")])
def test_a_segment_number_may_have_zeros_before_it(written, read):
    settings = parse(Settings, json.dumps({**PLAIN, "cost_center_segment": written}), "x", insecure=False)
    assert settings.cost_center_segment == read


@pytest.mark.parametrize("written", ["²", "٣", "0", "11", "2\n", "9" * 5000])
def test_a_segment_that_is_no_number_is_explained(written):
    with pytest.raises(Misconfigured, match="no segment number; write one from 1 to 10"):
        parse(Settings, json.dumps({**PLAIN, "cost_center_segment": written}), "x", insecure=False)

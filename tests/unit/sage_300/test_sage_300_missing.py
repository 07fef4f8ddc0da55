"""A server that lacks something: what can be done without it is done, and said."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Transient
from ml_connector.records import Account, PurchaseOrder, Supplier

BATCHES = "AP/APInvoiceBatches"


def word(status, code):
    return httpx.Response(status, json={"error": {"code": code, "message": {"lang": "en-US", "value": "no such"}}})


ABSENT = {"ResourceNotFound": word(404, "ResourceNotFound"), "MethodNotAllowed": word(405, "MethodNotAllowed")}
ANYBODYS = {
    "bare 404": httpx.Response(404),
    "bare 405": httpx.Response(405, json={"detail": "Method Not Allowed"}),
    "410": httpx.Response(410, text="Gone"),
    "404 text": httpx.Response(404, text="404 page not found"),
    "404 of ASP.NET": httpx.Response(404, json={"Message": "No HTTP resource was found that matches the request."}),
    "404 of a gateway": httpx.Response(404, json={"error": {"code": 404, "message": "no route"}}),
    "404 page": httpx.Response(404, text="<html>404 - File or directory not found.</html>"),
}
"""What IIS or a gateway says as well: only the Web API's own codes mean that something is not there."""
absent = pytest.mark.parametrize("answer", ABSENT.values(), ids=ABSENT.keys())
anybodys = pytest.mark.parametrize("answer", ANYBODYS.values(), ids=ANYBODYS.keys())


def order(**fields):
    line = {"LineNumber": 1000, "ItemNumber": "A1", "QuantityOrdered": 10, "UnitCost": 8, "ExpenseAccount": "1300-100"}
    return {
        "PurchaseOrderNumber": "PO1",
        "Vendor": "1200",
        "PurchaseOrderDate": "2026-01-15",
        "Completed": "No",
        "LastPostingDate": "2026-02-06",
        "PurchaseOrderLines": [line],
        **fields,
    }


@absent
@pytest.mark.parametrize("since", [None, "2026-02-05"])
def test_orders_go_without_receipts_and_returns_that_the_server_does_not_offer(bench, caplog, answer, since):
    bench.server.rows("PO/POPurchaseOrders", order())
    for resource in ("PO/POGetReceipts", "PO/POReceipts", "PO/POReturns"):
        bench.server.answers[resource] = lambda _: answer
    pages = bench.pages(PurchaseOrder, since)
    assert [one.key for page in pages for one in page.records] == ["PO1"]
    assert pages[-1].position is None
    assert pages[0].stamp == "2026-02-06"
    assert sum("POReturns" in said.getMessage() for said in caplog.records) == 1


@anybodys
@pytest.mark.parametrize("resource", ["PO/POGetReceipts", "PO/POReturns"])
def test_receipts_are_not_left_out_on_anybodys_word(bench, answer, resource):
    bench.server.rows("PO/POPurchaseOrders", order())
    bench.server.answers |= {resource: lambda _: answer, "PO/POReceipts": lambda _: answer}
    with pytest.raises(Transient, match="Something else than the Web API"):
        bench.pages(PurchaseOrder, "2026-02-05")


@anybodys
def test_no_document_is_taken_for_not_posted_on_anybodys_word(bench, invoice, answer):
    trace = bench.target.trace(invoice(), bench.codes)
    bench.server.answers["AP/APPostedDocuments"] = lambda _: answer
    with pytest.raises(Transient):
        bench.target.look(trace)
    with pytest.raises(Transient):
        bench.all(Supplier if bench.server.answers.update({"AP/APVendors": lambda _: answer}) is None else Account)


@anybodys
def test_no_posting_is_refused_on_anybodys_word(bench, invoice, answer):
    bench.server.answers[f"POST {BATCHES}"] = lambda _: answer
    prepared = bench.target.prepare(invoice(), bench.codes)
    with pytest.raises((OutcomeUnknown, Misconfigured)):
        bench.target.send(prepared)


def test_receipts_that_may_not_be_read_stop_the_orders_and_name_the_right(bench, fault):
    bench.server.rows("PO/POPurchaseOrders", order())
    bench.server.answers["PO/POGetReceipts"] = lambda _: fault(403, "Forbidden", "no")
    with pytest.raises(Misconfigured, match="module PO the right 'Sage 300 Web API'"):
        bench.all(PurchaseOrder)


def test_one_refusal_of_receipts_does_not_hide_them_from_then_on(bench):
    received = {"LineNumber": 10, "ItemNumber": "A1", "QuantityReceived": 4}
    rows = {"ReceiptNumber": "RC1", "PurchaseOrderNumber": "PO1", "Vendor": "1200", "ReceiptLine2s": [received]}
    bench.server.rows("PO/POPurchaseOrders", order())
    asked = []

    def receipts(request):
        asked.append(request)
        return httpx.Response(200, json={"value": [rows]}) if len(asked) > 2 else ABSENT["ResourceNotFound"]

    bench.server.answers |= {"PO/POGetReceipts": receipts, "PO/POReceipts": lambda _: ABSENT["MethodNotAllowed"]}
    assert bench.all(PurchaseOrder)[0].lines[0].receipts == ()
    assert [r.quantity for r in bench.all(PurchaseOrder)[0].lines[0].receipts] == [Decimal(4)]


@absent
def test_a_calendar_that_the_server_does_not_offer_is_no_obstacle(bench, invoice, answer):
    bench.server.answers["CS/CSFiscalCalendars"] = lambda _: answer
    assert bench.target.prepare(invoice(), bench.codes).posted_on == date(2026, 2, 1)


@absent
def test_a_document_is_looked_for_in_batches_alone_where_posted_ones_are_not_offered(bench, caplog, invoice, answer):
    bench.server.answers["AP/APPostedDocuments"] = lambda _: answer
    trace = bench.target.trace(invoice(), bench.codes)
    assert bench.target.look(trace) == []
    assert bench.target.look(trace) == []
    assert sum("APPostedDocuments" in said.getMessage() for said in caplog.records) == 1


@absent
def test_an_invoice_of_an_order_goes_where_orders_are_not_offered_by_its_coding(bench, invoice, row, answer):
    bench.server.answers["PO/POPurchaseOrders"] = lambda _: answer
    one = row(net="80", tax="0", order_number="PO1", order_line="1000")
    prepared = bench.target.prepare(invoice("80", one), bench.codes)
    assert prepared.body["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] == "6260"
    assert any("purchase orders" in note for note in prepared.notes)


@pytest.mark.parametrize("record", [Supplier, Account])
@absent
def test_what_nothing_works_without_is_an_error_that_says_what_to_check(bench, answer, record):
    for resource in ("AP/APVendors", "GL/GLAccounts"):
        bench.server.answers[resource] = lambda _: answer
    with pytest.raises(Misconfigured, match="Check 'api_url' and 'company'"):
        bench.all(record)


def test_ping_says_what_goes_on_without(bench):
    for resource in ("PO/POReturns", "CS/CSFiscalCalendars", "AP/APPostedDocuments"):
        bench.server.answers[resource] = lambda _: ABSENT["ResourceNotFound"]
    checks = {check.what: check for check in bench.connection.ping()}
    for what in ("goods returns", "fiscal calendar", "posted documents"):
        assert (checks[what].ok, checks[what].warning) == (True, True)
        assert "not offered" in checks[what].detail


# ── filters and selections ───────────────────────────────────────────────────────────────────────────────────


def refusing(refused, answer, *rows):
    """A list whose server does not take some words in its filter."""

    def listing(request):
        where = request.url.params.get("$filter", "")
        return answer if any(one in where for one in refused) else httpx.Response(200, json={"value": list(rows)})

    return listing


PUZZLED = {
    "InvalidParameters": word(400, "InvalidParameters"),
    "bare 400": httpx.Response(400),
    "400 of ASP.NET": httpx.Response(400, json={"Message": "The query specified in the URI is not valid."}),
    "General": word(400, "General"),
    "501": httpx.Response(501, json={"error": "not implemented"}),
}
puzzled = pytest.mark.parametrize("answer", PUZZLED.values(), ids=PUZZLED.keys())


@puzzled
def test_a_date_filter_that_is_not_taken_gives_way_to_a_comparison_of_everything(bench, caplog, answer):
    bench.server.answers["AP/APVendors"] = refusing(
        ["DateLastMaintained"], answer, {"VendorNumber": "1", "VendorName": "A"}
    )
    assert [one.key for one in bench.all(Supplier, since="2026-02-05")] == ["1"]
    assert "date_literal" in caplog.text


@puzzled
def test_or_and_parentheses_that_are_not_taken_do_not_stop_orders_or_invoices(bench, invoice, answer):
    bench.server.rows("AP/APVendors", *({"VendorNumber": n, "CurrencyCode": "CAD"} for n in ("1200", "1300")))
    returned = {
        "ReturnNumber": "RT1",
        "Vendor": "1200",
        "PurchaseOrderNumber": "PO1",
        "ReturnLines": [{"ItemNumber": "A1", "QuantityReturned": 1}],
    }
    orders = (order(), order(PurchaseOrderNumber="PO2", Vendor="1300"))
    bench.server.rows("PO/POPurchaseOrders", *orders)
    bench.server.answers["PO/POGetReceipts"] = refusing(["("], answer)
    bench.server.answers["PO/POReturns"] = refusing(["("], answer, returned)
    assert [len(one.lines[0].receipts) for one in bench.all(PurchaseOrder)] == [1, 0]
    posted = {"VendorNumber": "1200", "DocumentNumber": "r-4711", "DocumentTotalIncludingTax": 86.6}
    bench.server.answers["AP/APPostedDocuments"] = refusing(["(", " or "], answer, posted)
    bench.server.answers[BATCHES] = refusing([" or "], answer)
    (found,) = bench.target.look(bench.target.trace(invoice(number="r-4711"), bench.codes))
    assert found.amount == Decimal("86.6")


def test_an_outage_is_not_taken_for_a_filter_that_is_not_known(bench):
    bench.server.answers["AP/APVendors"] = lambda _: httpx.Response(503)
    with pytest.raises(Exception, match="503"):
        bench.all(Supplier, since="2026-02-05")
    assert all("DateLastMaintained" in str(asked) for asked in bench.server.asked("AP/APVendors"))


@puzzled
def test_a_filter_by_number_that_is_not_taken_gives_way_to_the_whole_list_read_once(make, invoice, row, answer):
    bench = make(cost_center_segment="2")
    account = {"UnformattedAccount": "6260200", "AccountSegmentCode1": "6260", "AccountSegmentCode2": "200"}
    other = {"UnformattedAccount": "1300100", "AccountSegmentCode1": "1300", "AccountSegmentCode2": "100"}
    vendors = ({"VendorNumber": n, "CurrencyCode": "CAD"} for n in ("1100", "1200"))
    bench.server.answers |= {
        "GL/GLAccounts": refusing(["Account"], answer, other, account),
        "AP/APVendors": refusing(["VendorNumber"], answer, *vendors),
    }
    for number in ("R-1", "R-2"):
        coded = row(net="80", tax="0", cost_center="200")
        prepared = bench.target.prepare(invoice("80", coded, number=number), bench.codes)
        assert prepared.body["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] == "6260200"
    for resource in ("GL/GLAccounts", "AP/APVendors"):
        assert bench.server.asked(resource).count(None) == 1


@puzzled
def test_receipts_are_found_whichever_of_their_fields_can_be_filtered(bench, answer):
    line = {"LineNumber": 10, "ItemNumber": "A1", "QuantityReceived": 4}
    received = {"ReceiptNumber": "RC1", "PurchaseOrderNumber": "PO1", "Vendor": "1200", "ReceiptLine2s": [line]}
    foreign = received | {"ReceiptNumber": "RC2", "PurchaseOrderNumber": "PO9", "Vendor": "1900"}
    bench.server.rows("PO/POPurchaseOrders", order(Currency="CAD"))
    bench.server.answers |= {
        "PO/POGetReceipts": refusing(["PurchaseOrderNumber", "Vendor"], answer, foreign, received),
        "PO/POReceipts": lambda _: ABSENT["MethodNotAllowed"],
    }
    for _ in range(2):
        assert [r.number for r in bench.all(PurchaseOrder)[0].lines[0].receipts] == ["RC1"]
    assert bench.server.asked("PO/POGetReceipts").count(None) == 1


def test_receipts_that_end_in_the_middle_are_not_left_out(bench):
    bench.server.rows(
        "PO/POPurchaseOrders", *(order(PurchaseOrderNumber=f"PO{n:09d}", Currency="CAD") for n in range(90))
    )
    bench.server.script("PO/POGetReceipts", httpx.Response(200, json={"value": []}), ABSENT["ResourceNotFound"])
    bench.server.answers["PO/POReceipts"] = lambda _: ABSENT["MethodNotAllowed"]
    with pytest.raises(Transient, match="ended in the middle"):
        bench.all(PurchaseOrder)


def test_a_whole_list_is_read_anew_after_a_while(bench, invoice):
    bench.server.answers["AP/APVendors"] = refusing(["VendorNumber"], PUZZLED["bare 400"], {"VendorNumber": "1100"})
    for _ in range(2):
        with pytest.raises(Held, match="Supplier 1200 does not exist"):
            bench.target.prepare(invoice(), bench.codes)
    assert bench.server.asked("AP/APVendors").count(None) == 1
    bench.clock.moment += timedelta(minutes=5)
    bench.server.rows("AP/APVendors", {"VendorNumber": "1200", "CurrencyCode": "CAD"})
    assert bench.target.prepare(invoice(), bench.codes).lookup["vendor"] == "1200"

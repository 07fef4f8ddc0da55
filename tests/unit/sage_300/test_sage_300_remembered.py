"""What a connection remembers: enough to be cheap, and nothing that keeps a fixed thing broken."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from ml_connector.errors import Held, Throttled
from ml_connector.records import PurchaseOrder

BATCHES = "AP/APInvoiceBatches"


class Desktop:
    """Batches that people typed and nobody posted, listed by the filters that are asked."""

    def __init__(self, server, count):
        self.calls, self.rows = 0, {}
        for number in range(1, count + 1):
            self.type(number, f"H-{number}")
        server.answers |= {BATCHES: self.answer}

    def type(self, number, document):
        entry = {
            "EntryNumber": 1,
            "VendorNumber": "1200",
            "DocumentNumber": document,
            "DocumentType": "Invoice",
            "DocumentTotalIncludingTax": 86.6,
        }
        self.rows[number] = {"BatchNumber": number, "BatchStatus": "Open", "Description": "", "Invoices": [entry]}

    def answer(self, request):
        self.calls += 1
        if key := re.search(r"\((\d+)\)$", request.url.path):
            return httpx.Response(200, json=self.rows[int(key[1])])
        where, skip = request.url.params.get("$filter", ""), int(request.url.params.get("$skip", 0))
        above = re.search(r"BatchNumber gt (\d+)", where)
        rows = [
            row
            for number, row in self.rows.items()
            if f"BatchStatus eq '{row['BatchStatus']}'" in where or (above and number > int(above[1]))
        ]
        body = {"@odata.count": len(rows), "value": rows[skip : skip + 100]}
        if skip + 100 < len(rows):
            body["@odata.nextLink"] = f"http://localhost/x?$skip={skip + 100}"
        return httpx.Response(200, json=body)


def looked(bench, invoice, number="R-4711"):
    return bench.target.look(bench.target.trace(invoice(number=number), bench.codes))


def test_ten_thousand_open_batches_are_paged_once_and_not_for_each_invoice(bench, invoice):
    desktop = Desktop(bench.server, 10_000)
    assert looked(bench, invoice) == []
    assert desktop.calls < 105
    desktop.calls = 0
    for n in range(50):
        assert looked(bench, invoice, f"R-{n}") == []
    assert desktop.calls == 50


def test_what_was_typed_since_is_seen_by_the_next_look(bench, invoice):
    desktop = Desktop(bench.server, 250)
    assert looked(bench, invoice) == []
    desktop.type(251, "R-4711")
    assert [one.id for one in looked(bench, invoice)] == ["251:1"]


def test_what_was_typed_before_is_found_and_what_was_deleted_since_is_not(bench, invoice):
    desktop = Desktop(bench.server, 250)
    looked(bench, invoice)
    assert [one.id for one in looked(bench, invoice, "H-7")] == ["7:1"]
    desktop.rows[7]["BatchStatus"] = "Deleted"
    assert looked(bench, invoice, "H-7") == []


def test_an_entry_added_to_an_old_batch_is_seen_after_a_while(bench, invoice):
    desktop = Desktop(bench.server, 3)
    looked(bench, invoice)
    desktop.type(2, "R-4711")
    bench.clock.moment += timedelta(minutes=6)
    assert [one.id for one in looked(bench, invoice)] == ["2:1"]


SEGMENTED = {"UnformattedAccount": "6260200", "AccountSegmentCode1": "6260", "AccountSegmentCode2": "200"}


@pytest.mark.parametrize("before", [[], [SEGMENTED | {"UnformattedAccount": "6260300", "AccountSegmentCode2": "300"}]])
def test_an_account_opened_meanwhile_lets_the_invoice_go(make, invoice, row, before):
    bench = make(cost_center_segment="2")
    one = invoice("80", row(net="80", tax="0", cost_center="200"))
    bench.server.rows("GL/GLAccounts", *before)
    with pytest.raises(Held, match="account"):
        bench.target.prepare(one, bench.codes)
    bench.server.rows("GL/GLAccounts", *before, SEGMENTED)
    assert bench.target.prepare(one, bench.codes).body["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] == "6260200"


FLOODED = httpx.Response(429, json={"error": {"code": "TooManyRequests", "message": {"value": "flooded"}}})


def ordered(**fields):
    line = {"LineNumber": 1000, "QuantityOrdered": 1, "UnitCost": 5, "ExpenseAccount": "6260200"}
    return {"PurchaseOrderNumber": "PO1", "Vendor": "1200", "Completed": "No", "PurchaseOrderLines": [line], **fields}


def test_a_look_up_of_accounts_that_failed_is_no_answer(make):
    bench = make(cost_center_segment="2")
    bench.server.rows("PO/POPurchaseOrders", ordered(Currency="CAD"))
    good = httpx.Response(200, json={"value": [SEGMENTED]})
    bench.server.script("GL/GLAccounts", *[FLOODED] * 5, good)
    with pytest.raises(Throttled):
        bench.all(PurchaseOrder)
    line = bench.all(PurchaseOrder)[0].lines[0]
    assert (line.account, line.cost_center) == ("6260", "200")


def test_an_account_that_is_opened_later_is_taken_apart_from_then_on(make):
    bench = make(cost_center_segment="2")
    bench.server.rows("PO/POPurchaseOrders", ordered(Currency="CAD"))
    assert bench.all(PurchaseOrder)[0].lines[0].account == "6260200"
    bench.server.rows("GL/GLAccounts", SEGMENTED)
    assert bench.all(PurchaseOrder)[0].lines[0].account == "6260"


def test_a_look_up_of_currencies_that_failed_is_no_answer(bench):
    bench.server.rows("PO/POPurchaseOrders", ordered())
    good = httpx.Response(200, json={"value": [{"VendorNumber": "1200", "CurrencyCode": "CAD"}]})
    bench.server.script("AP/APVendors", *[FLOODED] * 5, good)
    source = bench.connection.source(PurchaseOrder)
    with pytest.raises(Throttled):
        list(source.pages(None, None))
    (page,) = source.pages(None, None)
    assert [one.currency for one in page.records] == ["CAD"]


@pytest.mark.parametrize("named", [{"VendorNumber": "1200"}, {}])
def test_a_vendor_who_cannot_be_read_is_not_one_without_a_currency(bench, named):
    bench.server.rows("PO/POPurchaseOrders", ordered())
    bench.server.rows("AP/APVendors", {**named, "CurrencyCode": ["CAD"]})
    source = bench.connection.source(PurchaseOrder)
    (page,) = source.pages(None, None)
    assert page.records == [] and [one.key for one in page.broken] == ["PO1"]
    assert "Its currency is that of vendor 1200. It cannot be read" in page.broken[0].reason
    bench.server.rows("AP/APVendors", {"VendorNumber": "1200", "CurrencyCode": "CAD"})
    (page,) = source.pages(None, None)
    assert [one.currency for one in page.records] == ["CAD"]


def year(active):
    first = {"FiscalPeriod1StartDate": "2026-02-01", "FiscalPeriod1EndDate": "2026-02-28"}
    return {"FiscalYear": "2026", **first, "Active": active}


def test_a_period_opened_meanwhile_lets_the_invoice_go(bench, invoice):
    bench.server.rows("CS/CSFiscalCalendars", year("No"))
    with pytest.raises(Held, match="no open period"):
        bench.target.prepare(invoice(), bench.codes)
    bench.server.rows("CS/CSFiscalCalendars", year("Yes"))
    assert bench.target.prepare(invoice(), bench.codes).posted_on is not None


def test_a_period_closed_meanwhile_is_noticed(bench, invoice):
    bench.server.rows("CS/CSFiscalCalendars", year("Yes"))
    for _ in range(3):
        bench.target.prepare(invoice(), bench.codes)
    assert len(bench.server.asked("CS/CSFiscalCalendars")) == 1
    bench.server.rows("CS/CSFiscalCalendars", year("No"))
    bench.clock.moment += timedelta(minutes=16)
    with pytest.raises(Held, match="no open period"):
        bench.target.prepare(invoice(), bench.codes)


def test_a_vendor_entered_anew_in_the_invoices_currency_lets_it_go(bench, invoice):
    with pytest.raises(Held):
        bench.target.prepare(invoice(currency="USD"), bench.codes)
    bench.server.rows("AP/APVendors", {"VendorNumber": "1200", "CurrencyCode": "USD"})
    assert bench.target.prepare(invoice(currency="USD"), bench.codes).currency == "USD"


def test_an_inactive_vendor_is_held_before_anything_is_acknowledged_and_goes_when_it_is_activated(bench, invoice):
    bench.server.rows("AP/APVendors", {"VendorNumber": "1200", "CurrencyCode": "CAD", "Status": "Inactive"})
    with pytest.raises(Held, match="inactive") as held:
        bench.target.prepare(invoice(), bench.codes)
    assert held.value.waiting_for == "supplier:1200"
    bench.server.rows("AP/APVendors", {"VendorNumber": "1200", "CurrencyCode": "CAD", "Status": "Active"})
    assert bench.target.prepare(invoice(), bench.codes).currency == "CAD"

"""What a connection remembers: enough to be cheap, and nothing that keeps a mended thing broken."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from ml_connector.errors import Held

BATCHES = "AP/APInvoiceBatches"


class Desktop:
    """Batches that people typed and nobody posted, listed by the filters that are asked."""

    def __init__(self, server, count):
        self.calls, self.rows = 0, {}
        for number in range(1, count + 1):
            self.type(number, f"H-{number}")
        server.answers |= {BATCHES: self.answer}

    def type(self, number, document):
        entry = {"EntryNumber": 1, "VendorNumber": "1200", "DocumentNumber": document, "DocumentType": "Invoice",
                 "DocumentTotalIncludingTax": 86.6}  # fmt: skip
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


def looked(desk, invoice, number="R-4711"):
    return desk.target.look(desk.target.trace(invoice(number=number), desk.codes))


def test_ten_thousand_open_batches_are_paged_once_and_not_for_each_invoice(desk, invoice):
    desktop = Desktop(desk.server, 10_000)
    assert looked(desk, invoice) == []
    assert desktop.calls < 105
    desktop.calls = 0
    for n in range(50):
        assert looked(desk, invoice, f"R-{n}") == []
    assert desktop.calls == 50


def test_what_was_typed_since_is_seen_by_the_next_look(desk, invoice):
    desktop = Desktop(desk.server, 250)
    assert looked(desk, invoice) == []
    desktop.type(251, "R-4711")
    assert [one.id for one in looked(desk, invoice)] == ["251:1"]


def test_what_was_typed_before_is_found_and_what_was_deleted_since_is_not(desk, invoice):
    desktop = Desktop(desk.server, 250)
    looked(desk, invoice)
    assert [one.id for one in looked(desk, invoice, "H-7")] == ["7:1"]
    desktop.rows[7]["BatchStatus"] = "Deleted"
    assert looked(desk, invoice, "H-7") == []


def test_an_entry_added_to_an_old_batch_is_seen_after_a_while(desk, invoice):
    desktop = Desktop(desk.server, 3)
    looked(desk, invoice)
    desktop.type(2, "R-4711")
    desk.clock.moment += timedelta(minutes=6)
    assert [one.id for one in looked(desk, invoice)] == ["2:1"]


SEGMENTED = {"UnformattedAccount": "6260200", "AccountSegmentCode1": "6260", "AccountSegmentCode2": "200"}


@pytest.mark.parametrize("before", [[], [SEGMENTED | {"UnformattedAccount": "6260300", "AccountSegmentCode2": "300"}]])
def test_an_account_opened_meanwhile_lets_the_invoice_go(make, invoice, row, before):
    desk = make(cost_center_segment="2")
    one = invoice("80", row(net="80", tax="0", cost_center="200"))
    desk.server.rows("GL/GLAccounts", *before)
    with pytest.raises(Held, match="account"):
        desk.target.prepare(one, desk.codes)
    desk.server.rows("GL/GLAccounts", *before, SEGMENTED)
    assert desk.target.prepare(one, desk.codes).body["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] == "6260200"


def year(status):
    first = {"FiscalPeriod1StartDate": "2026-02-01", "FiscalPeriod1EndDate": "2026-02-28"}
    return {"FiscalYear": "2026", **first, "FiscalPeriod1Status": status}


def test_a_period_opened_meanwhile_lets_the_invoice_go(desk, invoice):
    desk.server.rows("CS/CSFiscalCalendars", year("Closed"))
    with pytest.raises(Held, match="no open period"):
        desk.target.prepare(invoice(), desk.codes)
    desk.server.rows("CS/CSFiscalCalendars", year("Open"))
    assert desk.target.prepare(invoice(), desk.codes).posted_on is not None


def test_a_period_closed_meanwhile_is_noticed(desk, invoice):
    desk.server.rows("CS/CSFiscalCalendars", year("Open"))
    for _ in range(3):
        desk.target.prepare(invoice(), desk.codes)
    assert len(desk.server.asked("CS/CSFiscalCalendars")) == 1
    desk.server.rows("CS/CSFiscalCalendars", year("Closed"))
    desk.clock.moment += timedelta(minutes=16)
    with pytest.raises(Held, match="no open period"):
        desk.target.prepare(invoice(), desk.codes)


def test_a_vendor_entered_anew_in_the_invoices_currency_lets_it_go(desk, invoice):
    with pytest.raises(Held):
        desk.target.prepare(invoice(currency="USD"), desk.codes)
    desk.server.rows("AP/APVendors", {"VendorNumber": "1200", "CurrencyCode": "USD"})
    assert desk.target.prepare(invoice(currency="USD"), desk.codes).currency == "USD"

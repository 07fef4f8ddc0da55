"""Invoices become AP invoice batches: amounts that balance, accounts, periods, refusals."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import httpx
import pytest

from ml_connector.errors import Held, Rejected

BATCHES = "AP/APInvoiceBatches"
TAKEN = {"BatchNumber": 109, "Invoices": [{"BatchNumber": 109, "EntryNumber": 1}]}


def keep_in(bench, currency):
    bench.server.rows("AP/APVendors", {"VendorNumber": "1200", "CurrencyCode": currency, "TaxGroup": "BCTAX"})


def entry(prepared):
    return prepared.body["Invoices"][0]


def test_an_invoice_becomes_one_batch_in_the_order_that_the_views_want(bench, invoice):
    prepared = bench.target.prepare(invoice(), bench.codes)
    assert list(prepared.body) == ["BatchDate", "BatchStatus", "Description", "Invoices"]
    names = list(entry(prepared))
    assert names[:3] == ["VendorNumber", "DocumentNumber", "DocumentType"]
    assert names[-1] == "InvoiceDetails"
    detail = entry(prepared)["InvoiceDetails"][0]
    assert list(detail) == ["LineNumber", "GLAccount", "DistributionDescription", "DistributedAmount"]
    assert entry(prepared) | {"InvoiceDetails": [], "InvoiceDescription": ""} == {
        "VendorNumber": "1200",
        "DocumentNumber": "R-4711",
        "DocumentType": "Invoice",
        "InvoiceDescription": "",
        "DocumentDate": "2026-01-30",
        "PostingDate": "2026-02-01",
        "CurrencyCode": "CAD",
        "DueDate": "2026-03-01",
        "DocumentTotalBeforeTaxes": Decimal("80.00"),
        "TaxAmount1": Decimal("6.60"),
        "DocumentTotalIncludingTax": Decimal("86.60"),
        "InvoiceDetails": [],
    }
    assert (prepared.posted_on, prepared.amount, prepared.currency) == (date(2026, 2, 1), Decimal("86.60"), "CAD")


def test_the_body_leaves_in_that_order_and_with_exact_amounts(bench, invoice):
    bench.server.answers[BATCHES] = lambda _: httpx.Response(201, json=TAKEN)
    bench.target.send(bench.target.prepare(invoice(), bench.codes))
    (request,) = [r for r in bench.server.requests if r.method == "POST"]
    assert next(iter(json.loads(request.content)["Invoices"][0])) == "VendorNumber"
    assert b'"DocumentTotalIncludingTax":86.60' in request.content


def test_the_batch_number_is_read_from_the_answer(bench, invoice):
    bench.server.answers[BATCHES] = lambda _: httpx.Response(201, json=TAKEN)
    found = bench.target.send(bench.target.prepare(invoice(), bench.codes))
    assert (found.id, found.number, found.ours) == ("109:1", "109", True)


def test_a_credit_note_has_positive_amounts_and_its_own_type(bench, invoice, row):
    prepared = bench.target.prepare(invoice("-86.60", row(net="-80.00", tax="-6.60")), bench.codes)
    assert entry(prepared)["DocumentType"] == "CreditNote"
    assert entry(prepared)["DocumentTotalIncludingTax"] == Decimal("86.60")
    assert entry(prepared)["TaxAmount1"] == Decimal("6.60")
    assert entry(prepared)["InvoiceDetails"][0]["DistributedAmount"] == Decimal("80.00")


def test_a_row_against_the_sign_of_its_invoice_keeps_its_sign(bench, invoice, row):
    rows = (row(key="1", net="100.00", tax="0"), row(key="2", net="-20.00", tax="0"))
    details = entry(bench.target.prepare(invoice("80.00", *rows), bench.codes))["InvoiceDetails"]
    assert [d["DistributedAmount"] for d in details] == [Decimal("100.00"), Decimal("-20.00")]
    assert [d["LineNumber"] for d in details] == [20, 40]


def test_a_residue_within_the_tolerance_goes_on_the_largest_row_and_is_noted(bench, invoice, row):
    rows = (row(key="a", net="30.00", tax="2.48"), row(key="b", net="50.00", tax="4.13"))
    prepared = bench.target.prepare(invoice("86.60", *rows), bench.codes)
    body = entry(prepared)
    assert [d["DistributedAmount"] for d in body["InvoiceDetails"]] == [Decimal("30.00"), Decimal("49.99")]
    total = sum(d["DistributedAmount"] for d in body["InvoiceDetails"]) + body["TaxAmount1"]
    assert total == body["DocumentTotalIncludingTax"]
    assert any("rounding difference of -0.01 CAD was added to coding row b" in note for note in prepared.notes)


def test_a_difference_beyond_the_tolerance_is_a_conflict(bench, invoice, row):
    with pytest.raises(Held, match=r"coding rows plus tax \(86.60 CAD\) by 0.40 CAD") as held:
        bench.target.prepare(invoice("87.00", row(net="80.00", tax="6.60")), bench.codes)
    assert held.value.waiting_for == "conflict:inv-1"


def test_more_decimals_than_a_ledger_holds_are_refused_and_not_rounded(bench, invoice, row):
    with pytest.raises(Rejected, match="never rounded"):
        bench.target.prepare(invoice("80.0001", row(net="80.0001", tax="0")), bench.codes)


def test_three_decimals_are_kept_for_currencies_that_have_them(bench, invoice, row):
    keep_in(bench, "TND")
    prepared = bench.target.prepare(invoice("80.125", row(net="80.125", tax="0"), currency="TND"), bench.codes)
    assert entry(prepared)["DocumentTotalIncludingTax"] == Decimal("80.125")


@pytest.mark.parametrize(
    ("currency", "gross", "fields", "net", "tax"),
    [
        ("TND", "119.119", {"net": "100.100"}, "100.100", "19.019"),
        ("TND", "119.119", {"gross": "119.119"}, "100.100", "19.019"),
        ("JPY", "1195", {"net": "1005"}, "1005", "190"),
        ("JPY", "1196", {"gross": "1196"}, "1005", "191"),
        ("EUR", "119.00", {"gross": "119.00"}, "100.00", "19.00"),
    ],
)
def test_tax_has_the_decimals_of_the_currency(bench, invoice, row, currency, gross, fields, net, tax):
    keep_in(bench, currency)
    prepared = bench.target.prepare(invoice(gross, row(**fields, tax_percent="19"), currency=currency), bench.codes)
    made = entry(prepared)
    assert str(made["DocumentTotalBeforeTaxes"]) == net and str(made["TaxAmount1"]) == tax
    assert made["DocumentTotalIncludingTax"] == Decimal(gross)


@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
def test_more_decimals_than_the_currency_has_are_refused_by_field_and_document(bench, invoice, row, currency):
    keep_in(bench, currency)
    amount = {"JPY": "80.5", "EUR": "80.125", "KWD": "80.1255"}[currency]
    with pytest.raises(
        Rejected, match=f"net amount of coding row 1 of invoice R-4711 is {amount} {currency}: Sage 300 keeps"
    ):
        bench.target.prepare(invoice("80", row(net=amount, tax="0"), currency=currency), bench.codes)


@pytest.mark.parametrize("percent", ["-100", "-19", "100.01", "1E29", "1E+30", "NaN", "Infinity"])
@pytest.mark.parametrize("given", ["net", "gross"])
def test_a_rate_that_is_none_is_rejected_by_its_name(bench, invoice, row, percent, given):
    with pytest.raises(Rejected, match="tax percentage of coding row 1 of invoice R-4711 is"):
        bench.target.prepare(invoice("80.00", row(**{given: "80.00"}, tax_percent=percent)), bench.codes)


@pytest.mark.parametrize("amount", ["1E29", "-1E29", "NaN", "Infinity", "9999999999999999999999.99"])
@pytest.mark.parametrize("field", ["net", "gross", "tax"])
def test_an_amount_that_is_none_is_rejected_by_its_name(bench, invoice, row, amount, field):
    with pytest.raises(Rejected, match="of coding row 1 of invoice R-4711 is"):
        bench.target.prepare(invoice("80.00", row(**{"net": "80.00", field: amount})), bench.codes)


def test_a_number_longer_than_sage_keeps_is_refused_and_never_cut(bench, invoice):
    with pytest.raises(Rejected, match="never cut"):
        bench.target.prepare(invoice(number="R" * 23), bench.codes)


def test_texts_are_cut_with_a_note(bench, invoice, row):
    prepared = bench.target.prepare(
        invoice("80.00", row(net="80.00", tax="0", description="x" * 99), description="y" * 99), bench.codes
    )
    assert len(entry(prepared)["InvoiceDescription"]) == 60
    assert len(entry(prepared)["InvoiceDetails"][0]["DistributionDescription"]) == 60
    assert len([note for note in prepared.notes if "cut at 60" in note]) == 2


def test_an_order_number_longer_than_sage_keeps_is_left_out_with_a_note(bench, invoice, row):
    number = "P" * 23
    bench.server.rows("PO/POPurchaseOrders", order(number))
    prepared = bench.target.prepare(invoice("80", row(net="80", tax="0", order_number=number)), bench.codes)
    assert "PONumber" not in entry(prepared)
    assert any("order number" in note for note in prepared.notes)


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────────────────


def order(number="PO1", account="1300-100", **fields):
    line = {"LineNumber": 1000, "ItemNumber": "A1", "QuantityOrdered": 10, "UnitCost": 8, "ExpenseAccount": account}
    return {"PurchaseOrderNumber": number, "Vendor": "1200", "PurchaseOrderLines": [line], **fields}


def test_the_account_is_that_of_the_order_line_which_the_row_names(bench, invoice, row):
    bench.server.rows("PO/POPurchaseOrders", order())
    named = row(net="80", tax="0", order_number="PO1", order_line="1000")
    prepared = bench.target.prepare(invoice("80", named), bench.codes)
    assert entry(prepared)["InvoiceDetails"][0]["GLAccount"] == "1300100"
    assert entry(prepared)["PONumber"] == "PO1"
    assert any("has 6260; it was posted to 1300100" in note for note in prepared.notes)


def test_an_order_line_without_account_leaves_it_to_the_coding(bench, invoice, row):
    bench.server.rows("PO/POPurchaseOrders", order(account=None))
    named = row(net="80", tax="0", order_number="PO1", order_line="1000")
    prepared = bench.target.prepare(invoice("80", named), bench.codes)
    assert entry(prepared)["InvoiceDetails"][0]["GLAccount"] == "6260"


@pytest.mark.parametrize("found", [[], [order(Vendor="9999")]])
def test_an_order_that_is_not_there_is_waited_for(bench, invoice, row, found):
    bench.server.rows("PO/POPurchaseOrders", *found)
    with pytest.raises(Held) as held:
        bench.target.prepare(invoice("80", row(net="80", tax="0", order_number="PO1")), bench.codes)
    assert held.value.waiting_for == "order:PO1"


def test_an_order_line_that_is_not_there_is_waited_for(bench, invoice, row):
    bench.server.rows("PO/POPurchaseOrders", order())
    with pytest.raises(Held, match="no line 7"):
        bench.target.prepare(invoice("80", row(net="80", tax="0", order_number="PO1", order_line="7")), bench.codes)


SEGMENTED = [
    {"UnformattedAccount": "6260100", "AccountSegmentCode1": "6260", "AccountSegmentCode2": "100"},
    {"UnformattedAccount": "6260200", "AccountSegmentCode1": "6260", "AccountSegmentCode2": "200"},
]


def test_natural_account_and_cost_centre_are_joined_into_the_ledgers_account(make, invoice, row):
    bench = make(cost_center_segment="2")
    bench.server.rows("GL/GLAccounts", *SEGMENTED)
    bench.codes.mapped["cost_center", "SALES"] = "200"
    rows = (row(key="1", net="50", tax="0", cost_center="SALES"), row(key="2", net="30", tax="0", cost_center="100"))
    details = entry(bench.target.prepare(invoice("80", *rows), bench.codes))["InvoiceDetails"]
    assert [d["GLAccount"] for d in details] == ["6260200", "6260100"]
    assert len(bench.server.asked("GL/GLAccounts")) == 1


@pytest.mark.parametrize(("center", "waits"), [("300", "account:6260"), (None, "cost_center:6260")])
def test_a_pair_that_the_ledger_does_not_have_is_waited_for(make, invoice, row, center, waits):
    bench = make(cost_center_segment="2")
    bench.server.rows("GL/GLAccounts", *SEGMENTED)
    with pytest.raises(Held) as held:
        bench.target.prepare(invoice("80", row(net="80", tax="0", cost_center=center)), bench.codes)
    assert held.value.waiting_for == waits


def test_a_cost_centre_without_the_setting_is_left_out_with_a_note(bench, invoice, row):
    prepared = bench.target.prepare(invoice("80", row(net="80", tax="0", cost_center="200")), bench.codes)
    assert any("cost_center_segment" in note for note in prepared.notes)


def test_a_code_without_counterpart_is_waited_for(bench, invoice):
    bench.codes.missing.add(("account", "6260"))
    with pytest.raises(Held, match="not mapped"):
        bench.target.prepare(invoice(), bench.codes)


# ── vendor, tax, period ──────────────────────────────────────────────────────────────────────────────────────


def test_a_vendor_that_is_not_there_is_waited_for(bench, invoice):
    bench.server.rows("AP/APVendors")
    with pytest.raises(Held) as held:
        bench.target.prepare(invoice(), bench.codes)
    assert held.value.waiting_for == "supplier:1200"


def test_an_invoice_in_another_currency_than_its_vendors_is_held(bench, invoice):
    with pytest.raises(Held) as held:
        bench.target.prepare(invoice(currency="USD"), bench.codes)
    assert held.value.waiting_for == "currency:USD"


def test_a_tax_code_is_a_group_and_perhaps_a_class(bench, invoice, row):
    bench.codes.mapped |= {("tax", "V1"): "GST/2", ("tax", "V0"): "GST"}
    rows = (row(key="1", net="50", tax="6.60", tax_code="V1"), row(key="2", net="30", tax="0", tax_code="V0"))
    body = entry(bench.target.prepare(invoice("86.60", *rows), bench.codes))
    assert body["TaxGroup"] == "GST"
    assert [d.get("TaxClass1") for d in body["InvoiceDetails"]] == [2, None]
    names = list(body)
    assert names.index("TaxGroup") < names.index("TaxAmount1")


def test_two_tax_groups_do_not_go_into_one_invoice(bench, invoice, row):
    rows = (row(key="1", net="50", tax="0", tax_code="A"), row(key="2", net="30", tax="0", tax_code="B"))
    with pytest.raises(Held) as held:
        bench.target.prepare(invoice("80", *rows), bench.codes)
    assert held.value.waiting_for == "tax:B"


def calendar(year=2026, active="Yes"):
    row = {"FiscalYear": str(year), "Active": active}
    for month in range(1, 13):
        row[f"FiscalPeriod{month}StartDate"] = f"{year}-{month:02d}-01T00:00:00Z"
        row[f"FiscalPeriod{month}EndDate"] = f"{year}-{month:02d}-28T00:00:00Z"
    return row


def test_a_closed_period_is_held(bench, invoice):
    bench.server.rows("CS/CSFiscalCalendars", calendar(active="No"))
    with pytest.raises(Held) as held:
        bench.target.prepare(invoice(), bench.codes)
    assert held.value.waiting_for == "period:2026-02"


def test_a_closed_period_moves_to_the_next_open_one_where_the_tenant_says_so(make, invoice):
    bench = make(options={"closed_period": "next_open"})
    bench.server.rows("CS/CSFiscalCalendars", calendar(active="No"), calendar(2027))
    prepared = bench.target.prepare(invoice(), bench.codes)
    assert (prepared.posted_on, entry(prepared)["PostingDate"]) == (date(2027, 1, 1), "2027-01-01")
    assert entry(prepared)["DocumentDate"] == "2026-01-30"
    assert any("moved from 2026-02-01 to 2027-01-01" in note for note in prepared.notes)
    assert entry(prepared)["InvoiceDescription"] == "Period 2026-02 closed: Invoice R-4711"


def test_a_day_that_no_fiscal_year_covers_is_held(bench, invoice):
    bench.server.rows("CS/CSFiscalCalendars", calendar())
    with pytest.raises(Held, match="no open period"):
        bench.target.prepare(invoice(accounting_date=date(2031, 1, 1)), bench.codes)


def test_a_calendar_that_may_not_be_read_is_no_obstacle(bench, invoice, fault):
    bench.server.answers["CS/CSFiscalCalendars"] = lambda _: fault(403, "Forbidden", "no")
    assert bench.target.prepare(invoice(), bench.codes).posted_on == date(2026, 2, 1)


def test_a_refused_period_moves_on_where_the_tenant_says_so(make, invoice, fault):
    bench = make(options={"closed_period": "next_open"})
    no = fault(400, "RecordInvalid", "Fiscal period 02 of fiscal year 2026 is locked.")
    bench.server.script(BATCHES, no, no, httpx.Response(201, json=TAKEN))
    found = bench.target.send(bench.target.prepare(invoice(), bench.codes))
    assert (found.number, found.notes) == ("109", ("Posting date moved from 2026-02-01 to 2026-04-01: period closed.",))
    sent = [body["Invoices"][0] for body in bench.server.sent("POST", BATCHES)]
    assert [one["PostingDate"] for one in sent] == ["2026-02-01", "2026-03-01", "2026-04-01"]
    assert sent[-1]["InvoiceDescription"] == "Period 2026-02 closed: Invoice R-4711"


@pytest.mark.parametrize("active", ["Yes", "No"])
def test_where_every_month_is_refused_the_invoices_own_is_named(make, invoice, fault, active):
    """Also where the fiscal calendar has moved it before anything was sent."""
    bench = make(options={"closed_period": "next_open"})
    bench.server.rows("CS/CSFiscalCalendars", calendar(active=active), calendar(2027))
    refusals = [fault(400, "RecordInvalid", f"Fiscal period 0{n} of fiscal year 2026 is locked.") for n in range(2, 9)]
    bench.server.script(BATCHES, *refusals)
    with pytest.raises(Held, match="period 02") as held:
        bench.target.send(bench.target.prepare(invoice(), bench.codes))
    assert held.value.waiting_for == "period:2026-02"
    assert len(bench.server.sent("POST", BATCHES)) == 4


def test_a_later_month_that_is_refused_for_something_else_says_so(make, invoice, fault):
    bench = make(options={"closed_period": "next_open"})
    no = fault(400, "RecordInvalid", "Fiscal period 02 of fiscal year 2026 is locked.")
    bench.server.script(BATCHES, no, fault(400, "RecordInvalid", "Account 6260 does not exist."))
    with pytest.raises(Held) as held:
        bench.target.send(bench.target.prepare(invoice(), bench.codes))
    assert held.value.waiting_for == "account:6260"

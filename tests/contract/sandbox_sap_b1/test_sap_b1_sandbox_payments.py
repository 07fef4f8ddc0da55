"""Outgoing payments and what they do to invoices (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.sap_b1 import back_office


@pytest.fixture
def invoice(api, service):
    return api.made("PurchaseInvoices", service())


@pytest.fixture
def payment(invoice):
    def make(line=None, **header):
        applied = {"DocEntry": invoice["DocEntry"], "InvoiceType": "it_PurchaseInvoice", "SumApplied": 100}
        plain = {"DocType": "rSupplier", "CardCode": "V10000", "TransferAccount": "180000", "TransferSum": 100}
        return plain | {"PaymentInvoices": [applied | (line or {})]} | header

    return make


def test_a_part_payment_leaves_the_invoice_open(api, invoice, payment):
    api.made("VendorPayments", payment())
    now = api.get(f"PurchaseInvoices({invoice['DocEntry']})").json()
    assert (now["PaidToDate"], now["DocumentStatus"]) == (100, "bost_Open")


def test_a_full_payment_closes_the_invoice_and_leaves_its_stamp(api, world, clock, invoice):
    clock.forward(days=3)
    api.login()
    back_office.pay(world, invoice["DocEntry"])
    now = api.get(f"PurchaseInvoices({invoice['DocEntry']})").json()
    assert (now["PaidToDate"], now["DocumentStatus"]) == (297.5, "bost_Close")
    assert now["UpdateDate"] == invoice["UpdateDate"]


def test_cancelling_a_payment_opens_the_invoice_and_leaves_every_stamp(api, world, clock, invoice):
    paid = back_office.pay(world, invoice["DocEntry"])
    clock.forward(days=3)
    api.login()
    assert api.post(f"VendorPayments({paid['DocEntry']})/Cancel", None).status_code == 204
    now = api.get(f"PurchaseInvoices({invoice['DocEntry']})").json()
    assert (now["PaidToDate"], now["DocumentStatus"], now["UpdateDate"]) == (0, "bost_Open", invoice["UpdateDate"])
    row = api.get(f"VendorPayments({paid['DocEntry']})").json()
    assert (row["Cancelled"], row["CancelStatus"]) == ("tYES", "csYes")


def test_payments_have_no_update_date(api, expect_refusal):
    expect_refusal(api.get("VendorPayments?$filter=UpdateDate ge 2026-01-01"), 400, -1000, "'UpdateDate' of 'Payment'")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"InvoiceType": None}, "No matching records"),
        ({"InvoiceType": "it_PurchaseCreditNote"}, "No matching records"),
        ({"DocEntry": 1}, "No matching records"),
        ({"SumApplied": 300}, "exceeds the open balance"),
        ({"SumApplied": 0}, "Enter an applied amount"),
        ({"SumApplied": 101}, "Payment means are less"),
    ],
)
def test_a_wrong_application_is_refused(api, payment, expect_refusal, line, text):
    expect_refusal(api.post("VendorPayments", payment(line)), 400, -10, text)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"CardCode": "V10001"}, "another business partner"),
        ({"TransferAccount": "400117"}, "Invalid G/L account"),
        ({"TransferAccount": None}, "Invalid G/L account"),
    ],
)
def test_a_wrong_payment_is_refused(api, payment, expect_refusal, header, text):
    expect_refusal(api.post("VendorPayments", payment(**header)), 400, -10, text)


def test_a_paid_invoice_takes_no_further_payment(api, world, invoice, payment, expect_refusal):
    back_office.pay(world, invoice["DocEntry"])
    expect_refusal(api.post("VendorPayments", payment()), 400, -5002, "Document is already closed")


def test_a_foreign_invoice_is_paid_in_its_currency(api, world, service):
    body = service({"LineTotal": None, "RowTotalFC": 100}, CardCode="V10007", DocCurrency="USD")
    entry = api.made("PurchaseInvoices", body)["DocEntry"]
    part = back_office.pay(world, entry, Decimal(40))
    assert part["PaymentInvoices"][0]["AppliedFC"] == 40
    now = api.get(f"PurchaseInvoices({entry})").json()
    assert (now["PaidToDateFC"], now["PaidToDate"], now["DocumentStatus"]) == (40, 36.86, "bost_Open")
    back_office.pay(world, entry)
    assert api.get(f"PurchaseInvoices({entry})").json()["DocumentStatus"] == "bost_Close"


def test_the_rows_name_document_and_type(api, world, invoice):
    back_office.pay(world, invoice["DocEntry"], reference="ACH-1")
    row = api.rows(
        "VendorPayments?$filter=DocEntry gt 0&$orderby=DocEntry&$select=DocEntry,TransferReference,PaymentInvoices"
    )[0]
    applied = row["PaymentInvoices"][0]
    assert (row["TransferReference"], applied["InvoiceType"], applied["DocEntry"]) == (
        "ACH-1",
        "it_PurchaseInvoice",
        800,
    )


def test_one_payment_pays_several_instalments_up_to_what_is_open(api, invoice, payment):
    body = payment(TransferSum=400)
    line = body["PaymentInvoices"][0]
    body["PaymentInvoices"] = [line | {"SumApplied": 200}, line | {"SumApplied": 97.5, "InstallmentId": 2}]
    assert [row["InstallmentId"] for row in api.made("VendorPayments", body)["PaymentInvoices"]] == [1, 2]
    assert api.get(f"PurchaseInvoices({invoice['DocEntry']})").json()["DocumentStatus"] == "bost_Close"


def test_two_instalments_cannot_overdraw_their_document(api, payment, expect_refusal):
    body = payment(TransferSum=400)
    line = body["PaymentInvoices"][0] | {"SumApplied": 150}
    body["PaymentInvoices"] = [line, line | {"InstallmentId": 2}]
    expect_refusal(api.post("VendorPayments", body), 400, -10, "exceeds the open balance 297.5")


def test_one_payment_names_an_instalment_once(api, payment, expect_refusal):
    body = payment(TransferSum=400)
    body["PaymentInvoices"] *= 2
    expect_refusal(api.post("VendorPayments", body), 400, -10, "once")

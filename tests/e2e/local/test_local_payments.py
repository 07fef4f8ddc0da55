"""Payments made in SAP reach the invoice in Basware: partial, the rest, cancelled, foreign; credit notes too."""

from datetime import UTC, datetime
from decimal import Decimal

from infra.sandbox.sap_b1 import back_office
from infra.sandbox.sap_b1.payments import cancel_payment


def paid(stage, *nets, **more):
    """Post an invoice and give its id and its DocEntry in SAP."""
    key = stage.invoice(*nets, **more)
    stage.ran()
    return key, stage.posted(key)[0]["DocEntry"]


def test_a_partial_payment_and_the_rest_arrive_with_what_was_paid_in_all(small):
    key, entry = paid(small, "100.10")
    first = back_office.pay(small.erp, entry, Decimal("40.05"), reference="TRF-1")
    row = small.flows(small.ran())["payments"]
    assert row["delivered"] == 1
    assert row["amounts"]["EUR"]["delivered"] == "40.05"
    document = small.document(key)
    assert Decimal(document.payment["paidTotal"]) == Decimal("40.05")
    assert document.payment["paymentNumber"] == str(first["DocNum"])
    assert document.payment["paymentMethod"] == "transfer"
    assert document.payment["paymentMessage"] == "TRF-1"
    assert document.payment["paymentDate"][:10] == datetime.now(UTC).date().isoformat()
    assert document.status == "Transferred"
    before = small.writes()
    assert small.flows(small.ran())["payments"]["unchanged"] == 1
    assert small.writes() == before

    back_office.pay(small.erp, entry)
    row = small.flows(small.ran())["payments"]
    assert [row["delivered"], row["unchanged"]] == [1, 1]
    document = small.document(key)
    assert Decimal(document.payment["paidTotal"]) == Decimal("100.10")
    assert document.status == "Paid"
    before = small.writes()
    assert small.flows(small.ran())["payments"]["unchanged"] == 2
    assert small.writes() == before


def test_a_cancelled_payment_is_reversed(small):
    key, entry = paid(small, "100.00")
    payment = back_office.pay(small.erp, entry, Decimal(60))
    small.ran()
    cancel_payment(small.erp, payment["DocEntry"])
    row = small.flows(small.ran())["payments"]
    assert (row["delivered"], row["amounts"]["EUR"]["delivered"]) == (1, "-60.00")
    document = small.document(key)
    assert Decimal(document.payment["paidTotal"]) == 0
    assert document.payment["paymentReversalDocument"] == str(payment["DocNum"])
    assert len(document.answers["paymentResponses"]) == 2
    before = small.writes()
    small.ran()
    assert small.writes() == before
    back_office.pay(small.erp, entry)
    small.ran()
    assert Decimal(small.document(key).payment["paidTotal"]) == Decimal(100)
    assert small.document(key).status == "Paid"


def test_a_payment_made_and_cancelled_between_two_runs_is_never_told(small):
    key, entry = paid(small, "100.00")
    cancel_payment(small.erp, back_office.pay(small.erp, entry, Decimal(60))["DocEntry"])
    before = small.writes()
    small.ran()
    assert small.writes() == before
    assert small.document(key).payment == {}


def test_payments_of_documents_that_are_not_ours_are_left_alone(small):
    _, entry = paid(small, "100.00")
    invoice = small.erp.tables["PurchaseInvoices"][entry]
    stranger = small.erp.put("PurchaseInvoices", invoice | {"DocEntry": 7777, "DocNum": 9999, "NumAtCard": "BY-HAND"})
    back_office.pay(small.erp, stranger["DocEntry"])
    before = small.writes()
    row = small.flows(small.ran())["payments"]
    assert row["delivered"] == row["held"] == row["rejected"] == 0
    assert small.writes() == before


def test_a_payment_in_foreign_currency_is_told_in_the_currency_of_the_invoice(small):
    small.erp.tables["BusinessPartners"]["V10002"]["Currency"] = "##"
    key, entry = paid(small, "100.00", supplier="V10002", currencyCode="USD")
    assert small.posted(key)[0]["DocTotalFc"] == Decimal("100.00")
    back_office.pay(small.erp, entry, Decimal("33.33"))
    row = small.flows(small.ran())["payments"]
    assert row["amounts"]["USD"]["delivered"] == "33.33"
    assert Decimal(small.document(key).payment["paidTotal"]) == Decimal("33.33")


def test_a_credit_note_becomes_a_purchase_credit_note_with_its_own_amounts(small):
    key = small.invoice("-80.10", "-19.90", invoiceTypeCode="CREDIT")
    row = small.flows(small.ran())["invoices"]
    assert row["amounts"]["EUR"]["delivered"] == "-100.00"
    assert small.posted(key) == []
    (note,) = small.posted(key, "PurchaseCreditNotes")
    assert note["DocTotal"] == Decimal("100.00")
    assert small.document(key).status == "Transferred"
    assert small.document(key).record["voucherNumber1"] == str(note["DocNum"])
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_an_invoice_and_a_credit_note_of_one_docentry_get_their_own_payments(small):
    small.erp.numbers["PurchaseCreditNotes"] = small.erp.numbers["PurchaseInvoices"] = 900
    invoice, credit = small.invoice("50.00"), small.invoice("-20.00", invoiceTypeCode="CREDIT")
    small.ran()
    entry = small.posted(invoice)[0]["DocEntry"]
    assert small.posted(credit, "PurchaseCreditNotes")[0]["DocEntry"] == entry
    back_office.pay(small.erp, entry, Decimal("12.50"))
    small.ran()
    assert Decimal(small.document(invoice).payment["paidTotal"]) == Decimal("12.50")
    assert small.document(credit).payment == {}

"""A person decides over a document that the ERP has under another date: with the command, against whole servers."""

from __future__ import annotations

import pytest

from infra.sandbox.sap_b1 import back_office


def rent(small, day, number="MIETE 7"):
    """February's rent, of which a clerk entered January's by hand under its contract."""
    key = small.invoice("100.00", invoiceNumber="Miete 7", invoiceDate="2026-02-01")
    line = {"ItemDescription": "Rent", "LineTotal": 100, "AccountCode": "400001", "VatGroup": "V0"}
    body = {
        "CardCode": "V10001",
        "DocType": "dDocument_Service",
        "NumAtCard": number,
        "TaxDate": day,
        "DocumentLines": [line],
    }
    return key, back_office.change(small.erp, "PurchaseInvoices", body)


@pytest.mark.parametrize("what", ["match", "post"])
def test_last_months_rent_is_not_taken_for_this_months(small, what):
    key, january = rent(small, "2026-01-01")
    report = small.ran()
    (line,) = report["held"]
    assert line["waiting_for"] == f"conflict:{key}" and str(january["DocNum"]) in line["reason"]
    assert small.document(key).status == "WaitingForTransfer"
    choice = ["--match", str(january["DocNum"])] if what == "match" else ["--post"]
    small.ops("resolve", "acme", "invoices", "miete 7", *choice, "--by", "ada", "--yes")
    assert small.ran()["held"] == []
    assert small.document(key).status == "Transferred"
    said = small.document(key).answers["transferResponses"][-1]["voucherNumber1"]
    assert (said == str(january["DocNum"])) == (what == "match")
    here = [row for row in small.erp.rows("PurchaseInvoices") if row["CardCode"] == "V10001" and row["DocTotal"] == 100]
    assert len(here) == (1 if what == "match" else 2)


def test_the_same_day_is_the_same_invoice(small):
    key, entered = rent(small, "2026-02-01", "mIETE\u00a07")
    assert small.ran()["held"] == []
    assert small.document(key).answers["transferResponses"][-1]["voucherNumber1"] == str(entered["DocNum"])

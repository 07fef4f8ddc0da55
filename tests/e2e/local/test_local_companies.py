"""Several companies in Basware, one of them this ERP's: the others' documents are left to whoever they belong to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from infra.sandbox.sap_b1 import back_office

TWO = ["1000", "2000"]


def _known(small: Any) -> None:
    small.ap.companies.add("2000")
    small.write("basware", companies=TWO)


def test_an_invoice_of_another_company_is_held_with_the_command_that_would_let_it_in(small):
    _known(small)
    small.ops("mappings", "set", "acme", "company", "1000", "SBODEMO")
    ours, theirs = small.invoice("50.00"), small.invoice("60.00", companyCode="2000")
    report = small.ran()
    assert len(small.posted(ours)) == 1
    assert small.posted(theirs) == []
    assert small.document(theirs).status == "WaitingForTransfer"
    (line,) = report["held"]
    assert line["waiting_for"] == "company:2000"
    assert "`ml-connector mappings set acme company 2000 SBODEMO" in line["reason"]
    assert line["amount"] == "60.00"


def test_a_company_that_nobody_mapped_takes_and_gives_nothing(small):
    _known(small)
    key = small.invoice("50.00")
    report = small.ran()
    assert small.posted(key) == [] and not small.imported("vendors")
    causes = {line["waiting_for"]: line["reason"] for line in report["held"]}
    assert "`ml-connector mappings set acme company BASWARE-COMPANY SBODEMO" in causes["company:SBODEMO"]
    small.ops("mappings", "set", "acme", "company", "1000", "SBODEMO")
    small.ran()
    assert len(small.posted(key)) == 1


def test_a_payment_of_an_invoice_of_another_company_is_held(small):
    key = small.invoice("50.00")
    small.ran()  # with one company everything was this ERP's
    back_office.pay(small.erp, small.posted(key)[0]["DocEntry"], Decimal(50))
    _known(small)
    small.ops("mappings", "set", "acme", "company", "2000", "SBODEMO")
    report = small.ran()
    (line,) = [one for one in report["held"] if one["flow"] == "payments"]
    assert line["waiting_for"] == "company:1000"
    assert small.document(key).status == "Transferred" and not small.document(key).answers.get("paymentResponses")


def test_a_second_tenant_with_the_other_company_takes_what_is_its_own(small, another):
    """Two ERPs, one account of Basware; each tenant names the company that it has."""
    small.ap.companies.add("2000")
    another.write("basware", base_url=small.ap_url, companies=["2000"], source_system="SAPB2")
    ours, theirs = small.invoice("50.00"), small.invoice("60.00", companyCode="2000")
    code, _ = small.run()
    assert code == 0
    assert len(small.posted(ours)) == 1 and small.posted(theirs) == []
    number = small.document(theirs).record["invoiceNumber"]
    booked = [row for row in another.erp.rows("PurchaseInvoices") if row.get("NumAtCard") == number]
    assert len(booked) == 1
    assert small.document(theirs).status == "Transferred"

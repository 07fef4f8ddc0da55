"""The joint world: what should be posted can be, by a clerk who reads both systems."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from infra.sandbox.fixtures_sage_300 import seeded_systems
from tests.contract.sandbox_sage_300.conftest import Api


@pytest.fixture
def joint(clock):
    return seeded_systems(1, clock)


def test_each_invoice_has_a_fate_and_a_currency_that_its_vendor_has(joint):
    assert set(joint.fates) == set(joint.ap.documents)
    assert len(joint.fates) == 60
    kinds = Counter(fate.fate.split(":")[0] for fate in joint.fates.values())
    assert kinds["post"] > 40
    assert {"hold", "reject", "conflict", "not ours", "post or conflict"} < set(kinds)
    for document in joint.ap.documents.values():
        vendor = joint.erp.get("APVendors", document.record["supplierCode"])
        assert vendor is None or vendor["CurrencyCode"] == document.record["currencyCode"]


def test_orders_on_invoices_are_open_in_the_erp(joint):
    orders = {row["PurchaseOrderNumber"]: row for row in joint.erp.rows("POPurchaseOrders")}
    numbers = [n for d in joint.ap.documents.values() for n in d.record.get("orderNumbers") or []]
    assert len(numbers) > 20
    assert all(orders[number]["Completed"] == "No" for number in numbers)


def test_every_invoice_that_should_be_posted_can_be(joint):
    api = Api(joint.erp)
    wanted = [joint.ap.documents[f.invoice_id].record for f in joint.fates.values() if f.fate == "post"]
    for record in wanted:
        sign = -1 if record["grossSum"] < 0 else 1
        lines = [
            {"GLAccount": row["accountCode"] + row["costCenterCode"], "DistributedAmount": sign * row["netTotal"]}
            for row in record["codingRows"]
        ]
        gap = sign * (record["grossSum"] - sum(row["grossTotal"] for row in record["codingRows"]))
        if gap:
            lines.append({"GLAccount": lines[0]["GLAccount"], "DistributedAmount": gap})
        tax = sign * sum((row["taxSum"] for row in record["codingRows"]), Decimal(0))
        entry = {
            "VendorNumber": record["supplierCode"],
            "DocumentNumber": record["invoiceNumber"],
            "DocumentType": "Invoice" if sign > 0 else "CreditNote",
            "DocumentDate": record["invoiceDate"],
            "CurrencyCode": record["currencyCode"],
            "TaxAmount1": tax,
            "DocumentTotalIncludingTax": sign * record["grossSum"],
            "InvoiceDetails": lines,
        }
        api.made("AP/APInvoiceBatches", {"BatchStatus": "ReadyToPost", "Invoices": [entry]})
    api.posted(1, 10**6)
    assert joint.erp.rows("APPostingErrorMessages") == []
    assert len(joint.erp.rows("APPostedDocuments")) == len(wanted)

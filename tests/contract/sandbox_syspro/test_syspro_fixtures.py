"""The joint world: what should be posted can be, by a clerk who reads both systems."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.fixtures_syspro import seeded_systems
from tests.contract.sandbox_syspro.conftest import Api, balance, errors


@pytest.fixture
def joint(clock):
    return seeded_systems(1, clock)


def test_each_invoice_has_a_fate_and_a_currency_that_its_supplier_has(joint):
    assert set(joint.fates) == set(joint.ap.documents)
    assert len(joint.fates) == 60
    kinds = Counter(fate.fate.split(":")[0] for fate in joint.fates.values())
    assert kinds["post"] > 40
    assert {"hold", "reject", "conflict", "not ours", "post or conflict"} < set(kinds)
    for document in joint.ap.documents.values():
        supplier = joint.erp.get("ApSupplier", document.record["supplierCode"])
        assert supplier is None or supplier["Currency"] == document.record["currencyCode"]


def test_goods_of_orders_on_invoices_have_been_received(joint):
    numbers = {n for d in joint.ap.documents.values() for n in d.record.get("orderNumbers") or []}
    assert len(numbers) > 20
    assert numbers <= {row["PurchaseOrder"] for row in joint.erp.rows("GrnDetails")}


def test_every_invoice_that_should_be_posted_can_be(joint):
    api = Api(joint.erp)
    api.log_on()
    joint.erp.longest_address = 100_000  # a clerk has no address bar
    notes = {(row["PurchaseOrder"], str(row["PurchaseOrderLin"])): row for row in joint.erp.rows("GrnDetails")}
    wanted = [joint.ap.documents[f.invoice_id].record for f in joint.fates.values() if f.fate == "post"]
    for record in wanted:
        text = api.invoice(item(record, notes), LedgerDistributionCurrency="F", PermissibleTaxVariance="0.05")
        assert errors(text) == [] and "WarningMessages" not in text, text
    assert len(joint.erp.rows("ApInvoice")) == len(wanted) and balance(joint.erp) == 0
    assert len(joint.erp.rows("GrnMatching")) > 20


def item(record: dict[str, Any], notes: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    sign = -1 if record["grossSum"] < 0 else 1
    rows = record["codingRows"]
    gap = sign * (record["grossSum"] - sum(row["grossTotal"] for row in rows))
    lines = [
        {"LedgerCode": row["accountCode"], "LedgerTaxCode": row["taxCode"], "LedgerValue": sign * row["netTotal"]}
        for row in rows
    ]
    lines += [lines[0] | {"LedgerTaxCode": "Z", "LedgerValue": gap}] if gap else []
    matched = [notes[row["orderNumber"], row["orderLineNumber"]] for row in rows if row.get("orderNumber")]
    return {
        "Supplier": record["supplierCode"],
        "TransactionCode": "I" if sign > 0 else "C",
        "Invoice": record["invoiceNumber"],
        "TransactionValue": sign * record["grossSum"],
        "ReestablishInvoice": "N" if sign > 0 else "Y",
        "InvoiceDate": record["invoiceDate"][:10],
        "TaxValue": sign * sum((row["taxSum"] for row in rows), Decimal(0)),
        "LedgerDistribution": lines,
        "GrnDetails": [
            {
                "GrnMatchType": "O",
                "GrnGrn": note["Grn"],
                "GrnFlag": note["GrnSource"],
                "GrnJournal": note["Journal"],
                "GrnEntry": note["JournalEntry"],
            }
            for note in matched
        ],
    }

"""The vendor's own sample bodies are taken as they stand, once the codes that they name exist.

The folder named by ML_CONNECTOR_SPECS holds them (`sage_300/sample_post_payloads`); without it nothing is compared.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from infra.sandbox.sage_300.seed_masters import account, add_tax

REPOSITORY = Path(__file__).parents[3]
SPECS = Path(os.environ.get("ML_CONNECTOR_SPECS", REPOSITORY.parent / "shared" / "specs"))
SAMPLES = SPECS / "sage_300" / "sample_post_payloads"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder with the vendor's sample bodies is not here")


@pytest.fixture
def samples(world):
    """The codes of the vendor's demonstration company."""
    world.rates["CAD"] = Decimal("0.67")
    add_tax(world, "WATAX", "WATAX", {1: Decimal("8.25")})
    add_tax(world, "BCTAX", "GST", {1: Decimal(5)})
    for year in range(2019, 2022):
        world.put("CSFiscalCalendars", {"FiscalYear": str(year), "Active": "Yes", "NumberOfFiscalPeriods": 12})
    for code in ("5000", "6000"):
        world.put("GLAccounts", account(code))
    for code in ("1200", "1400", "1500", "1890"):
        row = {"VendorNumber": code, "VendorName": code, "Status": "Active", "Terms": "N30", "CurrencyCode": "EUR"}
        world.put("APVendors", row | {"TaxGroup": "WATAX", "TaxClassCode1": 1, "GroupCode": "INV"})
    world.items = {}
    return world


def names(pattern: str) -> list[str]:
    return sorted(str(p.relative_to(SAMPLES)) for p in SAMPLES.glob(pattern))


def body_of(name: str):
    return json.loads((SAMPLES / name).read_text(encoding="utf-8-sig"), parse_float=Decimal)


def resource_of(name: str) -> str:
    module, _, stem = name.removesuffix(".txt").partition("/")
    return f"{module}/{stem.partition('_')[0]}"


@pytest.mark.parametrize("name", names("AP/*.txt"))
def test_each_payables_sample_is_taken(api, samples, name):
    made = api.made(resource_of(name), body_of(name))
    assert made["@odata.context"].endswith("/$entity")


@pytest.mark.parametrize("name", ["PO/POPurchaseOrders.txt", "PO/POReceipts.txt", "PO/POReturns.txt"])
def test_purchasing_samples_are_taken(api, samples, name):
    api.made(resource_of(name), body_of(name))


def test_the_sample_invoice_balances_by_itself_and_can_be_posted(api, samples):
    made = api.made(
        "AP/APInvoiceBatches", {"BatchStatus": "ReadyToPost"} | body_of("AP/APInvoiceBatches_CreditNote.txt")
    )
    one = made["Invoices"][0]
    assert (one["TotalTaxAmount"], one["InvoiceDetails"][0]["GLAccount"]) == (Decimal("6.6"), "1300")
    api.posted(made["BatchNumber"])
    assert api.read("AP/APPostedDocuments('1200','APCN109-01C')")["DocumentType"] == "CreditNote"

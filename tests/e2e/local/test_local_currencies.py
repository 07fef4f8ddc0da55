"""A company that calls its currency `$`, as SAP Business One lets it: nothing leaves under that name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sap_b1 import back_office


@pytest.fixture
def dollars(small: Any) -> Any:
    small.erp.local_currency = "$"
    small.erp.put("Currencies", {"Code": "$", "Name": "Peso", "DocumentsCode": "COP"})
    for partner in small.erp.tables["BusinessPartners"].values():
        partner["Currency"] = "$"
    return small


def test_what_nobody_mapped_is_held_before_anything_is_sent(dollars):
    order = dollars.order()
    key = dollars.invoice("50.00", currencyCode="$$")
    report = dollars.ran()
    causes = {line["flow"]: line for line in report["held"]}
    assert causes["purchase_orders"]["waiting_for"] == "currency:$"
    assert "`ml-connector mappings set acme currency BASWARE-CURRENCY '$'" in causes["purchase_orders"]["reason"]
    assert causes["invoices"]["waiting_for"] == "currency:$$"
    assert "`ml-connector mappings set acme currency '$$' SAP-CURRENCY" in causes["invoices"]["reason"]
    assert not dollars.imported("matchingOrders") and order
    assert dollars.posted(key) == [] and dollars.document(key).status == "WaitingForTransfer"


def test_a_mapped_one_crosses_in_every_flow_and_both_ways(dollars):
    dollars.ops("mappings", "set", "acme", "currency", "COP", "$")
    dollars.order()
    key, note = dollars.invoice("100.00", currencyCode="COP"), dollars.invoice("-40.00", currencyCode="COP")
    report = dollars.ran()
    assert not report["held"], report
    (order,) = dollars.imported("matchingOrders").values()
    (line,) = dollars.imported("matchingOrderLines").values()
    assert (order["currencyCode"], line["currencyCode"]) == ("COP", "COP")
    (booked,) = dollars.posted(key)
    assert booked["DocCurrency"] == "$"
    assert dollars.posted(note, "PurchaseCreditNotes")[0]["DocCurrency"] == "$"
    back_office.pay(dollars.erp, booked["DocEntry"], Decimal(60), reference="TRF-1")
    row = dollars.flows(dollars.ran())["payments"]
    assert (row["delivered"], row["held"]) == (1, 0)
    assert row["amounts"]["COP"]["delivered"] == "60.00", "amounts of all flows are told in the platform's currency"
    assert Decimal(dollars.document(key).payment["paidTotal"]) == Decimal(60)
    assert "60.00 COP" in dollars.document(key).answers["paymentResponses"][0]["responseMessage"]


@pytest.mark.parametrize("bare", ["order", "payment"])
def test_a_document_that_names_no_currency_is_in_the_companys_own(dollars, bare):
    dollars.ops("mappings", "set", "acme", "currency", "COP", "$")
    key = dollars.invoice("100.00", currencyCode="COP")
    dollars.ran()
    if bare == "order":
        order = dollars.order()
        order["DocCurrency"] = None
        for line in order["DocumentLines"]:
            line["Currency"] = None
        dollars.ran()
        (made,) = dollars.imported("matchingOrders").values()
        assert made["currencyCode"] == "COP"
    else:
        entry = dollars.posted(key)[0]
        back_office.pay(dollars.erp, entry["DocEntry"], Decimal(100))["DocCurrency"] = None
        entry["DocCurrency"] = None
        assert dollars.flows(dollars.ran())["payments"]["delivered"] == 1

"""Money: decimals, VAT, totals, rounding, foreign currency (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from decimal import Decimal

import pytest


def lines(*totals: str, group: str = "V2") -> list[dict[str, object]]:
    return [
        {"ItemDescription": "x", "AccountCode": "400001", "LineTotal": Decimal(total), "VatGroup": group}
        for total in totals
    ]


def test_vat_is_rounded_once_per_group(api, service):
    # Three lines of 0.13 at 19 %: line by line 0.02 each, together 0.0741, that is 0.07.
    made = api.made("PurchaseInvoices", service(DocumentLines=lines("0.13", "0.13", "0.13")))
    assert [line["TaxTotal"] for line in made["DocumentLines"]] == [Decimal("0.02")] * 3
    assert (made["VatSum"], made["DocTotal"]) == (Decimal("0.07"), Decimal("0.46"))


def test_halves_are_rounded_up(api, service):
    made = api.made("PurchaseInvoices", service({"LineTotal": Decimal("0.125"), "VatGroup": "V0"}))
    assert made["DocTotal"] == Decimal("0.13")


@pytest.mark.parametrize("total", ["99999999999999.99", "12345678901234.56", "0.01"])
def test_amounts_are_exact_to_the_cent(api, service, total):
    made = api.made("PurchaseInvoices", service({"LineTotal": Decimal(total), "VatGroup": "V0"}))
    assert made["DocTotal"] == Decimal(total)
    assert total in api.get(f"PurchaseInvoices({made['DocEntry']})?$select=DocTotal").text


def test_an_omitted_tax_group_is_the_suppliers_own(api, service):
    made = api.made("PurchaseInvoices", service({"VatGroup": None}, CardCode="V10002"))
    assert (made["DocumentLines"][0]["VatGroup"], made["VatSum"]) == ("V1", Decimal("17.50"))


def test_a_discount_lowers_the_line(api, drawn):
    made = api.made("PurchaseInvoices", drawn(UnitPrice=Decimal("9.99"), DiscountPercent=10))
    assert made["DocumentLines"][0]["LineTotal"] == Decimal("35.96")


def test_a_stated_total_makes_a_rounding_difference_up_to_one(api, service, expect_refusal):
    made = api.made("PurchaseInvoices", service(DocTotal=Decimal("297.53")))
    assert (made["DocTotal"], made["Rounding"], made["RoundingDiffAmount"]) == (
        Decimal("297.53"),
        "tYES",
        Decimal("0.03"),
    )
    assert api.made("PurchaseInvoices", service(DocTotal=Decimal("297.50")))["Rounding"] == "tNO"
    expect_refusal(api.post("PurchaseInvoices", service(DocTotal=Decimal("298.51"))), 400, -10, "Rounding difference")


def test_numbers_may_be_texts(api, service):
    assert api.made("PurchaseInvoices", service({"LineTotal": "100.10"}))["DocumentLines"][0]["LineTotal"] == Decimal(
        "100.1"
    )


def test_a_foreign_document_has_both_totals(api, service):
    body = service({"LineTotal": None, "RowTotalFC": 100, "VatGroup": "V0"}, CardCode="V10007", DocCurrency="USD")
    made = api.made("PurchaseInvoices", body)
    assert (made["DocRate"], made["DocTotalFc"], made["DocTotal"]) == (Decimal("0.9215"), 100, Decimal("92.15"))


def test_a_line_total_of_a_foreign_document_is_local_money(api, service):
    made = api.made("PurchaseInvoices", service({"LineTotal": 100}, CardCode="V10007", DocCurrency="USD"))
    assert made["DocumentLines"][0]["RowTotalFC"] == Decimal("108.52")


def test_a_currency_without_a_rate_is_refused(api, world, service, expect_refusal):
    del world.rates["USD"]
    reply = api.post("PurchaseInvoices", service(CardCode="V10007", DocCurrency="USD"))
    expect_refusal(reply, 400, -4006, "Update the exchange rate , 'USD'")


def test_a_supplier_of_all_currencies_takes_any(api, service):
    body = service({"LineTotal": None, "RowTotalFC": 10, "VatGroup": "V0"}, CardCode="V10004", DocCurrency="CHF")
    assert api.made("PurchaseInvoices", body)["DocTotalFc"] == 10


def test_amounts_whose_product_does_not_fit_are_refused(api, drawn, expect_refusal):
    line = {"ItemCode": "I1001", "UnitPrice": 99999999999999, "Quantity": 99999999999999}
    reply = api.post("PurchaseInvoices", drawn() | {"DocumentLines": [line]})
    expect_refusal(reply, 400, -10, "Value too long")

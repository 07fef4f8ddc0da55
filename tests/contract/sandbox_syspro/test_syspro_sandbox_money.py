"""APSTIN: tax, variances, currencies, discounts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.syspro import back_office
from tests.contract.sandbox_syspro.conftest import balance, errors, line, posted

TWO = [line("33.33"), line("66.67", "400002-CC102")]


def test_one_cent_of_tax_is_refused_without_a_permissible_variance(api, world, entry):
    item = entry(*TWO, TaxValue="19.01", TransactionValue="119.01")
    assert errors(api.invoice(item)) == ["Tax value 19.01 differs from the calculated tax of 19.00"]
    assert not world.rows("ApInvoice")
    posted(api.invoice(item, PermissibleTaxVariance="0.01"))
    found = {one["GlCode"]: one["EntryValue"] for one in world.rows("GenJournalDetail")}
    assert found == {
        "400001-CC101": Decimal("33.34"),
        "400002-CC102": Decimal("66.67"),
        "1540": Decimal(19),
        "2010": Decimal("-119.01"),
    }


def test_two_cents_are_more_than_a_variance_of_one(api, entry):
    item = entry(*TWO, TaxValue="19.02", TransactionValue="119.02")
    assert errors(api.invoice(item, PermissibleTaxVariance="0.01"))


def test_each_distribution_has_its_own_rate(api, world, entry):
    lines = [line("100.00", LedgerTaxCode="A"), line("100.00", "400002-CC102", LedgerTaxCode="B")]
    posted(api.invoice(entry(*lines, TaxCode=None, TaxValue="26.00", TransactionValue="226.00")))
    assert world.find("ApInvoice", "V10000", "INV-1")["FirstTaxCode"] == "A"
    assert errors(api.invoice(entry(*lines, TaxCode=None, TaxValue="38.00", TransactionValue="238.00", Invoice="I2")))


def test_one_distribution_takes_the_tax_as_it_is_given(api, entry):
    posted(api.invoice(entry(line("100.00"), TaxValue="18.50", TransactionValue="118.50")))


def test_tax_needs_a_code(api, entry):
    assert errors(api.invoice(entry(TaxCode=None))) == ["XML element '{Item}{TaxCode}' cannot be spaces"]
    posted(api.invoice(entry(TaxCode=None, TaxValue="0", TransactionValue="100.00")))


def test_tax_that_is_not_sent_is_none(api, entry):
    assert "does not equal" in errors(api.invoice(entry(TaxValue=None)))[0]


def test_tax_may_be_worked_out_by_the_object(api, world, entry):
    posted(api.invoice(entry(*TWO, TaxValue=None), AutomaticTaxCalculation="Y"))
    assert {one["EntryValue"] for one in world.rows("GenJournalDetail")} >= {Decimal(19), Decimal(-119)}
    assert errors(api.invoice(entry(*TWO, Invoice="I2", TransactionValue="120.00"), AutomaticTaxCalculation="Y"))


def test_an_inclusive_distribution_holds_the_tax(api, entry):
    posted(api.invoice(entry(line("119.00"), TaxBasis="I")))
    assert errors(api.invoice(entry(line("100.00"), TaxBasis="I", Invoice="INV-2")))


def test_of_an_ec_acquisition_the_tax_codes_are_ignored_by_default(api, world, entry):
    item = entry(Supplier="V10011")
    assert "Distribution of 100.00 does not equal" in errors(api.invoice(item))[0]
    posted(api.invoice(item | {"EcAcquisition": "N"}))
    posted(api.invoice(item | {"Invoice": "INV-2", "TransactionValue": "100.00", "TaxValue": "0"}))
    assert world.find("ApInvoice", "V10011", "INV-2")["FirstTaxCode"] == ""


# ── currencies ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_foreign_invoice_is_distributed_in_local_currency_unless_it_says_f(api, world, entry):
    item = entry(Supplier="V10017")  # USD at 0.9215
    assert errors(api.invoice(item)) == ["Distribution of 117.51 does not equal the transaction value of 109.66"]
    posted(api.invoice(item, LedgerDistributionCurrency="F"))
    row = world.find("ApInvoice", "V10017", "INV-1")
    assert (row["OrigInvValue"], row["Currency"], row["ExchangeRate"]) == (Decimal(119), "USD", Decimal("0.9215"))
    values = [one["EntryValue"] for one in world.rows("GenJournalDetail")]
    assert values == [Decimal("92.15"), Decimal("17.51"), Decimal("-109.66")]


def test_in_local_currency_it_must_add_up_in_local_currency(api, world, entry):
    posted(api.invoice(entry(line("92.15"), Supplier="V10017")))
    assert world.rows("GenJournalDetail")[0]["EntryValue"] == Decimal("92.15")
    assert world.find("ApInvoice", "V10017", "INV-1")["OrigInvValue"] == 119


def test_a_fixed_rate_overrules_the_table(api, world, entry):
    posted(api.invoice(entry(Supplier="V10017", FixedExchRate="2"), LedgerDistributionCurrency="F"))
    assert balance(world) == 0 and world.rows("GenJournalDetail")[0]["EntryValue"] == 200


def test_there_is_no_currency_in_an_invoice(api, world, entry):
    posted(api.invoice(entry(Currency="USD")))
    assert world.find("ApInvoice", "V10000", "INV-1")["Currency"] == "EUR"


def test_currency_codes_are_the_customers_own(api, world, entry):
    back_office.respell_currency(world, "EUR", "$")
    posted(api.invoice(entry()))
    assert world.find("ApInvoice", "V10000", "INV-1")["Currency"] == "$"
    assert "<LocalCurrencyCode>$</LocalCurrencyCode>" in api.call("/GetLogonProfile")
    assert api.rows("ApSupplier", ["Currency"], ("Supplier", "EQ", "V10000")) == [{"Currency": "$"}]


# ── discount ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "discount", "until"),
    [
        ({}, "0", "2026-02-11"),
        ({"DiscountableValue": "119.00"}, "2.38", "2026-02-11"),
        ({"DiscountableValue": "119.00", "DiscountDate": "2026-02-05"}, "2.38", "2026-02-05"),
    ],
)
def test_discount_is_of_the_discountable_value_which_is_zero_by_default(api, world, entry, fields, discount, until):
    posted(api.invoice(entry(Supplier="V10015", **fields)))  # terms 2N
    row = world.find("ApInvoice", "V10015", "INV-1")
    assert (row["OrigDiscValue"], row["DiscountDate"]) == (Decimal(discount), until)


def test_every_journal_balances(api, world, entry):
    api.invoice(entry(*TWO, TaxValue="19.01", TransactionValue="119.01"), PermissibleTaxVariance="1")
    api.invoice(entry(Supplier="V10017"), LedgerDistributionCurrency="F")
    api.invoice(
        entry(line("99.99"), line("0.01"), Supplier="V10027", FixedExchRate="0.333333"),
        LedgerDistributionCurrency="F",
        IgnoreWarnings="Y",
    )
    assert len(world.rows("ApInvoice")) == 3 and balance(world) == 0

"""Invoices arrive in accounts payable, once, as approved, in the supplier's currency and in the right period."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.syspro import back_office
from ml_connector.engine.write.identity import differences
from ml_connector.errors import Held, Rejected


def value(sent: str, name: str) -> list[str]:
    """What a posted document has in its elements of a name."""
    return re.findall(rf"<{name}>([^<]*)</{name}>", sent) + [""] * len(re.findall(rf"<{name} ?/>", sent))


def compared(bench, target, prepared, found) -> list[str]:
    return differences(target.read_back(found), prepared, Decimal("0.05"))


def test_an_invoice_is_posted_with_its_distribution_tax_and_our_key(bench, invoice, row):
    second = row(key="2", account="400002-CC100", cost_center="CC102", net="10.00", tax="1.90", tax_code="A")
    first, other_day = row(net="100.00", tax="19.00", tax_code="A"), date(2026, 3, 11)  # than the supplier's terms make
    bench.post(invoice("130.90", first, second, description="Toner", due_date=other_day))
    kept = bench.kept()
    assert kept["Reference"].startswith("inv-1-") and len(kept["Reference"]) <= 30
    assert bench.entries(Reference=kept["Reference"]) == {
        "400001-CC101": Decimal(100), "400002-CC102": Decimal(10), "1540": Decimal("20.90"), "2010": Decimal("-130.90"),
    }  # fmt: skip
    assert (kept["OrigInvValue"], kept["Currency"], kept["FirstTaxCode"]) == (Decimal("130.90"), "EUR", "A")
    assert (str(kept["InvoiceDate"])[:10], str(kept["DueDate"])[:10]) == ("2026-01-30", "2026-03-11")
    (sent,) = bench.sent()
    assert value(sent, "DiscountableValue") == ["130.90"] and value(sent, "Notation") == ["Toner"]


def test_the_voucher_is_the_journal(bench, invoice, row):
    back = bench.post(invoice("119.00", row(net="100.00", tax="19.00", tax_code="A")))
    assert back.number == str(bench.kept()["Journal"]) and back.id.endswith(":")


@pytest.mark.parametrize("account", ["6100", "400001-CC101"])
def test_an_account_holds_until_it_is_mapped(bench, invoice, row, account):
    one = invoice("100.00", row(net="100.00", tax="0", account=account, cost_center=None))
    if account == "6100":
        with pytest.raises(Held, match="no ledger code 6100") as held:
            bench.prepare(one)
        assert held.value.waiting_for == "account:6100"
    bench.codes.missing.add(("account", account))
    with pytest.raises(Held) as held:
        bench.prepare(one)
    assert held.value.waiting_for == f"account:{account}" and bench.sent() == []
    bench.codes.missing.clear()
    bench.codes.mapped["account", account] = "400003-CC103"
    bench.post(one)
    assert bench.entries(GlCode="400003-CC103") == {"400003-CC103": Decimal(100)}


@pytest.mark.parametrize("read_via", ["odata", "enet"])
def test_an_account_of_another_company_is_none_of_ours(make, invoice, row, read_via):
    """GenMaster holds several companies; what is looked up for an invoice is this one's alone."""
    bench = make(read_via=read_via)
    assert {one["Company"] for one in bench.world.rows("GenMaster") if one["GlCode"] == "700000-CC900"} == {"B"}
    with pytest.raises(Held, match="no ledger code 700000-CC900") as held:
        bench.prepare(invoice("100.00", row(net="100.00", tax="0", account="700000-CC900", cost_center=None)))
    assert held.value.waiting_for == "account:700000-CC900" and bench.sent() == []


def test_a_cost_center_that_makes_no_ledger_code_holds_the_account(bench, invoice, row):
    with pytest.raises(Held, match="400001-NOWHERE") as held:
        bench.prepare(invoice("100.00", row(net="100.00", tax="0", cost_center="NOWHERE")))
    assert held.value.waiting_for == "account:400001-CC101"


def test_without_cost_centers_in_the_secret_a_note_says_what_was_left_out(make, invoice, row):
    bench = make(cost_centers=None)
    prepared = bench.prepare(invoice("100.00", row(net="100.00", tax="0", cost_center="CC107")))
    assert any("CC107" in note and "left out" in note for note in prepared.notes)


def test_a_cost_center_of_a_table_is_an_analysis_code(make, invoice, row):
    bench = make(cost_centers="CusCostCenter+")
    prepared = bench.prepare(invoice("100.00", row(net="100.00", tax="0", cost_center="CC107")))
    (line,) = prepared.body["item"]["LedgerDistribution"]
    assert line["AnalysisLineEntry"] == {"AnalysisCode1": "CC107", "EntryAmount": "100.00"}
    assert prepared.body["parameters"]["IgnoreAnalysis"] == "N"


# ── currency ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_foreign_invoice_is_distributed_in_its_own_currency(bench, invoice, row):
    bench.post(invoice("119.00", row(net="100.00", tax="19.00", tax_code="A"), supplier="V10017", currency="USD"))
    kept = bench.kept(supplier="V10017")
    assert (kept["OrigInvValue"], kept["Currency"]) == (Decimal(119), "USD")
    assert bench.entries(Reference=kept["Reference"])["400001-CC101"] == Decimal("92.15")
    assert "<LedgerDistributionCurrency>F<" in str(bench.wire.seen[-1].url.params) or any(
        "<LedgerDistributionCurrency>F<" in one.url.params.get("XmlParameters", "") for one in bench.wire.seen
    )


@pytest.mark.parametrize(("supplier", "currency"), [("V10000", "USD"), ("V10017", "EUR"), ("V10017", "CAD")])
def test_an_invoice_in_another_currency_than_its_suppliers_is_never_posted(bench, invoice, row, supplier, currency):
    with pytest.raises(Held, match="posts in no other currency") as held:
        bench.prepare(invoice("100.00", row(net="100.00", tax="0"), supplier=supplier, currency=currency))
    assert held.value.waiting_for == f"currency:{currency}" and bench.sent() == []


def test_a_currency_of_the_customers_own_is_mapped(bench, invoice, row):
    back_office.respell_currency(bench.world, "EUR", "$")
    one = invoice("100.00", row(net="100.00", tax="0"))
    with pytest.raises(Held) as held:
        bench.prepare(one)
    assert held.value.waiting_for == "currency:EUR" and "currency EUR $" in str(held.value)
    bench.codes.mapped["currency", "EUR"] = "$"
    assert bench.post(one).currency == "$"
    assert not any(
        "<LedgerDistributionCurrency>F<" in one.url.params.get("XmlParameters", "") for one in bench.wire.seen
    )


# ── tax ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_tax_is_stated_as_none_so_that_none_is_reckoned(bench, invoice, row):
    bench.post(invoice("100.00", row(net="100.00", tax="0.00")))
    (sent,) = bench.sent()
    assert value(sent, "TaxValue") == ["0.00"]
    assert bench.entries(Reference=bench.kept()["Reference"]) == {
        "400001-CC101": Decimal(100), "2010": Decimal(-100)
    }  # fmt: skip


def test_a_cent_of_tax_is_within_the_tolerance_and_shows_in_the_distribution(bench, invoice, row):
    """What the object reckons otherwise it adds to the first distribution; one cent is no ground to refuse it."""
    rows = [row(key=str(n), account=f"40000{n}-CC101", net="33.33", tax="6.34", tax_code="A") for n in range(3)]
    bench.post(invoice("119.01", *rows))
    assert sum(bench.entries(Reference=bench.kept()["Reference"]).values()) == 0


def test_more_than_the_tolerance_is_held_on_the_tax_code_and_no_outage(bench, invoice, row):
    rows = [row(key=str(n), account=f"40000{n}-CC101", net="50.00", tax="9.00", tax_code="A") for n in range(2)]
    with pytest.raises(Held) as held:
        bench.post(invoice("118.00", *rows))
    assert held.value.waiting_for == "tax:A"


def test_a_tax_code_of_more_letters_holds_until_it_is_mapped(bench, invoice, row):
    one = invoice("119.00", row(net="100.00", tax="19.00", tax_code="VST19"))
    with pytest.raises(Held, match="mappings set TENANT tax VST19 LETTER") as held:
        bench.prepare(one)
    assert held.value.waiting_for == "tax:VST19"
    bench.codes.mapped["tax", "VST19"] = "a"
    bench.post(one)
    assert bench.kept()["FirstTaxCode"] == "A"


def test_tax_without_a_code_goes_by_the_suppliers_own(bench, invoice, row):
    bench.post(invoice("119.00", row(net="100.00", tax="19.00")))
    assert bench.kept()["FirstTaxCode"] == bench.world.get("ApSupplier", "V10000")["DefTaxCode"]


def test_a_supplier_of_the_union_keeps_the_tax_codes_that_are_given(bench, invoice, row):
    one = invoice("107.00", row(net="100.00", tax="7.00", tax_code="B"), supplier="V10011")
    target, prepared = bench.target, bench.prepare(one)
    assert compared(bench, target, prepared, target.send(prepared)) == []
    assert bench.kept(supplier="V10011")["FirstTaxCode"] == "B"


# ── period ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("dated", "letter"), [(date(2026, 2, 28), "C"), (date(2026, 1, 1), "P"), (date(2025, 12, 31), "B")]
)
def test_the_accounting_date_names_one_of_three_periods(bench, invoice, row, dated, letter):
    bench.post(invoice("100.00", row(net="100.00", tax="0"), accounting_date=dated))
    kept = bench.kept()
    assert (kept["InvoiceYear"], kept["InvoiceMonth"]) == (dated.year, dated.month)
    assert any(f"<PostingPeriod>{letter}<" in one.url.params.get("XmlParameters", "") for one in bench.wire.seen)


@pytest.mark.parametrize("dated", [date(2025, 11, 30), date(2026, 3, 1)])
def test_any_other_period_is_waited_for(bench, invoice, row, dated):
    with pytest.raises(Held) as held:
        bench.prepare(invoice("100.00", row(net="100.00", tax="0"), accounting_date=dated))
    assert held.value.waiting_for == f"period:{dated.isoformat()[:7]}"


def test_a_period_before_the_three_moves_to_the_current_one_where_that_is_asked_for(make, invoice, row):
    bench = make(options={"closed_period": "next_open"})
    one = invoice("100.00", row(net="100.00", tax="0"), accounting_date=date(2025, 10, 1))
    assert any("moved from 2025-10-01 to 2026-02-01" in note for note in bench.prepare(one).notes)
    bench.post(one)
    assert bench.kept()["InvoiceMonth"] == 2


def test_after_month_end_the_same_month_is_the_previous_one(bench, invoice, row):
    one = invoice("100.00", row(net="100.00", tax="0"), accounting_date=date(2026, 2, 1))
    assert bench.prepare(one).body["parameters"]["PostingPeriod"] == "C"
    back_office.month_end(bench.world)
    assert bench.prepare(one).body["parameters"]["PostingPeriod"] == "P"


@pytest.mark.parametrize("moves", [False, True])
def test_a_month_that_was_closed_meanwhile_is_held_or_moved(make, invoice, row, moves):
    bench = make(options={"closed_period": "next_open" if moves else "hold"})
    back_office.close_period(bench.world, "2026-01")
    one = invoice("100.00", row(net="100.00", tax="0"), accounting_date=date(2026, 1, 7))
    if moves:
        bench.post(one)
        assert bench.kept()["InvoiceMonth"] == 2
        return
    with pytest.raises(Held) as held:
        bench.post(one)
    assert held.value.waiting_for == "period:2026-01"


# ── what SYSPRO refuses ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_by_warnings_alone_is_held_with_their_words(bench, invoice, row):
    one = invoice("100.00", row(net="100.00", tax="0"))
    bench.world.get("ApSupplier", "V10000")["OnHold"] = "Y"
    with pytest.raises(Held, match="is on hold") as held:
        bench.post(one)
    assert held.value.waiting_for == "supplier:V10000"
    assert bench.world.get("ApInvoice", "V10000", "R-4711") is None
    bench.world.get("ApSupplier", "V10000")["OnHold"] = "N"
    bench.post(one)


def test_a_supplier_that_is_not_there_is_waited_for(bench, invoice, row):
    with pytest.raises(Held, match="does not exist") as held:
        bench.prepare(invoice("100.00", row(net="100.00", tax="0"), supplier="NOBODY"))
    assert held.value.waiting_for == "supplier:NOBODY"


def test_an_account_behind_a_password_is_waited_for(bench, invoice, row):
    with pytest.raises(Held, match="without a password") as held:
        bench.post(invoice("100.00", row(net="100.00", tax="0", account="1900", cost_center=None)))
    assert held.value.waiting_for == "account:1900"


def test_an_account_that_demands_analysis_is_waited_for(bench, invoice, row):
    with pytest.raises(Held) as held:
        bench.post(invoice("100.00", row(net="100.00", tax="0", account="6950", cost_center=None)))
    assert held.value.waiting_for in {"account:6950", "lookup:inv-1"}


def test_what_makes_too_long_an_address_is_refused_with_a_reason_for_a_clerk(bench, invoice, row):
    def of(count: int) -> Any:
        rows = [row(key=str(n), net="1.00", tax="0", description="A rather long description") for n in range(count)]
        return invoice(f"{count}.00", *rows)

    prepared = bench.prepare(of(28))
    assert any("texts of the coding rows were left out" in note for note in prepared.notes)
    assert len(bench.prepare(of(10)).body["item"]["LedgerDistribution"][0]["LedgerNotation"]) > 10
    with pytest.raises(Rejected) as refused:
        bench.prepare(of(60))
    assert "60 coding rows" in str(refused.value) and "ml-connector" not in str(refused.value)
    assert bench.sent() == []


def test_a_number_is_never_cut(bench, invoice, row):
    with pytest.raises(Rejected, match="never cut"):
        bench.prepare(invoice("1.00", row(net="1.00", tax="0"), number="R" * 21))


@pytest.mark.parametrize("number", ["RE-\u0141 1", "\u2116 7"])
def test_a_number_that_would_be_kept_as_another_one_is_refused_before_it_is_sent(bench, invoice, row, number):
    with pytest.raises(Rejected, match=r"cannot keep: (\u0141|\u2116)"):
        bench.prepare(invoice("100.00", row(net="100.00", tax="0"), number=number))
    assert bench.sent() == []


def test_rounding_goes_to_the_largest_row_with_a_note(bench, invoice, row):
    rows = [row(key="1", net="60.00", tax="11.40", tax_code="A"), row(key="2", net="40.00", tax="7.60", tax_code="A")]
    prepared = bench.prepare(invoice("119.02", *rows))
    assert any("0.02 EUR was added to coding row 1" in note for note in prepared.notes)
    assert [line["LedgerValue"] for line in prepared.body["item"]["LedgerDistribution"]] == ["60.02", "40.00"]

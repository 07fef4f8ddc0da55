"""An invoice as entries of a journal: rows, taxes and the payable make nothing together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held, Misconfigured
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.journals import Accounts, distribution, entries
from ml_connector.systems.kit.money import Money
from ml_connector.systems.kit.totals import sum_up

LEDGER = {"1", "2", "3", "VAT", "RED", "RND", "PAY"}


class Codes:
    """Tax codes are mapped to accounts."""

    def erp(self, kind: str, code: str) -> str:
        return {"A": "VAT", "B": "RED", "C": "VAT"}.get(code, code)


def row(net: str, tax: str | None = None, code: str | None = None, **fields: Any) -> CodingRow:
    return CodingRow(key="1", net=Decimal(net), tax=None if tax is None else Decimal(tax), tax_code=code, **fields)


def made(
    gross: str, *rows: CodingRow, payable: str = "PAY", accounts: Accounts | None = None, **fields: Any
) -> list[tuple[str, ...]]:
    record = Invoice(
        key="i", number="R", company="C", supplier="S", currency="EUR", gross=Decimal(gross), rows=rows, **fields
    )
    codes: Any = Codes()
    draft = Draft("The ERP", record, codes, "S", "EUR", "own", date(2026, 1, 1))
    sums = sum_up(record, Money.of("EUR", "ledger"), Decimal("0.05"))
    if accounts is None or accounts.rounding is None:
        sums = sums.absorbed(draft.notes)
    coded = [(one, str(place)) for place, one in enumerate(sums.rows, 1)]
    found = entries(draft, sums, coded, accounts or Accounts(payable), lambda asked: set(asked) & LEDGER)
    assert sum((one.amount for one in found), Decimal(0)) == 0 and found[-1].amount == -record.gross
    return [(one.account, str(one.amount), *([one.tax] if one.tax else [])) for one in found]


def test_rows_and_taxes_stand_against_the_payable() -> None:
    rows = (row("100.00", "19.00", "A"), row("10.00", "0.70", "B"))
    assert made("129.70", *rows) == [
        ("1", "100.00"),
        ("2", "10.00"),
        ("VAT", "19.00"),
        ("RED", "0.70"),
        ("PAY", "-129.70"),
    ]


def test_a_credit_note_has_every_sign_turned() -> None:
    assert made("-119.00", row("-100.00", "-19.00", "A")) == [("1", "-100.00"), ("VAT", "-19.00"), ("PAY", "119.00")]


def test_one_code_takes_the_invoices_tax_also_where_its_rows_tell_none() -> None:
    assert made("119.00", row("60.00"), row("40.00"), tax=Decimal("19.00"), tax_code="A")[2:] == [
        ("VAT", "19.00"),
        ("PAY", "-119.00"),
    ]


def test_what_rounding_leaves_goes_along_with_the_tax() -> None:
    rows = [row("33.33", "6.33", "A"), row("33.33", "6.33", "C"), row("33.34", "6.33", "B")]
    assert made("119.00", *rows, tax=Decimal("19.00"))[3:] == [("VAT", "12.67"), ("RED", "6.33"), ("PAY", "-119.00")]


def test_no_tax_needs_no_account() -> None:
    assert made("100.00", row("100.00", "0", "UNKNOWN")) == [("1", "100.00"), ("PAY", "-100.00")]


@pytest.mark.parametrize("rows", [[row("100.00", "19.00")], [row("50.00", "9.50", "A"), row("50.00", "9.50")]])
def test_tax_that_nothing_tells_the_account_of_is_held(rows: list[CodingRow]) -> None:
    with pytest.raises(Held, match="which account the tax goes") as held:
        made("119.00", *rows)
    assert held.value.waiting_for == "conflict:i"


def test_a_tax_code_without_an_account_is_held_and_a_missing_payable_is_a_wrong_secret() -> None:
    with pytest.raises(Held, match="mappings set TENANT tax X9 ACCOUNT") as held:
        made("119.00", row("100.00", "19.00", "X9"))
    assert held.value.waiting_for == "tax:X9"
    with pytest.raises(Misconfigured, match="payable_account"):
        made("100.00", row("100.00", "0"), payable="NOWHERE")


def test_one_account_takes_all_taxes_each_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Codes, "erp", lambda _, __, code: f"X{code}")
    rows = (row("100.00", "19.00", "A"), row("10.00", "0.70", "B"), row("5.00", "0"))
    made_ = made("134.70", *rows, accounts=Accounts("PAY", tax="VAT"))
    assert made_[3:] == [("VAT", "19.00", "XA"), ("VAT", "0.70", "XB"), ("PAY", "-134.70")]


def test_of_one_account_for_all_taxes_no_shares_need_be_known() -> None:
    rows = (row("50.00", code="A"), row("50.00", code="B"))
    assert made("119.00", *rows, tax=Decimal(19), accounts=Accounts("PAY", tax="VAT"))[2:] == [
        ("VAT", "19.00"),
        ("PAY", "-119.00"),
    ]


def test_a_rounding_difference_goes_to_its_own_account_where_there_is_one() -> None:
    rows = (row("100.00", "19.00", "A"),)
    assert made("119.02", *rows, tax=Decimal("19.00"), accounts=Accounts("PAY", rounding="RND"))[1:] == [
        ("VAT", "19.00"),
        ("RND", "0.02"),
        ("PAY", "-119.02"),
    ]
    assert made("119.02", *rows, tax=Decimal("19.00"))[0] == ("1", "100.02")


@pytest.mark.parametrize("field", ["tax", "rounding", "payable"])
def test_an_account_of_the_secret_that_is_not_there_is_named_by_its_field(field: str) -> None:
    accounts = replace(Accounts("PAY", "VAT", "VAT", "journal."), **{field: "NOWHERE"})
    with pytest.raises(Misconfigured, match=rf"no account NOWHERE; correct 'journal\.{field}_account'"):
        made("119.00", row("100.00", "19.00", "A"), accounts=accounts)


def money(**values: str) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("journal", "total", "rate", "shows", "slack"),
    [
        (money(X="100", VAT="19", PAY="-119"), "119", "1", "100.000", "0"),
        (money(X="100", VAT="19", PAY="-119"), "119", "0", "100.000", "0"),
        (money(X="-100", VAT="-19", PAY="119"), "-119", "1", "100.000", "0"),
        (money(X="50", PAY="-50"), "100", "0.5", "100.000", "0.1"),
        (money(X="200", PAY="-200"), "100", "0.5", "100.000", "0.025"),
        (money(X="500", Y="-495", PAY="-5"), "10", "0.5", "1000.000", "0.1"),
        (money(X="30", PAY="-30"), "100", "0.5", "100.000", "0.1666666666666666666666666667"),
    ],
    ids=["local", "no rate", "credit note", "rate", "rate the other way", "a larger row against it", "another rate"],
)
def test_a_distribution_is_told_in_the_documents_currency(
    journal: dict[str, Decimal], total: str, rate: str, shows: str, slack: str
) -> None:
    booked, off = distribution([journal], Decimal(total), Decimal(rate))
    assert (booked["account X"], str(off)) == (shows, slack) and booked["account"] == "0"
    twice, _ = distribution([journal, journal], Decimal(total), Decimal(rate))
    assert Decimal(twice["account X"]) == 2 * Decimal(shows)


def test_of_no_entry_against_the_total_nothing_is_told() -> None:
    assert distribution([], Decimal(1), Decimal(1))[0] == {}
    assert distribution([money(X="1")], Decimal(1), Decimal(1))[0] == {}

"""Money is a Decimal from token to token, and what is posted adds up to the total."""

from __future__ import annotations

import re
from decimal import Decimal

import httpx
import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.basware import document
from ml_connector.systems.http import Call, Reply, is_amount
from ml_connector.systems.kit.money import MOST_DIGITS, Money
from ml_connector.systems.kit.totals import implied_percentage, sum_up
from ml_connector.systems.sap_b1.amounts import split, unit_price
from ml_connector.systems.sap_b1.wire import LineRow
from tests.property.drawn import cents, money
from tests.property.wires import http_that

TOLERANCE = Decimal("0.05")
EURO = Money.of("EUR", "the ledger")
rounded = EURO.rounded
percents = st.sampled_from([Decimal(p) for p in ("0", "7", "19", "5.5", "20", "8.25", "0.01")])


def token(value: Decimal) -> str:
    return f"{value:f}"


@given(money)
def test_a_number_that_came_is_the_number_that_is_kept(value):
    text = token(value)
    decoded = Reply(200, httpx.Headers(), f'{{"a":{text},"b":[{text}]}}'.encode()).json()
    assert not isinstance(decoded["a"], float)
    assert decoded["a"] == decoded["b"][0] == value
    if "." in text:
        assert str(decoded["a"]) == str(Decimal(text)), "also its trailing zeros"


@given(money)
def test_a_number_that_is_sent_is_the_number_that_was_given(value):
    seen = []
    with http_that(lambda request: seen.append(request.read()) or httpx.Response(200, json={})) as http:
        http.call(Call("POST", "/x", body={"amount": value}))
    (written,) = re.fullmatch(rb'\{"amount":(.+)\}', seen[0]).groups()
    assert Decimal(written.decode()) == value
    assert b'"' not in written, "a number and no text"


@given(money)
def test_a_row_of_sap_and_a_document_of_basware_keep_every_digit(value):
    row = msgspec.json.decode(f'{{"LineNum":0,"LineTotal":{token(value)}}}', type=LineRow, strict=False)
    assert row.line_total == value
    told = {
        "invoiceId": "i", "companyCode": "1000", "supplierCode": "V", "currencyCode": "EUR", "invoiceNumber": "R",
        "grossSum": Decimal(token(value)), "codingRows": [{"netTotal": Decimal(token(value))}],
    }  # fmt: skip
    made = document.invoice(told)
    assert (made.gross, made.rows[0].net) == (value, value)
    kept = msgspec.json.decode(msgspec.json.encode(made), type=Invoice)
    assert str(kept.gross) == str(made.gross)


@given(st.sampled_from(["NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1E+999999", "1E-999999", "0E+500"]))
def test_what_is_a_decimal_and_no_money_is_told_apart(text):
    assert not is_amount(Decimal(text))


@given(cents, st.lists(st.integers(1, 10_000).map(Decimal), min_size=1, max_size=8))
def test_shares_add_up_to_what_was_shared(total, shares):
    parts = split(total, shares, EURO)
    assert sum(parts) == total and len(parts) == len(shares)
    assert all(part == rounded(part) for part in parts)


@given(cents, st.integers(1, 10**6).map(lambda n: Decimal(n).scaleb(-3)))
def test_an_exact_price_makes_the_net_and_any_other_says_that_it_does_not(net, quantity):
    price, exact = unit_price(net, quantity)
    assert exact == (price * quantity == net and price == rounded(price))
    assert abs(price * quantity - net) <= quantity * Decimal("0.0000005") or exact


@given(cents, percents)
def test_a_percentage_that_is_worked_out_makes_the_tax(net, percent):
    assume(net != 0)
    tax = rounded(net * percent / 100)
    found = implied_percentage(tax, net, EURO)
    assert found is None or rounded(net * found / 100) == tax
    if abs(net) >= 10**4:
        assert found == percent, "a percentage with two decimals is found where the net is large enough to show it"


rows = st.lists(st.tuples(cents.filter(bool), percents), min_size=1, max_size=6)


@given(rows, st.integers(-8, 8).map(lambda n: Decimal(n).scaleb(-2)), st.booleans())
def test_rows_tax_and_residue_make_the_total_or_it_is_held(drawn, off, stated):
    coding = [
        CodingRow(key=str(n), net=net, tax=rounded(net * percent / 100) if stated else None, tax_percent=percent)
        for n, (net, percent) in enumerate(drawn)
    ]
    true = sum(net + rounded(net * percent / 100) for net, percent in drawn)
    invoice = Invoice(
        key="k", number="n", company="c", supplier="s", currency="EUR", gross=true + off, rows=tuple(coding)
    )
    try:
        sums = sum_up(invoice, EURO, TOLERANCE)
    except Held as held:
        assert held.waiting_for == "conflict:k" and off != 0
        return
    assert abs(sums.residue) <= TOLERANCE
    assert abs(sums.residue) <= abs(off), "the smallest residue that any reading of the tax gives"
    assert [priced.net for priced in sums.rows] == [net for net, _ in drawn], "an amount is never changed"
    if off == 0:
        assert sums.residue == 0
    by_row = sum(priced.net + (priced.tax or 0) for priced in sums.rows)
    if all(percent == drawn[0][1] for _, percent in drawn) and len(drawn) == 1:
        assert by_row + sums.residue == invoice.gross


@given(st.integers(-(10**20), 10**20), st.integers(0, 6))
def test_an_amount_is_never_rounded_on_the_way(digits, places):
    value = Decimal(digits).scaleb(-places)
    try:
        kept = EURO.exact(value, "It")
    except Rejected as error:
        assert (value != rounded(value) or value.adjusted() >= MOST_DIGITS) and str(value) in str(error)
    else:
        assert kept == value and kept.as_tuple().exponent == -2


@given(st.sampled_from(["JPY", "EUR", "KWD", "CLF"]), st.integers(1, 10**9), percents, st.booleans())
def test_a_total_in_any_currency_is_shared_into_net_and_tax_that_it_can_hold(code, units, percent, given_gross):
    money_of = Money.of(code, "the ledger")
    amount = money_of.unit * units
    gross = amount if given_gross else amount + money_of.rounded(amount * percent / 100)
    row = CodingRow(key="1", tax_percent=percent, **{"gross" if given_gross else "net": amount})
    invoice = Invoice(key="k", number="n", company="c", supplier="s", currency=code, gross=gross, rows=(row,))
    sums = sum_up(invoice, money_of, TOLERANCE)
    assert sums.net + sums.tax == gross and sums.residue == 0
    assert sums.net == money_of.rounded(sums.net) and sums.tax == money_of.rounded(sums.tax)

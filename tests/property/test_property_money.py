"""Money is a Decimal from token to token, and what is posted adds up to the total."""

from __future__ import annotations

import re
from decimal import Decimal

import httpx
import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.basware import invoice_document
from ml_connector.systems.http import Call, Reply, is_amount
from ml_connector.systems.kit.money import MOST_DIGITS, Money
from ml_connector.systems.kit.totals import implied_percentage, sum_up
from ml_connector.systems.sap_b1.lines import split, unit_price
from ml_connector.systems.sap_b1.rows import LineRow
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
    assert value != 0 or not written.startswith(b"-"), "no zero has a sign"


@given(money)
@example(Decimal("1525878906.249999"))
@example(Decimal("1525878906.24999999"))
def test_a_row_of_sap_and_a_document_of_basware_keep_every_digit(value):
    """A double of 16 or 17 digits, within a millionth of a cent's figure, is no figure that anybody entered."""
    shown, cent = len(value.as_tuple().digits), value.quantize(Decimal("0.01"))
    assume(value == cent or not 15 < shown <= 17 or abs(value - cent) >= Decimal("0.000001"))
    row = msgspec.json.decode(f'{{"LineNum":0,"LineTotal":{token(value)}}}', type=LineRow, strict=False)
    assert row.line_total == value
    told = {
        "invoiceId": "i",
        "companyCode": "1000",
        "supplierCode": "V",
        "currencyCode": "EUR",
        "invoiceNumber": "R",
        "grossSum": Decimal(token(value)),
        "codingRows": [{"netTotal": Decimal(token(value))}],
    }
    made = invoice_document.invoice(told)
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


STATED = ("net", "tax", "net of a row", "tax of a row", "gross of a row", "percentage of a row")
"""What an invoice may state beside its total."""


@given(
    rows,
    st.lists(st.sets(st.sampled_from(STATED)), min_size=6, max_size=6),
    st.sampled_from([None, *STATED]),
    st.integers(6, 10_000).map(lambda n: Decimal(n).scaleb(-2)),
    st.sampled_from([1, -1]),
)
def test_stated_figures_that_contradict_each_other_are_never_posted(drawn, stated, wrong, off, sign):
    """Whichever of them are stated: in the head, and in each row by itself."""
    head, coding = stated[0], []
    for n, (net, percent) in enumerate(drawn):
        tax, tells = rounded(net * percent / 100), stated[n]
        more = sign * off if n == 0 else 0
        told = {
            "net": net + more * (wrong == "net of a row"),
            "tax": tax + more * (wrong == "tax of a row"),
            "gross": net + tax + more * (wrong == "gross of a row"),
        }
        told = {name: value for name, value in told.items() if f"{name} of a row" in tells}
        if not told.keys() & {"net", "gross"}:
            told["net"] = net
        rate = percent + (10 if wrong == "percentage of a row" and n == 0 else 0)
        coding.append(
            CodingRow(key=str(n), tax_percent=rate if "percentage of a row" in tells else None, **told)  # type: ignore[arg-type]
        )
    nets = sum(net for net, _ in drawn)
    taxes = sum(rounded(net * percent / 100) for net, percent in drawn)
    invoice = Invoice(
        key="k",
        number="n",
        company="c",
        supplier="s",
        currency="EUR",
        gross=nets + taxes,
        rows=tuple(coding),
        net=nets + sign * off * (wrong == "net") if "net" in head else None,
        tax=taxes + sign * off * (wrong == "tax") if "tax" in head else None,
    )
    try:
        sum_up(invoice, EURO, TOLERANCE)
    except Held as held:
        assert held.waiting_for == "conflict:k" and invoice.currency in str(held)
        return
    for one, parts in contradictions(invoice):
        assert abs(one - parts) <= TOLERANCE


def contradictions(invoice):
    """Every figure that is stated, with what other stated ones make of it."""
    whole = [row for row in invoice.rows if None not in {row.net, row.tax, row.gross}]
    yield from ((row.gross, row.net + row.tax) for row in whole)
    for row in invoice.rows:
        tax = row.tax if row.tax is not None else row.gross - row.net if row.gross and row.net else None
        if tax and row.tax_percent is not None and row.net is not None:
            yield tax, row.net * row.tax_percent / 100
    if invoice.net is not None and invoice.tax is not None:
        yield invoice.gross, invoice.net + invoice.tax
    for name in ("net", "tax", "gross"):
        told = [getattr(row, name) for row in invoice.rows]
        if None not in told and getattr(invoice, name) is not None:
            yield getattr(invoice, name), sum(told)


@given(rows, st.lists(st.sets(st.sampled_from(STATED)), min_size=6, max_size=6))
def test_what_agrees_is_never_held_for_what_else_is_stated(drawn, stated):
    coding = []
    for n, (net, percent) in enumerate(drawn):
        tax = rounded(net * percent / 100)
        told = {"net": net, "tax": tax, "gross": net + tax}
        told = {name: value for name, value in told.items() if name == "net" or f"{name} of a row" in stated[n]}
        rate = percent if "percentage of a row" in stated[n] else None
        coding.append(CodingRow(key=str(n), tax_percent=rate, **told))
    nets = sum(net for net, _ in drawn)
    taxes = sum(rounded(net * percent / 100) for net, percent in drawn)
    invoice = Invoice(
        key="k",
        number="n",
        company="c",
        supplier="s",
        currency="EUR",
        gross=nets + taxes,
        rows=tuple(coding),
        net=nets if "net" in stated[0] else None,
        tax=taxes,
    )
    assert sum_up(invoice, EURO, TOLERANCE).residue == 0


FIGURES = [
    ({"gross": "130", "net": "100", "tax": "19"}, {"net": "100", "gross": "130"}, "11"),
    ({"gross": "119", "net": "100", "tax": "19"}, {"net": "90", "gross": "119"}, "10"),
    ({"gross": "119", "net": "90", "tax": "19"}, {"net": "100", "gross": "119"}, "10"),
    ({"gross": "119", "net": "90"}, {"net": "100", "gross": "119"}, "10"),
    ({"gross": "119", "tax": "19"}, {"net": "90", "gross": "119"}, "10"),
    ({"gross": "119", "tax": "0"}, {"net": "100", "gross": "119"}, "19"),
    ({"gross": "119", "net": "100", "tax": "19"}, {"net": "100", "gross": "119", "tax": "10"}, "9"),
    ({"gross": "119"}, {"net": "100", "gross": "119", "tax": "10"}, "9"),
    ({"gross": "119", "net": "100", "tax": "19"}, {"gross": "119", "tax_percent": "7"}, "11.2"),
    ({"gross": "119", "tax": "19"}, {"gross": "119", "tax_percent": "7"}, "11.2"),
    ({"gross": "125", "net": "100", "tax": "25"}, {"net": "100", "gross": "125", "tax_percent": "19"}, "6"),
    ({"gross": "125", "net": "100", "tax": "25", "tax_percent": "19"}, {"net": "100", "tax": "25"}, "6"),
    ({"gross": "125", "tax": "25", "tax_percent": "19"}, {"net": "100"}, "6"),
    ({"gross": "119"}, {"net": "100", "gross": "130", "tax_percent": "19"}, "11"),
    ({"gross": "119.06", "net": "100", "tax": "19.06"}, {"net": "100", "gross": "119"}, "0.06"),
]


@pytest.mark.parametrize("sign", [1, -1], ids=["invoice", "credit note"])
@pytest.mark.parametrize(("head", "row", "apart"), FIGURES)
def test_a_contradiction_is_held_with_its_difference(head, row, apart, sign):
    def signed(figures):
        return {name: Decimal(text) * (1 if name == "tax_percent" else sign) for name, text in figures.items()}

    coding = CodingRow(key="1", **signed(row))
    invoice = Invoice(key="k", number="n", company="c", supplier="s", currency="EUR", rows=(coding,), **signed(head))
    with pytest.raises(Held) as held:
        sum_up(invoice, EURO, TOLERANCE)
    assert held.value.waiting_for == "conflict:k" and f"{apart}" in str(held.value)


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ({"gross": "1000", "net": "1000", "tax": "0"}, {"net": "1000", "gross": "1000", "tax_percent": "19"}),
        ({"gross": "1000", "net": "1000", "tax_percent": "19"}, {"net": "1000", "tax_percent": "19"}),
        ({"gross": "1000", "tax": "0", "tax_percent": "19"}, {"gross": "1000"}),
        ({"gross": "118.96", "net": "100", "tax": "19"}, {"net": "100", "gross": "118.96"}),
    ],
)
def test_tax_that_is_stated_and_not_charged_is_no_contradiction(head, row):
    def amounts(figures):
        return {name: Decimal(text) for name, text in figures.items()}

    coding = CodingRow(key="1", **amounts(row))
    invoice = Invoice(key="k", number="n", company="c", supplier="s", currency="EUR", rows=(coding,), **amounts(head))
    assert abs(sum_up(invoice, EURO, TOLERANCE).residue) <= TOLERANCE


@pytest.mark.parametrize("head", [{"tax": "190"}, {"net": "1000"}, {"net": "1000", "tax": "190"}])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_row_of_a_gross_amount_alone_has_what_is_left_of_the_stated_tax(head, sign):
    told = {name: sign * Decimal(text) for name, text in head.items()}
    silent = CodingRow(key="1", gross=sign * Decimal(1190))
    plain = {"key": "k", "number": "n", "company": "c", "supplier": "s", "currency": "EUR"}
    sums = sum_up(Invoice(**plain, gross=sign * Decimal(1190), rows=(silent,), **told), EURO, TOLERANCE)
    assert (sums.net, sums.tax, sums.residue) == (sign * 1000, sign * 190, 0)
    half = CodingRow(key="1", gross=sign * Decimal(595))
    other = CodingRow(key="2", net=sign * Decimal(500), gross=sign * Decimal(595))
    sums = sum_up(Invoice(**plain, gross=sign * Decimal(1190), rows=(half, other), **told), EURO, TOLERANCE)
    assert [row.net for row in sums.rows] == [sign * 500, sign * 500]
    with pytest.raises(Held, match="nothing tells how they share its tax of"):
        sum_up(Invoice(**plain, gross=sign * Decimal(1190), rows=(half, half), **told), EURO, TOLERANCE)


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

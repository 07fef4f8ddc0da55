"""What is posted is what was approved: rounding, decimals, withheld tax, reverse charge (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from infra.sandbox.sap_b1 import documents
from ml_connector.errors import Held, Rejected
from ml_connector.records import Invoice
from tests.contract.conformance.reading import naming
from tests.contract.sap_b1.test_sap_b1_invoices import against, ordered

D = Decimal


@pytest.fixture
def version() -> str:
    """One version alone: both take and give the same amounts, as `test_sap_b1_invoices.py` shows of each."""
    return "v2"


def currency(bench: Any, code: str, setting: str | None = None, rate: str = "0.01") -> None:
    world = bench.world
    world.put("Currencies", {"Code": code, "Name": code, "Decimals": setting})
    world.rates[code] = D(rate)
    world.tables["BusinessPartners"]["V10000"]["Currency"] = "##"


def reverse_group(bench: Any, supplier: str = "V10000") -> None:
    line = {"Effectivefrom": "2007-01-01", "Rate": D(19), "EqualizationTax": D(0)}
    bench.world.put(
        "VatGroups",
        {
            "Code": "RC",
            "Name": "Reverse",
            "Category": "bovcInputTax",
            "Inactive": "tNO",
            "AcquisitionReverse": "tYES",
            "VatGroups_Lines": [line],
        },
    )
    bench.world.tables["BusinessPartners"][supplier]["VatGroup"] = "RC"


def amounts_of(document: dict[str, Any]) -> list[tuple[str, Decimal]]:
    return [(line["AccountCode"], line["LineTotal"]) for line in document["DocumentLines"]]


# ── to the cent ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("gross", "tax", "off"), [("119.03", "19.03", "0.03"), ("118.96", "18.96", "-0.04")])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_tax_that_the_supplier_rounded_otherwise_is_made_up_on_the_rounding_account(
    make: Any, invoice: Any, row: Any, gross: str, tax: str, off: str, sign: int
) -> None:
    bench = make(rounding_account="400050")
    coded = row(net=D(100) * sign, tax=D(tax) * sign, tax_percent="19", tax_code=None)
    document = bench.post(invoice(str(D(gross) * sign), coded))
    assert amounts_of(document) == [("400001", D("100.00")), ("400050", D(off))]
    assert document["DocTotal"] == D(gross)


@pytest.mark.parametrize("coding", [{"tax_code": "V2"}, {"tax_code": None}, {"tax_code": None, "tax_percent": "19"}])
def test_without_an_account_the_document_itself_is_rounded(bench: Any, invoice: Any, row: Any, coding: Any) -> None:
    document = bench.post(invoice("119.03", row(net="100.00", tax="19.03", **coding)))
    assert (document["Rounding"], document["RoundingDiffAmount"], document["DocTotal"]) == (
        "tYES",
        D("0.03"),
        D("119.03"),
    )
    assert len(document["DocumentLines"]) == 1 and document["VatSum"] == D("19.00")


def test_taxes_that_were_rounded_row_by_row_are_made_up(bench: Any, invoice: Any, row: Any) -> None:
    rows = [row(key=str(n), net="0.13", tax="0.02") for n in range(3)]
    document = bench.post(invoice("0.45", *rows))
    assert (document["VatSum"], document["RoundingDiffAmount"]) == (D("0.07"), D("-0.01"))


def test_nothing_is_rounded_where_the_tax_is_the_same(make: Any, invoice: Any, row: Any) -> None:
    document = make(rounding_account="400050").post(invoice("119.00", row(net="100.00", tax="19.00")))
    assert len(document["DocumentLines"]) == 1 and document["Rounding"] == "tNO"


def test_a_foreign_document_is_rounded_in_its_own_currency(bench: Any, invoice: Any, row: Any) -> None:
    coded = row(net="100.00", tax="19.03")
    document = bench.post(invoice("119.03", coded, supplier="V10007", currency="USD"))
    assert (document["RoundingDiffAmountFC"], document["DocTotalFc"]) == (D("0.03"), D("119.03"))


def test_what_is_no_matter_of_rounding_is_made_up_by_no_rounding(make: Any, invoice: Any, row: Any) -> None:
    bench = make(rounding_account="400050")
    target = bench.connection.target(Invoice)
    with pytest.raises(Held, match=r"119.00 EUR with a tax of 19.00, .* make it 107.00 with V1 \(7%\)"):
        target.prepare(invoice("119.00", row(net="100.00", tax="19.00", tax_code="V1")), bench.codes)


def test_a_suppliers_rule_of_rounding_is_reckoned_with(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.tables["BusinessPartners"]["V10000"]["TaxRoundingRule"] = "trr_RoundDown"
    document = bench.post(invoice("0.14", row(net="0.13", tax="0.01")))  # 0.0247 is 0.02, halves up or not
    assert (document["VatSum"], document["DocTotal"]) == (D("0.02"), D("0.14"))
    document = bench.post(invoice("0.11", row(net="0.10", tax="0.01"), key="inv-2", number="R-2"))
    assert (document["VatSum"], document["Rounding"]) == (D("0.01"), "tNO")


def test_ordered_goods_are_rounded_by_the_document_itself(make: Any, invoice: Any) -> None:
    bench = make(rounding_account="400050")
    line = ordered(bench, lambda o: o.open and not o.service and not o.received and o.open_quantity > 1)
    tax = (line.unit_price * line.percent / 100).quantize(D("0.01")) + D("0.03")
    coded = against(line, "1", str(line.unit_price))
    document = bench.post(invoice(str(line.unit_price + tax), coded, supplier=line.card_code, tax=tax))
    assert (document["DocType"], document["RoundingDiffAmount"]) == ("dDocument_Items", D("0.03"))
    assert document["DocumentLines"][0]["LineTotal"] == line.unit_price


def test_an_order_of_reverse_charge_is_drawn_on_with_its_own_tax(bench: Any, invoice: Any) -> None:
    line = ordered(bench, lambda o: o.open and not o.service and not o.received and o.open_quantity > 1 and o.percent)
    for group in bench.world.tables["VatGroups"].values():
        group["AcquisitionReverse"] = "tYES"
    document = bench.post(
        invoice(str(line.unit_price), against(line, "1", str(line.unit_price)), supplier=line.card_code)
    )
    assert (document["DocType"], document["VatSum"], document["DocTotal"]) == ("dDocument_Items", 0, line.unit_price)


# ── decimals ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("tax", "rounding"), [("100", D(-1)), ("101", D(0)), (None, D(-1))])
def test_yen_have_no_decimals(bench: Any, invoice: Any, row: Any, tax: str | None, rounding: Decimal) -> None:
    currency(bench, "JPY")
    coded = row(net="1005", tax_percent="10", tax_code=None, **({"tax": tax} if tax else {}))
    bench.world.tables["VatGroups"]["V1"]["VatGroups_Lines"][0]["Rate"] = D(10)
    gross = "1106" if tax == "101" else "1105"
    document = bench.post(invoice(gross, coded, currency="JPY"))
    assert document["RoundingDiffAmountFC"] == rounding
    assert (document["DocumentLines"][0]["RowTotalFC"], document["DocTotalFc"]) == (1005, D(gross))


def test_gross_rows_in_yen_are_split_into_whole_yen(bench: Any, invoice: Any, row: Any) -> None:
    currency(bench, "JPY")
    bench.world.tables["VatGroups"]["V1"]["VatGroups_Lines"][0]["Rate"] = D(10)
    document = bench.post(invoice("1105", row(gross="1105", tax_percent="10", tax_code=None), currency="JPY"))
    assert document["DocumentLines"][0]["RowTotalFC"] == 1005
    assert str(document["DocumentLines"][0]["RowTotalFC"]) == "1005"


def test_dinars_have_three_decimals_and_no_more(bench: Any, invoice: Any, row: Any) -> None:
    currency(bench, "KWD", rate="3")
    document = bench.post(invoice("10.125", row(net="10.125", tax_code="V0"), currency="KWD"))
    assert document["DocTotalFc"] == D("10.125")
    with pytest.raises(
        Rejected, match=r"total of invoice R-4711 is 10\.1255 KWD: SAP Business One keeps three decimals"
    ):
        bench.connection.target(Invoice).prepare(
            invoice("10.1255", row(net="10.125", tax_code="V0"), currency="KWD"), bench.codes
        )


@pytest.mark.parametrize(
    ("setting", "fits"), [("cdWithoutDecimals", "1000"), ("cd1Digit", "1000.5"), ("cdDefault", "1000.55")]
)
def test_the_companys_own_decimals_go_before_the_standards(
    bench: Any, invoice: Any, row: Any, setting: str, fits: str
) -> None:
    currency(bench, "HUF", setting)
    assert bench.post(invoice(fits, row(net=fits, tax_code="V0"), currency="HUF"))["DocTotalFc"] == D(fits)
    finer = fits + ("1" if "." in fits else ".1")
    with pytest.raises(Rejected, match="decimal"):
        bench.connection.target(Invoice).prepare(invoice(finer, row(net=fits), currency="HUF"), bench.codes)


@pytest.mark.parametrize(("code", "gross"), [("JPY", "1110"), ("KWD", "1000.005")])
def test_the_tolerance_is_counted_in_the_smallest_amount_of_the_currency(
    make: Any, invoice: Any, row: Any, code: str, gross: str
) -> None:
    bench = make(rounding_account="400050")
    currency(bench, code)
    net = "1105" if code == "JPY" else "1000"
    target = bench.connection.target(Invoice)
    assert target.prepare(invoice(gross, row(net=net, tax="0", tax_code="V0"), currency=code), bench.codes)
    more = str(D(gross) + (1 if code == "JPY" else D("0.001")))
    with pytest.raises(Held):
        target.prepare(invoice(more, row(net=net, tax="0", tax_code="V0"), currency=code), bench.codes)


# ── withheld ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_withheld_from_the_supplier_belongs_to_the_total(bench: Any, invoice: Any, row: Any, sign: int) -> None:
    bench.world.withholding["V10000"] = D("1.25")
    document = bench.post(invoice(str(1904 * sign), row(net=1600 * sign, tax=304 * sign)))
    assert (document["DocTotal"], document["WTAmount"]) == (1884, 20)


def test_what_is_withheld_in_a_foreign_currency_belongs_to_the_total(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.withholding["V10007"] = D(10)
    document = bench.post(invoice("119.00", row(net="100.00", tax="19.00"), supplier="V10007", currency="USD"))
    assert (document["DocTotalFc"], document["WTAmountFC"]) == (109, 10)


def test_a_draft_shows_what_was_invoiced_too(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.withholding["V10000"], bench.world.approval_for = D(20), {"V10000"}
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00", tax="19.00")), bench.codes)
    documents.post(bench.world, "PurchaseInvoices", dict(prepared.body))
    (draft,) = target.look(prepared)
    assert (draft.state, draft.amount) == ("draft", D("119.00"))


# ── reverse charge ───────────────────────────────────────────────────────────────────────────────────────────

FREE = [
    {"tax": "0", "tax_percent": "0"},
    {"tax": "0"},
    {"tax_percent": "0"},
    {"tax": "0", "tax_percent": "19"},
    {},
]


@pytest.mark.parametrize("said", FREE)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_supplier_of_reverse_charge_gets_its_own_tax_group(
    bench: Any, invoice: Any, row: Any, said: dict[str, str], sign: int
) -> None:
    reverse_group(bench)
    document = bench.post(invoice(str(1000 * sign), row(net=1000 * sign, tax_code=None, **said), tax=D(0)))
    assert [line["VatGroup"] for line in document["DocumentLines"]] == ["RC"]
    assert (document["VatSum"], document["DocTotal"]) == (0, 1000)


def test_a_gross_row_that_is_not_charged_is_net(bench: Any, invoice: Any, row: Any) -> None:
    reverse_group(bench)
    document = bench.post(invoice("1000", row(gross="1000", tax_percent="19", tax_code=None), tax=D(0)))
    assert (document["DocumentLines"][0]["LineTotal"], document["DocTotal"]) == (1000, 1000)


def test_a_tax_that_is_charged_is_no_reverse_charge(bench: Any, invoice: Any, row: Any) -> None:
    reverse_group(bench)
    document = bench.post(invoice("119.00", row(net="100.00", tax="19.00", tax_code=None)))
    assert (document["DocumentLines"][0]["VatGroup"], document["DocTotal"]) == ("V2", 119)


def test_a_supplier_at_home_who_charges_nothing_gets_the_free_group(bench: Any, invoice: Any, row: Any) -> None:
    reverse_group(bench, "V10001")
    document = bench.post(invoice("100.00", row(net="100.00", tax="0", tax_percent="0", tax_code=None)))
    assert document["DocumentLines"][0]["VatGroup"] == "V0"


def test_a_rate_that_is_stated_and_not_charged_goes_to_the_one_group_that_reverses_it(
    bench: Any, invoice: Any, row: Any
) -> None:
    target = bench.connection.target(Invoice)
    stated = invoice("100.00", row(net="100.00", tax="0", tax_percent="19", tax_code=None))
    with pytest.raises(Held, match="charges none") as held:
        target.prepare(stated, bench.codes)
    assert held.value.waiting_for == "tax:19"
    reverse_group(bench, "V10001")
    bench.connection.close()


def test_a_code_of_the_platform_goes_before_the_suppliers_group(bench: Any, invoice: Any, row: Any) -> None:
    reverse_group(bench)
    document = bench.post(invoice("100.00", row(net="100.00", tax="0", tax_code="V0")))
    assert document["DocumentLines"][0]["VatGroup"] == "V0"


# ── figures that are none ────────────────────────────────────────────────────────────────────────────────────

HOSTILE = ["-100", "-19", "100.01", "1E29", "1E+30", "-1E+29", "NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("where", ["row", "head"])
@pytest.mark.parametrize("given", ["net", "gross"])
def test_a_rate_that_is_none_is_rejected_by_its_name(
    bench: Any, invoice: Any, row: Any, where: str, given: str
) -> None:
    for percent in HOSTILE:
        coded = row(**{given: "100.00"}, tax_code=None, **({"tax_percent": percent} if where == "row" else {}))
        one = invoice("119.00", coded, tax_percent=D(percent) if where == "head" else None)
        with naming(percent), pytest.raises(Rejected, match=r"percentage of (coding row 1 of )?invoice R-4711 is"):
            bench.connection.target(Invoice).prepare(one, bench.codes)


@pytest.mark.parametrize("field", ["net", "gross", "tax", "total"])
def test_an_amount_that_is_none_is_rejected_by_its_name(bench: Any, invoice: Any, row: Any, field: str) -> None:
    for amount in ("1E29", "-1E29", "1E+999999", "NaN", "sNaN", "Infinity", "9999999999999999999999.99"):
        fields = {"net": "100.00", **({field: amount} if field != "total" else {})}
        one = invoice(amount if field == "total" else "100.00", row(**fields, tax_code=None))
        name = {"total": "total", "net": "net amount", "gross": "gross amount", "tax": "tax"}[field]
        said = f"The {name} of (coding row 1 of )?invoice R-4711 is"
        with naming(amount), pytest.raises(Rejected, match=said):
            bench.connection.target(Invoice).prepare(one, bench.codes)


# ── known to come out otherwise ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("gross", "tax"), [("125.00", "25.00"), ("119.10", "19.10"), ("107.00", "7.00")])
@pytest.mark.parametrize(
    "said", [{"tax_code": "V2"}, {"tax_code": None, "tax_percent": "19"}], ids=["by its code", "by its rate"]
)
def test_a_total_that_is_known_to_come_out_otherwise_is_held_before_anything_is_posted(
    bench: Any, invoice: Any, row: Any, gross: str, tax: str, sign: int, said: dict[str, Any]
) -> None:
    stated = invoice(str(D(gross) * sign), row(net=D(100) * sign, tax=D(tax) * sign, **said))
    with pytest.raises(Held) as held:
        bench.connection.target(Invoice).prepare(stated, bench.codes)
    assert held.value.waiting_for.startswith("conflict:") and "R-4711" in str(held.value)
    assert tax in str(held.value) and (
        "119.00 with V2" in str(held.value) or "19% of its net amount" in str(held.value)
    )


@pytest.mark.parametrize("said", [{}, {"tax": "0"}, {"gross": "0"}])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_row_of_no_amount_holds_nobody_and_reverses_nothing(
    bench: Any, invoice: Any, row: Any, said: dict[str, Any], reverse: bool
) -> None:
    if reverse:
        reverse_group(bench, "V10001")
    nothing = row(key="2", net="0", tax_code=None, tax_percent="19", **said)
    document = bench.post(invoice("119.00", row(net="100.00", tax_code=None, tax_percent="19", tax="19"), nothing))
    assert [line["VatGroup"] for line in document["DocumentLines"]] == ["V2", "V2"]
    assert document["DocTotal"] == 119


@pytest.mark.parametrize("reverse", [False, True])
def test_a_free_line_of_an_order_keeps_the_orders_own_tax(bench: Any, invoice: Any, reverse: bool) -> None:
    if reverse:
        reverse_group(bench, "V10001")
    line = ordered(bench, lambda o: o.open and not o.service and not o.received and o.open_quantity > 1 and o.percent)
    paid = against(line, "1", str(line.unit_price), tax_percent=line.percent)
    free = msgspec.structs.replace(against(line, "1", "0", tax=D(0), tax_percent=line.percent), key="2")
    tax = (line.unit_price * line.percent / 100).quantize(D("0.01"))
    document = bench.post(invoice(str(line.unit_price + tax), paid, free, supplier=line.card_code, tax=tax))
    groups = [one["VatGroup"] for one in document["DocumentLines"]]
    assert groups[0] == groups[1] and groups[0] != "RC" and document["DocTotal"] == line.unit_price + tax

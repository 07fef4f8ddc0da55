"""An approved invoice as a journal entry of X3: what is written, whatever way it goes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held, Misconfigured, Rejected
from ml_connector.systems.kit.faults import Fault
from tests.unit.sage_x3.books import JOURNAL_SETTINGS, Books, Codes, invoice, lines, row, target


@pytest.fixture
def books() -> Books:
    return Books()


def body(books: Books, *rows: Any, codes: Codes | None = None, settings: Any = None, **fields: Any) -> dict[str, Any]:
    prepared = target(books, **(settings or {})).prepare(invoice(*rows, **fields), codes or Codes())
    return dict(prepared.body)


def test_rows_and_tax_stand_against_the_suppliers_payable(books: Books) -> None:
    made = body(books, due_date=date(2026, 3, 31), description='Paper;\r\nand | "ink"')
    head = {name: value for name, value in made.items() if name != "GACCENTRYD"}
    assert head == {
        "TYP": "BWINV", "FCY": "FR011", "JOU": "ACH", "ACCDAT": date(2026, 2, 10), "RATDAT": date(2026, 2, 10),
        "CUR": "EUR", "DESVCR": "Paper and ink", "BPRVCR": "F-2026/17", "BPRDATVCR": date(2026, 2, 3),
        "REFINT": "i1-0000000000000000", "DUDDAT": date(2026, 3, 31),
    }  # fmt: skip
    assert lines(made) == [("606100", "100.00", ""), ("445660", "20.00", ""), ("401000", "-120.00", "FR053")]
    assert {one["LEDTYP"] for one in made["GACCENTRYD"]} == {1}
    assert [one["LIN"] for one in made["GACCENTRYD"]] == [1, 2, 3]
    assert all(one["AMTCUR"] > 0 for one in made["GACCENTRYD"])


def test_a_control_goes_with_the_payable_alone(books: Books) -> None:
    made = body(books, settings={"journal": JOURNAL_SETTINGS | {"control": "FOU"}})
    assert [one.get("SAC") for one in made["GACCENTRYD"]] == [None, None, "FOU"]


def test_a_credit_note_is_turned_round_by_its_signs(books: Books) -> None:
    made = body(books, row(net=Decimal(-100), tax=Decimal(-20)), gross=Decimal(-120))
    assert lines(made) == [("606100", "-100.00", ""), ("445660", "-20.00", ""), ("401000", "120.00", "FR053")]
    assert all(one["AMTCUR"] > 0 for one in made["GACCENTRYD"])


def test_a_tax_account_takes_all_taxes_with_their_codes(books: Books) -> None:
    codes = Codes()
    codes.mapped["tax", "V20"] = "FR20"
    made = body(
        books, row(tax_code="V20"), codes=codes, settings={"journal": JOURNAL_SETTINGS | {"tax_account": "445660"}}
    )
    assert lines(made)[1] == ("445660", "20.00", "") and [one.get("TAX") for one in made["GACCENTRYD"]] == [
        None,
        "FR20",
        None,
    ]


def test_what_rounding_leaves_goes_to_its_account_and_without_one_to_the_largest_row(books: Books) -> None:
    account = {"journal": JOURNAL_SETTINGS | {"rounding_account": "658000"}}
    with_account = body(books, gross=Decimal("120.02"), tax=Decimal(20), settings=account)
    assert lines(with_account)[2:] == [("658000", "0.02", ""), ("401000", "-120.02", "FR053")]
    without = body(books, gross=Decimal("120.02"), tax=Decimal(20))
    assert lines(without)[0] == ("606100", "100.02", "")
    with pytest.raises(Held, match="differs from its coding rows plus tax") as held:
        body(books, gross=Decimal("120.06"), tax=Decimal(20), settings=account)
    assert held.value.waiting_for == "conflict:i1"


def test_every_entry_is_balanced_exactly(books: Books) -> None:
    rows = [row(str(n), net=Decimal("33.33"), tax=Decimal("6.67")) for n in range(3)]
    made = body(books, *rows, gross=Decimal("120.02"), tax=Decimal("20.01"))
    assert sum(one["SNS"] * one["AMTCUR"] for one in made["GACCENTRYD"]) == 0


def test_rows_that_come_to_nothing_are_no_lines(books: Books) -> None:
    made = body(books, row(), row("2", net=Decimal(0), tax=Decimal(0), account="606200"))
    assert [one["ACC"] for one in made["GACCENTRYD"]] == ["606100", "445660", "401000"]
    with pytest.raises(Rejected, match="makes 0 lines"):
        body(books, row(net=Decimal(0), tax=Decimal(0)), gross=Decimal(0))


# ── accounts and dimensions ─────────────────────────────────────────────────────────────────────────────────────


def order(**line: Any) -> dict[str, Any]:
    one = {"POPLIN": 1000, "POQSEQ": 1000, "QTYUOM": Decimal(1), "LINAMT": Decimal(100), "LINPURTYP": 1} | line
    head = {"POHNUM": "POFR1", "BPSNUM": "FR053", "CUR": "EUR", "CLEFLG": 1, "RCPFLG": 1}
    return head | {"PORDERP": [{"POPLIN": 1000, "POPSEQ": 1000, "NETPRI": Decimal(100)}], "PORDERQ": [one]}


def shares(made: dict[str, Any]) -> list[Any]:
    return [one.get("GACCENTRYA") for one in made["GACCENTRYD"]]


def test_a_row_has_its_cost_center_and_its_other_dimensions_in_one_share(books: Books) -> None:
    codes = Codes()
    codes.mapped["cost_center", "P"] = "PROD"
    made = body(books, row(cost_center="P", dimensions=(("PRJ", "P1"),)), codes=codes)
    assert shares(made) == [[{"DIE": ["CCT", "PRJ"], "CCE": ["PROD", "P1"], "AMTCUR": Decimal("100.00")}], None, None]


def test_account_and_dimensions_of_the_orders_line_go_before_those_of_the_row(books: Books) -> None:
    books.records["purchase_order"].append(order(ACC="606200", DIE=["CCT", "PRJ"], CCE=["ADM", " "]))
    codes = Codes()
    codes.missing |= {("account", "X"), ("cost_center", "Y")}
    given = row(account="X", cost_center="Y", order_number="POFR1", order_line="1000", dimensions=(("PRJ", "P1"),))
    made = body(books, given, codes=codes)
    assert lines(made)[0] == ("606200", "100.00", "")
    assert shares(made)[0] == [{"DIE": ["CCT", "PRJ"], "CCE": ["ADM", "P1"], "AMTCUR": Decimal("100.00")}]


def test_an_order_without_an_account_leaves_that_of_the_row(books: Books) -> None:
    books.records["purchase_order"].append(order(DIE=["CCT"], CCE=["ADM"]))
    made = body(books, row(order_number="POFR1", cost_center="PROD"))
    assert lines(made)[0][0] == "606100" and shares(made)[0][0]["CCE"] == ["ADM"]


def test_an_order_of_the_platforms_own_is_coded_as_its_row_is(books: Books) -> None:
    prepared = target(books).prepare(invoice(row(order_number="BW-9", order_line="1")), Codes())
    assert "Sage X3 has no order BW-9: coding row 1 was posted as it is coded." in prepared.notes
    with pytest.raises(Held) as held:
        body(books, row(account=None, order_number="BW-9"))
    assert held.value.waiting_for == "order:BW-9"


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        ({"account": "999999"}, "account:999999"),
        ({"cost_center": "NONE"}, "cost_center:NONE"),
        ({"dimensions": (("PRJ", "P9"),)}, "dimension:PRJ/P9"),
        ({"tax_code": "V9"}, "tax:V9"),
    ],
)
def test_a_code_that_x3_does_not_have_holds_the_invoice_on_it(books: Books, given: Any, waits: str) -> None:
    with pytest.raises(Held) as held:
        body(books, row(**given))
    assert held.value.waiting_for == waits


def test_what_is_not_active_counts_as_missing(books: Books) -> None:
    for kind in ("account", "supplier", "dimension"):
        here = Books()
        for one in here.records[kind]:
            one["ENAFLG"] = 1 if "401000" not in one.values() else 2
        with pytest.raises(Held) as held:
            body(here, row(cost_center="PROD"))
        assert held.value.waiting_for.partition(":")[0] == {"dimension": "cost_center"}.get(kind, kind)


def test_a_cost_center_without_a_type_of_dimension_is_left_out_with_a_note(books: Books) -> None:
    books.records["dimension"] = []
    prepared = target(books, cost_center_dimension=None).prepare(invoice(row(cost_center="PROD")), Codes())
    assert any("names no 'cost_center_dimension'" in note for note in prepared.notes)


def test_an_account_of_the_secret_that_is_not_there_is_named_by_its_field(books: Books) -> None:
    for field in ("payable_account", "tax_account", "rounding_account"):
        with pytest.raises(Misconfigured, match=rf"'journal\.{field}'"):
            body(books, settings={"journal": JOURNAL_SETTINGS | {field: "000000"}})


# ── limits and periods ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_number_over_twenty_characters_is_refused_and_the_limit_is_named(books: Books) -> None:
    assert body(books, number="N" * 20)["BPRVCR"] == "N" * 20
    with pytest.raises(Rejected, match="longer than the 20 characters that Sage X3 keeps; a number is never cut"):
        body(books, number="N" * 21)


def test_texts_are_cut_with_a_note(books: Books) -> None:
    prepared = target(books).prepare(invoice(description="x" * 31), Codes())
    assert prepared.body["DESVCR"] == "x" * 30 and "The description was cut at 30 characters." in prepared.notes


def test_a_closed_period_holds_or_moves_the_entry_to_the_next_month(books: Books) -> None:
    closed = Fault(200, "", "2026-02-10 : Period 02/2026 is closed")
    books.answers = [closed]
    waits = target(books)
    with pytest.raises(Held) as held:
        waits.send(waits.prepare(invoice(), Codes()))
    assert held.value.waiting_for == "period:2026-02" and len(books.sent) == 1
    books.answers = [closed]
    moves = target(books, moves=True)
    found = moves.send(moves.prepare(invoice(), Codes()))
    assert [(one["ACCDAT"], one["RATDAT"]) for one in books.sent[-1:]] == [(date(2026, 3, 1), date(2026, 3, 1))]
    assert found.posted_on == date(2026, 3, 1) and any("period closed" in note for note in found.notes)

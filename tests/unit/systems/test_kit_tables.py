"""Tables as texts: numbers and days are read or refused, rows are named, and questions fit into an address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.flow import Page
from ml_connector.records import Account
from ml_connector.systems.kit.code_table import code_table
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.sections import SectionCenters, center_of, with_center
from ml_connector.systems.kit.tables import (
    Query,
    Row,
    Tables,
    among,
    amount,
    batch_of,
    behind,
    day,
    row_of,
    text,
)


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("      1", "1"),
        ("38400.000", "38400.000"),
        ("38,400.000", "38400.000"),
        ("1,234,567.89", "1234567.89"),
        ("-5.25", "-5.25"),
        ("5.25-", "-5.25"),
        (".5", "0.5"),
        ("1E-7", "1E-7"),
    ],
)
def test_numbers_are_read_padded_and_edited(told: str, value: str) -> None:
    assert amount({"Q": told}, "Q") == Decimal(value)


@pytest.mark.parametrize("told", ["1,234", "1.234,5", "12a", "NaN", "Infinity", "--1", "1 2", "1,23.4"])
def test_what_may_be_read_in_two_ways_or_is_no_number_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        amount({"Q": told}, "Q")


def test_a_zero_date_is_none_and_blanks_are_nothing() -> None:
    row = {"A": "0000-00-00", "B": "2026-02-03T00:00:00Z", "C": "  ", "D": "31.12.2026"}
    assert day(row, "A") is None and day(row, "B") == date(2026, 2, 3) and day(row, "C") is None
    assert text(row, "C") is None and amount(row, "C") is None and text(row, "E") is None
    with pytest.raises(ValueError, match="not a valid date"):
        day(row, "D")


def test_columns_come_under_the_names_that_were_asked_for() -> None:
    assert row_of({"supplier": " S1", "ONHOLD": None, "Extra": 1}, ("Supplier", "OnHold", "Bank")) == {
        "Supplier": " S1",
        "OnHold": "",
        "Bank": "",
    }
    assert row_of({"b": Decimal("1.50"), "a": True, "c": False}, ()) == {"b": "1.50", "a": "Y", "c": ""}
    with pytest.raises(ValueError, match="Bank"):
        row_of({"Bank": [1]}, ("Bank",))


def test_a_row_without_a_key_costs_only_itself() -> None:
    asked = Query("T", ("K", "V"), ("K",))
    batch = batch_of([{"k": "a", "v": "1"}, {"k": " ", "v": "2"}, {"k": "b", "v": "3"}], asked, "0")
    assert [row["K"] for row in batch.rows] == ["a", "b"] and batch.row_keys == ["a", "b"]
    assert [bad.key for bad in batch.spoiled] == ["?0+1"]


def test_the_rows_behind_a_key_of_two_parts() -> None:
    asked = behind(Query("T", (), ("A", "B"), (("C", "EQ", "c"),)), "a~1")
    assert asked.alternatives() == [
        (("C", "EQ", "c"), ("A", "EQ", "a"), ("B", "GT", "1")),
        (("C", "EQ", "c"), ("A", "GT", "a")),
    ]
    assert behind(asked, None) is asked


def test_alternatives_stay_so_behind_a_key() -> None:
    asked = behind(Query("T", (), ("A",), either=((("A", "EQ", "x"),), (("A", "EQ", "y"),))), "x")
    assert asked.alternatives() == [(("A", "EQ", "x"), ("A", "GT", "x")), (("A", "EQ", "y"), ("A", "GT", "x"))]


class Narrow:
    """A reader whose questions hold two values."""

    def room(self, alternative: object) -> float:
        return 0.5

    def pages(self, asked: Query, position: str | None) -> object:
        raise AssertionError


def test_values_are_asked_for_as_many_at_once_as_fit_and_each_once() -> None:
    asked = list(among(Query("T", (), ("A",)), "A", ["1", "2", "1", "3"], Narrow()))  # type: ignore[arg-type]
    assert [[one[0][2] for one in part.either] for part in asked] == [["1", "2"], ["3"]]
    assert not list(among(Query("T", (), ("A",)), "A", [], Narrow()))  # type: ignore[arg-type]


def test_a_section_of_a_ledger_code_is_the_cost_center() -> None:
    assert center_of("10-5500", 2) == "5500" and center_of("10-5500", 1) == "10" and center_of("1540", 2) is None
    assert with_center("10-5500-03", 2, "6100") == "10-6100-03" and with_center("1540", 2, "6100") == "1540"


def test_cost_centers_of_sections_come_once_and_are_read_again_by_code() -> None:
    accounts = [Account(key=code, code=code, name=code) for code in ("1-A", "2-B", "3-A", "4000")]
    source = SectionCenters(lambda: [Page(accounts[:2]), Page(accounts[2:])], 2)
    assert [one.code for page in source.pages(None, None) for one in page.records] == ["A", "B"]
    assert [one.key for page in source.reread(["B", "C"]) for one in page.records] == ["B"]


class Memory:
    """A reader of tables in memory."""

    def __init__(self, **tables: list[dict[str, str]]) -> None:
        self.tables = tables

    def room(self, alternative: object) -> float:
        return 0.1

    def pages(self, asked: Query, position: str | None) -> Iterator[Batch[Row]]:
        held = [
            row
            for row in self.tables[asked.table]
            if not asked.either or any(all(row[column] == value for column, _, value in one) for one in asked.either)
        ]
        yield batch_of(held[: asked.limit or None], asked, None)


def test_cost_centers_of_a_named_table_are_found_by_what_its_columns_are_called() -> None:
    rows = [
        {"Plant": "P", "CostCentre": " 01", "Description": "Assembly"},
        {"Plant": "P", "CostCentre": "02", "Description": ""},
    ]
    source = code_table(Tables(Memory(BomCostCentre=rows), "Vendor"), "BomCostCentre", "'cost_centers'")
    found = [one for page in source.pages(None, None) for one in page.records]
    assert [(one.key, one.code, one.name) for one in found] == [(" 01", "01", "Assembly"), ("02", "02", "02")]
    assert [one.key for page in source.reread(["02"]) for one in page.records] == ["02"]
    with pytest.raises(Misconfigured, match="Correct 'cost_centers'"):
        list(code_table(Tables(Memory(T=[]), "Vendor"), "T", "'cost_centers'").pages(None, None))

"""A row that was not asked for answers another question: nothing follows from it, least of all that there is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from ml_connector.errors import Transient
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.tables import Condition, Query, Row, Tables

KEY: Row = {"Supplier": " 00001", "Currency": "EUR", "Since": "2026-01-31T00:00:00Z", "Balance": "   10.50"}


class Anybody:
    """A reader behind something that answers with the same rows whatever is asked."""

    def __init__(self, *rows: Row) -> None:
        self.rows = list(rows)

    def pages(self, asked: Query, position: str | None) -> Iterator[Batch[Row]]:
        yield Batch(self.rows, [row["Supplier"] for row in self.rows], [])

    def room(self, alternative: tuple[Condition, ...]) -> float:
        return 0.1


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (("Supplier", "EQ", " 00001"), True),
        (("Supplier", "EQ", "00001"), True),
        (("Supplier", "EQ", "00002"), False),
        (("Currency", "EQ", "eur"), True),
        (("Currency", "EQ", "USD"), False),
        (("Currency", "GE", "USD"), True),
        (("Since", "EQ", date(2026, 1, 31)), True),
        (("Since", "EQ", date(2026, 2, 1)), False),
        (("Balance", "EQ", Decimal("10.5")), True),
        (("Balance", "EQ", Decimal("11")), False),
        (("Company", "EQ", "A"), True),
    ],
)
def test_a_row_is_held_against_what_was_asked(condition: Condition, met: bool) -> None:
    tables = Tables(Anybody(KEY), "SYSPRO")
    if met:
        assert tables.rows("ApSupplier", tuple(KEY), condition) == [KEY]
        return
    with pytest.raises(Transient, match=r"ApSupplier that was not asked for,  00001~EUR"):
        tables.rows("ApSupplier", tuple(KEY), condition)


def test_of_several_keys_each_row_has_one() -> None:
    tables = Tables(Anybody(KEY), "SYSPRO")
    assert tables.rows_by("ApSupplier", tuple(KEY), "Supplier", ["V1", " 00001"]) == [KEY]
    with pytest.raises(Transient):
        tables.rows_by("ApSupplier", tuple(KEY), "Supplier", ["V1", "V2"])


def test_what_belongs_to_other_keys_is_no_answer_either() -> None:
    tables = Tables(Anybody(KEY), "SYSPRO")
    with pytest.raises(Transient):
        tables.grouped(Query("ApSupplier", tuple(KEY), ("Supplier",)), "Supplier", ["V1"], {})

"""From when on changes are read again, and whether what a server gives is what it was asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ml_connector.errors import Misconfigured, Transient
from ml_connector.systems.kit.changes import ChangeField, change_field
from ml_connector.systems.kit.conditions import among, changed_since, in_lists, is_met_by, only_met

DAY, TIME = ChangeField("UPDDAT", dated=True), ChangeField("UPDDATTIM", dated=False)


def test_a_day_is_read_again_from_the_day_before_and_a_time_from_two_hours_before() -> None:
    assert DAY.begin("2026-03-01") == DAY.begin("2026-03-01T23:59:59Z") == date(2026, 2, 28)
    assert TIME.begin("2026-03-01T01:00:00Z") == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert TIME.begin("2026-03-01") == datetime(2026, 2, 28, 22, tzinfo=UTC), "a stamp from when there were days only"
    assert changed_since(TIME, "2026-03-01T01:00:00Z") == [("UPDDATTIM", "ge", TIME.begin("2026-03-01T01:00:00Z"))]
    assert changed_since(None, "2026-03-01") == changed_since(TIME, None) == []


@pytest.mark.parametrize(
    ("told", "stamp"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00.123Z", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00Z"),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_stamps_compare_as_texts_whatever_their_spelling(told: str | None, stamp: str | None) -> None:
    assert TIME.stamp({"UPDDATTIM": told}) == stamp


def test_the_field_that_the_secret_names_goes_before_the_others() -> None:
    record = {"A": "2026-03-01T10:00:00Z", "B": "2026-03-01"}
    assert change_field(record, None, ("X", "A", "B"), "'x'") == ChangeField("A", dated=False)
    assert change_field(record, "B", ("A",), "'x'") == ChangeField("B", dated=True)
    assert change_field(record, None, ("X",), "'x'") is None
    assert change_field(None, "X", ("X",), "'x'") is None
    with pytest.raises(Misconfigured, match="'x'"):
        change_field(record, "X", ("A",), "'x'")


def test_keys_are_asked_for_together_where_their_first_parts_agree() -> None:
    asked = list(among(("COA", "ACC"), ["FRA~1", "USA~1", "FRA~2", "FRA~1", "odd"]))
    assert asked == [
        [("COA", "eq", "FRA"), ("ACC", "in", ["1", "2"])],
        [("COA", "eq", "USA"), ("ACC", "in", ["1"])],
    ]
    assert list(among(("K",), ["a~b"])) == [[("K", "in", ["a~b"])]]
    assert list(in_lists(["aa", "bb", "cc"], len, 4)) == [["aa", "bb"], ["cc"]]


def test_a_record_that_was_not_asked_for_is_no_answer() -> None:
    where = [("K", "in", ["a", "b"]), ("N", "ge", 1), ("C", "eq", "x")]
    assert is_met_by({"K": "a", "N": 0, "C": "x "}, where)  # type: ignore[arg-type]
    assert is_met_by({"K": "b"}, where)  # type: ignore[arg-type]
    assert not is_met_by({"K": "A", "C": "x"}, where), "case counts"  # type: ignore[arg-type]
    with pytest.raises(Transient, match="thing z, which was not asked for"):
        only_met([{"K": "a"}, {"K": "z"}], where, "ERP", "thing", ("K",))  # type: ignore[arg-type]

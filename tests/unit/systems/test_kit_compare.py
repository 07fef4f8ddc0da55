"""An entity laid over what stands at a server: nothing vanishes that nobody meant to take away."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector.systems.kit.compare import bare, difference, overlay

LISTS = frozenset({"addresses", "banks"})
THERE: dict[str, Any] = {
    "code": "V1",
    "name": "Meyer",
    "addresses": [{"key": "a", "city": "Bonn", "name": "Meyer", "seen": 1}],
    "banks": [{"iban": "DE1"}],
    "tags": ["t"],
    "id": "theirs",
    "lastUpdated": "2026-03-02",
    "note": None,
}


def laid(made: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    return overlay(made, THERE, LISTS, cleared=frozenset({"addresses"}), unsent=frozenset({"id"}))


def test_what_changes_no_list_changes_only_its_own_fields() -> None:
    made = {"code": "V1", "name": "Meyer AG", "addresses": [{"key": "a", "city": "Bonn", "name": "Meyer AG"}]}
    assert laid(made) == (True, {"code": "V1", "name": "Meyer AG"})


@pytest.mark.parametrize("addresses", [[{"key": "a", "city": "Köln"}], [{"key": "a"}, {"key": "b"}]])
def test_what_changes_a_list_is_written_whole_with_all_that_stands_there(addresses: list[Any]) -> None:
    made = {"code": "V1", "name": "Meyer", "addresses": addresses}
    whole = {"code": "V1", "name": "Meyer", "addresses": addresses, "banks": [{"iban": "DE1"}], "tags": ["t"]}
    assert laid(made) == (False, whole)


def test_a_list_that_is_no_more_is_taken_away_where_it_is_ours_and_no_other_one() -> None:
    few, body = laid({"code": "V1", "name": "Meyer"})
    assert not few
    assert "addresses" not in body
    assert body["banks"] == [{"iban": "DE1"}]


def test_a_list_that_was_empty_there_is_no_ground_to_write_everything() -> None:
    made = {"code": "V1", "addresses": [{"key": "a"}]}
    assert overlay(made, {"code": "V1", "addresses": []}, LISTS, cleared=LISTS, unsent=frozenset()) == (True, made)


def test_nulls_and_stamps_are_no_contents() -> None:
    assert bare({"a": None, "b": [{"c": None, "d": 1, "lastUpdated": "x"}]}) == {"b": [{"d": 1}]}


def test_a_difference_is_named_by_its_place_and_fields_of_the_servers_own_are_none() -> None:
    assert difference({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}) is None
    assert difference({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b"

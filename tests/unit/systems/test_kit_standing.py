"""What stands at a server, of records that people edit there: told by field, changed in part, read in few calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_connector.systems.kit.standing import KEPT, Shape, Standing
from tests.clock import Clock

SHAPE = Shape({"code": "code"}, {"names": ("name", "language", "text"), "companies": ("active", "company", "active")})


def entity(name: str = "Sales", *, active: bool = True, **more: Any) -> dict[str, Any]:
    names = [{"language": tongue, "text": name} for tongue in ("en-US", "de-DE")]
    return {"key": "x", "code": "C1", "names": names, "companies": [{"company": "1000", "active": active}], **more}


def test_an_entity_is_told_field_by_field() -> None:
    told = {"code": "C1", "name.en-US": "Sales", "name.de-DE": "Sales", "active.1000": "true"}
    assert SHAPE.fields(entity(budget=7)) == told


def test_what_is_missing_null_or_of_another_kind_is_empty_or_not_there() -> None:
    assert SHAPE.fields({"names": None, "companies": ["1000"]}) == {"code": ""}
    assert SHAPE.fields({"code": None, "names": [{"language": "fi-FI"}]}) == {"code": "", "name.fi-FI": ""}


def test_only_what_changed_is_made_and_a_list_goes_whole() -> None:
    present = entity(budget=7)
    present["names"].append({"language": "fi-FI", "text": "Myynti", "lastUpdated": "2026"})
    made = SHAPE.changed(entity("Marketing"), present, {"name.de-DE"})
    names = [("en-US", "Marketing"), ("de-DE", "Sales"), ("fi-FI", "Myynti")]
    assert made == {"names": [{"language": tongue, "text": text} for tongue, text in names]}


def test_what_is_not_there_yet_is_added_and_other_companies_stay() -> None:
    present = {**entity(), "companies": [{"company": "2000", "active": False, "inherit": True}]}
    made = SHAPE.changed(entity(), present, ())
    assert made == {"companies": [*present["companies"], {"company": "1000", "active": True}]}


def test_nothing_is_made_where_all_is_alike_or_left() -> None:
    assert SHAPE.changed(entity(), entity(budget=7), ()) == {}
    assert SHAPE.changed(entity("Other"), entity(), {"name.en-US", "name.de-DE"}) == {}


class Server:
    """A server of rows, in pages of ten; `hidden` ones are in no list."""

    def __init__(self, count: int) -> None:
        self.rows: dict[str, dict[str, Any]] = {f"k{n}": {"key": f"k{n}"} for n in range(count)}
        self.hidden: set[str] = set()
        self.calls: list[str] = []

    def pages(self) -> Iterator[Sequence[Any]]:
        rows = [row for key, row in self.rows.items() if key not in self.hidden]
        for start in range(0, len(rows), 10):
            self.calls.append("page")
            yield [*rows[start : start + 10], "no row"]

    def one(self, key: str) -> dict[str, Any] | None:
        self.calls.append(key)
        return self.rows.get(key)


def standing(server: Server, clock: Clock | None = None) -> Standing:
    clock = clock or Clock(datetime(2026, 3, 2, tzinfo=UTC))
    return Standing(server.pages, server.one, lambda row: str(row["key"]), clock)


def test_few_are_read_one_by_one() -> None:
    server = Server(100)
    assert set(standing(server).read(["k1", "k99", "new"])) == {"k1", "k99"}
    assert server.calls == ["k1", "k99", "new"]


def test_many_are_looked_for_in_the_list_until_all_are_found() -> None:
    server = Server(100)
    keys = [f"k{n}" for n in range(20)]
    assert set(standing(server).read(keys, set(keys))) == set(keys)
    assert server.calls == ["page", "page"]


def test_a_list_that_would_take_more_calls_than_the_records_is_left() -> None:
    server = Server(1_000)
    keys = [f"k{n}" for n in range(990, 997)]
    assert set(standing(server).read(keys, set(keys))) == set(keys)
    assert server.calls == ["page"] * 7 + keys


def test_new_ones_cost_one_look_at_the_list_and_none_after_that() -> None:
    """A first load of very many: that nobody but us makes records under keys of ours, a list tells for a while."""
    server, clock = Server(20), Clock(datetime(2026, 3, 2, tzinfo=UTC))
    there = standing(server, clock)
    for start in range(0, 1_000, 500):
        assert there.read([f"n{n}" for n in range(start, start + 500)]) == {}
    assert server.calls == ["page", "page"]
    clock.moment += KEPT + timedelta(seconds=1)
    there.read([f"n{n}" for n in range(500)])
    assert server.calls == ["page"] * 4


def test_what_a_list_showed_is_read_anew_each_time() -> None:
    server = Server(20)
    there = standing(server)
    there.read([f"k{n}" for n in range(10, 40)])
    server.calls.clear()
    server.rows["k1"] = {"key": "k1", "edited": True}
    assert there.read(["k1", "new"]) == {"k1": {"key": "k1", "edited": True}}
    assert server.calls == ["k1"]


@pytest.mark.parametrize("known", [True, False])
def test_that_a_known_one_is_gone_is_never_believed_by_a_list(known: bool) -> None:
    server = Server(20)
    server.hidden = {"k3"}
    keys = [f"k{n}" for n in range(20)]
    found = standing(server).read(keys, set(keys) if known else ())
    assert ("k3" in found) is known

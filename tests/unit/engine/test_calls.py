"""Calls are counted by day without a call of the store for each, and none is counted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.access import calls
from ml_connector.engine.access.calls import CallCount, on_day, taken
from ml_connector.errors import Conflict, Transient
from ml_connector.ports import Item
from tests.clock import Clock

NOW = datetime(2026, 3, 2, 23, 58, tzinfo=UTC)


class Bench:
    def __init__(self) -> None:
        self.clock, self.kept = Clock(NOW), dict[tuple[str, ...], tuple[datetime, int]]()
        self.store, self.puts = SqliteStore(clock=self.clock), 0

    def count(self, scope: str = "s") -> CallCount:
        return CallCount(self.store, self.clock, f"acme#sage_x3#{scope}")

    def told(self, moment: datetime = NOW) -> int | None:
        return on_day(self.store, "acme", "sage_x3", moment)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_many_calls_are_written_once_a_minute_and_at_the_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put, puts = bench.store.put, list[Item]()
    monkeypatch.setattr(bench.store, "put", lambda item: puts.append(item) or put(item))  # type: ignore[func-returns-value]
    count = bench.count()
    for _ in range(500):
        count.add(bench.kept)
    assert puts == [] and bench.told() is None
    bench.clock.moment += timedelta(minutes=1)
    count.add(bench.kept)
    assert (len(puts), bench.told()) == (1, 501)
    count.add(bench.kept)
    count.flush()
    count.flush()
    assert (len(puts), bench.told()) == (2, 502)
    assert puts[0].ttl is not None, "an old day goes by itself"


def test_the_calls_of_all_integrations_and_processes_add_up_by_day(bench: Bench) -> None:
    for scope in ("basware", "avidxchange"):
        count = bench.count(scope)
        count.add(bench.kept)
        count.flush()
    bench.clock.moment += timedelta(minutes=3)
    bench.count().flush()
    later = bench.count()
    later.add(bench.kept)
    later.flush()
    assert (bench.told(), bench.told(bench.clock.now())) == (2, 1)


@pytest.mark.parametrize("error", [Conflict("another one"), Transient("AWS throttles")])
def test_what_cannot_be_written_is_added_later(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    count = bench.count()
    count.add(bench.kept)

    def refused(_: Item) -> Item:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(bench.store, "put", refused)
        count.flush()
    count.add(bench.kept)
    count.flush()
    assert bench.told() == 2


def test_a_process_tells_its_calls_once(bench: Bench) -> None:
    bench.count().add(bench.kept)
    bench.count("t").add(bench.kept)
    bench.kept["another", "thing"] = NOW, 7
    assert taken(bench.kept) == {"sage_x3": 2} and taken(bench.kept) == {}
    assert list(bench.kept) == [("another", "thing")]


def test_a_day_is_that_of_utc() -> None:
    assert calls._key("sage_x3", NOW) == "sage_x3#2026-03-02"

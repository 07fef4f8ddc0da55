"""Small pages become large ones, and nothing that was read is lost."""

from collections.abc import Iterator

import pytest

from ml_connector.engine.poll.coalesce import LONGEST, WEIGHT, coalesced
from ml_connector.errors import Transient
from ml_connector.flow import Broken, Page
from ml_connector.records import Account
from tests.clock import Clock
from tests.unit.engine.bench import BEGIN, Bench, account


def pages(count: int, size: int, clock: Clock, seconds: float = 0, fails_at: int = -1) -> Iterator[Page[Account]]:
    for start in range(0, count, size):
        if start == fails_at:
            raise Transient("away")
        clock.sleep(seconds)
        rows = [account(f"A{n}") for n in range(start, min(start + size, count))]
        broken = (Broken(f"B{start}", "wrong", "{}"),) if start == 0 else ()
        yield Page(rows, broken, str(start + size) if start + size < count else None, f"stamp {start:05d}")


def one(_: Account) -> int:
    return 1


def test_pages_of_twenty_become_pages_of_a_thousand() -> None:
    clock = Clock(BEGIN)
    got = list(coalesced(pages(2500, 20, clock), one, clock))
    assert [len(p.records) for p in got] == [1000, 1000, 500]
    assert [p.position for p in got] == ["1000", "2000", None]
    assert [p.stamp for p in got] == ["stamp 00980", "stamp 01980", "stamp 02480"]
    assert [len(p.broken) for p in got] == [1, 0, 0]
    assert [r.key for p in got for r in p.records] == [f"A{n}" for n in range(2500)]
    assert WEIGHT == 1000


def test_a_slow_source_is_not_waited_for() -> None:
    clock = Clock(BEGIN)
    got = list(coalesced(pages(200, 20, clock, seconds=LONGEST.total_seconds() / 2), one, clock))
    assert [len(p.records) for p in got] == [60, 60, 60, 20]


def test_what_was_read_before_an_error_is_kept() -> None:
    clock = Clock(BEGIN)
    reader = coalesced(pages(200, 20, clock, fails_at=60), one, clock)
    page = next(reader)
    assert (len(page.records), page.position) == (60, "60")
    with pytest.raises(Transient):
        next(reader)


def test_an_error_on_a_later_page_does_not_undo_the_pages_before(bench: Bench) -> None:
    bench.systems.accounts = {f"A{n}": account(f"A{n}") for n in range(9)}
    flow = bench.pair().integration.flow("accounts")
    reads = iter([None, None, Transient("away")])

    def fault(where: str) -> None:
        if where == "read" and (error := next(reads, None)) is not None:
            raise error

    bench.systems.fault = fault  # type: ignore[method-assign]
    with pytest.raises(Transient):
        bench.poll(flow)
    bench.work()
    assert len(bench.systems.taken) == 6
    bench.poll(flow)
    bench.work(hours=0.1)
    assert len(bench.systems.taken) == 9

"""A system that asks for fewer requests is there: what waits for it goes on as soon as it may."""

from __future__ import annotations

from ml_connector.errors import Throttled, Unreachable
from tests.unit.engine.bench import ACCOUNTS, Bench, account


def waiting(bench: Bench) -> list[tuple[str | None, int]]:
    return [(c.cause, c.attempts) for c in bench.pair().ledger("accounts").unfinished() if c.state == "waiting"]


def test_what_meets_a_closed_door_counts_no_attempts(bench: Bench) -> None:
    bench.systems.accounts = {f"A{n}": account(f"A{n}") for n in range(20)}  # five chunks
    bench.systems.faults = [("send", Throttled("Too many requests.", 20))]
    bench.poll(ACCOUNTS)
    bench.work()
    assert sorted(waiting(bench)) == [("busy", 0)] * 4 + [("busy", 1)]
    bench.work(0.01)
    assert waiting(bench) == [] and len(bench.systems.taken) == 20


def test_a_system_that_is_away_is_another_matter(bench: Bench) -> None:
    bench.systems.accounts = {f"A{n}": account(f"A{n}") for n in range(20)}
    bench.systems.faults = [("send", Unreachable("Connection refused."))]
    bench.poll(ACCOUNTS)
    bench.work()
    assert waiting(bench) == [("away", 1)] * 5

"""The product's own changes of mappings are in the history too: a record whose code became another."""

from __future__ import annotations

import msgspec

from tests.unit.engine.bench import ACCOUNTS, Bench, account


def test_a_record_whose_code_becomes_another_is_in_the_history(bench: Bench) -> None:
    bench.systems.accounts["1"] = account("1")
    bench.poll(ACCOUNTS)
    bench.work()
    assert list(bench.pair().mappings.history()) == []
    bench.systems.accounts["1"] = msgspec.structs.replace(account("1"), code="6200")
    bench.compare(ACCOUNTS)
    changes = [(c.code, c.before, c.after, c.by) for c in bench.pair().mappings.history()]
    assert sorted(changes) == [("1", "1", None, "sync"), ("6200", None, "1", "sync")]

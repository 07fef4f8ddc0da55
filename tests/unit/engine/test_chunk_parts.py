"""Parts of a chunk: split again after a crash, and in another way, no record falls between two of them."""

from __future__ import annotations

from datetime import timedelta

from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.write.attempt import Attempt, claim
from ml_connector.engine.write.worker import write
from tests.unit.engine.bench import ACCOUNTS, Bench, account


def claimed(bench: Bench, *keys: str) -> Attempt:
    bench.systems.accounts = {k: account(k) for k in keys}
    bench.poll(ACCOUNTS)
    queued = bench.queue.take()
    assert queued is not None
    attempt = claim(bench.pair(), ACCOUNTS, queued.message["id"])
    assert attempt is not None
    return attempt


def held(attempt: Attempt, part: Chunk) -> list[str]:
    return [record["key"] for record in attempt.ledger.body(part.id)["records"]]


def test_a_part_is_named_by_its_keys(bench: Bench) -> None:
    attempt = claimed(bench, "A1", "A2", "A3")
    assert attempt.part(["A1", "A2"]).id == attempt.part(["A2", "A1"]).id
    assert len({attempt.part(keys).id for keys in (["A1"], ["A2"], ["A1", "A2"], ["A1A2"])}) == 4
    part = attempt.part(["A1", "A2"])
    assert (part.seq, part.count, part.lane, part.state) == (attempt.chunk.seq, 2, attempt.chunk.lane, "waiting")


def test_a_second_split_leaves_the_parts_of_the_first_as_they_are(bench: Bench) -> None:
    attempt = claimed(bench, "A1", "A2", "A3")
    first, second = attempt.part(["A1", "A2"]), attempt.part(["A2", "A3"])
    for part, keys in ((first, ("A1", "A2")), (second, ("A2", "A3"))):
        assert attempt.ledger.add(part, {"records": [bench.systems.accounts[k] for k in keys]})
    assert held(attempt, first) == ["A1", "A2"] and held(attempt, second) == ["A2", "A3"]
    assert not attempt.ledger.add(first, {"records": [bench.systems.accounts[k] for k in ("A1", "A2")]})


def test_a_part_that_is_made_and_done_once_more_counts_once(bench: Bench) -> None:
    attempt = claimed(bench, "A1", "A2", "A3")
    part = attempt.part(["A1", "A2"])
    for _ in range(2):  # the worker that split the chunk died before it had let go of the records
        assert attempt.ledger.add(part, {"records": [bench.systems.accounts[k] for k in ("A1", "A2")]})
        for _ in range(3):
            bench.clock.moment += timedelta(minutes=5)
            write(bench.pair(), ACCOUNTS, part.id)
        assert attempt.ledger.chunk(part.id) is None
    assert len(list(attempt.ledger.store.query(attempt.ledger.pk, "d#"))) == 2
    assert [(c.id, c.delivered) for c in attempt.ledger.finished()] == [(part.id, 2)]

"""Parts of a chunk: split again after a crash, and in another way, no record falls between two of them."""

from __future__ import annotations

from datetime import timedelta

from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.write.attempt import Task, claim
from ml_connector.engine.write.worker import write
from tests.unit.engine.bench import ACCOUNTS, Bench, account


def claimed(bench: Bench, *keys: str) -> Task:
    bench.systems.accounts = {k: account(k) for k in keys}
    bench.poll(ACCOUNTS)
    ring = bench.rings.take()
    assert ring is not None
    task = claim(bench.pair(), ACCOUNTS, ring.message["id"])
    assert task is not None
    return task


def held(task: Task, part: Chunk) -> list[str]:
    return [record["key"] for record in task.ledger.body(part.id)["records"]]


def test_a_part_is_named_by_its_keys(bench: Bench) -> None:
    task = claimed(bench, "A1", "A2", "A3")
    assert task.part(["A1", "A2"]).id == task.part(["A2", "A1"]).id
    assert len({task.part(keys).id for keys in (["A1"], ["A2"], ["A1", "A2"], ["A1A2"])}) == 4
    part = task.part(["A1", "A2"])
    assert (part.seq, part.count, part.lane, part.state) == (task.chunk.seq, 2, task.chunk.lane, "waiting")


def test_a_second_split_leaves_the_parts_of_the_first_as_they_are(bench: Bench) -> None:
    task = claimed(bench, "A1", "A2", "A3")
    first, second = task.part(["A1", "A2"]), task.part(["A2", "A3"])
    for part, keys in ((first, ("A1", "A2")), (second, ("A2", "A3"))):
        assert task.ledger.add(part, {"records": [bench.systems.accounts[k] for k in keys]})
    assert held(task, first) == ["A1", "A2"] and held(task, second) == ["A2", "A3"]
    assert not task.ledger.add(first, {"records": [bench.systems.accounts[k] for k in ("A1", "A2")]})


def test_a_part_that_is_made_and_done_once_more_counts_once(bench: Bench) -> None:
    task = claimed(bench, "A1", "A2", "A3")
    part = task.part(["A1", "A2"])
    for _ in range(2):  # the worker that split the chunk died before it had let go of the records
        assert task.ledger.add(part, {"records": [bench.systems.accounts[k] for k in ("A1", "A2")]})
        for _ in range(3):
            bench.clock.moment += timedelta(minutes=5)
            write(bench.pair(), ACCOUNTS, part.id)
        assert task.ledger.chunk(part.id) is None
    assert len(list(task.ledger.store.query(task.ledger.pk, "d#"))) == 2
    assert [(c.id, c.delivered) for c in task.ledger.finished()] == [(part.id, 2)]

"""Chunks and batches: each record in exactly one, none above its limit, order kept."""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.runtime import Runtime
from ml_connector.flow import Broken, Page
from ml_connector.records import Account
from ml_connector.systems.kit.batches import batches
from tests.clock import Clock
from tests.unit.engine.bench import ACCOUNTS, BEGIN, Bench, Systems, account

weights = st.lists(st.integers(1, 12), max_size=40)


def bench():
    clock = Clock(BEGIN)
    queue = MemoryQueue(clock)
    runtime = Runtime(SqliteStore(clock=clock), queue, MemoryBlobs(), clock, SeededRandom(1), boot="b", sole=True)
    return Bench(runtime, Systems(), clock, queue)


@given(weights, st.integers(1, 20), st.integers(0, 3))
def test_every_record_of_a_page_is_in_exactly_one_chunk(heavy, limit, unreadable):
    made = bench()
    pair = made.pair()
    rows = [account(f"k{n:03d}", str(weight)) for n, weight in enumerate(heavy)]
    broken = [Broken(f"b{n}", "It does not parse.", "{}") for n in range(unreadable)]
    pair.chunking = {Account: (limit, lambda record: int(record.name))}
    poll = Poll(pair, ACCOUNTS, "run1")
    chunks = poll.masters.take(Page(rows, broken))
    bodies = [msgspec.json.decode(poll.ledger.raw_body(chunk.id)) for chunk in chunks]
    cut = [[r["key"] for r in body.get("records", [])] for body in bodies]
    assert [key for part in cut for key in part] == [r.key for r in rows]
    assert sorted(b["key"] for body in bodies for b in body.get("broken", [])) == [b.key for b in broken]
    for part in cut:
        assert sum(int(heavy[int(key[1:])]) for key in part) <= limit or len(part) == 1
    for one, two in pairwise(cut):
        assert sum(heavy[int(key[1:])] for key in (*one, two[0])) > limit, "a chunk was cut too early"
    assert [c.seq for c in chunks] == sorted({c.seq for c in chunks})
    assert sum(c.count for c in chunks) == len(rows) + len(broken)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=40), st.integers(1, 10), st.integers(40, 120))
def test_a_call_takes_at_most_its_number_and_its_bytes(entities, count, size):
    groups = list(batches(entities, count, size))
    assert [n for group in groups for n in group] == list(range(len(entities)))
    for group in groups:
        assert 0 < len(group) <= count
        assert len(b"[" + b",".join(entities[n] for n in group) + b"]") <= size

"""Updates that must not get lost: verdicts in the wrong order, and crowds of chunks that are looked at cheaply."""

import pytest

from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.write.worker import write
from tests.unit.engine.bench import ACCOUNTS, account

SOON = "2026-03-02T08:15:00.000000+00:00"
"""A quarter of an hour after the bench's clock starts."""
BODIES = 21
"""Chunks whose content may be read for one: its own, and twenty others."""


def _rung(bench):
    """Take the wake-up message of the chunk that waits; gives the chunk's id."""
    queued = bench.queue.take()
    bench.queue.done(queued)
    return queued.message["id"]


@pytest.mark.parametrize("stale", [False, True], ids=["seen", "not seen yet"])
def test_a_verdict_that_comes_after_a_newer_ones_leaves_the_newer_row(bench, monkeypatch, stale):
    pair, ledger = bench.pair(), bench.pair().ledger("accounts")
    sent = []
    for name in ("x", "y"):
        bench.systems.accounts = {"a": account("a", name)}
        bench.poll(ACCOUNTS)
        sent.append(_rung(bench))
        assert write(pair, ACCOUNTS, sent[-1]).state == "posted"
    bench.clock.sleep(2)
    older, newer = sent
    assert write(pair, ACCOUNTS, newer).state == "done"
    settled = ledger.rows(["a"], consistent=True)["a"][0]
    get_many = bench.runtime.store.get_many

    def behind(pk, sks, *, consistent=False):
        return get_many(pk, sks, consistent=consistent) if consistent or not stale else {}

    with monkeypatch.context() as patch:
        patch.setattr(bench.runtime.store, "get_many", behind)
        assert write(pair, ACCOUNTS, older).state == "done"
    assert ledger.rows(["a"], consistent=True)["a"][0] == settled
    bench.systems.accounts["a"] = account("a", "x")  # changed back at the source: the target has y
    bench.poll(ACCOUNTS)
    bench.work(0.2)
    assert bench.systems.taken["a"].name == "x"


def _chunk(bench, number, **more):
    """Write a chunk of one record of its own."""
    ledger = bench.pair().ledger("accounts")
    chunk = Chunk(
        id=f"{number:010d}",
        seq=number,
        tenant="acme",
        integration="erp-ap",
        flow="accounts",
        lane="acme.ap.master",
        run="r",
        created=ledger.now(),
        **more,
    )
    ledger.add(chunk, {"records": [account(f"k{number}")]})
    ledger.begin(number)
    return chunk


@pytest.fixture
def bodies(bench, monkeypatch):
    """The chunks whose content was read."""
    query, read = bench.runtime.store.query, []

    def noted(pk, prefix="", **more):
        if prefix.startswith("b#"):
            read.append(prefix)
        return query(pk, prefix, **more)

    monkeypatch.setattr(bench.runtime.store, "query", noted)
    return read


@pytest.mark.parametrize(("others", "state"), [(20, "posted"), (21, "waiting"), (400, "waiting")])
def test_behind_many_chunks_in_doubt_a_chunk_waits_and_reads_few_of_them(bench, bodies, others, state):
    for number in range(1, others + 1):
        _chunk(bench, number, state="posted", tokens=["t"], doubt=SOON)
    ledger = bench.pair().ledger("accounts")
    ledger.mark_uncertain(SOON)
    bench.systems.accounts = {"k500": account("k500")}
    chunk = _chunk(bench, 500)
    bodies.clear()
    assert write(bench.pair(), ACCOUNTS, chunk.id).state == state
    assert len(bodies) <= BODIES
    assert bench.systems.sends == ([["k500"]] if state == "posted" else [])


@pytest.mark.parametrize(("others", "state"), [(20, "posted"), (21, "waiting"), (400, "waiting")])
def test_before_many_later_chunks_a_chunk_waits_and_reads_few_of_them(bench, bodies, others, state):
    bench.systems.accounts = {"k1": account("k1")}
    chunk = _chunk(bench, 1)
    for number in range(2, others + 2):
        _chunk(bench, number, state="posted", tokens=["t"])
    bodies.clear()
    assert write(bench.pair(), ACCOUNTS, chunk.id).state == state
    assert len(bodies) <= BODIES
    assert bench.systems.sends == ([["k1"]] if state == "posted" else [])


def test_a_doubt_that_is_over_costs_nothing(bench, bodies):
    for number in range(1, 21):  # few enough for their content to be read
        _chunk(bench, number, state="posted", tokens=["t"], doubt="2026-03-02T07:59:00.000000+00:00")
    bench.pair().ledger("accounts").mark_uncertain(SOON)  # another one lasts, so that all are looked at
    bench.systems.accounts = {"k500": account("k500")}
    chunk = _chunk(bench, 500)
    bodies.clear()
    assert write(bench.pair(), ACCOUNTS, chunk.id).state == "posted"
    assert len(bodies) == 1

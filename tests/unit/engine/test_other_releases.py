"""Rows of another release: what a former one left is taken over, what a newer one will do is left to it."""

from datetime import timedelta

import pytest

from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.write.worker import write
from tests.unit.engine.bench import ACCOUNTS, INVOICES, account, invoice


def _rung(bench):
    """Take the wake-up message of the chunk that waits; gives the chunk's id."""
    queued = bench.queue.take()
    bench.queue.done(queued)
    return queued.message["id"]


def test_older_chunks_of_a_release_that_kept_no_note_of_the_latest_are_not_sent(bench):
    for key in ("a", "b"):  # two chunks that wait, their rings lost
        bench.systems.accounts = {key: account(key, "old")}
        bench.poll(ACCOUNTS)
        _rung(bench)
    bench.systems.accounts = {key: account(key, "new") for key in ("a", "b")}
    bench.poll(ACCOUNTS)
    newer, pair = _rung(bench), bench.pair()
    write(pair, ACCOUNTS, newer)
    bench.clock.sleep(2)
    assert write(pair, ACCOUNTS, newer).state == "done"
    bench.runtime.store.delete(pair.ledger("accounts").pk, "latest")  # all of this was the former release
    bench.work(0.2)
    assert bench.systems.sends == [["a", "b"]]
    assert {a.name for a in bench.systems.taken.values()} == {"new"}


@pytest.mark.parametrize("flow", [ACCOUNTS, INVOICES], ids=lambda flow: flow.name)
def test_a_chunk_that_only_a_newer_release_understands_is_left_alone(bench, flow):
    bench.systems.accounts, bench.systems.invoices = {"6100": account("6100")}, {"i": invoice("i")}
    ledger, body = bench.pair().ledger(flow.name), {"folded": ["6100"], "records": [account("6100")]}
    ledger.add(
        Chunk(
            id="i",
            op="fold",
            key="i",
            tenant="acme",
            integration="erp-ap",
            flow=flow.name,
            lane="acme.ap.master",
            run="r",
            created=ledger.now(),
            tokens=["t"],
        ),
        body,
    )
    begun = bench.clock.now()
    for hour in range(1, 40):  # for longer than anything that fails is tried
        assert write(bench.pair(), flow, "i").state == "waiting"
        bench.clock.moment = begun + timedelta(hours=hour)
    chunk, _ = ledger.chunk("i")
    assert (chunk.op, chunk.tokens, chunk.crashes, chunk.failures) == ("fold", ["t"], 0, 0)
    assert "'fold', which only a newer release knows" in chunk.reason
    assert ledger.body("i")["folded"] == ["6100"]
    assert not (bench.systems.sends or bench.systems.deactivated or bench.systems.booked or bench.systems.acknowledged)


def test_what_a_newer_release_left_does_not_stop_the_reading(bench):
    ledger = bench.pair().ledger("accounts")
    assert ledger.add(
        Chunk(
            id="0000000000",
            op="fold",
            tenant="acme",
            integration="erp-ap",
            flow="accounts",
            lane="acme.ap.master",
            run="r",
            created=ledger.now(),
        ),
        {"folded": ["a"]},
    )
    bench.systems.accounts = {"a": account("a")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert set(bench.systems.taken) == {"a"}
    assert [chunk.op for chunk in ledger.unfinished()] == ["fold"]

"""An older chunk never overwrites what a newer one brought, and in order nothing is read to know that."""

from collections.abc import Sequence

import pytest

from ml_connector import http_log
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.replay import reopen
from ml_connector.engine.write.worker import write
from ml_connector.errors import Transient
from ml_connector.flow import Rendered, Sent
from ml_connector.ports import Item
from tests.unit.engine.bench import ACCOUNTS, Accounts, Bench, account


class Reads:
    """Counts the consistent reads of rows; the others see no row yet, where told to."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.consistent, self.stale = 0, False
        inner = bench.runtime.store.get_many

        def get_many(pk: str, sks: Sequence[str], *, consistent: bool = False) -> dict[str, Item]:
            self.consistent += consistent
            if self.stale and not consistent:
                return {}
            return inner(pk, sks, consistent=consistent)

        monkeypatch.setattr(bench.runtime.store, "get_many", get_many)


def test_in_order_no_row_is_read_before_sending(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.systems.accounts = {"A1": account("A1")}
    bench.poll(ACCOUNTS)
    bench.work(hours=0.1)
    reads = Reads(bench, monkeypatch)
    for name in ("one", "two", "three"):
        bench.systems.accounts["A1"] = account("A1", name)
        bench.poll(ACCOUNTS)
        bench.work(hours=0.1)
    assert bench.systems.taken["A1"].name == "three"
    assert reads.consistent == 0


def test_an_older_chunk_that_waited_is_not_sent_after_a_newer_one(bench: Bench) -> None:
    bench.systems.accounts = {"A1": account("A1", "old"), "A2": account("A2")}
    bench.systems.faults = [("send", Transient("away"))]
    bench.poll(ACCOUNTS)
    queued = bench.queue.take()
    assert queued is not None
    bench.queue.done(queued)  # its ring is lost: it waits for the due index
    bench.systems.faults.clear()
    bench.systems.accounts["A1"] = account("A1", "new")
    bench.poll(ACCOUNTS)
    newer = bench.queue.take()
    assert newer is not None and newer.message["id"] != queued.message["id"]
    bench.queue.notify(newer.group, newer.message)
    bench.queue.done(newer)
    bench.work(hours=0.1)
    assert [keys for keys in bench.systems.sends if "A1" in keys] == [["A1"]]
    assert bench.systems.taken["A1"].name == "new"
    assert set(bench.systems.taken) == {"A1", "A2"}


def test_a_read_that_is_a_little_old_costs_no_knowledge(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.systems.accounts = {"A1": account("A1")}
    bench.poll(ACCOUNTS)
    bench.work(hours=0.1)
    bench.systems.accounts["A1"] = account("A1", "wrong")  # the target will not take it
    bench.poll(ACCOUNTS)
    Reads(bench, monkeypatch).stale = True
    bench.work(hours=0.1)
    row, _ = bench.pair().ledger("accounts").rows(["A1"], consistent=True)["A1"]
    assert (row.outcome, row.code) == ("rejected", "A1")  # its code is what documents refer to it by


def test_an_older_chunk_does_not_follow_a_newer_one_that_awaits_its_verdict(bench: Bench) -> None:
    bench.systems.accounts = {"A1": account("A1", "old"), "A2": account("A2")}
    bench.poll(ACCOUNTS)
    older = bench.queue.take()
    assert older is not None
    bench.queue.done(older)  # its ring is lost
    bench.systems.accounts["A1"] = account("A1", "new")
    bench.poll(ACCOUNTS)
    newer = bench.queue.take()
    assert newer is not None
    pair = bench.pair()
    sent = write(pair, ACCOUNTS, newer.message["id"])
    assert sent is not None and sent.state == "posted"
    bench.queue.done(newer)
    write(pair, ACCOUNTS, older.message["id"])
    bench.work(hours=0.2)
    assert bench.systems.taken["A1"].name == "new"
    assert set(bench.systems.taken) == {"A1", "A2"}
    assert bench.counts(ACCOUNTS) == {"delivered": 2, "unchanged": 1}


def test_a_dead_chunk_that_is_opened_sends_again_what_others_may_have_overwritten(bench: Bench) -> None:
    bench.systems.accounts = {"A1": account("A1", "new")}
    bench.systems.faults = [("verdict", Transient("not yet"))]
    bench.poll(ACCOUNTS)
    bench.work()
    ledger = bench.pair().ledger("accounts")
    ((chunk, item),) = [ledger.chunk(c.id) or pytest.fail("it is gone") for c in ledger.unfinished()]
    assert chunk.tokens and bench.systems.taken["A1"].name == "new"
    chunk.state, chunk.cause, chunk.death = "failed", "crashed", 1
    ledger.save(chunk, item)
    bench.systems.taken["A1"] = account("A1", "old")  # an older chunk found nothing newer under way
    assert reopen(ledger, chunk.id, "somebody did") is not None
    bench.work(hours=0.1)
    assert bench.systems.taken["A1"].name == "new"


def bodiless(bench: Bench) -> str:
    """Make a chunk whose body is gone, as one that was finished meanwhile."""
    bench.systems.accounts = {"A1": account("A1")}
    bench.poll(ACCOUNTS)
    ledger, (chunk,) = bench.pair().ledger("accounts"), list(bench.pair().ledger("accounts").unfinished())
    for part in list(bench.runtime.store.query(ledger.pk, f"b#{chunk.id}#")):
        bench.runtime.store.delete(part.pk, part.sk)
    return chunk.id


def test_a_chunk_that_another_worker_finished_is_left_to_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    name = bodiless(bench)
    finish = Ledger.finish

    def late(self: Ledger, chunk: Chunk, item: Item) -> None:
        self.store.delete(self.pk, f"c#{chunk.id}")
        finish(self, chunk, item)

    monkeypatch.setattr(Ledger, "finish", late)
    assert write(bench.pair(), ACCOUNTS, name) is None
    assert bench.systems.sends == []


def test_a_part_that_was_made_again_while_it_was_finished_is_done(bench: Bench) -> None:
    done = write(bench.pair(), ACCOUNTS, bodiless(bench))
    assert done is not None and (done.state, done.moved, done.count) == ("done", 1, 1)
    assert list(bench.pair().ledger("accounts").unfinished()) == [] and bench.systems.sends == []


def test_what_a_worker_sends_after_it_lost_its_chunk_is_sent_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still, another one finished its chunk, a newer version went out: then its own request goes as well."""
    bench.systems.accounts = {"A1": account("A1", "old")}
    bench.poll(ACCOUNTS)
    queued, send = bench.queue.take(), Accounts.send
    assert queued is not None
    bench.queue.done(queued)

    def late(self: Accounts, stage: str, batch: Sequence[Rendered]) -> Sent:
        monkeypatch.setattr(Accounts, "send", send)
        bench.clock.sleep(200)  # beyond its lease
        bench.work(0.1)
        bench.systems.accounts["A1"] = account("A1", "new")
        bench.poll(ACCOUNTS)
        bench.work(0.5)
        assert self.s.taken["A1"].name == "new"
        http_log.note(http_log.Exchange(at="", method="POST", url="", request_headers={}, request_body=""))
        return send(self, stage, batch)

    monkeypatch.setattr(Accounts, "send", late)
    assert write(bench.pair(), ACCOUNTS, queued.message["id"]) is None
    assert bench.systems.taken["A1"].name == "old"
    assert bench.pair().ledger("accounts").rows(["A1"])["A1"][0].delivered_fp is None
    bench.clock.sleep(5)
    bench.poll(ACCOUNTS)
    bench.work(0.5)
    assert bench.systems.taken["A1"].name == "new"
    row, _ = bench.pair().ledger("accounts").rows(["A1"])["A1"]
    assert row.delivered_fp is not None and row.taint is None


def test_a_settle_of_what_was_sent_before_a_taint_does_not_vouch_for_it(bench: Bench) -> None:
    bench.systems.accounts = {"A1": account("A1", "new")}
    bench.systems.faults = [("verdict", Transient("not yet"))]
    bench.poll(ACCOUNTS)
    bench.work()
    bench.clock.sleep(5)
    bench.pair().ledger("accounts").invalidate(["A1"])
    bench.clock.sleep(5)
    bench.poll(ACCOUNTS, full=True)  # holds the chunk to be on its way with the newest version
    assert bench.pair().ledger("accounts").cursor()[0].full_at is not None
    bench.work(0.5)
    assert bench.pair().ledger("accounts").cursor()[0].full_at is None  # so the next one compares everything again
    row, _ = bench.pair().ledger("accounts").rows(["A1"])["A1"]
    assert (row.outcome, row.delivered_fp) == ("delivered", None)
    bench.poll(ACCOUNTS)
    bench.work(0.5)
    assert len(bench.systems.sends) == 2
    row, _ = bench.pair().ledger("accounts").rows(["A1"])["A1"]
    assert row.delivered_fp is not None and row.taint is None

"""A bucket that does not take an attempt: it is tried again, then kept in the table until the bucket takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger import ledger as rows
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.schedule.tenant_rows import Wanted
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.engine.write import deferred_audit
from ml_connector.errors import Rejected, Transient
from ml_connector.ports import Item
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Killed, account, invoice


class Away(MemoryBlobs):
    """A bucket that fails as often as it is told to, each time after some seconds."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench, self.times, self.seconds, self.tries = bench, 0, 0.0, 0
        self.after: Callable[[], None] = lambda: None

    def put(self, key: str, body: bytes) -> None:
        self.tries += 1
        if self.times > 0:
            self.times -= 1
            self.bench.clock.sleep(self.seconds)
            raise Transient("AWS throttles the bucket; it is tried again later.")
        super().put(key, body)
        self.after()


@pytest.fixture
def bucket(bench: Bench) -> Away:
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bucket = Away(bench)
    bench.runtime = replace(bench.runtime, blobs=bucket)
    bench.systems.invoices = {"i1": invoice("i1")}
    bench.clock.slept.clear()
    return bucket


def ledger(bench: Bench) -> Ledger:
    return bench.pair().ledger("invoices")


def rests(bench: Bench) -> list[str]:
    """Name what is left in the table of attempts that waited."""
    mine = ledger(bench)
    return [item.sk for prefix in ("p#", "b#audit~") for item in mine.store.query(mine.pk, prefix)]


def whole(bench: Bench, bucket: Away) -> Chunk:
    """Give the invoice's finished chunk, whose every attempt is in the bucket."""
    (done,) = ledger(bench).finished()
    assert done.audits and audit.verify(bucket, done) == []
    return done


@pytest.mark.parametrize("times", [1, 4])
def test_a_throttled_bucket_is_tried_again_with_growing_pauses(bench: Bench, bucket: Away, times: int) -> None:
    bucket.times = times
    bench.poll(INVOICES)
    bench.work(0.01)
    assert [s for s in bench.clock.slept if s] == list(deferred_audit.PAUSES[:times])
    assert sum(deferred_audit.PAUSES) < 10
    bench.work(1)
    assert rests(bench) == [] and whole(bench, bucket).notes == []


def left_waiting(bench: Bench, bucket: Away) -> None:
    """Post an invoice while the bucket is away: its attempts wait in the table."""
    bucket.times = 10**9
    bench.poll(INVOICES)
    bench.work(0.01)


def test_no_further_try_begins_after_ten_seconds(bench: Bench, bucket: Away) -> None:
    bucket.times, bucket.seconds = 1, 11.0
    bench.poll(INVOICES)
    bench.work(0.01)
    assert bench.clock.slept == [11.0] and bucket.tries == 1 and rests(bench)


def test_a_bucket_that_is_away_for_days_stops_nothing_and_loses_nothing(bench: Bench, bucket: Away) -> None:
    bucket.times = 10**9
    bench.poll(INVOICES)
    bench.work(1)
    (done,) = ledger(bench).finished()
    assert (done.outcome, len(bench.systems.booked), len(bench.systems.answers)) == ("delivered", 1, 1)
    assert done.notes == [
        "The bucket of the audit trail did not take an attempt: the table keeps it, and it follows automatically."
    ]
    assert bench.counts(INVOICES) == {"delivered": 1}
    bench.systems.accounts["6100"] = account("6100", "Journeys")
    bench.compare(ACCOUNTS)
    assert bench.systems.taken["6100"].name == "Journeys"
    assert audit.verify(bucket, done) and rests(bench)
    bench.work(72)
    bucket.times = 0
    bench.work(1.1)
    assert rests(bench) == [] and whole(bench, bucket).chain == done.chain
    assert len(bench.systems.booked) == 1


def test_only_the_first_of_them_pauses_for_the_bucket(bench: Bench, bucket: Away) -> None:
    bucket.times = 10**9
    bench.systems.invoices |= {f"i{n}": invoice(f"i{n}") for n in range(2, 6)}
    bench.poll(INVOICES)
    bench.work(0.01)
    assert [s for s in bench.clock.slept if s] == list(deferred_audit.PAUSES)
    assert len(list(ledger(bench).finished())) == 5 and len(list(deferred_audit.waiting(ledger(bench)))) == 5


def test_what_waits_is_read_and_verified_as_part_of_the_trail(bench: Bench, bucket: Away) -> None:
    left_waiting(bench, bucket)
    (done,) = ledger(bench).finished()
    together = deferred_audit.Whole(bucket, ledger(bench))
    assert audit.verify(together, done) == []
    assert [body["attempt"]["outcome"] for _, body in audit.read(together, done)][-1] == "delivered"


def test_of_a_chunk_that_was_given_up_nothing_is_lost_either(bench: Bench, bucket: Away) -> None:
    bucket.times = 10**9
    bench.systems.faults = [("post", Rejected("no")), ("answer", Rejected("no"))]
    bench.poll(INVOICES)
    bench.work(0.5)
    (chunk,) = ledger(bench).unfinished()
    assert chunk.state == "failed"
    bucket.times = 0
    bench.work(2)
    assert rests(bench) == [] and audit.verify(bucket, chunk) == []


def test_what_waits_reaches_the_bucket_whoever_has_ended_or_is_off(bench: Bench, bucket: Away) -> None:
    """A tenant whose secrets are deleted while the bucket is away leaves a whole trail as well."""
    left_waiting(bench, bucket)
    assert rests(bench)
    bucket.times = 0
    bench.clock.moment += timedelta(minutes=2)
    wake_due(bench.runtime, wanted=Wanted(bench.runtime.store))
    queued = bench.queue.take() or pytest.fail("nobody brings it")
    assert deferred_audit.answer(bench.runtime, queued.message)
    assert rests(bench) == [] and whole(bench, bucket)
    assert not deferred_audit.answer(bench.runtime, {**queued.message, "id": "i1"}), "that is a chunk's ring"


def test_whoever_dies_after_the_object_was_stored_stores_the_same_again(bench: Bench, bucket: Away) -> None:
    left_waiting(bench, bucket)
    row = next(deferred_audit.waiting(ledger(bench)))
    bucket.times = 0

    def die() -> None:
        bucket.after = lambda: None
        raise Killed

    bucket.after = die
    with pytest.raises(Killed):
        deferred_audit.bring(bench.runtime, ledger(bench), row.id)
    assert rests(bench)
    bench.work(1)
    assert rests(bench) == [] and whole(bench, bucket)


def test_a_bucket_that_stays_away_is_asked_once_an_hour(bench: Bench, bucket: Away) -> None:
    bucket.times = 10**9
    bench.poll(INVOICES)
    bench.work(24)
    before = bucket.tries
    bench.work(10)
    assert 9 <= bucket.tries - before <= 11


def test_one_of_them_asks_for_all_whether_the_bucket_is_back(bench: Bench, bucket: Away) -> None:
    """A bucket that is not reached takes half a minute to say so, and its lane has other work to do."""
    bucket.times = 10**9
    bench.systems.invoices |= {f"i{n}": invoice(f"i{n}") for n in range(2, 30)}
    bench.poll(INVOICES)
    bench.work(24)
    assert len(list(deferred_audit.waiting(ledger(bench)))) == 29
    before = bucket.tries
    bench.work(10)
    assert 9 <= bucket.tries - before <= 12
    bucket.times = 0
    bench.work(1.1)
    assert rests(bench) == [] and all(audit.verify(bucket, done) == [] for done in ledger(bench).finished())


def test_of_many_that_wait_no_more_is_read_than_one(
    bench: Bench, bucket: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, query = list[Any](), SqliteStore.query

    def noted(store: SqliteStore, pk: str, prefix: str = "", **how: Any) -> Iterator[Item]:
        limits.extend([how.get("limit")] if prefix == "p#" else [])
        return query(store, pk, prefix, **how)

    monkeypatch.setattr(SqliteStore, "query", noted)
    bucket.times = 10**9
    bench.poll(INVOICES)
    bench.work(3)
    assert limits and set(limits) == {1}


def test_whoever_dies_while_the_body_is_deleted_leaves_the_object_whole(
    bench: Bench, bucket: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PART", 200)
    left_waiting(bench, bucket)
    assert sum(name.startswith("b#") for name in rests(bench)) > 1
    bucket.times, left, delete = 0, [1], SqliteStore.delete

    def dying(store: SqliteStore, pk: str, sk: str) -> None:
        if sk.startswith("b#audit~") and left.pop() == 0:
            raise Killed
        left.extend([0] if not left else [])
        delete(store, pk, sk)

    monkeypatch.setattr(SqliteStore, "delete", dying)
    with pytest.raises(Killed):
        deferred_audit.bring(bench.runtime, ledger(bench), next(deferred_audit.waiting(ledger(bench))).id)
    monkeypatch.setattr(SqliteStore, "delete", delete)
    bench.work(1)
    assert rests(bench) == [] and whole(bench, bucket)


def test_a_body_that_is_carried_elsewhere_meanwhile_is_waited_for(bench: Bench, bucket: Away) -> None:
    """`endpoint move` carries bodies and rows one by one, and a wake-up message may come in between."""
    left_waiting(bench, bucket)
    store, pk, bucket.times = ledger(bench).store, ledger(bench).pk, 0
    bodies = list(store.query(pk, "b#audit~"))
    for body in bodies:
        store.delete(pk, body.sk)
    row = next(deferred_audit.waiting(ledger(bench)))
    assert deferred_audit.bring(bench.runtime, ledger(bench), row.id) is False
    for body in bodies:
        store.put(replace(body, rev=0))
    bench.work(1)
    assert rests(bench) == [] and whole(bench, bucket)


class Full:
    """A table that takes no body of such an attempt."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def put(self, item: Item) -> Item:
        if item.sk.startswith("b#audit~"):
            raise Transient("AWS throttles the table.")
        stored: Item = self.store.put(item)
        return stored


def test_where_the_table_does_not_take_it_either_the_row_says_so(bench: Bench, bucket: Away) -> None:
    bucket.times = 10**9
    bench.runtime = replace(bench.runtime, store=Full(bench.runtime.store))
    bench.poll(INVOICES)
    bench.work(0.1)
    (done,) = ledger(bench).finished()
    assert "is missing from the audit trail (Transient: AWS throttles the bucket" in done.notes[-1]
    assert len(bench.systems.booked) == 1 and rests(bench) == []


def test_a_table_that_does_not_say_whether_others_wait_costs_no_attempt(
    bench: Bench, bucket: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.times, real, asked = 10**9, deferred_audit.waiting, list[str]()

    def throttled(*given: Any) -> Iterator[Chunk]:
        asked.append("")
        if len(asked) == 1:
            raise Transient("AWS throttles the table; it is tried again later.")
        return real(*given)

    monkeypatch.setattr(deferred_audit, "waiting", throttled)
    bench.poll(INVOICES)
    bench.work(0.1)
    bucket.times = 0
    bench.work(1.1)
    assert asked and rests(bench) == []
    whole(bench, bucket)


def test_an_attempt_whose_worker_had_lost_the_row_is_kept_as_well(bench: Bench, bucket: Away) -> None:
    """It stands beside the chain; what it said to the vendors was said."""
    bucket.times = 10**9
    rows = ledger(bench)
    chunk = Chunk(
        id="i1",
        tenant="acme",
        integration="erp-ap",
        flow="invoices",
        lane="acme.erp.documents.0",
        run="r",
        created=rows.now(),
    )
    lost = audit.made(chunk, rows.now(), [], {"state": audit.LOST})
    assert deferred_audit.store(bench.runtime, rows, chunk, lost) is False
    assert deferred_audit.store(bench.runtime, rows, chunk, lost) is False  # the same once more is the same row
    bucket.times = 0
    bench.clock.moment += timedelta(minutes=2)
    bench.work(0.01)
    assert list(bucket.keys("audit/acme/")) == [lost.key] and rests(bench) == []

"""A refused invoice that is replayed is tried again, and its true result is said; it is never called unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector.engine.ledger.enqueue import wake_up_of
from ml_connector.engine.replay import replay
from ml_connector.errors import Rejected, Unreadable
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, account, invoice

NO_ROWS = "Invoice R-i has no coding rows. Code it in Basware and offer it for transfer again."


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i": invoice("i")}
    return bench


def replayed(bench: Bench) -> Any:
    pair = bench.pair()
    done = replay(pair, INVOICES, "i", "Replayed by ada.")
    assert done.what == "queued"
    assert done.chunk is not None
    bench.queue.notify(done.chunk.lane, wake_up_of(done.chunk, pair.scope))
    bench.work(0.1)
    ledger = bench.pair().ledger("invoices")
    assert list(ledger.unfinished()) == []
    *_, last = [chunk for chunk in ledger.finished() if chunk.key == "i"]
    row = ledger.rows(["i"])["i"][0]
    assert row.outcome == last.outcome
    return last


def spoil(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Papers.fetch

    def fetch(papers: Papers, key: str) -> Any:
        document = read(papers, key)
        raise Unreadable(NO_ROWS, document.standing, document.stamp)

    monkeypatch.setattr(Papers, "fetch", fetch)


def test_one_that_still_cannot_be_read_stays_rejected_with_its_reason(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch)
    ready.poll(INVOICES)
    ready.work(0.1)
    assert ready.systems.standing["i"] == "refused"
    last = replayed(ready)
    assert last.outcome == "rejected"
    assert last.reason == (
        f"It was tried again, with the same result: {NO_ROWS} ap keeps it as refused until it is transferred "
        "again there."
    )
    assert replayed(ready).reason == last.reason  # and it does not grow
    assert [answer.success for _, answer in ready.systems.answers] == [False]


def test_one_that_the_erp_refused_is_tried_against_the_erp_of_today(ready: Bench) -> None:
    ready.systems.faults = [("post", Rejected("The supplier is frozen."))]
    ready.poll(INVOICES)
    ready.work(0.1)
    last = replayed(ready)
    assert (last.outcome, ready.systems.booked) == ("rejected", [])
    assert "nothing speaks against it now, but ap keeps it as refused. Transfer it again there" in last.reason
    ready.systems.standing["i"] = "offered"  # the person does
    assert replayed(ready).outcome == "delivered"
    assert len(ready.systems.booked) == 1


def test_one_that_was_corrected_and_is_offered_again_is_posted(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        spoil(patched)
        ready.poll(INVOICES)
        ready.work(0.1)
    ready.systems.standing["i"] = "offered"
    assert replayed(ready).outcome == "delivered"

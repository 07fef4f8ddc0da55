"""What cannot be read is said and kept, and undoes nothing of what is known."""

import pytest

from ml_connector.engine.ledger.enqueue import enqueue
from ml_connector.engine.write.worker import write
from ml_connector.flow import Broken, DocumentPage, ListedDocument
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Killed, Papers, account, invoice

UNREADABLE = Broken("i", "It has no number.", "{")


@pytest.fixture
def ready(bench):
    """Master data has been through."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    return bench


@pytest.fixture
def delivered(ready):
    """An invoice has been posted and answered."""
    ready.systems.invoices = {"i": invoice("i")}
    ready.poll(INVOICES)
    ready.work(0.5)
    assert _row(ready).outcome == "delivered"
    return ready


def _row(bench):
    return bench.pair().ledger("invoices").rows(["i"])["i"][0]


def _poll_unreadable(bench, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Papers, "list_documents", lambda *_: iter([DocumentPage([], [UNREADABLE])]))
        bench.poll(INVOICES)
        bench.work(0.2)


def test_an_unreadable_listing_of_a_delivered_invoice_is_said_and_undoes_nothing(delivered, monkeypatch):
    before = _row(delivered)
    _poll_unreadable(delivered, monkeypatch)
    assert _row(delivered) == before
    assert {"key": "i", "reason": "It has no number."} in delivered.sheet(INVOICES).rejected
    assert delivered.sheet(INVOICES).reconciled


@pytest.mark.parametrize("unreadable", [False, True])
def test_a_delivered_invoice_that_is_offered_anew_is_not_posted_again(delivered, monkeypatch, unreadable):
    if unreadable:
        _poll_unreadable(delivered, monkeypatch)
    delivered.systems.booked.clear()  # somebody cancelled it in the ERP: looking there finds nothing
    delivered.systems.standing["i"] = "offered"
    delivered.poll(INVOICES)
    delivered.work(0.5)
    assert delivered.systems.booked == []


def test_an_unreadable_invoice_that_was_let_go_once_is_rejected(ready, monkeypatch):
    pair = ready.pair()
    enqueue(pair.ledger("invoices"), ListedDocument("i"), run="webhook", in_lane=pair.lane(INVOICES, "i"))
    ready.work(0.2)
    assert _row(ready).outcome == "unchanged"  # it was withdrawn before it was taken
    _poll_unreadable(ready, monkeypatch)
    assert (_row(ready).outcome, _row(ready).reason) == ("rejected", "It has no number.")


def test_a_worker_that_dies_again_and_again_loses_no_unreadable_record(bench, monkeypatch):
    bench.systems.accounts = {"a": account("a"), "b": account("b")}
    bench.systems.broken = [Broken("x", "It has no code.", "{")]
    bench.poll(ACCOUNTS)
    bench.systems.faults = [("send", Killed()), ("send", Killed())]
    for _ in range(bench.runtime.crash_limit):
        queued = bench.queue.take()
        with pytest.raises(Killed):
            write(bench.pair(), ACCOUNTS, queued.message["id"])
        bench.queue.done(queued)
        bench.queue.notify(queued.group, queued.message)
        bench.clock.sleep(bench.runtime.lease.total_seconds() + 1)
    bench.work(0.5)
    assert bench.counts(ACCOUNTS) == {"delivered": 2, "rejected": 1}
    row, _ = bench.pair().ledger("accounts").rows(["x"])["x"]
    assert (row.outcome, row.reason) == ("rejected", "It has no code.")

"""Invoices from before the start date stay where they are, however and however often they come along."""

from datetime import date, timedelta

import msgspec
import pytest

from ml_connector.context import TenantSettings
from ml_connector.engine.ledger.enqueue import enqueue
from ml_connector.flow import DocumentPage, ListedDocument
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Papers, account, invoice

BEFORE, START = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def march(bench, monkeypatch):
    """Master data has been through, invoices count from March on, and there is one from February."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    pair = bench.pair

    def from_march_on():
        made = pair()
        made.options = TenantSettings(start_dates={"invoices": START})
        return made

    monkeypatch.setattr(bench, "pair", from_march_on)
    bench.systems.invoices = {"i": msgspec.structs.replace(invoice("i"), invoice_date=BEFORE)}
    return bench


def _webhook(bench):
    pair = bench.pair()
    return enqueue(pair.ledger("invoices"), ListedDocument("i"), run="webhook", in_lane=pair.lane(INVOICES, "i"))


def _untouched(bench):
    return not (bench.systems.booked or bench.systems.acknowledged or bench.systems.answers)


def test_one_that_a_webhook_brought_is_not_taken_from_the_list_afterwards(march, monkeypatch):
    listed = [DocumentPage([ListedDocument("i", "1", dated=BEFORE)])]
    monkeypatch.setattr(Papers, "list_documents", lambda *_: iter(listed))
    assert _webhook(march) is not None
    march.work(0.2)
    march.poll(INVOICES)
    ledger = march.pair().ledger("invoices")
    assert not list(ledger.unfinished())
    assert len(list(ledger.finished())) == 1
    assert _untouched(march)


def test_one_that_comes_twice_from_a_source_that_tells_no_day_is_let_go_twice(march):
    for _ in range(2):
        assert _webhook(march) is not None
        march.work(0.2)
    march.poll(INVOICES)
    march.work(0.2)
    done = list(march.pair().ledger("invoices").finished())
    assert [chunk.outcome for chunk in done] == ["unchanged"] * 3
    assert _untouched(march)


def test_one_that_is_swept_every_day_holds_nobody_up(march):
    march.systems.standing = {"i": "acknowledged"}
    for _ in range(3):
        march.poll(INVOICES)
        march.work(0.2)
        assert march.counts(INVOICES).get("held", 0) == 0
        march.clock.moment += timedelta(days=1)
    assert [c.outcome for c in march.pair().ledger("invoices").finished()] == ["unchanged"] * 3
    assert _untouched(march)


def test_one_from_the_start_date_itself_is_posted(march):
    march.systems.invoices["i"] = msgspec.structs.replace(invoice("i"), invoice_date=START)
    assert _webhook(march) is not None
    march.work(0.2)
    assert len(march.systems.booked) == 1

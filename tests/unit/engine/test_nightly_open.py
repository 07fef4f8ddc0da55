"""The second part of a nightly pass over orders: the open ones, of which the day of no change tells.

An order that is entered today and dated three weeks back never shows among what changed since yesterday.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ml_connector.context import TenantSettings
from ml_connector.engine.poll.run import OPEN, Poll
from ml_connector.errors import Unreachable
from ml_connector.flow import Broken, Page
from ml_connector.records import PurchaseOrder
from tests.unit.engine.bench import ACCOUNTS, Accounts, Killed, account

ORDERS = replace(ACCOUNTS, follows=True)
BEGIN, LONG_AGO = "2026-03-02", "2026-02-10"


class Dated:
    """Pages of two orders each: of the days since, or all of them; notes what it was asked for."""

    def __init__(self, bench, monkeypatch, orders=()):
        self.days, self.asked, self.fails, self.takes, self.bench = {}, [], {}, 0, bench
        self.broken = []
        for key in orders:
            self.enter(key)
        monkeypatch.setattr(Accounts, "pages", lambda _, since, position: self.pages(since, position))

    def enter(self, key, day=BEGIN):
        self.bench.systems.accounts[key] = account(key)
        self.days[key] = day

    def pages(self, since, position):
        self.asked.append((since, position))
        shown = [key for key in self.days if since is None or self.days[key] >= since]
        for start in range(int(position or 0), max(len(shown), 1), 2):
            self.bench.clock.sleep(self.takes)
            some, more = shown[start : start + 2], start + 2 < len(shown)
            if (since is None, start) in self.fails:
                raise self.fails.pop((since is None, start))
            yield Page(
                [self.bench.systems.accounts[key] for key in some],
                () if more else self.broken,
                str(start + 2) if more else None,
                max((self.days[key] for key in some), default=None),
            )


@pytest.fixture
def source(bench, monkeypatch):
    """Four orders that were delivered."""
    made = Dated(bench, monkeypatch, ["A", "B", "C", "D"])
    bench.poll(ORDERS)
    bench.work(0.5)
    made.asked.clear()
    bench.systems.sends.clear()
    return made


def _night(bench):
    bench.clock.moment += timedelta(days=1)


def _slice(bench, run="night"):
    return Poll(bench.pair(), ORDERS, run, deadline=bench.clock.now() + timedelta(seconds=230)).read()


def _cursor(bench):
    return bench.pair().ledger("accounts").cursor()[0]


def test_an_order_with_a_day_long_past_is_found_by_the_night_and_sent_once(bench, source):
    source.enter("late", LONG_AGO)
    bench.poll(ORDERS)
    bench.work(0.1)
    assert (source.asked, bench.systems.sends) == ([(BEGIN, None)], [])
    _night(bench)
    bench.poll(ORDERS)
    bench.poll(ORDERS)
    bench.work(0.1)
    assert source.asked[1:] == [(BEGIN, None), (None, None), (BEGIN, None)]
    assert bench.systems.sends == [["late"]]


def test_what_both_parts_show_is_counted_and_sent_once(bench, source):
    source.broken = [Broken("X", "It has no vendor.", "{}")]
    bench.systems.accounts["B"] = account("B", "changed")
    source.enter("new")
    source.enter("late", LONG_AGO)
    _night(bench)
    bench.poll(ORDERS)
    bench.work(0.1)
    assert sorted(key for sent in bench.systems.sends for key in sent) == ["B", "late", "new"]
    assert bench.counts(ORDERS) == {"unchanged": 3, "delivered": 4 + 3, "rejected": 1}


def test_the_open_ones_do_not_move_the_watermark(bench, source, monkeypatch):
    ledger = bench.pair().ledger("accounts")
    cursor, item = ledger.cursor()
    cursor.watermark = "2026-03-01"
    ledger.save_cursor(cursor, item)
    pages = source.pages
    monkeypatch.setattr(source, "pages", lambda *asked: iter([Page([])]) if asked[0] else pages(*asked))
    _night(bench)
    bench.poll(ORDERS)
    assert _cursor(bench).watermark == "2026-03-01"


@pytest.mark.parametrize("fault", [Killed(), Unreachable("The source is away.")])
def test_a_pass_that_ends_in_the_second_part_goes_on_there(bench, source, fault):
    source.enter("E", LONG_AGO)
    source.enter("F", LONG_AGO)
    _night(bench)
    source.fails = {(True, 4): fault}
    source.takes = 20  # so that each page is taken by itself
    with pytest.raises(type(fault)):
        _slice(bench)
    assert _cursor(bench).now.position == f"{OPEN}4"
    assert _slice(bench)
    assert source.asked == [(BEGIN, None), (None, None), (None, "4")]
    bench.work(0.1)
    assert bench.systems.sends == [["E", "F"]] and bench.systems.deactivated == []
    assert _cursor(bench).figures.unchanged == 4


def test_a_slice_may_end_between_the_parts(bench, source):
    source.enter("late", LONG_AGO)
    _night(bench)
    source.takes = 150
    assert not _slice(bench)
    assert _cursor(bench).now.position == OPEN
    source.takes = 0
    assert _slice(bench)
    assert source.asked == [(BEGIN, None), (None, None)]
    bench.work(0.1)
    assert bench.systems.sends == [["late"]]


def test_the_start_date_counts_for_what_the_night_finds(bench, monkeypatch):
    days = {"old": date(2025, 12, 30), "late": date(2026, 2, 10)}
    orders = [
        PurchaseOrder(key=key, number=key, supplier="V1", currency="EUR", created=day) for key, day in days.items()
    ]
    asked = []

    def pages(_, since, position):
        asked.append(since)
        yield Page(orders if since is None and len(asked) > 1 else [], stamp=BEGIN)

    monkeypatch.setattr(Accounts, "pages", pages)
    pair, flow = bench.pair(), replace(ORDERS, record=PurchaseOrder, maps=None)
    pair.options = TenantSettings.model_validate({"start_dates": {"accounts": "2026-01-01"}})
    pair.chunking = {PurchaseOrder: (4, lambda _: 1)}
    place = pair.connection("erp")
    place.parts[PurchaseOrder] = place.parts[ACCOUNTS.record]
    Poll(pair, flow, "first").read()
    _night(bench)
    Poll(pair, flow, "night").read()
    assert asked == [None, BEGIN, None]
    (chunk,) = pair.ledger("accounts").unfinished()
    assert '"late"' in pair.ledger("accounts").raw_body(chunk.id).decode()
    assert chunk.count == 1

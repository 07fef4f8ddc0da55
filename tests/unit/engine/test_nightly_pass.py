"""The nightly pass: it ends however slow the source is, and sends and counts each order once."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from ml_connector.engine.poll.run import Poll
from tests.unit.engine.bench import ACCOUNTS, Accounts, account

ORDERS = replace(ACCOUNTS, follows=True)


@pytest.fixture
def reads(bench, monkeypatch):
    """A source that takes four minutes for a page; gives the positions from which it was read."""
    pages, positions = Accounts.pages, []

    def slow(source, since, position):
        positions.append(position)
        for page in pages(source, since, position):
            bench.clock.sleep(240)
            yield page

    monkeypatch.setattr(Accounts, "pages", slow)
    return positions


@pytest.fixture
def reread(monkeypatch):
    """The orders that the source was asked for by key."""
    inner, parts = Accounts.reread, []

    def noted(source, keys):
        parts.append(list(keys))
        return inner(source, keys)

    monkeypatch.setattr(Accounts, "reread", noted)
    return parts


def _slice(bench, run):
    return Poll(bench.pair(), ACCOUNTS, run, deadline=bench.clock.now() + timedelta(seconds=230)).read()


def _delivered(bench, count):
    """Deliver some open orders, and let a day go by."""
    keys = [f"O{n}" for n in range(count)]
    bench.systems.accounts = {k: account(k) for k in keys}
    bench.poll(ORDERS)
    bench.work(0.5)
    bench.clock.moment += timedelta(days=1)
    return keys


def test_a_pass_that_takes_two_hours_ends_without_beginning_anew(bench, reads):
    bench.systems.accounts = {f"A{n:03d}": account(f"A{n:03d}") for n in range(90)}  # 30 pages
    slices = 1
    while not _slice(bench, f"run{slices}"):
        slices += 1
        assert slices < 60
    assert reads.count(None) == 1
    bench.work(0.5)
    assert len(bench.systems.taken) == 90


def test_a_pass_that_stood_still_for_an_hour_begins_anew(bench, reads):
    bench.systems.accounts = {f"A{n}": account(f"A{n}") for n in range(9)}
    assert not _slice(bench, "run1")
    bench.clock.moment += timedelta(minutes=59)
    assert not _slice(bench, "run2")
    bench.clock.moment += timedelta(minutes=61)
    assert not _slice(bench, "run3")
    assert reads == [None, "3", None]


def test_an_order_that_changed_is_sent_once(bench):
    _delivered(bench, 2)
    bench.systems.accounts["O001"] = account("O001", "changed")
    bench.systems.sends.clear()
    bench.poll(ORDERS)
    bench.work(0.5)
    assert bench.systems.sends == [["O001"]]


def test_an_order_that_the_pages_show_is_not_read_again(bench, reread):
    keys = _delivered(bench, 5)
    bench.systems.hidden = {keys[1]}
    bench.poll(ORDERS)
    assert reread == [[keys[1]]]
    assert bench.pair().ledger("accounts").cursor()[0].figures.unchanged == 5


def test_an_order_on_its_way_is_read_again_and_not_sent_twice(bench, reread):
    keys = _delivered(bench, 3)
    bench.systems.sends.clear()
    bench.systems.accounts[keys[1]] = account(keys[1], "changed")
    bench.poll(ORDERS)
    bench.systems.hidden = {keys[1]}
    bench.poll(ORDERS, full=True)
    assert reread == [[keys[1]]]
    bench.work(0.1)
    assert bench.systems.deactivated == [] and bench.systems.sends == [[keys[1]]]


def test_a_closed_order_that_the_source_shows_no_more_is_left_alone(bench):
    keys = _delivered(bench, 3)
    ledger = bench.pair().ledger("accounts")
    known = ledger.rows(keys[1:2])
    ledger.settle({keys[1]: msgspec.structs.replace(known[keys[1]][0], open=False)}, known)
    for key in keys[1:]:
        del bench.systems.accounts[key]
    bench.compare(ORDERS)
    assert bench.systems.deactivated == [keys[2]]


def test_each_order_is_counted_once_while_writers_settle_the_first_pages(bench, monkeypatch):
    bench.systems.accounts = {f"O{n}": account(f"O{n}") for n in range(9)}
    pages = Accounts.pages

    def pages_and_writers(source, since, position):
        for page in pages(source, since, position):
            yield page
            bench.clock.sleep(20)  # each page is taken by itself
            bench.work(0.01)

    monkeypatch.setattr(Accounts, "pages", pages_and_writers)
    bench.poll(ORDERS)
    bench.work(0.2)
    assert bench.counts(ORDERS) == {"delivered": 9}

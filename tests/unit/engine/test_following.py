"""Following open orders, part by part: it ends with its slice, and goes on where it was killed or failed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ml_connector.engine.poll.run import Poll
from ml_connector.errors import Unreachable
from ml_connector.flow import Page
from tests.unit.engine.bench import ACCOUNTS, Accounts, Killed, account

ORDERS = replace(ACCOUNTS, follows=True)
SLICE = timedelta(seconds=240)
FUNCTION = timedelta(seconds=300)
"""What a slice has, and when the function that reads it is ended from outside."""


class Asked:
    """Notes what the source is asked for: the positions of its pages, and the orders that are read again."""

    def __init__(self, bench, monkeypatch, *, part_takes=0, dies_in=()):
        self.positions, self.parts = [], []
        pages, dies_in = Accounts.pages, set(dies_in)

        def noted_pages(source, since, position):
            self.positions.append(position)
            return pages(source, since, position)

        def slow_reread(source, keys):
            source.s.fault("reread")
            self.parts.append(list(keys))
            there = [source.s.accounts[k] for k in keys if k in source.s.accounts]
            yield Page(there[:3])
            bench.clock.sleep(part_takes)
            if len(self.parts) in dies_in:
                raise Killed
            yield Page(there[3:])

        monkeypatch.setattr(Accounts, "pages", noted_pages)
        monkeypatch.setattr(Accounts, "reread", slow_reread)


def _cursor(bench):
    return bench.pair().ledger("accounts").cursor()[0]


def _slice(bench, run="slice"):
    return Poll(bench.pair(), ORDERS, run, deadline=bench.clock.now() + SLICE).read()


def _delivered(bench, count):
    """Deliver some open orders, and let a day go by."""
    keys = [f"O{n:03d}" for n in range(count)]
    bench.systems.accounts = {k: account(k) for k in keys}
    bench.poll(ORDERS)
    bench.work(0.5)
    bench.clock.moment += timedelta(days=1)
    return keys


def test_following_many_orders_ends_with_the_slice_and_goes_on_in_the_next(bench, monkeypatch):
    keys = _delivered(bench, 600)
    bench.systems.hidden = set(keys)  # nothing moved their stamps
    asked = Asked(bench, monkeypatch, part_takes=50)
    before, begun = _cursor(bench).full_at, bench.clock.now()
    assert not _slice(bench)
    assert bench.clock.now() - begun < FUNCTION
    assert _cursor(bench).full_at == before
    assert _slice(bench)
    assert _cursor(bench).full_at > before
    assert [key for part in asked.parts for key in part] == keys
    assert asked.positions == [None]
    bench.work(0.1)
    assert bench.systems.deactivated == []


def test_following_that_is_killed_goes_on_from_its_position_without_the_pages(bench, monkeypatch):
    keys = _delivered(bench, 250)
    bench.systems.hidden = set(keys)
    del bench.systems.accounts[keys[0]]  # no page shows it, so nothing but the position keeps it from being asked for
    asked = Asked(bench, monkeypatch, dies_in=(2, 3))
    before = _cursor(bench).full_at
    for _ in range(2):
        with pytest.raises(Killed):
            _slice(bench)
        assert _cursor(bench).full_at == before
        bench.clock.moment += timedelta(minutes=6)
    assert _slice(bench)
    assert asked.positions == [None]
    # what a killed part had shown before is not asked for again either
    assert asked.parts == [keys[:100], keys[100:200], keys[103:203], keys[106:206], keys[206:]]
    assert _cursor(bench).full_at > before
    bench.work(0.1)
    assert bench.systems.deactivated == [keys[0]]


def test_an_order_that_is_gone_is_found_after_a_kill_as_well(bench):
    keys = _delivered(bench, 5)
    del bench.systems.accounts[keys[4]]
    bench.systems.faults = [("reread", Killed())]
    with pytest.raises(Killed):
        _slice(bench)
    assert _slice(bench)
    bench.work(0.1)
    assert bench.systems.deactivated == [keys[4]]


def test_a_reading_again_that_fails_counts_nothing_twice(bench, monkeypatch):
    keys = _delivered(bench, 5)
    bench.systems.hidden = set(keys[:2])
    asked = Asked(bench, monkeypatch)
    bench.systems.faults = [("reread", Unreachable("The source is away."))]
    with pytest.raises(Unreachable):
        _slice(bench, "night")
    assert _cursor(bench).figures.error == "The source is away."
    assert _slice(bench, "night")  # the same run once more, as `local run` does
    assert (asked.positions, asked.parts) == ([None], [keys[:2]])
    assert _cursor(bench).figures.unchanged == 5

"""Notices of orders that the platform made: read, kept with the order's history, and never acknowledged."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.ledger.enqueue import enqueue_notification
from ml_connector.engine.write.worker import write
from ml_connector.errors import LoginRefused, Rejected, Transient
from tests.unit.engine.bench import ACCOUNTS


class Exports:
    """The platform's exported orders; it has no way to acknowledge one."""

    def __init__(self, **orders):
        self.orders, self.asked, self.faults = orders, [], []

    def fetch(self, key):
        self.asked.append(key)
        if self.faults:
            raise self.faults.pop(0)
        return self.orders.get(key)


def order(number="P-1", erp="4711", status="Ordered", export="WaitingForExport"):
    return SimpleNamespace(number=number, erp_number=erp, status=status, export=export, stamp="2026-03-01T00:00:00Z")


@pytest.fixture
def exports():
    return Exports(X1=order())


@pytest.fixture
def notice(bench, exports):
    pair = bench.pair()
    places = SimpleNamespace(exported_orders=lambda: exports, exported_requisitions=lambda: exports)
    pair.connectors = {"ap": lambda: places, "erp": lambda: None}
    ledger = pair.ledger("accounts")

    def take(document="X1", about=""):
        return enqueue_notification(ledger, document, "acme.ap.master", about)

    return SimpleNamespace(take=take, ledger=ledger, work=lambda c: write(pair, ACCOUNTS, c.id), bench=bench)


def test_an_order_of_ours_gets_it_in_its_history(notice, exports):
    notice.ledger.set_alias("4711", "17")  # as settling an order does
    done = notice.work(notice.take())
    assert (done.state, done.key, done.number) == ("done", "17", "P-1")
    assert done.reason == "ap shows order P-1 as Ordered, WaitingForExport."
    assert exports.asked == ["X1"]


def test_an_order_that_is_not_ours_is_kept_under_its_own_number(notice):
    assert notice.work(notice.take()).key == "P-1"


def test_a_requisition_is_kept_beside_an_order_of_the_same_code(notice):
    notice.ledger.set_alias("4711", "17")
    order, requisition = notice.take(), notice.take(about="exported_requisition")
    assert notice.work(order).reason == "ap shows order P-1 as Ordered, WaitingForExport."
    done = notice.work(requisition)
    assert (done.key, done.reason) == ("17", "ap shows requisition P-1 as Ordered, WaitingForExport.")


def test_the_same_notice_while_one_waits_is_one(notice):
    assert notice.take() is not None
    assert notice.take() is None


def test_an_order_that_is_not_there_or_cannot_be_read_is_settled_with_the_reason(notice, exports):
    assert "is not there" in notice.work(notice.take("X2")).reason
    exports.faults = [Rejected("It has no orderNumber.")]
    assert notice.work(notice.take()).reason == "It has no orderNumber."


def test_passing_trouble_is_tried_again(notice, exports):
    exports.faults = [Transient("away")]
    chunk = notice.work(notice.take())
    assert chunk.state == "waiting"
    notice.bench.clock.moment = notice.bench.clock.moment.replace(hour=12)
    assert notice.work(chunk).state == "done"


def test_a_missing_right_is_asked_for_three_times_and_then_said(notice, exports):
    exports.faults = [LoginRefused("The scope is missing.")] * 3
    chunk = notice.take()
    for hour in (9, 10, 11):
        chunk = notice.work(chunk)
        notice.bench.clock.moment = notice.bench.clock.moment.replace(hour=hour)
    assert chunk.state == "done"
    assert "could not be read: The scope is missing." in chunk.reason


def test_it_counts_in_no_balance_and_touches_no_record(notice):
    done = notice.work(notice.take())
    sheet = FlowTotals(ACCOUNTS)
    sheet.add_chunk(done)
    assert not any(sheet.counts.values())
    assert not list(notice.ledger.all_rows())

"""When everything is compared: nightly in the ERP's zone, or as the tenant says; and from which day documents count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ml_connector.context import TenantSettings
from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.schedule import cron
from ml_connector.engine.write.worker import write
from ml_connector.flow import DocumentPage, ListedDocument
from ml_connector.records import PurchaseOrder
from tests.unit.engine.bench import ACCOUNTS, INVOICES, account, invoice

ORDERS = replace(ACCOUNTS, name="orders", record=PurchaseOrder, follows=True, maps=None)


def _poll(bench, flow=ACCOUNTS, **settings):
    pair = bench.pair()
    pair.options = TenantSettings.model_validate(settings)
    pair.zone = "Europe/Berlin"
    poll = Poll(pair, flow, "r")
    poll.read()
    return poll


def _full_at(bench):
    return bench.pair().ledger("accounts").cursor()[0].full_at


def test_full_comparisons_fall_between_one_and_five_at_night_in_the_erps_zone():
    night = ZoneInfo("America/Chicago")
    for tenant in ("acme", "globex", "initech", "umbrella", "hooli"):
        text = cron.full_expression(TenantSettings(), "erp-ap", ACCOUNTS, tenant)
        due = cron.next_due(text, datetime(2026, 3, 2, 12, 0, tzinfo=UTC), "America/Chicago")
        assert 1 <= due.astimezone(night).hour < 5


def test_tenants_are_spread_over_the_night():
    texts = {cron.full_expression(TenantSettings(), "erp-ap", ACCOUNTS, f"t{n}") for n in range(40)}
    assert len(texts) > 30


def test_a_pass_before_the_night_is_none_and_the_first_one_after_it_is(bench):
    bench.systems.accounts = {"a": account("a")}
    _poll(bench)
    first = _full_at(bench)
    bench.clock.moment += timedelta(hours=6)
    _poll(bench)
    assert _full_at(bench) == first
    bench.clock.moment += timedelta(hours=18)
    _poll(bench)
    assert _full_at(bench) > first


def test_the_tenants_own_full_schedule_counts(bench):
    bench.systems.accounts = {"a": account("a")}
    weekly = {"schedules": {"accounts.full": "cron(0 3 ? * SUN *)"}}
    _poll(bench, **weekly)
    first = _full_at(bench)
    bench.clock.moment += timedelta(days=3)
    _poll(bench, **weekly)
    assert _full_at(bench) == first
    bench.clock.moment += timedelta(days=4)
    _poll(bench, **weekly)
    assert _full_at(bench) > first


def test_a_full_schedule_that_is_off_leaves_the_first_pass_only(bench):
    bench.systems.accounts = {"a": account("a")}
    never = {"schedules": {"erp-ap/accounts.full": "off"}}
    _poll(bench, **never)
    first = _full_at(bench)
    bench.clock.moment += timedelta(days=30)
    _poll(bench, **never)
    assert first is not None
    assert _full_at(bench) == first


@pytest.mark.parametrize(("day", "taken"), [(date(2025, 12, 31), False), (date(2026, 1, 1), True), (None, True)])
def test_an_order_from_before_the_start_date_is_not_taken(bench, day, taken):
    order = PurchaseOrder(key="1", number="1", supplier="V1", currency="EUR", created=day)
    pair = bench.pair()
    pair.options = TenantSettings.model_validate({"start_dates": {"erp-ap/orders": "2026-01-01"}})
    poll = Poll(pair, ORDERS, "r")
    assert (poll.masters._place(order, None) == "send") is taken
    assert poll.masters._place(order, Row(outcome="delivered", delivered_fp="1.e.other", open=True)) == "send"


def test_an_invoice_from_before_the_start_date_is_neither_read_nor_posted(bench):
    bench.systems.accounts = {"6100": account("6100")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    bench.systems.invoices = {"old": replace_date(invoice("old"), date(2025, 12, 30))}
    pair = bench.pair()
    pair.options = TenantSettings.model_validate({"start_dates": {"invoices": "2026-01-01"}})
    poll = Poll(pair, INVOICES, "r")
    assert poll.documents.take(DocumentPage([ListedDocument("old", dated=date(2025, 12, 30))])) == []
    chunk = poll.documents.take(DocumentPage([ListedDocument("old")]))[
        0
    ]  # a source that does not tell the day, or a webhook

    done = write(pair, INVOICES, chunk.id)
    assert (done.outcome, bench.systems.booked, bench.systems.acknowledged) == ("unchanged", [], [])


def replace_date(record, day):

    return msgspec.structs.replace(record, invoice_date=day)

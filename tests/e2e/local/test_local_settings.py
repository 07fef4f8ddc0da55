"""The optional third secret: pause, flows that are off, start dates, and what is written wrongly in it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from infra.sandbox.sap_b1 import back_office


def test_a_paused_tenant_does_nothing_until_it_goes_on(small):
    small.write("settings", paused=True)
    key = small.invoice("5.00")
    flows = small.flows(small.ran())
    assert all(row["read"] == 0 for row in flows.values())
    assert small.writes() == {}
    assert small.erp.logins == small.ap.logins == 0
    small.write("settings", paused=False)
    small.ran()
    assert len(small.posted(key)) == 1


def test_a_flow_that_is_off_reads_and_writes_nothing_and_holds_nobody(small):
    small.write("settings", schedules={"vendors": "off", "sap_b1-basware/payments": "off"})
    small.ops("mappings", "set", "acme", "supplier", "V10001", "V10001")
    key = small.invoice("5.00")
    flows = small.flows(small.ran())
    assert flows["vendors"]["read"] == flows["payments"]["read"] == 0
    assert small.imported("vendors") == {}
    assert small.erp.calls["GET VendorPayments"] == 0
    assert flows["accounts"]["delivered"] == 10
    assert len(small.posted(key)) == 1


def test_a_shadow_tenant_is_read_and_reported_and_nothing_is_written(small):
    small.write("settings", shadow=True)
    key = small.invoice("5.00")
    flows = small.flows(small.ran())
    assert flows["vendors"]["would_send"] == 5
    assert flows["invoices"]["would_send"] == 1
    assert small.writes() == {}
    assert small.document(key).status == "WaitingForTransfer"


def test_payments_before_the_start_date_stay_away(small):
    today = datetime.now(UTC).date()
    small.write("settings", start_dates={"payments": today.isoformat()})
    key = small.invoice("100.00")
    small.ran()
    entry = small.posted(key)[0]["DocEntry"]
    back_office.pay(small.erp, entry, Decimal(40), day=(today - timedelta(days=3)).isoformat())
    assert small.flows(small.ran())["payments"]["read"] == 0
    back_office.pay(small.erp, entry, Decimal(25), day=today.isoformat())
    assert small.flows(small.ran())["payments"]["delivered"] == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"schedules": {"vendor": "off"}}, ("acme/settings", "no flow 'vendor'", "vendors")),
        ({"schedules": {"vendors": "hourly"}}, ("acme/settings: the field 'schedules.vendors'", "rate(15 minutes)")),
        ({"start_dates": {"invoice": "2026-01-01"}}, ("acme/settings", "no flow 'invoice'")),
        ({"start_dates": {"payments": "soon"}}, ("acme/settings", "start_dates.payments")),
        ({"pause": True}, ("acme/settings", "'pause'", "did you mean 'paused'")),
    ],
)
def test_wrong_settings_exit_with_2_and_a_sentence(small, settings, words):
    small.write("settings", **settings)
    code, report = small.run()
    assert code == 2
    for row in small.flows(report).values():
        assert all(word in row["error"] for word in words), row["error"]
    assert small.writes() == {}

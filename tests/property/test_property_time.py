"""Schedules, documents' days and Retry-After, over every zone and every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.schedule import cron
from ml_connector.errors import Misconfigured, Throttled
from ml_connector.systems.basware import invoice_document
from ml_connector.systems.kit.connection import today
from ml_connector.systems.sap_b1.rows import day
from tests.property.drawn import ZONES, days, moments, texts, zones
from tests.property.wires import START, http_that

BERLIN = ZoneInfo("Europe/Berlin")
GAP, FOLD = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
minutes, hours = st.integers(0, 59), st.integers(0, 23)
names = st.text("abcdefghij", min_size=1, max_size=10)


# ── schedules ────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 1000), st.sampled_from(["minute", "hour", "day"]), moments, zones)
def test_a_rate_is_that_much_later_in_any_zone(count, unit, after, zone):
    due = cron.next_due(f"rate({count} {unit}s)", after, zone)
    assert due - after == min(timedelta(**{f"{unit}s": count}), timedelta(seconds=cron.LONGEST))


@given(minutes, hours, moments, zones)
@example(30, 2, GAP, "Europe/Berlin")
@example(30, 2, FOLD, "Europe/Berlin")
@example(15, 2, datetime(2026, 10, 3, 15, 20, tzinfo=UTC), "Australia/Lord_Howe")
@example(0, 12, datetime(2011, 12, 29, 23, 0, tzinfo=UTC), "Pacific/Apia")
def test_a_daily_time_is_met_once_a_day_and_strictly_later(minute, hour, after, zone):
    text = f"cron({minute} {hour} * * ? *)"
    first = cron.next_due(text, after, zone)
    second = cron.next_due(text, first, zone)
    assert after < first < second
    assert first - after <= timedelta(days=2, hours=2), "no day is left out, but one that the calendar left out"
    local = first.astimezone(ZoneInfo(zone))
    assert (local.minute, local.hour) == (minute, hour) or _in_gap(local, minute, hour)


def _in_gap(local: datetime, minute: int, hour: int) -> bool:
    """Tell whether the wall clock never showed that time on that day."""
    for back in (0, 1):  # Samoa left out a whole day
        wanted = (local - timedelta(days=back)).replace(hour=hour, minute=minute, fold=0)
        if wanted.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != wanted.replace(tzinfo=None):
            return True
    return False


@given(
    st.sampled_from(["*/15 * * * *", "0 6 * * ? *", "30 1 1 * *", "0 0 ? * 2-6 *", "0 4 * * SUN", "5 4 29 2 *"]),
    moments,
    zones,
)
def test_a_schedule_never_stands_still(fields, after, zone):
    moment = after
    for _ in range(5):
        following = cron.next_due(f"cron({fields})", moment, zone)
        assert following > moment
        moment = following


@given(moments, zones, st.integers(1, 7))
def test_weekdays_of_six_fields_begin_with_sunday(after, zone, number):
    due = cron.next_due(f"cron(0 12 ? * {number} *)", after, zone).astimezone(ZoneInfo(zone))
    assert (due.isoweekday() % 7) + 1 == number


@given(minutes, hours, moments, zones, names)
def test_jitter_is_fixed_and_under_half_a_minute(minute, hour, after, zone, name):
    text = f"cron({minute} {hour} * * *)"
    plain = cron.next_due(text, after, zone)
    spread = cron.next_due(text, after, zone, spread=name)
    assert timedelta(0) <= spread - plain < timedelta(seconds=30)
    assert spread == cron.next_due(text, after, zone, spread=name)


@given(names, st.integers(1, 100_000))
def test_jitter_lies_below_its_most(name, most):
    assert 0 <= cron.jitter(name, most) < most and cron.jitter("", most) == 0


@given(texts | st.builds("cron({})".format, texts) | st.builds("rate({} hours)".format, texts), moments, zones)
@example("rate(99999999999999999999 days)", START, "UTC")
@example("cron(0 0 31 2 *)", START, "UTC")
def test_any_text_is_a_schedule_or_is_explained(text, after, zone):
    try:
        due = cron.next_due(text, after, zone)
    except Misconfigured as error:
        assert "cannot be read" in str(error)
    else:
        assert due is None or due > after


@given(moments, moments, zones, zones)
def test_times_compare_as_text_wherever_they_were_written(one, other, here, there):
    first, second = one.astimezone(ZoneInfo(here)), other.astimezone(ZoneInfo(there))
    assert (iso(first) < iso(second)) == (one < other)
    assert datetime.fromisoformat(iso(first)) == one


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(days, st.sampled_from(["", "T00:00:00", "T23:59:59Z", "T00:30:00+14:00", "T22:00:00.000-11:00", " 12:00"]))
def test_a_documents_day_is_the_day_that_is_written(wanted, rest):
    assert day(f"{wanted.isoformat()}{rest}") == wanted
    told = {
        "invoiceId": "i",
        "companyCode": "1000",
        "supplierCode": "V",
        "currencyCode": "EUR",
        "invoiceNumber": "R",
        "grossSum": 1,
        "codingRows": [{"netTotal": 1}],
        "invoiceDate": f"{wanted.isoformat()}{rest}",
    }
    assert invoice_document.invoice(told).invoice_date == wanted


@given(moments, zones)
@example(GAP, "Europe/Berlin")
@example(FOLD, "Europe/Berlin")
def test_the_transfer_day_is_that_of_the_company(moment, zone):
    context = type("Wiring", (), {"clock": type("Clock", (), {"now": staticmethod(lambda: moment)})})
    found = today(type("Settings", (), {"timezone": zone}), context)
    begins = datetime(found.year, found.month, found.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert -timedelta(hours=1) <= moment - begins < timedelta(hours=25)


# ── Retry-After ──────────────────────────────────────────────────────────────────────────────────────────────


def waited(header: str) -> float | None:
    headers = [(b"Retry-After", header.encode("latin-1"))]
    with http_that(lambda request: httpx.Response(429, headers=headers)) as http:
        try:
            http.get("/x")
        except Throttled as error:
            return error.retry_after
    raise AssertionError("429 is Throttled")


@given(st.integers(0, 10**40))
def test_seconds_are_taken_and_capped_at_a_day(seconds):
    assert waited(str(seconds)) == min(seconds, 86_400)


@given(st.integers(-(10**7), 10**7), st.sampled_from(ZONES))
def test_a_date_is_taken_and_never_negative(seconds, zone):
    when = (START + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone))
    asked = waited(format_datetime(when))
    assert asked is not None and 0 <= asked <= 86_400
    left = min(max(seconds, 0), 86_400)
    assert left - 60 <= asked <= left, "less what was waited for in quick tries"


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
    | st.sampled_from(
        [
            "-5",
            "1.5",
            "²",
            "Mon, 99 Foo 2026 99:99:99 GMT",
            "Mon, 02 Mar 2026 09:00:10 -0000",
            "9" * 5000,
            "Mon, 02 Mar 2026 09:00:10 +99999999999999",
            "Mon, 02 Mar 99999999999999999999 09:00:00 GMT",
        ]
    )
)
def test_nonsense_is_no_time_or_a_sane_one(header):
    asked = waited(header)
    assert asked is None or 0 <= asked <= 86_400


@pytest.mark.parametrize("header", ["Mon, 02 Mar 2026 09:00:40 -0000", "Mon, 02 Mar 2026 09:00:40 GMT"])
def test_a_date_without_a_zone_is_utc(header):
    assert waited(header) == 40

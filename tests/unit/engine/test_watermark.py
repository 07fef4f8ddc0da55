"""The watermark moves when a pass is through, and not before: later pages may bring older stamps.

It never lies ahead of the source's present, whatever days people enter there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ml_connector.engine.poll.run import not_ahead
from ml_connector.errors import Transient
from ml_connector.flow import Page
from ml_connector.records import Account
from tests.unit.engine.bench import ACCOUNTS, Accounts, Bench, account


class Stamped:
    """Pages of one record each, with its stamp; `ends` says after how many the source breaks off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *stamps: str) -> None:
        self.stamps, self.ends, self.asked = stamps, len(stamps), list[tuple[str | None, str | None]]()
        monkeypatch.setattr(Accounts, "pages", lambda _, since, position: self.pages(since, position))

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Account]]:
        self.asked.append((since, position))
        for n in range(int(position or 0), len(self.stamps)):
            if n == self.ends:
                raise Transient("The connection broke.")
            more = str(n + 1) if n + 1 < len(self.stamps) else None
            yield Page([account(f"A{n}", self.stamps[n])], (), more, self.stamps[n])


def test_a_pass_that_breaks_off_leaves_it_where_it_was(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    Stamped(monkeypatch, "2026-02-21")
    bench.compare(ACCOUNTS)
    source = Stamped(monkeypatch, "2026-02-24", "2026-02-22", "2026-02-23")
    source.ends = 1
    with pytest.raises(Transient):
        bench.poll(ACCOUNTS)
    cursor, _ = bench.pair().ledger("accounts").cursor()
    assert (cursor.watermark, cursor.now and cursor.now.stamp) == ("2026-02-21", "2026-02-24")

    bench.clock.sleep(2 * 3600)  # too long ago to go on from there
    source.ends = 3
    bench.poll(ACCOUNTS)
    assert source.asked[-1] == ("2026-02-21", None)
    cursor, _ = bench.pair().ledger("accounts").cursor()
    assert cursor.watermark == "2026-02-24"


def test_a_pass_that_goes_on_keeps_the_highest_stamp_of_both_parts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    Stamped(monkeypatch, "2026-02-21")
    bench.compare(ACCOUNTS)
    source = Stamped(monkeypatch, "2026-02-24", "2026-02-22", "2026-02-23")
    source.ends = 2
    with pytest.raises(Transient):
        bench.poll(ACCOUNTS)
    source.ends = 3
    bench.poll(ACCOUNTS)
    assert source.asked[-1] == ("2026-02-21", "2")
    cursor, _ = bench.pair().ledger("accounts").cursor()
    assert cursor.watermark == "2026-02-24"


TODAY, AHEAD = "2026-03-02", "2026-04-01"


def test_a_stamp_from_the_future_moves_it_to_the_present_only(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    Stamped(monkeypatch, "2026-02-21")
    bench.compare(ACCOUNTS)
    source = Stamped(monkeypatch, "2026-02-22", AHEAD)
    bench.poll(ACCOUNTS)
    bench.poll(ACCOUNTS)
    assert source.asked == [("2026-02-21", None), (TODAY, None)]


def test_one_that_a_former_release_left_in_the_future_is_not_read_from(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Stamped(monkeypatch, "2026-02-21")
    bench.compare(ACCOUNTS)
    ledger = bench.pair().ledger("accounts")
    cursor, item = ledger.cursor()
    cursor.watermark = AHEAD
    ledger.save_cursor(cursor, item)
    bench.poll(ACCOUNTS)
    assert source.asked[-1] == (TODAY, None)
    assert ledger.cursor()[0].watermark == TODAY


def test_what_changed_while_a_pass_was_read_is_not_behind_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.clock.moment = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    source = Stamped(monkeypatch, AHEAD, AHEAD)
    pages = source.pages

    def slow(since: str | None, position: str | None) -> Iterator[Page[Account]]:
        for page in pages(since, position):
            bench.clock.sleep(120)
            yield page

    monkeypatch.setattr(source, "pages", slow)
    bench.compare(ACCOUNTS)
    assert bench.pair().ledger("accounts").cursor()[0].watermark == TODAY


@pytest.mark.parametrize(
    ("stamp", "zone", "kept"),
    [
        ("2026-03-01", "UTC", "2026-03-01"),
        ("2026-03-03", "UTC", "2026-03-02"),
        ("2026-03-03", "Pacific/Auckland", "2026-03-03"),
        ("2026-03-02", "America/Vancouver", "2026-03-01"),
        ("2026-03-02T06:59:59.5Z", "UTC", "2026-03-02T06:59:59.5Z"),
        ("2027-03-02T06:59:59.5Z", "Pacific/Auckland", "2026-03-02T12:30:00.5Z"),
        ("v7", "UTC", "v7"),
    ],
)
def test_days_are_those_of_the_sources_zone_and_each_stamp_keeps_its_spelling(stamp: str, zone: str, kept: str) -> None:
    now = datetime(2026, 3, 2, 12 if zone == "Pacific/Auckland" else 7, 30, tzinfo=UTC)
    assert not_ahead(stamp, now, zone) == kept

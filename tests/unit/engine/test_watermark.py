"""The watermark moves when a pass is through, and not before: later pages may bring older stamps."""

from collections.abc import Iterator

import pytest

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
    Stamped(monkeypatch, "2026-03-01")
    bench.compare(ACCOUNTS)
    source = Stamped(monkeypatch, "2026-03-04", "2026-03-02", "2026-03-03")
    source.ends = 1
    with pytest.raises(Transient):
        bench.poll(ACCOUNTS)
    cursor, _ = bench.pair().ledger("accounts").cursor()
    assert (cursor.watermark, cursor.now and cursor.now.stamp) == ("2026-03-01", "2026-03-04")

    bench.clock.sleep(2 * 3600)  # too long ago to go on from there
    source.ends = 3
    bench.poll(ACCOUNTS)
    assert source.asked[-1] == ("2026-03-01", None)
    cursor, _ = bench.pair().ledger("accounts").cursor()
    assert cursor.watermark == "2026-03-04"


def test_a_pass_that_goes_on_keeps_the_highest_stamp_of_both_parts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    Stamped(monkeypatch, "2026-03-01")
    bench.compare(ACCOUNTS)
    source = Stamped(monkeypatch, "2026-03-04", "2026-03-02", "2026-03-03")
    source.ends = 2
    with pytest.raises(Transient):
        bench.poll(ACCOUNTS)
    source.ends = 3
    bench.poll(ACCOUNTS)
    assert source.asked[-1] == ("2026-03-01", "2")
    cursor, _ = bench.pair().ledger("accounts").cursor()
    assert cursor.watermark == "2026-03-04"

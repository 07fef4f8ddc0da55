"""What a target keeps is compared with what was written, value by value: some ignore what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ml_connector.engine.write.identity import differences
from ml_connector.flow import Found, Prepared
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, account, invoice

WRITTEN = {"due date": "2026-04-01", "distribution": "100.00", "tax code": ""}


def post(bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: Mapping[str, str]) -> None:
    """Post an invoice to a target that keeps other values than it was given, or tells none."""
    prepare, read_back = Papers.prepare, Papers.read_back

    def writing(self: Papers, record: Any, codes: Any) -> Prepared:
        return replace(prepare(self, record, codes), written=WRITTEN)

    monkeypatch.setattr(Papers, "prepare", writing)
    monkeypatch.setattr(Papers, "read_back", lambda self, found: replace(read_back(self, found), written=kept))
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i": invoice("i")}
    bench.poll(INVOICES)
    bench.work()


@pytest.mark.parametrize("kept", [WRITTEN, {}, {"distribution": "100"}, {"distribution": "100.05"}])
def test_what_stands_as_it_was_written_is_delivered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: dict[str, str]
) -> None:
    post(bench, monkeypatch, kept)
    bench.work(0.1)
    assert bench.counts(INVOICES) == {"delivered": 1}


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({"due date": "2026-04-02"}, "due date 2026-04-02 there, 2026-04-01 here"),
        ({"due date": ""}, "due date nothing there"),
        ({"tax code": "A"}, "tax code A there, nothing here"),
        ({"distribution": "93.00"}, "distribution 93.00 there, 100.00 here"),
    ],
)
def test_another_value_is_held_with_what_to_do_and_not_reported_as_posted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: dict[str, str], said: str
) -> None:
    post(bench, monkeypatch, kept)
    chunk, _ = bench.pair().ledger("invoices").chunk("i") or pytest.fail("it is not under way")
    assert chunk.waiting_for == "conflict:i" and chunk.step == "posted"
    assert said in str(chunk.reason) and "Correct it there" in str(chunk.reason)
    assert not bench.systems.answers and len(bench.systems.booked) == 1
    monkeypatch.setattr(Papers, "read_back", lambda _, found: replace(found, written=WRITTEN))
    bench.work(2)
    assert bench.counts(INVOICES) == {"delivered": 1} and len(bench.systems.booked) == 1


def test_what_one_side_does_not_tell_is_no_difference() -> None:
    prepared = Prepared("i", {}, {}, invoice("i").gross, "EUR", written={"due date": "2026-04-01"})
    assert not differences(Found("1", "1"), prepared, prepared.amount)
    assert not differences(Found("1", "1", written={"branch": "10"}), prepared, prepared.amount)

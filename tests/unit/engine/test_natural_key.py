"""What makes two documents one: partner, number and date as the target has them, and the day it was posted on."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from ml_connector.engine.write.worker import write
from ml_connector.flow import Found, Prepared
from ml_connector.records import Invoice
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, account, invoice


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """Master data has been through."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    return bench


def go(bench: Bench) -> None:
    bench.poll(INVOICES)
    bench.work(0.5)


def dated(day: date | None) -> Invoice:
    return msgspec.structs.replace(invoice("i"), invoice_date=day)


def there(bench: Bench, patch: pytest.MonkeyPatch, **more: Any) -> None:
    """The target has such a document already."""
    one = Found("77", **{"number": "77", "amount": invoice("i").gross, "currency": "EUR", **more})
    patch.setattr(Papers, "look", lambda *_: [one])
    patch.setattr(Papers, "read_back", lambda *_: one)


def test_last_years_invoice_of_the_same_number_is_not_adopted(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    there(ready, monkeypatch, dated=date(2025, 3, 2))
    ready.systems.invoices = {"i": dated(date(2026, 3, 2))}
    go(ready)
    (held,) = ready.sheet(INVOICES).held
    assert held["waiting_for"] == "conflict:i" and ready.systems.answers == [] and ready.systems.acknowledged == []
    assert "dated 2025-03-02 there, 2026-03-02 here" in held["reason"]


DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("found", "ours", "same"),
    [
        ({"dated": DAY}, DAY, True),
        ({"dated": date(2026, 2, 25)}, DAY, False),
        ({"dated": date(2026, 1, 30)}, DAY, False),
        ({"dated": None}, DAY, False),
        ({"dated": DAY}, None, False),
        ({"dated": None, "ours": True}, DAY, True),
        ({"dated": date(2025, 3, 2), "ours": True}, DAY, False),
        ({"dated": DAY, "amount": None}, DAY, False),
        ({"dated": DAY, "currency": None}, DAY, False),
        ({"dated": DAY, "currency": "USD"}, DAY, False),
        ({"dated": DAY, "partner": "V2", "ours": True}, DAY, False),
        ({"dated": DAY, "reference": "R-2", "ours": True}, DAY, False),
        ({"dated": DAY, "kind": "credit note", "ours": True}, DAY, False),
        ({"dated": DAY, "partner": "v1", "reference": " r-I", "kind": "Invoice"}, DAY, True),
    ],
    ids=[
        "the same day",
        "the day of entry",
        "last month's",
        "no date there",
        "no date here",
        "ours without a date",
        "ours of another date",
        "no amount",
        "no currency",
        "another currency",
        "ours of another supplier",
        "ours of another number",
        "ours of another kind",
        "the same in other letters",
    ],
)
def test_only_what_agrees_in_every_point_is_this_document(
    ready: Bench, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], ours: date | None, same: bool
) -> None:
    there(ready, monkeypatch, **found)
    ready.systems.invoices = {"i": dated(ours)}
    go(ready)
    assert [answer.number for _, answer in ready.systems.answers] == (["77"] if same else [])
    assert ready.systems.booked == []
    if not same:
        (held,) = ready.sheet(INVOICES).held
        assert held["waiting_for"] == "conflict:i" and "The ERP document 77" in held["reason"]
        taken = "`ml-connector resolve acme invoices i --match 77`" in held["reason"]
        assert taken == (found.get("currency") != "USD"), "what stands in another currency is never taken for it"


def test_one_that_is_linked_to_us_is_ours_also_where_it_tells_no_date(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    there(ready, monkeypatch, dated=None)
    ready.pair().ledger("invoices").link("77", "i")
    ready.systems.invoices = {"i": dated(date(2026, 3, 2))}
    go(ready)
    assert [answer.number for _, answer in ready.systems.answers] == ["77"]


def test_numbers_that_the_target_takes_for_one_are_not_both_posted(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes in another lane, between the look of the first and its posting."""
    ready.systems.invoices = {"one": invoice("one", number="INV-7"), "two": invoice("two", number=" inv-7")}
    ready.poll(INVOICES)
    look, nested = Papers.look, []

    def looking(self: Papers, prepared: Prepared) -> list[Found]:
        found = look(self, prepared)
        if prepared.key == "one" and not nested:
            nested.append(1)
            write(ready.pair(), INVOICES, "two")
        return found

    monkeypatch.setattr(Papers, "look", looking)
    write(ready.pair(), INVOICES, "one")
    ready.work(1)
    assert [prepared.key for _, prepared in ready.systems.booked] == ["two"]
    assert ready.sheet(INVOICES).held[0]["waiting_for"] == "conflict:one"


@pytest.mark.parametrize("when", ["send", "read_back"])
def test_the_source_hears_the_day_that_was_really_posted_on(
    ready: Bench, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    real, prepare, wanted = getattr(Papers, when), Papers.prepare, date(2026, 3, 2)
    monkeypatch.setattr(Papers, when, lambda s, one: replace(real(s, one), posted_on=date(2026, 4, 1)))
    monkeypatch.setattr(Papers, "prepare", lambda s, one, codes: replace(prepare(s, one, codes), posted_on=wanted))
    ready.systems.invoices = {"i": invoice("i")}
    go(ready)
    ((_, answer),) = ready.systems.answers
    assert answer.posted_on == date(2026, 4, 1)


def test_a_command_takes_a_number_with_blanks_and_brackets_as_it_is_printed(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sage 300 calls a batch that is yet to be posted `109 (V1~R-1)`."""
    there(ready, monkeypatch, number="109 (V1~R-1)", dated=None)
    ready.systems.invoices = {"i7": invoice("i7", number="R-1")}
    go(ready)
    (held,) = ready.sheet(INVOICES).held
    commands = [shlex.split(one) for one in re.findall(r"`ml-connector ([^`]+)`", held["reason"])]
    assert ["resolve", "acme", "invoices", "i7", "--match", "109 (V1~R-1)"] in commands

"""Two stand at the target for one document: what becomes of it when one is cancelled, and by a person's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.engine import replay as by_hand
from ml_connector.engine.ledger.rows import Decision
from ml_connector.errors import OutcomeUnknown
from ml_connector.flow import Found
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, account, invoice


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """Master data has been through."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    return bench


def book(bench: Bench, number: str, **fields: Any) -> None:
    record = msgspec.structs.replace(bench.systems.invoices["one"], **fields)
    bench.systems.booked.append((number, Papers(bench.systems)._identity(record)))


@pytest.fixture(params=[False, True], ids=["without a key", "with our key"])
def keyed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the target keeps our key, so that both say whose they are."""
    if request.param:
        row = Papers._row
        monkeypatch.setattr(Papers, "_row", lambda self, n, one: replace(row(self, n, one), ours=True))
    return bool(request.param)


def twice(bench: Bench, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """Post an invoice as 100, beside which 55 comes to stand meanwhile."""
    posted = Papers._book

    def both(self: Papers, prepared: Any) -> Found:
        found = posted(self, prepared)
        monkeypatch.setattr(Papers, "_book", posted)
        book(bench, "55", **fields)
        return found

    monkeypatch.setattr(Papers, "_book", both)
    bench.systems.invoices = {"one": invoice("one")}
    bench.poll(INVOICES)
    bench.work(0.1)
    assert "2 times (100, 55)" in reason(bench)


def reason(bench: Bench) -> str:
    chunk, _ = bench.pair().ledger("invoices").chunk("one") or pytest.fail("it is not under way")
    return " ".join([str(chunk.reason), *chunk.notes])


def replay(bench: Bench) -> None:
    by_hand.replay(bench.pair(), INVOICES, "one", "again")
    bench.work(3)


def decide(bench: Bench, what: Any, number: str = "") -> None:
    decision = Decision(what=what, number=number, by="ada", at="now")
    assert by_hand.decide(bench.pair().ledger("invoices"), "one", decision, "Decided.") is not None
    bench.work(3)


def answers(bench: Bench) -> list[str | None]:
    return [answer.number for _, answer in bench.systems.answers]


def numbers(bench: Bench) -> list[str]:
    return [number for number, _ in bench.systems.booked]


@pytest.mark.parametrize(("cancelled", "left"), [("100", "55"), ("55", "100")])
@pytest.mark.usefixtures("keyed")
def test_when_one_of_two_is_cancelled_the_other_is_it(
    ready: Bench, monkeypatch: pytest.MonkeyPatch, cancelled: str, left: str
) -> None:
    twice(ready, monkeypatch)
    ready.systems.cancelled.add(cancelled)
    replay(ready)
    assert (answers(ready), numbers(ready)) == ([left], ["100", "55"])
    ledger = ready.pair().ledger("invoices")
    assert (ledger.rows(["one"])["one"][0].target, ledger.links([left])) == (left, {left: "one"})


@pytest.mark.usefixtures("keyed")
def test_nothing_is_posted_beside_what_may_be_ours_and_it_is_named(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice(ready, monkeypatch)
    ready.systems.cancelled.add("100")
    decide(ready, "post")
    assert numbers(ready) == ["100", "55"]
    if not answers(ready):
        assert "document 55 (" in reason(ready)
        replay(ready)
    assert (answers(ready), numbers(ready)) == (["55"], ["100", "55"])


def test_when_both_are_cancelled_it_is_posted_anew_by_a_persons_word(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice(ready, monkeypatch)
    ready.systems.cancelled |= {"100", "55"}
    replay(ready)
    assert answers(ready) == [] and "has been cancelled" in reason(ready)
    decide(ready, "post")
    assert answers(ready) == ["102"]


@pytest.mark.parametrize("number", ["100", "55"])
@pytest.mark.usefixtures("keyed")
def test_a_match_ends_the_hold_over_two(ready: Bench, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    twice(ready, monkeypatch)
    decide(ready, "match", number)
    assert (answers(ready), numbers(ready)) == ([number], ["100", "55"])


def test_another_invoice_that_stands_beside_what_was_cancelled_is_named_and_passed_over_by_a_persons_word(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice(ready, monkeypatch, gross=Decimal("120.00"), invoice_date=date(2026, 2, 1))
    ready.systems.cancelled.add("100")
    replay(ready)
    assert answers(ready) == [] and "document 55 (" in reason(ready) and "120.00 there" in reason(ready)
    decide(ready, "post")
    assert answers(ready) == ["102"]


def test_what_was_delivered_and_cancelled_is_the_other_that_stands_for_it(ready: Bench) -> None:
    """Our rows have forgotten what was sent; what agrees in every point is it, and nothing is posted beside it."""
    ready.systems.invoices = {"one": invoice("one")}
    ready.poll(INVOICES)
    ready.work(0.5)
    assert answers(ready) == ["100"]
    book(ready, "55")
    ready.systems.cancelled.add("100")
    ready.systems.standing["one"] = "offered"
    ready.poll(INVOICES)
    ready.work(3)
    assert (answers(ready), numbers(ready)) == (["100", "55"], ["100", "55"])


@pytest.mark.parametrize("settle", [0, 1])
def test_a_commit_that_comes_late_is_found_however_short_the_settle_time(
    ready: Bench, monkeypatch: pytest.MonkeyPatch, settle: int
) -> None:
    pair = ready.pair
    monkeypatch.setattr(ready, "pair", lambda: replace(pair(), in_doubt_seconds={"erp": settle, "ap": 0}))
    ready.systems.invoices = {"one": invoice("one")}
    ready.systems.faults = [("post", OutcomeUnknown("no answer"))]
    ready.poll(INVOICES)
    ready.work(10 / 3600)
    assert numbers(ready) == ["100"] and answers(ready) == []
    book(ready, "late")
    ready.work(0.1)
    assert answers(ready) == [] and "2 times (100, late)" in reason(ready)


@pytest.mark.usefixtures("keyed")
def test_a_commit_that_comes_after_all_looks_is_found_by_a_replay(ready: Bench) -> None:
    ready.systems.invoices = {"one": invoice("one")}
    ready.poll(INVOICES)
    ready.work(0.5)
    assert answers(ready) == ["100"]
    replay(ready)
    book(ready, "late")
    replay(ready)
    assert "2 times (100, late)" in reason(ready)
    ready.systems.cancelled.add("100")
    replay(ready)
    row = ready.pair().ledger("invoices").rows(["one"])["one"][0]
    assert (row.target, numbers(ready)) == ("late", ["100", "late"])
    replay(ready)
    assert ready.pair().ledger("invoices").chunk("one") is None

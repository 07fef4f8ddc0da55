"""What a person changes at the target between our posting and our answer: neither gone on with, nor told as ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.engine import replay
from ml_connector.engine.ledger.rows import Chunk, Decision
from ml_connector.errors import Transient
from ml_connector.flow import Found
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, account, invoice

CHANGES: dict[str, dict[str, Any]] = {
    "supplier V9 there, V1 here": {"partner": "V9"},
    "number OTHER there": {"reference": "OTHER"},
    "kind debit note there, invoice here": {"kind": "debit note"},
    "200.00 there, 119.00 here": {"amount": Decimal("200.00")},
    "USD there, EUR here": {"currency": "USD"},
    "dated 2026-04-01 there": {"dated": date(2026, 4, 1)},
}


class Steps:
    """A target with a step left to do at its read back, which it does once that is approved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[Found] = []
        self.asks = True
        plain = Papers.read_back

        def read_back(papers: Papers, found: Found) -> Found:
            there = plain(papers, found)
            if self.asks and there.state != "cancelled" and there.id not in {one.id for one in self.done}:
                assert found.check is not None
                found.check(there)
                self.done.append(there)
            return there

        monkeypatch.setattr(Papers, "read_back", read_back)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


@pytest.fixture
def posted(bench: Bench) -> Bench:
    """An invoice was posted, and its read back failed for now."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i": invoice("i")}
    bench.systems.faults = [("read_back", Transient("It is open on somebody's screen."))]
    bench.poll(INVOICES)
    bench.work(0)
    return bench


def chunk_of(bench: Bench) -> Chunk:
    chunk, _ = bench.pair().ledger("invoices").chunk("i") or pytest.fail("it is not under way")
    return chunk


def decide(bench: Bench, **said: Any) -> None:
    assert replay.decide(bench.pair().ledger("invoices"), "i", Decision(**said), "Decided.") is not None
    bench.work(3)


def change(bench: Bench, **fields: Any) -> None:
    ((number, one),) = bench.systems.booked
    bench.systems.booked[0] = (number, replace(one, **fields))


@pytest.mark.parametrize("asks", [True, False], ids=["with a step left", "with none left"])
@pytest.mark.parametrize("said", list(CHANGES))
def test_it_is_a_conflict_that_names_both_until_it_is_put_right_there(
    posted: Bench, steps: Steps, said: str, *, asks: bool
) -> None:
    steps.asks = asks
    ((_, before),) = posted.systems.booked
    change(posted, **CHANGES[said])
    posted.work(30)
    chunk = chunk_of(posted)
    assert chunk.waiting_for == "conflict:i" and steps.done == [] and posted.systems.answers == []
    if asks or "amount" not in CHANGES[said]:
        assert said in str(chunk.reason) and "`ml-connector resolve acme invoices i --post`" in str(chunk.reason)
    posted.systems.booked[0] = ("100", before)
    replay.replay(posted.pair(), INVOICES, "i", "again")
    posted.work(1)
    assert [a.number for _, a in posted.systems.answers] == ["100"] and len(posted.systems.booked) == 1


@pytest.mark.parametrize("asks", [True, False])
def test_a_person_may_take_it_as_it_is_there(posted: Bench, steps: Steps, *, asks: bool) -> None:
    steps.asks = asks
    change(posted, amount=Decimal("200.00"))
    posted.work(1)
    decide(posted, what="match", number="100")
    assert [a.number for _, a in posted.systems.answers] == ["100"] and len(steps.done) == asks


def test_it_is_posted_anew_by_a_persons_word_once_it_is_cancelled_there(posted: Bench, steps: Steps) -> None:
    change(posted, reference="OTHER")
    posted.work(1)
    posted.systems.cancelled.add("100")
    posted.work(30)
    assert len(posted.systems.booked) == 1 and "--post`" in str(chunk_of(posted).reason)
    decide(posted, what="post")
    assert [a.number for _, a in posted.systems.answers] == ["101"] and [one.id for one in steps.done] == ["101"]


def test_what_was_adopted_is_compared_with_what_its_source_offers(posted: Bench, steps: Steps) -> None:
    """Our rows have forgotten what was sent, as after a restore: then the source tells what was approved."""
    chunk, revision = posted.pair().ledger("invoices").chunk("i") or pytest.fail("it is not under way")
    chunk.sents = []
    posted.pair().ledger("invoices").save(chunk, revision)
    change(posted, amount=Decimal("200.00"))
    posted.work(1)
    assert "200.00 there, 119.00 here" in str(chunk_of(posted).reason) and steps.done == []

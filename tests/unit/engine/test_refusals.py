"""A refusal is told once, to the version that it is of, and never turns into a success."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from ml_connector.engine.replay import reopen
from ml_connector.errors import Rejected, Transient, Unreadable
from ml_connector.flow import Verdict
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Killed, Papers, account, invoice


@dataclass
class Spoilt:
    """A document that its platform shows, and that cannot be read as one until it is fixed."""

    bench: Bench
    stamp: str = "1"
    whole: bool = False

    def fetch(self, papers: Papers, key: str) -> Any:
        document = READ(papers, key)
        if self.whole:
            return replace(document, stamp=self.stamp)
        raise Unreadable("Its date is none.", document.standing, self.stamp)


READ = Papers.fetch


@pytest.fixture
def spoilt(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Spoilt:
    """An invoice that cannot be read, and master data that has been through."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i": invoice("i")}
    spoilt = Spoilt(bench)

    def fetch(papers: Papers, key: str) -> Any:
        return spoilt.fetch(papers, key)

    monkeypatch.setattr(Papers, "fetch", fetch)
    return spoilt


def told(bench: Bench) -> list[bool]:
    return [answer.success for _, answer in bench.systems.answers]


def killed_while_telling(bench: Bench) -> None:
    """Die at the answer, in one process after the other, until the chunk is given up."""
    bench.poll(INVOICES)
    for boot in ("one", "two", "three"):
        bench.runtime = replace(bench.runtime, boot=boot)
        bench.systems.faults = [("answer", Killed())]
        with suppress(Killed):
            bench.work(0.5)
        for queued in list(bench.queue._taken.values()):
            bench.queue.done(queued)
    bench.systems.faults = []


def test_a_refusal_whose_teller_died_stays_a_refusal_when_it_is_reopened(spoilt: Spoilt) -> None:
    bench, ledger = spoilt.bench, spoilt.bench.pair().ledger("invoices")
    killed_while_telling(bench)
    chunk, _ = ledger.chunk("i") or pytest.fail("it is gone")
    assert (chunk.state, chunk.cause, chunk.step) == ("failed", "crashed", "refusing")

    assert reopen(ledger, "i", "somebody did") is not None
    bench.work(0.5)
    assert told(bench) == [False] and bench.systems.booked == []
    (_, answer), row = bench.systems.answers[0], ledger.rows(["i"])["i"][0]
    assert answer.message == "Its date is none."  # and not that a worker died
    assert (row.outcome, row.reason) == ("rejected", "Its date is none.")


def test_a_refusal_that_arrived_late_is_not_told_again(spoilt: Spoilt) -> None:
    bench = spoilt.bench
    bench.systems.faults = [("answer", Transient("It may have arrived."))] * 9
    bench.poll(INVOICES)
    bench.work(0.001)
    bench.systems.faults = []
    bench.systems.standing["i"] = "refused"  # it had
    bench.work(1)
    assert told(bench) == [] and bench.systems.acknowledged == ["i"]
    assert bench.counts(INVOICES) == {"rejected": 1}


def test_what_is_offered_again_is_not_met_by_the_refusal_of_its_former_version(spoilt: Spoilt) -> None:
    bench = spoilt.bench
    bench.systems.faults = [("answer", Transient("It may have arrived."))] * 9
    bench.poll(INVOICES)
    bench.work(0.001)
    bench.systems.faults = []
    bench.systems.standing["i"], spoilt.stamp, spoilt.whole = "offered", "2", True  # it had, and somebody fixed it
    bench.work(1)
    assert told(bench) == [True] and len(bench.systems.booked) == 1
    assert bench.counts(INVOICES) == {"delivered": 1}


def test_what_is_offered_again_before_we_hear_of_the_refusal_is_a_new_attempt(
    spoilt: Spoilt, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = spoilt.bench
    monkeypatch.setattr(Papers, "answered", lambda *_: None)
    bench.poll(INVOICES)
    bench.work(0.001)
    assert told(bench) == [False]
    bench.systems.invoices["i"] = msgspec.structs.replace(invoice("i"), version="2")
    bench.systems.standing["i"], spoilt.stamp, spoilt.whole = "offered", "2", True
    monkeypatch.setattr(Papers, "answered", lambda *_: Verdict("delivered"))
    bench.work(1)
    assert bench.counts(INVOICES) == {"rejected": 1}
    bench.poll(INVOICES)
    bench.work(0.1)
    assert told(bench) == [False, True] and len(bench.systems.booked) == 1


def test_what_was_posted_is_answered_so_also_where_it_cannot_be_read_any_more(spoilt: Spoilt) -> None:
    bench = spoilt.bench
    spoilt.whole = True
    bench.poll(INVOICES)
    bench.work(0.1)
    assert told(bench) == [True]
    bench.systems.answers.clear()
    bench.systems.standing["i"], spoilt.whole, spoilt.stamp = "offered", False, "2"
    bench.poll(INVOICES)
    bench.work(0.5)
    assert told(bench) == [True] and len(bench.systems.booked) == 1


def test_what_cannot_be_read_and_waits_no_more_is_left_alone(spoilt: Spoilt) -> None:
    bench = spoilt.bench
    bench.poll(INVOICES)
    bench.systems.standing["i"] = "transferred"
    bench.work(0.1)
    assert told(bench) == [] and bench.systems.acknowledged == []
    assert bench.counts(INVOICES) == {"unchanged": 1}


def test_nobody_hears_of_a_posting_that_nothing_shows(spoilt: Spoilt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever state a row is in: without a number of the target there is no success to tell."""
    bench, ledger = spoilt.bench, spoilt.bench.pair().ledger("invoices")
    bench.systems.faults = [("answer", Rejected("It takes no answers.")), ("answer", Rejected("None at all."))]
    bench.poll(INVOICES)
    bench.work(0.01)
    chunk, item = ledger.chunk("i") or pytest.fail("it is gone")
    chunk.state, chunk.step, chunk.answer_ok, chunk.due_at = "waiting", "refusing", True, ledger.now()
    ledger.save(chunk, item)
    bench.work(0.1)
    assert told(bench) == []
    held, _ = ledger.chunk("i") or pytest.fail("it is gone")
    assert held.waiting_for == "lookup:i"

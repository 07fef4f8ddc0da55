"""The ERP gives out ids again, as after a restore from a backup: what we post under one of them is booked once."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.engine import replay as by_hand
from ml_connector.engine.ledger.rows import Chunk, Decision
from ml_connector.errors import OutcomeUnknown
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Killed, Papers, account, invoice


@pytest.fixture
def restored(bench: Bench) -> Bench:
    """Four invoices were posted, then the ERP lost them; a fifth is offered."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {f"old{n}": invoice(f"old{n}") for n in range(4)}
    bench.poll(INVOICES)
    bench.work(0.1)
    bench.systems.booked.clear()
    bench.systems.invoices["new"] = invoice("new", gross="50.00")
    return bench


def booked(bench: Bench) -> list[tuple[str, str]]:
    return [(number, prepared.key) for number, prepared in bench.systems.booked]


def chunk_of(bench: Bench) -> Chunk:
    chunk, _ = bench.pair().ledger("invoices").chunk("new") or pytest.fail("it is not under way")
    return chunk


def replay(bench: Bench, key: str = "new") -> None:
    assert by_hand.replay(bench.pair(), INVOICES, key, "somebody did").what in {"retried", "queued"}
    bench.work(3)


def told(bench: Bench, key: str) -> list[str | None]:
    return [answer.number for k, answer in bench.systems.answers if k == key]


def test_it_is_booked_once_and_held_for_a_person(restored: Bench) -> None:
    restored.poll(INVOICES)
    restored.work(30)
    chunk = chunk_of(restored)
    assert booked(restored) == [("100", "new")] and told(restored, "new") == []
    assert (chunk.step, chunk.waiting_for, chunk.target) == ("collided", "conflict:new", "100")
    assert "posted in The ERP as 100" in str(chunk.reason) and "linked to ap document old0 (posted" in str(chunk.reason)
    assert "`ml-connector replay acme invoices new`" in str(chunk.reason)


def test_a_replay_keeps_what_stands_there(restored: Bench) -> None:
    restored.poll(INVOICES)
    restored.work(1)
    replay(restored)
    assert booked(restored) == [("100", "new")] and told(restored, "new") == ["100"]
    assert restored.pair().ledger("invoices").links(["100"]) == {"100": "new"}


def test_a_replay_after_it_was_cancelled_there_posts_it_anew(restored: Bench) -> None:
    restored.poll(INVOICES)
    restored.work(1)
    restored.systems.booked.clear()
    replay(restored)
    assert booked(restored) == [("100", "new")] and told(restored, "new") == ["100"]


def test_another_amount_there_is_not_taken_by_a_replay(restored: Bench) -> None:
    restored.poll(INVOICES)
    restored.work(1)
    restored.systems.invoices["new"] = invoice("new", gross="51.00")
    replay(restored)
    assert "50.00 there, 51.00 here" in str(chunk_of(restored).reason)
    assert booked(restored) == [("100", "new")] and told(restored, "new") == []


@pytest.mark.parametrize("lost", [OutcomeUnknown("no answer"), Killed()], ids=["its answer is lost", "its worker dies"])
def test_a_posting_in_doubt_is_not_sent_again_beside_what_stands_there(restored: Bench, lost: BaseException) -> None:
    restored.systems.faults = [("post-acted", lost)]
    restored.poll(INVOICES)
    with suppress(Killed):
        restored.work(2)
    for queued in list(restored.queue._taken.values()):
        restored.queue.done(queued)
    restored.work(2)
    assert booked(restored) == [("100", "new")] and chunk_of(restored).step == "collided"
    replay(restored)
    assert booked(restored) == [("100", "new")] and told(restored, "new") == ["100"]


def test_the_one_that_lost_its_id_is_not_answered_with_anothers(restored: Bench) -> None:
    restored.poll(INVOICES)
    restored.work(1)
    replay(restored)
    restored.systems.standing["old0"] = "offered"
    before = told(restored, "old0")
    replay(restored, "old0")
    (held,) = restored.sheet(INVOICES).held
    assert held["waiting_for"] == "conflict:old0" and "its id in The ERP is new's by now" in held["reason"]
    assert told(restored, "old0") == before and booked(restored) == [("100", "new")]


# ── a document that is the other one's ───────────────────────────────────────────────────────────────────────


def another(bench: Bench, **fields: Any) -> None:
    """Last year's invoice of the number was posted while the first sending of this one was in doubt."""
    theirs = msgspec.structs.replace(invoice("old0", gross="50.00", number="R-new"), **fields)
    bench.systems.booked.append(("100", Papers(bench.systems).trace(theirs, None)))
    assert bench.pair().ledger("invoices").link("100", "old0") == "old0"


def decide(bench: Bench, what: Any, number: str = "") -> None:
    decision = Decision(what=what, number=number, by="somebody", at=bench.pair().ledger("invoices").now())
    assert by_hand.decide(bench.pair().ledger("invoices"), "new", decision, "Decided.") is not None
    bench.work(3)


@pytest.fixture
def doubted(bench: Bench) -> Bench:
    """An invoice was sent, and nobody knows what became of it."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices["new"] = invoice("new", gross="50.00")
    bench.systems.faults = [("post", OutcomeUnknown("no answer"))]
    bench.poll(INVOICES)
    bench.work()
    assert booked(bench) == [] and chunk_of(bench).step == "unknown"
    return bench


@pytest.mark.parametrize(
    "apart", [{"invoice_date": date(2025, 3, 1)}, {"gross": Decimal("49.00")}], ids=["date", "amount"]
)
def test_what_differs_from_all_that_was_sent_is_the_other_ones(doubted: Bench, apart: dict[str, Any]) -> None:
    """So nobody is told that it is his, nor to cancel it; a person's word posts this one beside it, once."""
    another(doubted, **apart)
    doubted.work(1)
    chunk = chunk_of(doubted)
    assert chunk.step != "collided" and booked(doubted) == [("100", "old0")]
    assert "was made from ap document old0" in str(chunk.reason)
    assert "If it is another one: `ml-connector resolve acme invoices new --post`" in str(chunk.reason)
    decide(doubted, "post")
    assert booked(doubted) == [("100", "old0"), ("101", "new")] and told(doubted, "new") == ["101"]


@pytest.mark.parametrize("decided", [True, False])
def test_one_that_an_earlier_release_held_is_let_go(doubted: Bench, decided: bool) -> None:
    another(doubted, invoice_date=date(2025, 3, 1))

    def collided(chunk: Chunk) -> bool:
        chunk.step, chunk.target, chunk.code, chunk.state = "collided", "100", "100", "waiting"
        chunk.waiting_for, chunk.reason = "conflict:new", "It is posted in The ERP as 100."
        return True

    assert doubted.pair().ledger("invoices").change("new", collided) is not None
    if not decided:
        doubted.work(1)
        assert "was made from ap document old0" in str(chunk_of(doubted).reason)
        assert booked(doubted) == [("100", "old0")]
    decide(doubted, "post")
    assert booked(doubted) == [("100", "old0"), ("101", "new")] and told(doubted, "new") == ["101"]


def test_what_agrees_in_every_point_is_held_as_one(doubted: Bench) -> None:
    """Nothing tells whose it is: a word that it is another one is not followed while it stands."""
    another(doubted)
    doubted.work(1)
    assert chunk_of(doubted).step == "collided"
    decide(doubted, "post")
    assert booked(doubted) == [("100", "old0")]
    decide(doubted, "match", "100")
    assert booked(doubted) == [("100", "old0")] and told(doubted, "new") == ["100"]

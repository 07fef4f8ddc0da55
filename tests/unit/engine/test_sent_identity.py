"""What was sent is kept and looked for first, as it was sent: whatever changes meanwhile, it never stands twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.engine import replay
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.errors import Held, OutcomeUnknown, Rejected, Unreadable
from ml_connector.flow import Document
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Killed, Papers, account, invoice


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """Master data has been through, and an invoice is offered."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i": invoice("i")}
    return bench


def send(bench: Bench, lost: BaseException) -> None:
    """Post once: the target carries it out, and its answer is lost or the process dies."""
    bench.systems.faults = [("post-acted", lost)]
    bench.poll(INVOICES)
    with suppress(Killed):
        bench.work()
    for queued in list(bench.queue._taken.values()):
        bench.queue.done(queued)


def change(bench: Bench, **fields: Any) -> None:
    bench.systems.invoices["i"] = msgspec.structs.replace(bench.systems.invoices["i"], **fields)


CHANGES: dict[str, Callable[[Bench], object]] = {
    "mapping": lambda bench: bench.systems.mapped.update(V1="V2"),
    "supplier": lambda bench: change(bench, supplier="V3"),
    "number": lambda bench: change(bench, number="R-other"),
    "kind": lambda bench: change(bench, gross=Decimal("-119.00")),
    "amount": lambda bench: change(bench, gross=Decimal("120.00")),
    "currency": lambda bench: change(bench, currency="USD"),
    "date": lambda bench: change(bench, invoice_date=date(2026, 3, 5)),
}
LOST = {"no answer": OutcomeUnknown("no answer"), "killed": Killed()}


def chunk_of(bench: Bench) -> Chunk:
    chunk, _ = bench.pair().ledger("invoices").chunk("i") or pytest.fail("it is not under way")
    return chunk


def posted(bench: Bench) -> list[str]:
    return [number for number, _ in bench.systems.booked]


@pytest.mark.parametrize("what", list(CHANGES))
@pytest.mark.parametrize("lost", list(LOST))
def test_a_change_after_a_lost_answer_is_a_conflict_that_names_both(ready: Bench, what: str, lost: str) -> None:
    send(ready, LOST[lost])
    CHANGES[what](ready)
    ready.work(30)
    chunk = chunk_of(ready)
    assert posted(ready) == ["100"] and ready.systems.answers == []
    assert chunk.waiting_for == "conflict:i" and "The ERP document 100" in str(chunk.reason)
    assert "`ml-connector replay acme invoices i`" in str(chunk.reason)
    # what stands in another currency is never taken for it
    assert ("`ml-connector resolve acme invoices i --match 100`" in str(chunk.reason)) == (what != "currency")


@pytest.mark.parametrize("what", list(CHANGES))
def test_once_it_is_cancelled_there_the_document_is_posted_as_it_is_now(ready: Bench, what: str) -> None:
    send(ready, OutcomeUnknown("no answer"))
    CHANGES[what](ready)
    ready.work(1)
    ready.systems.cancelled.add("100")
    assert replay.replay(ready.pair(), INVOICES, "i", "again").what == "retried"
    ready.work(3)
    assert posted(ready) == ["100", "101"] and [a.number for _, a in ready.systems.answers] == ["101"]


def test_changed_back_it_is_delivered_as_it_was_sent(ready: Bench) -> None:
    send(ready, OutcomeUnknown("no answer"))
    ready.systems.mapped["V1"] = "V2"
    ready.work(1)
    ready.systems.mapped.clear()
    ready.work(3)
    assert posted(ready) == ["100"] and [a.number for _, a in ready.systems.answers] == ["100"]


def test_one_that_never_arrived_is_posted_under_its_new_words_and_looked_for_under_both(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look = Papers.look
    monkeypatch.setattr(Papers, "look", lambda self, one: looked.append(one.partner) or look(self, one))
    ready.systems.faults = [("post", OutcomeUnknown("no answer"))]
    ready.poll(INVOICES)
    ready.work()
    ready.systems.mapped["V1"] = "V2"
    ready.work(0.2)
    assert posted(ready) == [], "not before the first sending is out of doubt"
    looked.clear()
    ready.work(0.2)
    assert posted(ready) == ["100"] and looked[:3] == ["V1", "V1", "V2"]
    looked.clear()
    ready.work(2)
    assert {"V1", "V2"} <= set(looked) and len(ready.systems.answers) == 1


def test_one_that_was_carried_out_late_under_its_old_words_is_a_conflict(ready: Bench) -> None:
    ready.systems.faults = [("post", OutcomeUnknown("no answer"))]
    ready.poll(INVOICES)
    ready.work()
    first = chunk_of(ready).sents[0]
    ready.systems.mapped["V1"] = "V2"
    ready.work(0.5)
    assert posted(ready) == ["100"]
    ready.systems.booked.append(("99", replace(ready.systems.booked[0][1], partner=first.partner)))
    ready.work(3)
    assert chunk_of(ready).waiting_for == "conflict:i" and "100, 99" in str(chunk_of(ready).reason)
    assert ready.systems.answers == []


@pytest.mark.parametrize("way", ["failed", "waiting"])
def test_it_survives_a_replay_and_a_redrive(ready: Bench, way: str) -> None:
    send(ready, OutcomeUnknown("no answer"))
    if way == "failed":
        ledger = ready.pair().ledger("invoices")
        chunk, item = ledger.chunk("i") or pytest.fail("it is gone")
        chunk.state, chunk.cause = "failed", "exhausted"
        ledger.save(chunk, item)
    CHANGES["mapping"](ready)
    assert replay.replay(ready.pair(), INVOICES, "i", "again").what in {"reopened", "retried"}
    ready.work(30)
    assert posted(ready) == ["100"] and chunk_of(ready).waiting_for == "conflict:i"


@pytest.mark.parametrize("standing", ["refused", "gone", "transferred"])
def test_what_its_source_took_back_is_not_forgotten_while_it_stands(ready: Bench, standing: str) -> None:
    send(ready, OutcomeUnknown("no answer"))
    CHANGES["mapping"](ready)
    ready.systems.standing["i"] = standing
    ready.work(3)
    assert chunk_of(ready).waiting_for == "conflict:i" and "The ERP document 100" in str(chunk_of(ready).reason)
    ready.systems.cancelled.add("100")
    ready.work(3)
    assert ready.counts(INVOICES) == {"unchanged": 1} and posted(ready) == ["100"]


def test_one_that_cannot_be_read_any_more_is_not_refused_while_it_is_in_doubt(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(ready, OutcomeUnknown("no answer"))

    def fetch(self: Papers, key: str) -> Document[Any]:
        raise Unreadable("It is no invoice.", "acknowledged", "2")

    monkeypatch.setattr(Papers, "fetch", fetch)
    ready.work(3)
    assert chunk_of(ready).waiting_for == "lookup:i" and ready.systems.answers == []


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def drafted(ready: Bench) -> Bench:
    """The target made a draft of it, which waits for its approver."""
    ready.systems.drafts = True
    ready.poll(INVOICES)
    ready.work(0.5)
    assert posted(ready) == ["draft100"] and chunk_of(ready).waiting_for == "approval:i"
    return ready


@pytest.mark.parametrize("what", list(CHANGES))
def test_a_changed_document_makes_no_second_draft(drafted: Bench, what: str) -> None:
    CHANGES[what](drafted)
    drafted.work(30)
    assert posted(drafted) == ["draft100"] and chunk_of(drafted).waiting_for == "approval:i"
    assert "another one by now" in str(chunk_of(drafted).reason) and "Reject or remove" in str(chunk_of(drafted).reason)


def test_a_draft_that_is_approved_as_it_was_sent_is_no_delivery_of_what_it_is_now(drafted: Bench) -> None:
    CHANGES["mapping"](drafted)
    drafted.work(1)
    (_, sent) = drafted.systems.booked.pop()
    drafted.systems.booked.append(("200", sent))
    drafted.work(3)
    assert chunk_of(drafted).waiting_for == "conflict:i" and drafted.systems.answers == []
    assert "--match 200" in str(chunk_of(drafted).reason)


def test_a_draft_that_is_approved_unchanged_is_delivered(drafted: Bench) -> None:
    (_, sent) = drafted.systems.booked.pop()
    drafted.systems.booked.append(("200", sent))
    drafted.work(3)
    assert [answer.number for _, answer in drafted.systems.answers] == ["200"]


def test_a_draft_that_was_removed_is_sent_as_it_is_now(drafted: Bench) -> None:
    CHANGES["mapping"](drafted)
    drafted.systems.cancelled.add("draft100")
    drafted.systems.drafts = False
    drafted.work(3)
    assert posted(drafted) == ["draft100", "101"] and drafted.systems.booked[1][1].partner == "V2"


def test_a_draft_that_its_approver_refused_is_sent_again_only_as_another_one(
    drafted: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Papers._row

    def refused(self: Papers, number: str, one: Any) -> Any:
        return replace(row(self, number, one), state="rejected" if number == "draft100" else "posted")

    monkeypatch.setattr(Papers, "_row", refused)
    drafted.systems.drafts = False
    drafted.work(3)
    assert posted(drafted) == ["draft100"] and chunk_of(drafted).waiting_for == "approval:i"
    assert "was refused by its approver" in str(chunk_of(drafted).reason)
    CHANGES["mapping"](drafted)
    drafted.work(3)
    assert posted(drafted) == ["draft100", "101"] and len(drafted.systems.answers) == 1


@pytest.mark.parametrize("gone", ["refused", "gone"])
def test_a_draft_whose_source_took_the_document_back_is_not_forgotten(drafted: Bench, gone: str) -> None:
    drafted.systems.standing["i"] = gone
    drafted.work(3)
    assert chunk_of(drafted).waiting_for == "conflict:i" and "draft draft100" in str(chunk_of(drafted).reason)


def test_a_draft_is_not_answered_as_refused(drafted: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(self: Papers, record: Any, codes: Any) -> Any:
        raise Rejected("It has no rows.")

    monkeypatch.setattr(Papers, "prepare", prepare)
    drafted.work(3)
    assert chunk_of(drafted).waiting_for == "approval:i" and drafted.systems.answers == []


# ── its fate is known ────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_in_its_own_words_leaves_nothing_to_look_for(ready: Bench) -> None:
    ready.systems.faults = [("post", Held("period:2026-03", "closed"))]
    ready.poll(INVOICES)
    ready.work()
    assert chunk_of(ready).sents == [] and chunk_of(ready).step == "held"
    ready.systems.mapped["V1"] = "V2"
    ready.work(1)
    assert [one.partner for _, one in ready.systems.booked] == ["V2"] and len(ready.systems.answers) == 1


def test_a_refusal_of_the_second_sending_ends_the_doubt_of_the_first(ready: Bench) -> None:
    ready.systems.faults = [("post", OutcomeUnknown("no answer")), ("post", Rejected("It is wrong."))]
    ready.poll(INVOICES)
    ready.work(3)
    assert ready.counts(INVOICES) == {"rejected": 1} and not ready.systems.answers[0][1].success


def test_a_second_sending_that_is_held_keeps_the_first_in_doubt(ready: Bench) -> None:
    ready.systems.faults = [("post", OutcomeUnknown("no answer")), ("post", Held("period:2026-03", "closed"))]
    ready.poll(INVOICES)
    ready.work(0.3)
    assert [one.partner for one in chunk_of(ready).sents] == ["V1"] and chunk_of(ready).step == "unknown"


def test_what_was_delivered_and_is_offered_again_as_another_one_is_a_conflict(ready: Bench) -> None:
    ready.poll(INVOICES)
    ready.work(0.1)
    change(ready, number="R-other", version="2")
    ready.systems.standing["i"] = "offered"
    ready.poll(INVOICES)
    ready.work(1)
    assert chunk_of(ready).waiting_for == "conflict:i" and len(ready.systems.answers) == 1
    assert "number R-i there, R-other here" in str(chunk_of(ready).reason)

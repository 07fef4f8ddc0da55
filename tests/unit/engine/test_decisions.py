"""A person's decision over a held document: it is that one of the target, or it is another one and is posted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.engine import replay
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.rows import Chunk, Decision
from ml_connector.errors import OutcomeUnknown
from ml_connector.flow import Prepared
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Killed, Papers, account, invoice

RENT = {"number": "CONTRACT-7", "invoice_date": date(2026, 2, 1)}


@pytest.fixture
def ready(bench: Bench) -> Bench:
    """Master data has been through."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    return bench


def go(bench: Bench, hours: float = 0.5) -> None:
    bench.poll(INVOICES)
    bench.work(hours)


def rent(key: str, **fields: Any) -> Any:
    return msgspec.structs.replace(invoice(key), **{**RENT, **fields})


def by_hand(bench: Bench, number: str, record: Any) -> None:
    bench.systems.booked.append((number, Papers(bench.systems)._identity(record)))


def chunk_of(bench: Bench, key: str) -> Chunk:
    chunk, _ = bench.pair().ledger("invoices").chunk(key) or pytest.fail("it is not under way")
    return chunk


def said(bench: Bench, key: str) -> str:
    """All that is said of a document that is not completed."""
    chunk = chunk_of(bench, key)
    return " ".join([str(chunk.reason), *chunk.notes])


def decide(bench: Bench, key: str, what: Any, number: str = "", hours: float = 3) -> None:
    decision = Decision(what=what, number=number, by="ada", at="now")
    assert replay.decide(bench.pair().ledger("invoices"), key, decision, f"Decided by ada: {what}.") is not None
    bench.work(hours)


def answers(bench: Bench, key: str) -> list[str | None]:
    return [answer.number for k, answer in bench.systems.answers if k == key]


@pytest.fixture
def february(ready: Bench) -> Bench:
    """A clerk entered January's rent under its contract; February's comes with the same number and amount."""
    by_hand(ready, "77", rent("january", invoice_date=date(2026, 1, 1)))
    ready.systems.invoices = {"feb": rent("feb")}
    go(ready)
    assert chunk_of(ready, "feb").waiting_for == "conflict:feb" and answers(ready, "feb") == []
    return ready


def test_posted_it_is_another_one_whatever_stands_there(february: Bench) -> None:
    decide(february, "feb", "post")
    assert answers(february, "feb") == ["101"] and [n for n, _ in february.systems.booked] == ["77", "101"]


def test_matched_it_is_that_one_though_it_differs(february: Bench) -> None:
    decide(february, "feb", "match", "77")
    assert answers(february, "feb") == ["77"] and [n for n, _ in february.systems.booked] == ["77"]
    assert february.pair().ledger("invoices").links(["77"]) == {"77": "feb"}
    done = next(c for c in february.pair().ledger("invoices").finished() if c.key == "feb")
    assert done.decision is not None and (done.decision.by, done.decision.number) == ("ada", "77")
    assert any("dated 2026-01-01 there, 2026-02-01 here" in note for note in done.notes)
    attempts = [body for _, body in audit.read(february.runtime.blobs, done)]
    assert any(attempt["attempt"].get("decision", {}).get("by") == "ada" for attempt in attempts)


@pytest.mark.parametrize("number", ["78", "", "77x"])
def test_a_number_that_is_not_there_leaves_it_held(february: Bench, number: str) -> None:
    decide(february, "feb", "match", number)
    assert answers(february, "feb") == [] and "has no document" in said(february, "feb")
    assert chunk_of(february, "feb").decision is None


def test_the_document_of_another_supplier_is_not_matched(february: Bench) -> None:
    by_hand(february, "88", rent("other", supplier="V9"))
    decide(february, "feb", "match", "88")
    assert answers(february, "feb") == [] and "has no document 88 of supplier V1" in said(february, "feb")


def test_a_cancelled_document_is_not_matched(february: Bench) -> None:
    february.systems.cancelled.add("77")
    decide(february, "feb", "match", "77")
    assert answers(february, "feb") != ["77"]


@pytest.mark.parametrize("acts", [True, False], ids=["carried out", "lost"])
def test_a_posting_over_others_that_is_in_doubt_is_told_from_them(february: Bench, acts: bool) -> None:
    february.systems.faults = [("post-acted" if acts else "post", OutcomeUnknown("no answer"))]
    decide(february, "feb", "post")
    assert [n for n, _ in february.systems.booked] == ["77", "101"] and answers(february, "feb") == ["101"]


def test_what_a_clerk_enters_after_the_decision_is_judged_anew(february: Bench) -> None:
    february.systems.faults = [("post", OutcomeUnknown("no answer"))]
    decide(february, "feb", "post", hours=0.01)
    by_hand(february, "78", rent("feb", gross=Decimal("120.00")))
    february.work(3)
    assert answers(february, "feb") == [] and chunk_of(february, "feb").waiting_for == "conflict:feb"


def test_two_of_ours_a_year_apart_need_a_person_and_then_both_are_posted(ready: Bench) -> None:
    ready.systems.invoices = {"one": rent("one", invoice_date=date(2025, 2, 1))}
    go(ready)
    ready.systems.invoices["two"] = rent("two", gross=Decimal("130.00"))
    go(ready)
    assert chunk_of(ready, "two").waiting_for == "conflict:two" and "one (posted as 100)" in str(
        chunk_of(ready, "two").reason
    )
    decide(ready, "two", "post")
    assert answers(ready, "one") == ["100"] and answers(ready, "two") == ["101"]


def test_two_of_ours_that_are_one_end_with_a_match(ready: Bench) -> None:
    ready.systems.invoices = {"one": rent("one")}
    go(ready)
    ready.systems.invoices["two"] = rent("two")
    go(ready)
    decide(ready, "two", "match", "100")
    assert len(ready.systems.booked) == 1 and answers(ready, "two") == ["100"]
    assert ready.pair().ledger("invoices").links(["100"]) == {"100": "one"}, "payments go on belonging to the first"


def test_twins_of_which_one_has_the_name_need_a_person(ready: Bench) -> None:
    ready.systems.invoices = {"one": rent("one"), "two": rent("two", gross=Decimal("130.00"))}
    ledger = ready.pair().ledger("invoices")
    ready.poll(INVOICES)
    assert ledger.reserve("V1~contract-7", "two") == "two"
    ready.work(0.5)
    assert chunk_of(ready, "one").waiting_for == "conflict:one"
    decide(ready, "one", "post")
    assert answers(ready, "one") and answers(ready, "two") and len(ready.systems.booked) == 2


def test_a_number_whose_first_document_was_cancelled_needs_nobody(ready: Bench) -> None:
    ready.systems.invoices = {"one": rent("one")}
    go(ready)
    ready.systems.cancelled.add("100")
    ready.systems.invoices["two"] = rent("two", gross=Decimal("130.00"))
    go(ready)
    assert answers(ready, "two") == ["101"]


def test_one_that_was_cancelled_after_its_delivery_is_posted_anew_by_a_persons_word(ready: Bench) -> None:
    ready.systems.invoices = {"one": rent("one")}
    go(ready)
    ready.systems.cancelled.add("100")
    ready.systems.standing["one"] = "offered"
    go(ready)
    assert "has been cancelled in The ERP since" in str(chunk_of(ready, "one").reason)
    decide(ready, "one", "post")
    assert answers(ready, "one") == ["100", "101"]
    assert ready.pair().ledger("invoices").rows(["one"])["one"][0].target == "101"


def test_what_we_sent_and_stands_is_never_posted_again_whoever_says_so(ready: Bench) -> None:
    ready.systems.invoices = {"one": rent("one")}
    ready.systems.faults = [("post-acted", OutcomeUnknown("no answer"))]
    ready.poll(INVOICES)
    ready.work()
    ready.systems.mapped["V1"] = "V2"
    ready.work(1)
    decide(ready, "one", "post")
    assert len(ready.systems.booked) == 1 and chunk_of(ready, "one").waiting_for == "conflict:one"
    decide(ready, "one", "match", "100")
    assert answers(ready, "one") == [], "it is no document of the supplier that is mapped now"
    ready.systems.mapped.clear()
    ready.work(3)
    assert answers(ready, "one") == ["100"]


def test_a_posted_total_that_differs_is_accepted_by_a_match(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Papers._book

    def wrong(self: Papers, prepared: Prepared) -> Any:
        return book(self, replace(prepared, amount=prepared.amount + 5))

    monkeypatch.setattr(Papers, "_book", wrong)
    ready.systems.invoices = {"one": rent("one")}
    go(ready)
    assert chunk_of(ready, "one").waiting_for == "conflict:one" and answers(ready, "one") == []
    decide(ready, "one", "post")
    assert len(ready.systems.booked) == 1 and "stands in The ERP as 100" in said(ready, "one")
    decide(ready, "one", "match", "100")
    assert answers(ready, "one") == ["100"]


# ── taken without a number ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("acts", [True, False], ids=["it is there", "it is not"])
def test_what_was_taken_without_a_number_is_looked_for_and_never_sent_again_by_itself(ready: Bench, acts: bool) -> None:
    ready.systems.invoices = {"one": rent("one")}
    ready.systems.faults = [("post-acted" if acts else "post", OutcomeUnknown("no number", taken=True))]
    go(ready, 40)
    if acts:
        assert answers(ready, "one") == ["100"]
        return
    assert ready.systems.booked == [] and chunk_of(ready, "one").waiting_for == "lookup:one"
    reason = str(chunk_of(ready, "one").reason)
    assert "CONTRACT-7 (119.00 EUR)" in reason and "--match ERP-NUMBER`" in reason and "--post`" in reason
    for _ in range(2):
        replay.replay(ready.pair(), INVOICES, "one", "again")
        ready.work(2)
    assert ready.systems.booked == [], "a replay is no decision"
    decide(ready, "one", "post")
    assert answers(ready, "one") == ["100"]


@pytest.mark.parametrize("lost", [OutcomeUnknown("no answer"), Killed()], ids=["its answer is lost", "its worker dies"])
@pytest.mark.parametrize("blind", [True, False])
def test_what_can_neither_be_looked_for_nor_repeated_is_not_sent_again_by_itself(
    ready: Bench, monkeypatch: pytest.MonkeyPatch, lost: BaseException, blind: bool
) -> None:
    """It is booked, and no look shows it."""
    prepare = Papers._identity
    monkeypatch.setattr(Papers, "_identity", lambda self, record: replace(prepare(self, record), blind=blind))
    monkeypatch.setattr(Papers, "look", lambda *_: [])
    ready.systems.invoices = {"one": rent("one")}
    ready.systems.faults = [("post-acted", lost)]
    with suppress(Killed):
        go(ready, 40)
    for queued in list(ready.queue._taken.values()):
        ready.queue.done(queued)
    ready.work(40)
    assert len(ready.systems.booked) == (1 if blind else 2)
    if blind:
        assert "or its answer was lost, and does not show it" in said(ready, "one")
        assert chunk_of(ready, "one").waiting_for == "lookup:one"


def test_what_was_taken_and_entered_under_another_number_is_matched(ready: Bench) -> None:
    ready.systems.invoices = {"one": rent("one")}
    ready.systems.faults = [("post", OutcomeUnknown("no number", taken=True))]
    go(ready, 2)
    by_hand(ready, "55", rent("one", number="typed wrongly"))
    decide(ready, "one", "match", "55")
    assert answers(ready, "one") == ["55"] and len(ready.systems.booked) == 1


# ── who may be decided over ──────────────────────────────────────────────────────────────────────────────────


def test_only_what_waits_for_a_person_is_decided_over(ready: Bench) -> None:
    ready.systems.invoices = {"one": msgspec.structs.replace(invoice("one", account="6999"))}
    go(ready)
    ledger = ready.pair().ledger("invoices")
    assert replay.decide(ledger, "one", Decision(what="post"), "") is None
    assert replay.decide(ledger, "none", Decision(what="post"), "") is None
    assert chunk_of(ready, "one").decision is None


def test_a_draft_of_somebody_else_is_passed_over(ready: Bench) -> None:
    by_hand(ready, "draft7", rent("january", invoice_date=date(2026, 1, 1)))
    ready.systems.invoices = {"one": rent("one")}
    go(ready)
    assert chunk_of(ready, "one").waiting_for == "approval:one"
    assert "The draft was not sent from here, and differs: dated 2026-01-01 there" in said(ready, "one")
    assert "by now" not in said(ready, "one") and "--post" in said(ready, "one")
    decide(ready, "one", "post")
    assert answers(ready, "one") == ["101"]


# ── beside what was posted ───────────────────────────────────────────────────────────────────────────────────


def test_a_second_one_that_comes_with_the_posting_is_a_conflict_and_never_delivered(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two installations post at once: neither look saw the other's."""
    book = Papers._book

    def twice(self: Papers, prepared: Prepared) -> Any:
        by_hand(ready, "55", rent("one"))
        return book(self, prepared)

    monkeypatch.setattr(Papers, "_book", twice)
    ready.systems.invoices = {"one": rent("one")}
    go(ready, 40)
    assert answers(ready, "one") == [] and chunk_of(ready, "one").waiting_for == "conflict:one"
    assert "101, 55" in str(chunk_of(ready, "one").reason)
    ready.systems.cancelled.add("55")
    ready.work(3)
    assert answers(ready, "one") == ["101"]


def test_one_of_two_is_kept_by_a_match(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Papers._book
    monkeypatch.setattr(Papers, "_book", lambda self, one: by_hand(ready, "55", rent("one")) or book(self, one))
    ready.systems.invoices = {"one": rent("one")}
    go(ready)
    decide(ready, "one", "match", "55")
    assert answers(ready, "one") == ["55"]


def test_of_two_that_are_different_invoices_the_one_that_we_sent_is_matched(
    ready: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clerk keys in last month's rent while this month's is sent: what differs from what was sent bars no match."""
    book, last = Papers._book, rent("last", invoice_date=date(2026, 1, 1))
    monkeypatch.setattr(Papers, "_book", lambda self, one: by_hand(ready, "55", last) or book(self, one))
    ready.systems.invoices = {"one": rent("one")}
    go(ready)
    assert "101, 55" in str(chunk_of(ready, "one").reason)
    decide(ready, "one", "match", "101", hours=40)
    assert answers(ready, "one") == ["101"]


# ── in another currency ──────────────────────────────────────────────────────────────────────────────────────


def test_a_document_in_another_currency_is_never_taken_for_this_one(ready: Bench) -> None:
    by_hand(ready, "77", rent("dollars", currency="USD"))
    ready.systems.invoices = {"feb": rent("feb")}
    go(ready)
    assert "--match 77" not in said(ready, "feb") and "cancel it there" in said(ready, "feb")
    decide(ready, "feb", "match", "77")
    assert answers(ready, "feb") == [] and chunk_of(ready, "feb").decision is None
    assert "document 77 is in another currency (119.00 USD) than CONTRACT-7 (119.00 EUR)" in said(ready, "feb")
    ready.systems.cancelled.add("77")
    replay.retry_now(ready.pair().ledger("invoices"), "feb", "again")
    ready.work(1)
    assert answers(ready, "feb") == ["101"]


def test_a_currency_in_other_letters_or_not_shown_is_no_other_one(ready: Bench) -> None:
    for currency in ("eur", ""):
        key = f"feb{currency}"
        by_hand(ready, f"7{key}", rent(key, number=key, currency=currency, invoice_date=date(2026, 1, 1)))
        ready.systems.invoices[key] = rent(key, number=key)
        go(ready)
        decide(ready, key, "match", f"7{key}")
        assert answers(ready, key) == [f"7{key}"]


def test_what_was_matched_and_has_another_currency_when_it_is_read_back_is_held(
    february: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Papers.read_back
    monkeypatch.setattr(Papers, "read_back", lambda self, found: replace(read(self, found), currency="USD"))
    decide(february, "feb", "match", "77")
    assert answers(february, "feb") == [] and "in another currency by now" in said(february, "feb")

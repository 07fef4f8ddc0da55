"""Documents: posted once, whatever happens between two steps."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from ml_connector import http_log
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.schedule.wake_up import release
from ml_connector.engine.write.retry import SOON
from ml_connector.engine.write.worker import write
from ml_connector.errors import Held, LeaseLost, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Broken, Prepared
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Killed, Papers, account, invoice


@pytest.fixture
def ready(bench):
    """Master data has been through."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    return bench


def go(bench, hours=0.1):
    bench.poll(INVOICES)
    bench.work(hours)


def test_an_invoice_is_acknowledged_posted_answered_and_settled(ready):
    ready.systems.invoices = {"i": invoice("i")}
    go(ready)
    assert [n for n, _ in ready.systems.booked] == ["100"]
    ((key, answer),) = ready.systems.answers
    assert (key, answer.success, answer.number) == ("i", True, "100")
    assert ready.counts(INVOICES) == {"delivered": 1}
    assert ready.sheet(INVOICES).amounts["EUR"]["delivered"] == Decimal("119.00")


def test_invoices_wait_until_master_data_has_been_through(bench):
    bench.systems.accounts = {"6100": account("6100")}
    bench.systems.invoices = {"i": invoice("i")}
    bench.poll(INVOICES)
    bench.work(0.01)
    assert bench.sheet(INVOICES).held[0]["waiting_for"] == "prerequisite:accounts"
    assert bench.systems.acknowledged == []
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.counts(INVOICES) == {"delivered": 1}


def test_an_unmapped_account_holds_the_invoice_untouched_until_it_is_mapped(ready):
    ready.systems.invoices = {"i": invoice("i", account="6999"), "j": invoice("j")}
    go(ready)
    assert ready.counts(INVOICES) == {"delivered": 1, "held": 1}
    (held,) = ready.sheet(INVOICES).held
    assert held["waiting_for"] == "account:6999" and held["amount"] == "119.00"
    assert "mappings set acme account 6999" in held["reason"]
    assert ready.systems.acknowledged == ["j"]
    ready.pair().mappings.set(Mapping(integration="erp-ap", kind="account", code="6999", target="6100"))
    assert release(ready.runtime, ready.pair().ledger("invoices"), "account:6999") == 1
    ready.work(0.01)
    assert len(ready.systems.booked) == 2


def test_an_existing_invoice_is_adopted_and_not_posted(ready):
    ready.systems.invoices = {"i": invoice("i")}
    papers = ready.pair().connection("erp").target(INVOICES.record)
    ready.systems.booked.append(("77", papers.prepare(ready.systems.invoices["i"], ready.pair().codes())))
    go(ready)
    assert [n for n, _ in ready.systems.booked] == ["77"]
    assert ready.systems.answers[0][1].number == "77"


def test_an_existing_invoice_with_another_amount_is_a_conflict(ready):
    ready.systems.invoices = {"i": invoice("i", gross="100.00")}
    papers = ready.pair().connection("erp").target(INVOICES.record)
    ready.systems.booked.append(("77", papers.prepare(ready.systems.invoices["i"], ready.pair().codes())))
    ready.systems.invoices = {"i": invoice("i", gross="100.06")}
    go(ready)
    assert ready.sheet(INVOICES).held[0]["waiting_for"] == "conflict:i"
    assert ready.systems.answers == []


def test_a_total_that_the_target_rounds_differently_by_cents_is_taken_and_noted(ready):
    ready.systems.invoices = {"i": invoice("i", gross="100.00")}
    papers = ready.pair().connection("erp").target(INVOICES.record)
    ready.systems.booked.append(("77", papers.prepare(ready.systems.invoices["i"], ready.pair().codes())))
    ready.systems.invoices = {"i": invoice("i", gross="100.01")}
    go(ready)
    chunk = next(c for c in ready.pair().ledger("invoices").finished() if c.key == "i")
    assert chunk.outcome == "delivered"
    assert any("100.00, for 100.01" in note for note in chunk.notes)


def test_the_same_number_twice_posts_one_and_holds_the_other(ready):
    ready.systems.invoices = {"i": invoice("i", number="R1"), "j": invoice("j", number="R1")}
    go(ready)
    assert len(ready.systems.booked) == 1
    assert ready.counts(INVOICES) == {"delivered": 1, "held": 1}


def test_an_unknown_outcome_that_took_effect_is_found_and_not_posted_again(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [("post-acted", OutcomeUnknown("broke off"))]
    go(ready)
    assert len(ready.systems.booked) == 1
    assert ready.counts(INVOICES) == {"delivered": 1}


def test_an_unknown_outcome_is_sent_again_only_after_the_settle_time(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [("post", OutcomeUnknown("broke off"))]
    go(ready, 0.2)
    assert ready.systems.booked == []
    assert ready.counts(INVOICES) == {"pending": 1}
    ready.work(1)
    assert len(ready.systems.booked) == 1
    assert ready.counts(INVOICES) == {"pending": 1}, "it is looked for once more before its source hears of it"
    ready.work(1)
    assert len(ready.systems.booked) == 1
    assert ready.counts(INVOICES) == {"delivered": 1}


def test_a_commit_after_a_second_sending_is_detected_as_a_conflict(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [("post", OutcomeUnknown("broke off"))]
    go(ready, 0.3)
    late = ready.systems.booked[0]
    ready.systems.booked.append(("999", late[1]))
    ready.work(1)
    (held,) = ready.sheet(INVOICES).held
    assert held["waiting_for"] == "conflict:i" and "999" in held["reason"]


def test_a_refusal_is_answered_once_and_a_corrected_invoice_is_a_new_attempt(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [("post", Rejected("The supplier is frozen."))]
    go(ready)
    ((_, answer),) = ready.systems.answers
    assert not answer.success and "frozen" in answer.message
    assert ready.counts(INVOICES) == {"rejected": 1}
    ready.systems.standing["i"] = "offered"
    go(ready)
    assert len(ready.systems.answers) == 1, "the same version is not tried again"
    import msgspec

    ready.systems.invoices["i"] = msgspec.structs.replace(ready.systems.invoices["i"], version="2")
    go(ready)
    assert len(ready.systems.booked) == 1
    assert ready.systems.answers[-1][1].success


def test_an_invoice_offered_again_after_delivery_is_answered_again_and_never_posted(ready):
    ready.systems.invoices = {"i": invoice("i")}
    go(ready)
    ready.systems.standing["i"] = "offered"
    go(ready)
    assert len(ready.systems.booked) == 1
    assert len(ready.systems.answers) == 2 and all(a.success for _, a in ready.systems.answers)


def test_an_invoice_that_was_recalled_is_let_go(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.poll(INVOICES)
    ready.systems.standing["i"] = "gone"
    ready.work(0.1)
    assert ready.counts(INVOICES) == {"unchanged": 1}
    assert ready.systems.booked == []


@pytest.mark.parametrize("where", ["fetch", "look", "acknowledge", "post", "post-acted", "read_back", "answer"])
def test_a_kill_at_any_step_ends_as_without_it(ready, where):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [(where, Killed())]
    with pytest.raises(Killed):
        go(ready)
    ready.runtime = type(ready.runtime)(**{**ready.runtime.__dict__, "boot": "another"})
    while (queued := ready.queue.take()) is not None:
        ready.queue.done(queued)
    for queued in list(ready.queue._taken.values()):
        ready.queue.done(queued)
    go(ready, 2)  # after a doubt the target is looked at once more an hour later
    assert len(ready.systems.booked) == 1
    assert ready.counts(INVOICES) == {"delivered": 1}
    assert [a.success for _, a in ready.systems.answers] == [True]


def test_a_holder_that_lost_its_lease_writes_nothing(ready):
    from ml_connector.engine.write.attempt import claim

    ready.systems.invoices = {"i": invoice("i")}
    ready.poll(INVOICES)
    pair = ready.pair()
    first = claim(pair, INVOICES, "i")
    second_world = type(ready.runtime)(**{**ready.runtime.__dict__, "boot": "another"})
    pair.runtime = second_world
    second = claim(pair, INVOICES, "i")
    assert first and second
    with pytest.raises(LeaseLost):
        first.save()


def test_what_a_worker_said_that_lost_its_lease_is_kept_beside_the_chain(ready, monkeypatch):
    """The row belongs to another one by then; that something was sent must be known all the same."""
    ready.systems.invoices = {"i": invoice("i")}
    ready.poll(INVOICES)
    sent = http_log.Exchange(
        at="2026-03-02T08:00:00+00:00", method="POST", url="https://erp.test/x", request_headers={}, status=201
    )

    def lost(attempt):
        http_log.note(sent)
        raise LeaseLost("Another worker has it.")

    monkeypatch.setattr("ml_connector.engine.write.worker._attempt", lost)
    assert write(ready.pair(), INVOICES, "i") is None
    monkeypatch.undo()
    go(ready, 1)
    (chunk,) = ready.pair().ledger("invoices").finished()
    said = [body for _, body in audit.read(ready.runtime.blobs, chunk)]
    assert [b["attempt"]["state"] for b in said if b["exchanges"] and b["exchanges"][0]["url"] == sent.url] == ["lost"]
    assert audit.verify(ready.runtime.blobs, chunk) == []


def test_what_is_awaited_soon_is_looked_at_rarely_once_hours_have_gone_by(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [("look", Held("lookup:i", "It comes by itself.", soon=True))] * 400
    go(ready, 24)
    (chunk,) = ready.pair().ledger("invoices").unfinished()
    assert SOON < chunk.attempts < SOON + 40


def test_passing_trouble_of_one_document_exhausts_after_a_day_and_is_rung_on_the_dead_letter_queue(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [("look", Transient("no"))] * 40
    go(ready, 40)
    (dead,) = ready.sheet(INVOICES).failed
    assert dead["cause"] == "exhausted"
    assert [r.message["cause"] for r in ready.queue.dead_letters] == ["exhausted"]


def test_every_attempt_has_its_audit_object_and_the_chain_holds(ready):
    ready.systems.invoices = {"i": invoice("i")}
    go(ready)
    chunk = next(c for c in ready.pair().ledger("invoices").finished() if c.key == "i")
    assert chunk.audits >= 1
    assert audit.verify(ready.runtime.blobs, chunk) == []
    key = next(iter(ready.runtime.blobs.keys("audit/acme/erp-ap/invoices")))
    ready.runtime.blobs._objects.pop(key) if hasattr(ready.runtime.blobs, "_objects") else None


def test_a_dry_run_sends_answers_and_acknowledges_nothing(ready):
    ready.shadow = True
    ready.systems.invoices = {"i": invoice("i"), "j": invoice("j", account="6999")}
    go(ready)
    assert ready.systems.booked == [] and ready.systems.acknowledged == [] and ready.systems.answers == []
    assert ready.counts(INVOICES) == {"pending": 1, "held": 1}
    assert ready.sheet(INVOICES).would_send == 1


def test_a_dry_run_holds_what_the_run_would_hold(ready):
    ready.shadow = True
    ready.systems.invoices = {"i": invoice("i", number="R-1"), "j": invoice("j", number="R-1")}
    ready.systems.invoices["k"] = invoice("k", "50.00")
    number, booked = "100", invoice("k", "75.00")
    ready.systems.booked = [
        (
            number,
            Prepared("k", {"n": booked.number}, {"n": booked.number}, booked.gross, "EUR", dated=booked.invoice_date),
        )
    ]
    go(ready)
    assert ready.counts(INVOICES) == {"pending": 1, "held": 2}
    reasons = {held["key"]: held["reason"] for held in ready.sheet(INVOICES).held}
    assert "same supplier and number as ap document i" in reasons["j"]
    assert "75.00 there, 50.00 here" in reasons["k"]
    for reason in reasons.values():
        if "`ml-connector resolve" in reason or "`ml-connector replay" in reason:
            assert reason.endswith("In shadow both commands are refused: take `shadow` out of the settings first.")
    assert any("`ml-connector resolve" in reason for reason in reasons.values())
    assert len(ready.systems.booked) == 1 and ready.systems.acknowledged == []


def test_a_dry_run_says_what_it_would_adopt(ready):
    ready.shadow = True
    ready.systems.invoices = {"i": invoice("i")}
    same = ready.systems.invoices["i"]
    ready.systems.booked = [
        ("100", Prepared("i", {"n": same.number}, {"n": same.number}, same.gross, "EUR", dated=same.invoice_date))
    ]
    go(ready)
    assert ready.counts(INVOICES) == {"pending": 1}
    assert ready.systems.acknowledged == [] and ready.systems.answers == []


def test_the_second_of_two_alike_says_what_became_of_the_first(ready):
    ready.systems.invoices = {"i": invoice("i", number="R-1")}
    go(ready)
    ready.systems.booked[0] = ("100", replace(ready.systems.booked[0][1], lookup={"n": "elsewhere"}))
    ready.systems.invoices["j"] = invoice("j", number="R-1")
    go(ready)
    (held,) = ready.sheet(INVOICES).held
    assert (
        "R-1 (119.00 EUR, supplier V1) has the same supplier and number as ap document i (posted as" in held["reason"]
    )


def test_holds_are_looked_at_again_by_themselves(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.faults = [("post", Held("period:2026-03", "The period is closed."))]
    go(ready, 0.01)
    assert ready.counts(INVOICES) == {"held": 1}
    ready.work(1)
    assert ready.counts(INVOICES) == {"delivered": 1}


def test_what_somebody_acknowledged_is_not_posted_by_the_sweep(ready):
    ready.systems.invoices = {"i": invoice("i")}
    ready.systems.standing["i"] = "acknowledged"
    go(ready)
    assert ready.systems.booked == []
    assert ready.sheet(INVOICES).held[0]["waiting_for"] == "lookup:i"


def test_twins_that_come_at_once_are_not_both_posted(ready):
    """Neither look-up sees the other's posting yet: the number itself is taken before anything is sent."""
    ready.systems.invoices = {"i": invoice("i", number="R1"), "j": invoice("j", number="R1")}
    ledger = ready.pair().ledger("invoices")
    ready.poll(INVOICES)
    assert ledger.reserve("V1~r1", "j") == "j"
    ready.work(0.01)
    assert [p.key for _, p in ready.systems.booked] == ["j"]
    assert ready.sheet(INVOICES).held[0]["waiting_for"] == "conflict:i"


def test_a_number_whose_holder_was_refused_is_free_again(ready):
    ready.systems.invoices = {"i": invoice("i", number="R1")}
    ready.systems.faults = [("post", Rejected("no"))]
    go(ready)
    ready.systems.invoices["j"] = invoice("j", number="R1")
    go(ready)
    assert [p.key for _, p in ready.systems.booked] == ["j"]


def test_what_cannot_be_read_as_a_document_is_rejected_with_its_text_kept(ready, monkeypatch):
    bad = Broken("without-id-1", "It has no invoiceId.", '{"invoiceNumber": "R-9"}')
    listed = Papers.list_documents
    monkeypatch.setattr(
        Papers, "list_documents", lambda s, since, at: (replace(p, broken=[bad]) for p in listed(s, since, at))
    )
    ready.systems.invoices = {"i": invoice("i")}
    go(ready)
    assert ready.counts(INVOICES) == {"delivered": 1, "rejected": 1}
    assert ready.sheet(INVOICES).rejected == [{"key": "without-id-1", "reason": "It has no invoiceId."}]
    ledger = ready.pair().ledger("invoices")
    chunk = next(c for c in ledger.finished() if c.op == "broken")
    ((_, body),) = audit.read(ready.runtime.blobs, chunk)
    assert body["attempt"]["unreadable"][0]["raw"] == bad.raw
    ready.poll(INVOICES)
    assert ledger.cursor()[0].figures.rejected == 1
    assert not list(ledger.unfinished())


def test_a_second_refusal_without_a_stamp_is_another_answer(ready):
    ready.systems.invoices = {"i": msgspec.structs.replace(invoice("i"), version=None)}
    ready.systems.faults = [("post", Rejected("The date is missing."))]
    go(ready)
    ready.systems.standing["i"] = "offered"  # corrected, and offered again
    ready.systems.faults = [("post", Rejected("The supplier is blocked."))]
    ready.clock.sleep(60)
    go(ready)
    assert [a.success for _, a in ready.systems.answers] == [False, False]
    assert len({a.code for _, a in ready.systems.answers}) == 2


def test_what_is_offered_again_with_another_amount_is_a_conflict_and_no_success(ready):
    ready.systems.invoices = {"i": invoice("i")}
    go(ready)
    ready.systems.invoices["i"] = msgspec.structs.replace(invoice("i", "1190.00"), version="2")
    ready.systems.standing["i"] = "offered"
    go(ready)
    (held,) = ready.sheet(INVOICES).held
    assert held["waiting_for"] == "conflict:i" and "119.00 there, 1190.00 here" in held["reason"]
    assert len(ready.systems.answers) == 1 and len(ready.systems.booked) == 1


def test_what_was_cancelled_in_the_erp_is_neither_answered_nor_posted_again(ready, monkeypatch):
    ready.systems.invoices = {"i": invoice("i")}
    go(ready)
    read_back = Papers.read_back
    monkeypatch.setattr(Papers, "read_back", lambda self, found: replace(read_back(self, found), state="cancelled"))
    ready.systems.invoices["i"] = msgspec.structs.replace(invoice("i"), version="2")
    ready.systems.standing["i"] = "offered"
    go(ready)
    (held,) = ready.sheet(INVOICES).held
    assert held["waiting_for"] == "conflict:i" and "posted as 100, which has been cancelled" in held["reason"]
    assert len(ready.systems.answers) == 1 and len(ready.systems.booked) == 1

"""Documents that a platform is sent once, and what it says of them afterwards."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from ml_connector.engine.ledger.concerned import KEPT
from ml_connector.engine.poll.documents import RARELY, YOUNG
from ml_connector.records import Payment, SupplierInvoice
from tests.unit.engine.bench import Bench
from tests.unit.engine.followed import PAID, SENT, STATUS, Following


@pytest.fixture
def following(bench: Bench) -> Following:
    made = Following(bench.runtime, bench.systems, bench.clock, bench.queue)
    made.platform.invoices = {"N1": (invoice("N1"), "1")}
    return made


def invoice(key: str, gross: str = "119.00", text: str = "Nails") -> SupplierInvoice:
    return SupplierInvoice(
        key=key, number=f"R-{key}", company="1", supplier="V1", currency="EUR", gross=Decimal(gross), description=text
    )


def payment(key: str, state: str = "paid") -> Payment:
    return Payment(
        key=key, invoice="", number=key, amount=Decimal(119), currency="EUR", state=state, cancelled=state != "paid"
    )


def change(following: Following, stamp: str, **values: object) -> None:
    record, _ = following.platform.invoices["N1"]
    following.platform.invoices["N1"] = (msgspec.structs.replace(record, **values), stamp)


def test_a_source_that_takes_no_answer_is_queued_once(following: Following) -> None:
    following.run(SENT)
    assert following.counts(SENT) == {"delivered": 1}
    following.run(SENT)
    assert following.sheet(SENT).counts["unchanged"] == 1
    following.run(SENT, full=True)
    assert following.platform.creates == 1


def test_what_is_sent_has_not_changed_though_the_document_has(following: Following) -> None:
    following.run(SENT)
    change(following, "2", unpaid=Decimal(0))
    following.run(SENT)
    assert (following.platform.creates, following.platform.updates) == (1, [])
    row = following.pair().ledger(SENT.name).rows(["N1"])["N1"][0]
    assert (row.outcome, row.stamp) == ("delivered", "2")


def test_a_later_version_is_an_update_where_the_target_takes_one(following: Following) -> None:
    following.platform.takes_updates = True
    following.run(SENT)
    change(following, "2", description="Screws")
    following.run(SENT)
    assert (following.platform.creates, following.platform.updates) == (1, ["sent-1"])
    change(following, "3", unpaid=Decimal(0))
    following.run(SENT)
    assert following.platform.updates == ["sent-1"]


@pytest.mark.parametrize("forgotten", [False, True], ids=["shown", "not-shown"])
def test_a_later_version_is_never_created_a_second_time(following: Following, forgotten: bool) -> None:
    """Also where a look would find nothing: a profile may have no look-up."""
    following.run(SENT)
    if forgotten:
        following.platform.gone.add("sent-1")
    change(following, "2", gross=Decimal(150))
    following.run(SENT, hours=30)
    (chunk,) = following.pair().ledger(SENT.name).unfinished()
    assert (following.platform.creates, chunk.waiting_for) == (1, "conflict:N1")
    assert "119.00 there, 150 here" in (chunk.reason or "")
    change(following, "3", gross=Decimal("119.00"))
    following.work(30)
    assert not list(following.pair().ledger(SENT.name).unfinished())
    assert following.platform.creates == 1


def test_what_is_taken_back_at_the_source_and_stands_at_the_target_is_a_conflict(following: Following) -> None:
    following.run(SENT)
    change(following, "2")
    following.poll(SENT)
    following.platform.invoices.clear()
    following.work(1)
    (chunk,) = following.pair().ledger(SENT.name).unfinished()
    assert chunk.waiting_for == "conflict:N1"
    assert "before it is paid" in (chunk.reason or "")
    following.platform.gone.add("sent-1")
    following.work(30)
    assert not list(following.pair().ledger(SENT.name).unfinished())


def test_what_is_void_when_it_is_read_is_not_sent(following: Following) -> None:
    """It was open when it was listed, and paid in the ERP a moment later."""
    following.poll(SENT)
    following.platform.void.add("N1")
    following.work(1)
    assert (following.platform.creates, following.counts(SENT)) == (0, {"unchanged": 1})


def test_what_was_refused_and_is_void_by_now_is_not_sent(following: Following) -> None:
    """It was paid in the ERP after its refusal: nothing pays it a second time."""
    change(following, "1", description="sour")
    following.run(SENT)
    assert following.counts(SENT) == {"rejected": 1}
    change(following, "2", description="Nails")
    following.platform.void.add("N1")
    following.run(SENT)
    assert following.platform.creates == 0 and not list(following.pair().ledger(SENT.name).unfinished())


@pytest.mark.parametrize("later", ["a", "z"])
def test_what_was_refused_is_tried_again_whatever_its_stamp_is_compared_to(following: Following, later: str) -> None:
    change(following, "m", description="sour")
    following.run(SENT)
    change(following, later, description="Nails")
    following.run(SENT)
    assert following.platform.creates == 1


def test_what_was_delivered_is_asked_for_and_each_status_written_once(following: Following) -> None:
    following.run(SENT)
    following.run(STATUS)
    following.run(STATUS)
    assert following.platform.written == [("sent-1", "received")]
    following.platform.statuses["sent-1"] = "approved"
    following.run(STATUS)
    assert following.platform.written == [("sent-1", "received"), ("sent-1", "approved")]


def test_an_old_document_is_asked_for_rarely_and_a_final_one_once_a_day(following: Following) -> None:
    following.run(SENT)
    following.run(STATUS)
    following.clock.moment += YOUNG
    following.poll(STATUS, full=True)
    following.platform.asked.clear()
    for _ in range(2 * RARELY):
        following.poll(STATUS)
    assert len(following.platform.asked) == 2
    following.platform.statuses["sent-1"] = "paid"
    following.run(STATUS, full=True)
    following.platform.asked.clear()
    for _ in range(2 * RARELY):
        following.poll(STATUS)
    assert following.platform.asked == []
    following.poll(STATUS, full=True)
    assert following.platform.asked == [["sent-1"]]
    following.clock.moment += KEPT + timedelta(days=1)
    following.poll(STATUS, full=True)
    following.platform.asked.clear()
    following.poll(STATUS, full=True)
    assert following.platform.asked == []


@pytest.mark.parametrize("name", ["sent-1", "own:own-N1", "~V1~R-N1"], ids=["id", "our-key", "supplier-and-number"])
def test_a_payment_finds_our_document_by_each_of_its_names(following: Following, name: str) -> None:
    following.run(SENT)
    following.platform.payments = {"P1": (payment("P1"), ("nobody", name))}
    following.run(PAID)
    assert following.platform.written == [("P1", "paid")]


def test_somebody_elses_payment_counts_as_unchanged_and_is_looked_at_again_once_a_day(following: Following) -> None:
    following.platform.payments = {"P1": (payment("P1"), ("own:own-N1",))}
    following.run(PAID)
    assert following.counts(PAID) == {"unchanged": 1}
    following.run(SENT)
    following.run(PAID)
    assert following.platform.written == []
    following.run(PAID, full=True)
    assert following.platform.written == [("P1", "paid")]


def test_a_payment_that_never_counted_is_not_even_queued(following: Following) -> None:
    following.run(SENT)
    following.platform.payments = {"P1": (payment("P1", "in_flight"), ("sent-1",))}
    following.poll(PAID)
    assert not list(following.pair().ledger(PAID.name).unfinished())
    assert (following.platform.written, following.counts(PAID)) == ([], {"unchanged": 1})
    following.platform.payments = {"P1": (payment("P1"), ("sent-1",))}
    following.run(PAID)
    assert following.platform.written == [("P1", "paid")]


def test_a_reserved_name_that_was_let_go_of_is_nobodys(following: Following) -> None:
    following.pair().ledger(SENT.name).reserve("V1~R-N1", "N1")
    following.platform.payments = {"P1": (payment("P1"), ("~V1~R-N1",))}
    following.run(PAID)
    assert following.platform.written == []

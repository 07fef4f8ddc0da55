"""Invoices and payments against the simulated Basware."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.basware.model import Fault, ForcedVerdict
from ml_connector.errors import Held, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Answer
from ml_connector.records import Invoice, Payment


def keys(bench: Any) -> list[str]:
    (offers,) = bench.connection.source(Invoice).list_documents(None, None)
    return [offer.key for offer in offers.documents]


def good(bench: Any) -> str:
    """Find an invoice that reads well."""
    source = bench.connection.source(Invoice)
    for key in keys(bench):
        try:
            if source.fetch(key).record.gross > 0:
                return key
        except Rejected:
            continue
    raise AssertionError("no good invoice")


def ok(code: str = "transferred.0", **more: Any) -> Answer:
    return Answer(code, True, "Posted as 17.", number="17", internal="46", posted_on=date(2026, 3, 2), **more)


def transfer(bench: Any, key: str) -> None:
    source = bench.connection.source(Invoice)
    source.acknowledge(key)
    source.answer(key, ok())
    bench.later(2)
    assert source.answered(key, None, ok()).outcome == "delivered"


def test_everything_that_waits_is_offered_whatever_the_pages(seeded: Any) -> None:
    world = seeded.world
    expected = {
        key
        for key, d in world.documents.items()
        if d.status == "WaitingForTransfer" and d.record["companyCode"] == "1000"
    }
    world.coding_rows_per_page = 5
    assert set(keys(seeded)) == expected and len(keys(seeded)) == len(expected)
    world.faults.append(Fault("empty_page", path="/v1/accountingDocuments", skip=2))
    assert len(expected) - 5 <= len(keys(seeded)) < len(expected), "a page without rows is not the last one"


def test_a_bare_array_is_a_list_too(seeded: Any) -> None:
    wrapped = keys(seeded)
    seeded.world.wrapped_lists = False
    assert keys(seeded) == wrapped


def test_a_page_loop_ends_the_reading(seeded: Any) -> None:
    seeded.world.coding_rows_per_page = 5
    seeded.world.faults.append(Fault("page_loop", path="/v1/accountingDocuments", times=-1))
    with pytest.raises(Transient, match=r"circle|twice"):
        keys(seeded)


def test_an_empty_list_is_no_error(bench: Any) -> None:
    assert keys(bench) == []


def test_documents_are_read_exactly(seeded: Any) -> None:
    source = seeded.connection.source(Invoice)
    for key in keys(seeded):
        wire = seeded.world.documents[key].record
        try:
            document = source.fetch(key)
        except Rejected as error:
            assert wire["invoiceNumber"][:40] in str(error) or "coding rows" in str(error)
            continue
        record = document.record
        assert document.standing == "offered"
        assert record.gross == wire["grossSum"] and str(record.gross) == str(wire["grossSum"])
        assert record.number == wire["invoiceNumber"] and record.supplier == wire["supplierCode"]
        assert sum(row.net or 0 for row in record.rows) == sum(r.get("netTotal") or 0 for r in wire["codingRows"])


def test_a_document_that_is_gone_says_so(seeded: Any) -> None:
    key = good(seeded)
    del seeded.world.documents[key]
    assert seeded.connection.source(Invoice).fetch(key).standing == "gone"


def test_acknowledging_twice_is_no_error_and_a_removed_one_is_read_anew(seeded: Any) -> None:
    key, source = good(seeded), seeded.connection.source(Invoice)
    source.acknowledge(key)
    source.acknowledge(key)
    assert source.fetch(key).standing == "acknowledged"
    assert source.taken() == [key] and key not in keys(seeded)
    seeded.world.documents[key].record["processingStatus"] = "Removed"
    with pytest.raises(Transient, match="Removed"):
        source.acknowledge(key)


def test_an_answer_is_confirmed_and_not_given_twice(seeded: Any) -> None:
    key, source = good(seeded), seeded.connection.source(Invoice)
    seeded.world.documents[key].record["paymentBlock"] = True
    source.acknowledge(key)
    token = source.answer(key, ok())
    assert token and source.answered(key, token, ok()) is None
    assert source.answer(key, ok()) == token, "a repeat finds the first one under way"
    seeded.later(2)
    assert source.answered(key, token, ok()).outcome == "delivered"
    assert source.answer(key, ok()) is None
    document = seeded.world.documents[key]
    assert len(document.answers["transferResponses"]) == 1
    assert (document.record["voucherNumber1"], document.record["voucherNumber2"]) == ("17", "46")
    assert document.record["paymentBlock"] is True, "an answer must not lift the block"


@pytest.mark.parametrize("kind", ["act_then_drop", "truncated", "drop"])
def test_an_answer_in_doubt_is_looked_for(seeded: Any, kind: str) -> None:
    key, source = good(seeded), seeded.connection.source(Invoice)
    seeded.world.faults.append(Fault(kind, path=".*/transferResponses", method="POST"))
    source.acknowledge(key)
    try:
        source.answer(key, ok())
    except Transient:
        source.answer(key, ok())
    seeded.later(2)
    assert source.answered(key, None, ok()).outcome == "delivered"
    assert len(seeded.world.documents[key].answers["transferResponses"]) == 1


def test_a_refusal_is_told_and_a_new_attempt_is_possible(seeded: Any) -> None:
    key, source = good(seeded), seeded.connection.source(Invoice)
    bad = Answer("refused.0.2026", False, "x" * 400)
    source.acknowledge(key)
    token = source.answer(key, bad)
    seeded.later(2)
    assert source.answered(key, token, bad).outcome == "delivered"
    assert source.fetch(key).standing == "refused"
    seeded.world.documents[key].record["processingStatus"] = "WaitingForTransfer"
    assert key in keys(seeded) and source.answered(key, token, bad).outcome == "delivered"
    transfer(seeded, key)


def test_an_answer_that_basware_does_not_import_is_told(seeded: Any) -> None:
    key, source = good(seeded), seeded.connection.source(Invoice)
    seeded.world.forced.append(ForcedVerdict("TransferResponse", "Error", "voucher is closed"))
    source.acknowledge(key)
    token = source.answer(key, ok())
    seeded.later(2)
    said = source.answered(key, token, ok())
    assert said.outcome == "rejected" and "voucher is closed" in said.reason
    token = source.answer(key, ok("transferred.1"))
    seeded.later(2)
    assert source.answered(key, token, ok("transferred.1")).outcome == "delivered"


# ── payments ────────────────────────────────────────────────────────────────────────────────────────────────────


def payment(paid: str, **more: Any) -> Payment:
    given: dict[str, Any] = {
        "invoice": "46",
        "number": "P1",
        "amount": Decimal("10.00"),
        "currency": "EUR",
        "document": paid,
        "paid_total": Decimal("10.00"),
        "paid_on": date(2026, 3, 2),
        **more,
    }
    return Payment(**{"key": "9~46", **given})


def pay(bench: Any, record: Payment) -> Any:
    target = bench.connection.target(Payment)
    prepared = target.prepare(record, bench.codes)
    assert target.look(prepared) == []
    found = target.send(prepared)
    assert target.read_back(found).number == record.number
    assert target.look(prepared)[0].ours
    return prepared


def euro(bench: Any) -> str:
    key = good(bench)
    bench.world.documents[key].record["currencyCode"] = "EUR"
    transfer(bench, key)
    return key


def test_a_payment_keeps_what_it_does_not_set(seeded: Any) -> None:
    key = euro(seeded)
    record = seeded.world.documents[key].record
    record |= {"paymentBlock": True, "paymentTermCode": "N30", "paymentMethod": "SEPA", "paymentMessage": "hello"}
    prepared = pay(seeded, payment(key))
    assert record["paymentBlock"] is True and record["paymentTermCode"] == "N30" and record["paymentMethod"] == "SEPA"
    assert record["paymentMessage"] == "hello"
    assert seeded.world.documents[key].payment["paidTotal"] == Decimal("10.00")
    assert prepared.amount == Decimal("10.00")


def test_a_payment_without_a_reference_carries_no_other_payments(seeded: Any) -> None:
    key = euro(seeded)
    record, told = seeded.world.documents[key].record, {}
    given = (("P1", "10.00", "ACH-102"), ("P2", "20.00", None), ("P3", "30.00", "ACH-104"), ("P4", "40.00", None))
    for number, total, reference in given:
        paid = {"key": f"{number}~46", "number": number, "paid_total": Decimal(total), "reference": reference}
        told[number] = pay(seeded, payment(key, **paid)).body.get("paymentMessage")
        assert record.get("paymentMessage") == reference
    assert told == {"P1": "ACH-102", "P2": None, "P3": "ACH-104", "P4": None}


def test_the_reference_of_a_cancelled_payment_does_not_survive(seeded: Any) -> None:
    key = euro(seeded)
    pay(seeded, payment(key, reference="ACH-102"))
    assert seeded.world.documents[key].record["paymentMessage"] == "ACH-102"
    pay(seeded, payment(key, reference="ACH-102", paid_total=Decimal(0), cancelled=True))
    assert "paymentMessage" not in seeded.world.documents[key].record


def test_a_message_that_is_the_invoices_own_outlives_payments_without_a_reference(seeded: Any) -> None:
    key = euro(seeded)
    record = seeded.world.documents[key].record
    record["paymentMessage"] = "hello"
    pay(seeded, payment(key))
    pay(seeded, payment(key, key="P2~46", number="P2", paid_total=Decimal("20.00")))
    assert record["paymentMessage"] == "hello"
    pay(seeded, payment(key, key="P3~46", number="P3", paid_total=Decimal("30.00"), reference="ACH-3"))
    record["paymentMessage"] = "written by hand since"
    pay(seeded, payment(key, key="P4~46", number="P4", paid_total=Decimal("40.00")))
    assert record["paymentMessage"] == "written by hand since"


def test_part_payments_and_a_cancellation_are_responses_of_their_own(seeded: Any) -> None:
    key = euro(seeded)
    gross = seeded.world.documents[key].record["grossSum"]
    pay(seeded, payment(key))
    pay(seeded, payment(key, number="P2", amount=gross - 10, paid_total=gross))
    assert seeded.world.documents[key].status == "Paid"
    pay(seeded, payment(key, number="P2", amount=gross - 10, paid_total=Decimal("10.00"), cancelled=True))
    assert seeded.world.documents[key].payment["paymentReversalDocument"] == "P2"
    assert len(seeded.world.documents[key].answers["paymentResponses"]) == 3


def test_a_payment_of_an_invoice_not_yet_transferred_waits(seeded: Any) -> None:
    key, target = good(seeded), seeded.connection.target(Payment)
    for record in (payment(key), payment("no-such-document"), payment(key, document=None)):
        with pytest.raises(Held) as caught:
            target.prepare(record, seeded.codes)
        assert caught.value.waiting_for == "lookup:9~46"


def test_a_payment_in_doubt_is_found_again(seeded: Any) -> None:
    key, target = euro(seeded), seeded.connection.target(Payment)
    seeded.world.faults.append(Fault("act_then_drop", path=".*/paymentResponses", method="POST"))
    prepared = target.prepare(payment(key), seeded.codes)
    with pytest.raises(OutcomeUnknown):
        target.send(prepared)
    target.read_back(target.send(prepared))
    assert len(seeded.world.documents[key].answers["paymentResponses"]) == 1


def test_a_payment_that_p2p_refuses_is_rejected(seeded: Any) -> None:
    key, target = euro(seeded), seeded.connection.target(Payment)
    seeded.world.forced.append(ForcedVerdict("PaymentResponse", "Error", "period closed"))
    found = target.send(target.prepare(payment(key), seeded.codes))
    with pytest.raises(Rejected, match="period closed"):
        target.read_back(found)


# ── ping, notifications ─────────────────────────────────────────────────────────────────────────────────────────


def test_ping_says_what_works(seeded: Any) -> None:
    checks = list(seeded.connection.ping())
    assert [c.what for c in checks] == [
        "region",
        "login",
        "rights",
        "vendors",
        "accounts",
        "costCenters",
        "matchingOrders",
        "matchingOrderLines",
        "accountingDocuments",
        "requestStatus",
        "companies",
        "webhook",
    ]
    assert all(c.ok for c in checks), checks


def test_ping_says_how_to_mend_a_login(make: Any) -> None:
    from infra.sandbox.basware import World

    bench = make(World(), client_secret="wrong-secret")
    checks = list(bench.connection.ping())
    assert not checks[-1].ok and "client_secret" in checks[-1].detail and "wrong-secret" not in checks[-1].detail


def test_notifications_are_subscribed_once(make: Any) -> None:
    from infra.sandbox.basware import World

    url = "https://hooks.example.com/webhooks/basware/acme"
    bench = make(World(), webhook_url=url, webhook_secret="schlüssel-ö")
    assert any(c.what == "webhook" and c.warning and "not subscribed" in c.detail for c in bench.connection.ping())
    assert len(bench.connection.subscribe()) == 1
    assert bench.connection.subscribe() == []
    assert {s["notificationWebhookURL"] for s in bench.world.subscriptions} == {url}
    for kept in bench.world.subscriptions:
        kept["webhookAuthenticationToken"] = "another"
    assert len(bench.connection.subscribe()) == 1 and len(bench.world.subscriptions) == 1


def test_a_webhook_that_cannot_be_reached_is_explained_without_the_secret(make: Any) -> None:
    from infra.sandbox.basware import World

    bench = make(World(deliver=lambda _: 500), webhook_url="https://h.example.com/x", webhook_secret="top-secret-1")
    with pytest.raises(Rejected, match="reached from the internet") as caught:
        bench.connection.subscribe()
    assert "top-secret-1" not in str(caught.value)


def test_every_request_carries_an_id_of_its_own_and_no_redirect_the_token(seeded: Any) -> None:
    keys(seeded)
    log = list(seeded.world.log)
    ids = [{k.lower(): v for k, v in one.headers.items()}["x-bw-request-id"] for one in log]
    assert len(ids) == len(set(ids))
    for one in log:
        if one.path.startswith("/_documents"):
            assert "authorization" not in {k.lower() for k in one.headers}

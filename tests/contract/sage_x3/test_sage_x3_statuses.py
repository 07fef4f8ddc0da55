"""How far an invoice has come at AvidXchange, written to the simulated Sage X3, and its payment stopped there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sage_x3 import back_office
from ml_connector.errors import Held, Misconfigured, NotOurs
from ml_connector.flow import Found
from ml_connector.records import InvoiceStatus
from tests.contract.sage_x3.conftest import Maker
from tests.contract.sage_x3.posting import Codes
from tests.contract.sage_x3.submitting import WRITABLE, enter, item, opened, prepared, status, target, ways, write

FIELD: dict[str, Any] = {"invoice_status_field": "YAPSTA"}
STOPPED, FREE = 3, 4


def shown(bench: Any, number: str) -> str:
    return str(bench.world.find("PINVOICE", number)["YAPSTA"]).strip()


@ways
@pytest.mark.parametrize("word", ["received", "approved", "rejected", "paid"])
def test_a_status_is_written_to_the_invoice(make: Maker, way: str, word: str) -> None:
    bench = opened(make, way, **FIELD)
    row = enter(bench)
    back = write(bench, status(row, word))
    assert shown(bench, row["NUM"]) == word and back.written == {"status": word} and back.number == row["NUM"]
    assert item(bench, row["NUM"])["FLGPAZ"] == FREE, "nobody asked for a stop"


def test_the_next_status_takes_the_place_of_the_last(make: Maker) -> None:
    bench = opened(make, **FIELD)
    row = enter(bench)
    write(bench, status(row, "received"))
    write(bench, status(row, "approved"))
    assert shown(bench, row["NUM"]) == "approved"


def test_without_a_field_a_status_is_in_the_audit_trail_alone(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench)
    before = dict(bench.world.find("PINVOICE", row["NUM"]))
    one = prepared(bench, status(row, "approved", said="Ready"))
    there = target(bench, InvoiceStatus)
    back = there.read_back(there.send(one))
    assert bench.world.find("PINVOICE", row["NUM"]) == before
    assert "approved ('Ready')" in one.notes[0] and "audit" in back.notes[0]


@ways
@pytest.mark.parametrize("word", ["received", "approved"])
def test_a_submitted_invoice_is_kept_from_x3s_own_payment_run(make: Maker, way: str, word: str) -> None:
    bench = opened(make, way, hold_in_x3=True)
    row = enter(bench)
    back = write(bench, status(row, word))
    assert item(bench, row["NUM"])["FLGPAZ"] == STOPPED and back.written == {"payment": "stopped"}


@pytest.mark.parametrize("level", [1, 2, 3])
def test_what_people_stopped_stays_as_they_set_it(make: Maker, level: int) -> None:
    bench = opened(make, hold_in_x3=True)
    row = enter(bench)
    bench.world.change("GACCDUDATE", item(bench, row["NUM"]), {"FLGPAZ": level})
    assert len(target(bench, InvoiceStatus).look(prepared(bench, status(row, "approved")))) == 1
    assert item(bench, row["NUM"])["FLGPAZ"] == level


@pytest.mark.parametrize("more", [{}, FIELD])
def test_a_rejected_invoice_stays_stopped_and_waits_for_a_person(make: Maker, more: dict[str, Any]) -> None:
    bench = opened(make, hold_in_x3=True, **more)
    row = enter(bench)
    one = prepared(bench, status(row, "rejected"))
    for _ in range(2):
        assert target(bench, InvoiceStatus).look(one) == []
        with pytest.raises(Held, match="rejected invoice") as caught:
            target(bench, InvoiceStatus).send(one)
        assert caught.value.waiting_for == f"conflict:{row['NUM']}"
    assert item(bench, row["NUM"])["FLGPAZ"] == STOPPED and shown(bench, row["NUM"]) == ("rejected" if more else "")
    named = target(bench, InvoiceStatus).numbered(row["NUM"], one)
    assert [found.number for found in named] == [row["NUM"]], "a person says that it is settled"
    back_office.reverse(bench.world, "PIINV", row["NUM"])
    assert len(target(bench, InvoiceStatus).look(one)) == 1, "it was taken back in X3"


def test_a_paid_invoice_is_not_stopped(make: Maker) -> None:
    bench = opened(make, hold_in_x3=True)
    row = enter(bench)
    back_office.pay(bench.world, row["NUM"], Decimal("119.00"))
    there, one = target(bench, InvoiceStatus), prepared(bench, status(row, "paid"))
    there.read_back(there.send(one))
    assert item(bench, row["NUM"])["FLGPAZ"] == FREE


def test_statuses_of_other_peoples_invoices_are_none_of_ours(make: Maker) -> None:
    with pytest.raises(NotOurs):
        prepared(opened(make), status(None, "approved"))


def test_a_word_that_nobody_mapped_waits(make: Maker) -> None:
    bench = opened(make)
    with pytest.raises(Held, match=r"profile\.status"):
        prepared(bench, status(enter(bench), None, said="In Limbo"))


def test_codes_that_come_back_are_checked_in_the_ledger(make: Maker) -> None:
    bench = opened(make)
    row, codes = enter(bench), Codes()
    codes.mapped["account", "6100"] = "400001"
    prepared(bench, status(row, "approved", accounts=("6100", "400002")), codes)
    with pytest.raises(Held, match="no active account 6999") as caught:
        prepared(bench, status(row, "approved", accounts=("6999",)), codes)
    assert caught.value.waiting_for == "account:6999"
    codes.missing.add(("account", "7000"))
    with pytest.raises(Held):
        prepared(bench, status(row, "approved", accounts=("7000",)), codes)


@pytest.mark.parametrize(("entity", "more"), [("open_item", {"hold_in_x3": True}), ("supplier_invoice", FIELD)])
def test_a_representation_that_cannot_be_changed_is_an_error_of_the_settings(
    make: Maker, entity: str, more: dict[str, Any]
) -> None:
    bench = opened(make, classes={name: one for name, one in WRITABLE.items() if name != entity}, **more)
    one = prepared(bench, status(enter(bench), "approved"))
    with pytest.raises(Misconfigured, match=rf"classes\.{entity}"):
        target(bench, InvoiceStatus).send(one)


def test_a_level_that_the_user_may_not_set_is_an_error_of_the_settings(make: Maker) -> None:
    bench = opened(make, hold_in_x3=True)
    bench.world.user_pay_level = 2
    one = prepared(bench, status(enter(bench), "approved"))
    with pytest.raises(Misconfigured, match="level"):
        target(bench, InvoiceStatus).send(one)


def test_a_field_that_is_not_shown_is_an_error_of_the_settings(make: Maker) -> None:
    bench = opened(make, invoice_status_field="YNONE")
    with pytest.raises(Misconfigured, match="YNONE"):
        target(bench, InvoiceStatus).look(prepared(bench, status(enter(bench), "approved")))


def test_it_always_stands(make: Maker) -> None:
    bench = opened(make)
    assert target(bench, InvoiceStatus).stands(Found("X", "X")) and target(bench, InvoiceStatus).recent() == []


@pytest.mark.parametrize("way", ["api1", "soap"])
def test_ping_proves_what_will_be_written_and_writes_nothing(make: Maker, way: str) -> None:
    flows = ("vendors", "accounts", "supplier_invoices", "invoice_status", "payments")
    bench = opened(make, way, flows=flows, hold_in_x3=True, **FIELD)
    before = {table: list(bench.world.rows(table)) for table in ("PINVOICE", "GACCDUDATE", "PAYMENTH")}
    found = {one.what: one for one in bench.connection.ping()}
    assert all(one.ok for one in found.values()), [one for one in found.values() if not one.ok]
    assert {"entering payments", "'invoice_status_field'", "'hold_in_x3'"} <= found.keys()
    assert before == {table: list(bench.world.rows(table)) for table in before}
    bare = opened(make, flows=flows, hold_in_x3=True, classes={}, payment=None, **FIELD)
    wrong = {one.what: one.detail for one in bare.connection.ping() if not one.ok}
    assert wrong.keys() == {"entering payments", "'invoice_status_field'", "'hold_in_x3'"}
    assert (
        "classes.open_item.representation" in wrong["'hold_in_x3'"]
        and "'payment' is missing" in wrong["entering payments"]
    )
    graph = {one.what: one for one in opened(make, api="graphql", flows=flows).connection.ping()}
    assert (
        graph["coding of supplier invoices"].warning
        and "journal entries" in graph["coding of supplier invoices"].detail
    )

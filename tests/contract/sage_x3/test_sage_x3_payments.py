"""Payments of AvidXchange, entered on the open items of the simulated Sage X3 by each way of writing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.sage_x3 import back_office
from ml_connector.errors import Held, Misconfigured, NotOurs, OutcomeUnknown, Rejected
from ml_connector.flow import Found
from ml_connector.records import Payment
from tests.contract.conformance.wire import acted, breaks
from tests.contract.sage_x3.conftest import Bench, Maker
from tests.contract.sage_x3.posting import Codes
from tests.contract.sage_x3.submitting import WRITABLE, enter, item, opened, paid, prepared, rows, target, ways, write

LINKED = {"payments": date(2026, 1, 1)}


def ours(bench: Bench) -> list[dict[str, Any]]:
    """The payments that were entered from here."""
    return [row for row in rows(bench, "PAYMENTH") if row["CHQNUM"] == "77120"]


@ways
def test_a_payment_is_entered_once_and_told_as_entered_until_it_is_posted(make: Maker, way: str) -> None:
    bench = opened(make, way)
    row = enter(bench)
    back = write(bench, paid(row))
    assert (back.amount, back.currency, back.ours) == (Decimal("119.00"), "EUR", True)
    assert any("entered, not posted" in note for note in back.notes)
    assert (item(bench, row["NUM"])["TMPCUR"], item(bench, row["NUM"])["PAYCUR"]) == (119, 0)
    made = next(one for one in rows(bench, "PAYMENTH") if one["NUM"] == back.number)
    assert (made["CHQNUM"], made["ACCDAT"], made["PAYTYP"]) == ("77120", date(2026, 2, 9), "VIRMT")
    back_office.post_payment(bench.world, back.number)
    again = target(bench, Payment).read_back(Found(back.id, back.number))
    assert again.state == "posted" and not again.notes and item(bench, row["NUM"])["FLGCLE"] == 2


def test_a_type_that_needs_approval_is_imported_unapproved(make: Maker) -> None:
    """The approval of a file is 1 for yes: the reverse of the local menu."""
    bench = opened(make, "soap", payment={"type": "VIRAP", "bank": "BNK01"})
    back = write(bench, paid(enter(bench)))
    assert next(one for one in rows(bench, "PAYMENTH") if one["NUM"] == back.number)["APPFLG"] == 1


@ways
def test_an_unknown_outcome_is_found_and_never_sent_again(make: Maker, way: str) -> None:
    bench = opened(make, way)
    row, where = enter(bench), "CAdxWebService" if way == "soap" else "PAYMENTH"
    one = prepared(bench, paid(row))
    bench.wire.spoil(acted(breaks(httpx.ReadTimeout)), lambda r: r.method == "POST" and where in r.url.path, times=1)
    with pytest.raises(OutcomeUnknown):
        target(bench, Payment).send(one)
    found = target(bench, Payment).look(one)
    assert [there.ours for there in found] == [True] and len(ours(bench)) == 1


def test_a_template_that_drops_our_key_is_told_by_what_came_and_what_grew(make: Maker) -> None:
    bench = opened(make, "soap")
    bench.world.not_entered = {"DES"}
    row = enter(bench)
    one = prepared(bench, paid(row))
    found = target(bench, Payment).send(one)
    assert not found.ours and item(bench, row["NUM"])["TMPCUR"] == 119
    assert [there.id for there in target(bench, Payment).look(one)] == [found.id]


@ways
def test_another_payment_of_the_same_invoice_is_not_taken_for_ours(make: Maker, way: str) -> None:
    bench = opened(make, way)
    row = enter(bench)
    back_office.pay(bench.world, row["NUM"], Decimal("19.00"))
    one = prepared(bench, paid(row, "100.00"))
    assert target(bench, Payment).look(one) == []
    back = write(bench, paid(row, "100.00"))
    assert back.ours and back.amount == 100


def test_what_x3_paid_itself_is_held_and_not_paid_again(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench)
    back_office.pay(bench.world, row["NUM"], Decimal("100.00"))
    one = prepared(bench, paid(row))
    with pytest.raises(Held, match="paid twice") as caught:
        target(bench, Payment).send(one)
    assert caught.value.waiting_for == "conflict:901~1" and not ours(bench)


def test_a_payment_whose_item_does_not_show_it_is_no_proof(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench)
    one = prepared(bench, paid(row))
    found = target(bench, Payment).send(one)
    bench.world.change("GACCDUDATE", item(bench, row["NUM"]), {"TMPCUR": Decimal(0)})
    with pytest.raises(Held, match="does not show") as caught:
        target(bench, Payment).read_back(found)
    assert caught.value.waiting_for == f"conflict:{found.number}"


@ways
@pytest.mark.parametrize("posted", [False, True])
def test_a_void_after_it_was_entered_is_held_and_nothing_negative_is_sent(make: Maker, way: str, posted: bool) -> None:
    bench = opened(make, way)
    row = enter(bench)
    back = write(bench, paid(row))
    if posted:
        back_office.post_payment(bench.world, back.number)
    count = len(ours(bench))
    void = paid(row, cancelled=True, state="cancelled", said="Void")
    with pytest.raises(Held, match="'Void' in AvidXchange") as caught:
        prepared(bench, void)
    assert caught.value.waiting_for == f"conflict:{back.number}"
    with pytest.raises(Held, match="'Void' in AvidXchange"):
        target(bench, Payment).trace(void, Codes())
    assert len(ours(bench)) == count
    back_office.void_payment(bench.world, back.number)
    live, one = target(bench, Payment), prepared(bench, void)
    assert one.body == {} and live.update(back.id, one)
    assert live.read_back(Found(back.id, back.number)).state == "posted", "both ends agree"
    assert not live.stands(Found(back.id, back.number))
    assert target(bench, Payment).read_back(Found(back.id, back.number)).state == "cancelled"


def test_what_was_taken_back_before_it_was_entered_is_never_entered(make: Maker) -> None:
    bench = opened(make)
    one = prepared(bench, paid(enter(bench), cancelled=True, state="failed", said="Error"))
    with pytest.raises(NotOurs):
        target(bench, Payment).send(one)
    assert not ours(bench)


def test_a_payment_that_is_made_again_is_for_a_person(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench)
    back = write(bench, paid(row))
    assert prepared(bench, paid(row)).version == prepared(bench, paid(row, reference="77121")).version, "reissued"
    with pytest.raises(Held, match="enter this one from scratch"):
        target(bench, Payment).update(back.id, prepared(bench, paid(row)))


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"state": None, "said": "Escheated"}, Held, "profile.payment_states"),
        ({"discount": Decimal(2)}, Held, "discount"),
        ({"amount": Decimal(-5)}, Held, "no negative payment"),
        ({"amount": Decimal(0)}, Rejected, "without an amount"),
        ({"currency": "USD"}, Held, "not in EUR"),
        ({"document": "NOWHERE"}, Held, "does not show"),
    ],
)
def test_what_cannot_be_entered_as_it_is_waits_in_words(
    make: Maker, fields: dict[str, Any], error: type[Exception], said: str
) -> None:
    bench = opened(make)
    with pytest.raises(error, match=said):
        prepared(bench, paid(enter(bench), **fields))
    assert not ours(bench)


def test_an_invoice_that_we_never_delivered_is_linked_by_number_and_supplier_and_only_with_a_start_date(
    make: Maker,
) -> None:
    bench = opened(make, starts=LINKED)
    row, other = enter(bench), enter(bench, supplier="V10001")
    one = prepared(bench, paid(row, document=None))
    assert one.lookup["document"] == row["NUM"] != other["NUM"]
    for fields in ({"invoice_number": "ELSE"}, {"supplier": "V10002"}, {"supplier": None}, {"invoice_number": None}):
        with pytest.raises(NotOurs):
            prepared(bench, paid(row, document=None, **fields))
    enter(bench)
    with pytest.raises(Held, match="2 invoices"):
        prepared(bench, paid(row, document=None))
    plain = opened(make)
    with pytest.raises(NotOurs):
        prepared(plain, paid(enter(plain), document=None))


@ways
def test_what_x3_refuses_is_told_in_its_words(make: Maker, way: str) -> None:
    bench = opened(make, way, payment={"type": "NONE", "bank": "BNK01"})
    with pytest.raises((Held, Rejected, OutcomeUnknown), match="Payment type NONE"):
        target(bench, Payment).send(prepared(bench, paid(enter(bench))))
    assert not ours(bench)


def test_without_payment_settings_the_flow_cannot_run_and_says_which_field_is_missing(make: Maker) -> None:
    bench = opened(make, payment=None)
    with pytest.raises(Misconfigured, match="'payment' is missing"):
        target(bench, Payment)
    bench = opened(make, "soap", soap={"url": "https://x3.example", "pool_alias": "WSPOOL"})
    with pytest.raises(Misconfigured, match=r"soap\.templates\.payment"):
        target(bench, Payment)


def test_graphql_alone_reads_no_payments_and_says_so(make: Maker) -> None:
    bench = opened(make, api="graphql", write_via="graphql")
    row = enter(bench)
    with pytest.raises(Misconfigured, match="set 'api' to api1"):
        target(bench, Payment).look(prepared(bench, paid(row)))


def test_a_class_that_takes_no_payments_is_the_flows_error(make: Maker) -> None:
    bench = opened(make, classes={**WRITABLE, "payment": {"representation": "PAYMENTH"}})
    with pytest.raises(Misconfigured, match=r"classes\.payment"):
        target(bench, Payment).send(prepared(bench, paid(enter(bench))))


def test_payments_of_ours_are_listed_after_a_restore(make: Maker) -> None:
    bench = opened(make)
    back = write(bench, paid(enter(bench)))
    back_office.pay(bench.world, enter(bench, source="INV-2")["NUM"])
    one = prepared(bench, paid(enter(bench, source="INV-3")))
    assert [there.id for there in target(bench, Payment).recent()] == [back.id]
    assert [there.id for there in target(bench, Payment).numbered(back.number, one)] == [back.id]

"""Payments out of AvidXchange: whole days, one record for each invoice, and never more than it says."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest

from ml_connector.errors import Held, Transient
from ml_connector.flow import Document, DocumentPage
from ml_connector.records import Payment
from ml_connector.systems.avidxchange.payments import Payments
from ml_connector.systems.kit.remittances import decided
from tests.unit.avidxchange.conftest import Account

PATH = "/apis/payments"


def source(account: Account, start: date | None = None) -> Payments:
    return Payments(account.connect().client, start)


def row(number: int = 901, state: str = "Cleared", **other: Any) -> dict[str, Any]:
    applied = {"invoiceNumber": "INV-7731", "externalId": "BISFAC-1-abc", "amountApplied": "250.00"}
    found = {"id": str(number), "paymentDate": "2026-02-03", "amount": "250.00", "method": "Check", "state": state}
    return {**found, "checkNumber": "77120", "vendorExternalCode": "V10000|2", "invoices": [applied], **other}


def page(*rows: dict[str, Any], **paging: Any) -> dict[str, Any]:
    return {"items": list(rows), "paging": {"pageNumber": 1, "pages": 1, "totalItems": len(rows), **paging}}


def pages(account: Account, since: str | None = None, position: str | None = None) -> list[DocumentPage]:
    return list(source(account).list_documents(since, position))


def windows(account: Account) -> list[tuple[str, str]]:
    return [(one.url.params["modifiedFrom"], one.url.params["modifiedTo"]) for one in account.asked("GET", PATH)]


def keys(found: list[DocumentPage]) -> list[str]:
    return [one.key for some in found for one in some.documents]


# ── windows of days ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_last_day_seen_and_the_one_before_are_read_again(account: Account) -> None:
    account.on("GET", PATH, page())
    assert pages(account, "2026-02-09")[-1].stamp == "2026-02-10"
    assert windows(account) == [("2026-02-08", "2026-02-10")]


def test_a_long_pause_is_read_in_windows_that_share_a_day(account: Account) -> None:
    account.on("GET", PATH, page())
    found = pages(account, "2025-12-01")
    asked = windows(account)
    assert asked[0][0] == "2025-11-30" and asked[-1][1] == "2026-02-10"
    days = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in asked]
    assert all(last - first <= timedelta(days=29) for first, last in days)
    assert all(before[1] == after[0] for before, after in pairwise(days))
    assert [one.stamp for one in found if one.stamp] == ["2026-02-10"] and found[-1].position is None


def test_the_mark_moves_only_behind_the_last_window(account: Account) -> None:
    account.on("GET", PATH, page(row()), httpx.Response(500, text="oops"))
    given = list[DocumentPage]()
    with pytest.raises(Transient):
        given.extend(source(account).list_documents("2025-12-01", None))
    assert keys(given) == ["901~INV-7731"]
    assert all(one.stamp is None for one in given)


def test_a_reading_that_broke_off_begins_its_window_again(account: Account) -> None:
    account.on("GET", PATH, page())
    pages(account, "2025-12-01", "2026-01-27")
    assert windows(account) == [("2026-01-27", "2026-02-10")]


def test_the_mark_never_lies_ahead_of_the_servers_own_day(account: Account) -> None:
    account.on("GET", PATH, httpx.Response(200, headers={"Date": "Mon, 09 Feb 2026 23:00:00 GMT"}, json=page()))
    assert pages(account, "2026-02-08")[-1].stamp == "2026-02-09"


@pytest.mark.parametrize(
    ("start", "first"), [(None, "2026-01-12"), (date(2026, 2, 1), "2026-02-01"), (date(2020, 1, 1), "2025-02-09")]
)
def test_the_first_reading_pays_no_past(account: Account, start: date | None, first: str) -> None:
    account.on("GET", PATH, page())
    list(source(account, start).list_documents(None, None))
    assert windows(account)[0][0] == first


def test_a_payment_that_is_in_two_windows_or_pages_is_given_once(account: Account) -> None:
    account.on("GET", PATH, page(row()))
    assert keys(pages(account, "2025-12-01")) == ["901~INV-7731"]


def test_a_server_that_knows_one_stamp_only_is_asked_once(account: Account) -> None:
    filters = {"modified_from": None, "modified_to": None, "modified_since": "modifiedSince", "format": "datetime"}
    account.secret["profile"] = {"filters": filters}
    account.on("GET", PATH, page())
    pages(account, "2025-12-01")
    (asked,) = account.asked("GET", PATH)
    assert asked.url.params["modifiedSince"] == "2025-11-30T00:00:00"


# ── what they say ───────────────────────────────────────────────────────────────────────────────────────────────


def test_one_record_for_each_invoice_net(account: Account) -> None:
    parts = [
        {"invoiceNumber": "A", "gross": "100.00", "discount": "2.00"},
        {"invoiceNumber": "B", "amountApplied": "49.50", "gross": "50.00"},
        {"invoiceNumber": "B", "amountApplied": "10.00"},
        {"invoiceNumber": "C", "amountApplied": "-5.00"},
    ]
    account.on("GET", PATH, page(row(invoices=parts)))
    account.on("GET", f"{PATH}/901", row(invoices=parts))
    assert keys(pages(account)) == ["901~A", "901~B", "901~C"]
    made = [source(account).fetch(f"901~{name}").record for name in "ABC"]
    amounts = [(one.amount, one.discount) for one in made if one is not None]
    assert amounts == [(Decimal(98), Decimal(2)), (Decimal("59.50"), Decimal("0.50")), (Decimal(-5), None)]


def fetch(account: Account, **other: Any) -> Document[Payment]:
    account.on("GET", f"{PATH}/901", row(**other))
    return source(account).fetch("901~INV-7731")


def test_a_payment_as_it_is_now(account: Account) -> None:
    document = fetch(account, clearedDate="2026-02-08")
    record = document.record
    assert record is not None
    assert (record.amount, record.reference, record.paid_on) == (Decimal("250.00"), "77120", date(2026, 2, 3))
    assert (record.supplier, record.invoice_number, record.state) == ("V10000", "INV-7731", "paid")
    assert record.said == "Cleared, cleared 2026-02-08" and not record.cancelled and not document.void
    assert document.refers == ("own:BISFAC-1-abc", "~invoice~v10000~inv-7731")


@pytest.mark.parametrize(
    ("state", "ours", "void"),
    [
        ("Issued to Supplier", "in_flight", True),
        ("Error", "failed", True),
        ("void", "cancelled", True),
        (" Returned ", "failed", True),
        ("CLEARED", "paid", False),
        ("Reconsidered", None, False),
    ],
)
def test_only_what_is_cleared_is_paid(account: Account, state: str, ours: str | None, void: bool) -> None:
    account.on("GET", PATH, page(row(state=state)))
    (listed,) = [one for some in pages(account) for one in some.documents]
    record = fetch(account, state=state).record
    assert record is not None
    assert (record.state, record.cancelled, listed.void) == (ours, ours != "paid", void)


def test_a_state_that_nobody_mapped_holds_a_payment_of_ours_and_is_never_paid(account: Account) -> None:
    record = fetch(account, state="Reconsidered").record
    assert record is not None
    with pytest.raises(Held, match="Reconsidered"):
        decided(record)


@pytest.mark.parametrize("change", [{"state": "Void"}, {"checkNumber": "77121"}])
def test_a_change_shows_in_the_stamp(account: Account, change: dict[str, Any]) -> None:
    """A reissue keeps the payment's id and has another check number: the same record."""
    before = fetch(account)
    after = fetch(account, **change)
    assert before.stamp != after.stamp and before.record is not None and after.record is not None
    assert before.record.key == after.record.key


def test_a_payment_of_no_invoice_belongs_to_nobody(account: Account) -> None:
    account.on("GET", PATH, page(row(invoices=None)))
    (listed,) = [one for some in pages(account) for one in some.documents]
    assert (listed.key, listed.void) == ("901", True)


@pytest.mark.parametrize(
    "bad",
    [
        {"id": None},
        {"invoices": [{"invoiceNumber": "A"}, {"invoiceNumber": "B"}]},
        {"invoices": [{"amountApplied": "1.00"}]},
        {"invoices": [{"invoiceNumber": "A", "amountApplied": "plenty"}]},
        {"invoices": [{"invoiceNumber": "A", "amountApplied": "NaN"}]},
    ],
)
def test_one_bad_payment_costs_only_itself(account: Account, bad: dict[str, Any]) -> None:
    account.on("GET", PATH, page(row(**bad), row(902)))
    found = pages(account)
    assert keys(found) == ["902~INV-7731"] and len([bad for some in found for bad in some.broken]) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html></html>"),
        httpx.Response(404, json={"fault": {"code": 900906, "message": "No matching resource found"}}),
        httpx.Response(200, json=row(902)),
        httpx.Response(500, json={"exception": {"detail": "Nullable object must have a value."}}),
    ],
)
def test_nothing_is_concluded_from_anybody_elses_answer(account: Account, answer: httpx.Response) -> None:
    account.on("GET", f"{PATH}/901", answer)
    with pytest.raises(Transient):
        source(account).fetch("901~INV-7731")


def test_a_payment_that_is_gone_or_applies_no_more(account: Account) -> None:
    account.on("GET", f"{PATH}/901", httpx.Response(404, json={"errors": [{"message": "Payment '901' was not found"}]}))
    assert source(account).fetch("901~INV-7731").standing == "gone"
    assert fetch(account, invoices=[{"invoiceNumber": "B", "amountApplied": "1"}]).standing == "gone"

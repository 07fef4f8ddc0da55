"""Outgoing payments, read from the simulated company in both dialects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sap_b1.payments import cancel_payment, post_payment
from ml_connector.errors import Rejected
from ml_connector.flow import ListedDocument
from ml_connector.records import Invoice, Payment
from ml_connector.systems.sap_b1 import payments

Apply = Callable[..., dict[str, Any]]


@pytest.fixture
def posted(bench: Any, invoice: Callable[..., Invoice], row: Callable[..., Any]) -> Any:
    """An invoice of 119.00 as the company has it."""
    return bench.post(invoice("119.00", row(net="100.00", tax="19.00", gross="119.00")))


@pytest.fixture
def pay(bench: Any, posted: Any) -> Apply:
    """Pay that invoice by one payment: amounts by instalment, in the order of the rows."""

    def pay_parts(*parts: tuple[int, str]) -> dict[str, Any]:
        lines = [
            {"DocEntry": posted["DocEntry"], "InvoiceType": "it_PurchaseInvoice", "InstallmentId": n, "SumApplied": a}
            for n, a in ((n, Decimal(a)) for n, a in parts)
        ]
        total = sum((line["SumApplied"] for line in lines), Decimal(0))
        body = {"CardCode": posted["CardCode"], "TransferAccount": "180000", "TransferSum": total}
        return post_payment(bench.world, {**body, "PaymentInvoices": lines})

    return pay_parts


def offers(bench: Any) -> list[ListedDocument]:
    return [o for page in bench.connection.source(Payment).list_documents(None, None) for o in page.documents]


def test_one_payment_of_two_instalments_is_one_record_of_their_sum(bench: Any, posted: Any, pay: Apply) -> None:
    paid = pay((2, "40.05"), (1, "60.00"))
    key = f"{paid['DocEntry']}~18~{posted['DocEntry']}~1"
    (offer,) = offers(bench)
    assert (offer.key, offer.stamp, offer.amount) == (key, "active:100.05", Decimal("100.05"))
    record = bench.connection.source(Payment).fetch(key).record
    assert (record.amount, record.paid_total) == (Decimal("100.05"), Decimal("100.05"))

    cancel_payment(bench.world, paid["DocEntry"])
    (offer,) = offers(bench)
    assert (offer.key, offer.void, offer.stamp) == (key, True, "cancelled:100.05")
    record = bench.connection.source(Payment).fetch(key).record
    assert (record.cancelled, record.amount, record.paid_total) == (True, Decimal("100.05"), Decimal(0))


def test_a_payment_of_one_instalment_keeps_its_key(bench: Any, posted: Any, pay: Apply) -> None:
    entries = [pay((1, "19.00"))["DocEntry"], pay((2, "50.00"))["DocEntry"]]
    keys = [f"{entry}~18~{posted['DocEntry']}~{n}" for n, entry in enumerate(entries, 1)]
    assert [(o.key, o.amount) for o in offers(bench)] == [(keys[0], Decimal(19)), (keys[1], Decimal(50))]
    assert [bench.connection.source(Payment).fetch(k).record.paid_total for k in keys] == [Decimal(69)] * 2


def test_the_second_instalment_of_a_payment_is_no_record_of_its_own(bench: Any, posted: Any, pay: Apply) -> None:
    paid = pay((1, "60.00"), (2, "40.05"))
    fetched = bench.connection.source(Payment).fetch(f"{paid['DocEntry']}~18~{posted['DocEntry']}~2")
    assert (fetched.record, fetched.standing) == (None, "gone") and "one record" in fetched.detail
    with pytest.raises(Rejected, match="no key of a payment"):
        bench.connection.source(Payment).fetch("7~18")


# ── from the last pass on ────────────────────────────────────────────────────────────────────────────────────


class Company:
    """A company with many payments of one invoice, each of one cent, and what is asked of it."""

    def __init__(self, bench: Any, pay: Apply, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(payments, "OVERLAP", 3)
        self.bench, self.pay, self.filters = bench, pay, list[str]()
        self.source = bench.connection.source(Payment)
        asked = self.source._layer.pages

        def pages(query: Any, position: str | None) -> Any:
            self.filters.append(query.where)
            return asked(query, position)

        self.source._layer.pages = pages
        self.entries = [self.paid() for _ in range(20)]

    def paid(self) -> int:
        return int(self.pay((1, "0.01"))["DocEntry"])

    def read(self, since: str | None, position: str | None = None) -> tuple[list[int], str | None]:
        """The payments that a pass lists, and its watermark."""
        self.filters.clear()
        pages = list(self.source.list_documents(since, position))
        found = [int(o.key.partition("~")[0]) for page in pages for o in page.documents]
        return found, max((page.stamp for page in pages if page.stamp), default=since)


@pytest.fixture
def company(bench: Any, pay: Apply, monkeypatch: pytest.MonkeyPatch) -> Company:
    return Company(bench, pay, monkeypatch)


def test_a_pass_lists_what_is_new_since_the_last_one(company: Company) -> None:
    everything, stamp = company.read(None)
    assert everything == company.entries and company.filters == [""]
    new = company.paid()
    found, later = company.read(stamp)
    assert found == [*company.entries[-3:], new], "with an overlap"
    assert int(str(later)) == new
    assert company.filters[0] == f"DocEntry gt {company.entries[-1] - 3}"
    assert company.read(None)[0] == [*company.entries, new], "the nightly pass lists everything"


def test_a_cancelled_payment_is_noticed_however_old_it_is(company: Company) -> None:
    _, stamp = company.read(None)
    cancel_payment(company.bench.world, company.entries[0])
    cancel_payment(company.bench.world, company.entries[-1])
    found, later = company.read(stamp)
    assert found == [*company.entries[-3:], company.entries[0]], "each once"
    assert later == stamp, "and the watermark does not go back"
    voids = {o.key for page in company.source.list_documents(stamp, None) for o in page.documents if o.void}
    assert {int(key.partition("~")[0]) for key in voids} == {company.entries[0], company.entries[-1]}


def test_what_awaits_its_approval_is_listed_until_it_is_decided(company: Company) -> None:
    row = company.bench.world.find("VendorPayments", company.entries[4])
    row["AuthorizationStatus"] = "pasPending"
    found, stamp = company.read(None)
    assert company.entries[4] not in found
    assert int(str(stamp)) == company.entries[4] - 1
    row["AuthorizationStatus"] = "pasApproved"
    found, stamp = company.read(stamp)
    assert company.entries[4] in found and int(str(stamp)) == company.entries[-1]


def test_a_pass_that_was_cut_goes_on_in_either_part(company: Company) -> None:
    company.source._layer.page_size = 5
    _, stamp = company.read(None)
    cancel_payment(company.bench.world, company.entries[0])
    places = [page.position for page in company.source.list_documents(stamp, None)]
    assert places[-1] is None and payments.VOID in places
    found, _ = company.read(stamp, payments.VOID)
    assert found == [company.entries[0]]
    assert len(company.filters) == 1, "what is new was read already"


def test_a_start_date_holds_for_both_parts(company: Company) -> None:
    company.source._start = date(2026, 3, 1)
    company.read("000000000650")
    assert all("DocDate ge " in where for where in company.filters) and len(company.filters) == 2


@pytest.mark.parametrize("since", ["active:1", "2026-03-01"])
def test_a_watermark_that_is_no_number_reads_everything(company: Company, since: str) -> None:
    assert company.read(since)[0] == company.entries

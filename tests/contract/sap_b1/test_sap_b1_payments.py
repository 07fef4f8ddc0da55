"""Outgoing payments, read from the simulated company in both dialects."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sap_b1.payments import cancel_payment, post_payment
from ml_connector.errors import Rejected
from ml_connector.flow import Offer
from ml_connector.records import Invoice, Payment

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


def offers(bench: Any) -> list[Offer]:
    return [o for page in bench.connection.source(Payment).offers(None, None) for o in page.offers]


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

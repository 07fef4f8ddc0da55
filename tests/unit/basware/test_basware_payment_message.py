"""Whose the payment message of an invoice is: its own, or an earlier payment's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.records import Payment

RESPONSE = {"externalCode": "c1", "success": True, "paymentBlock": False, "paymentNumber": "P1"}


def told(bench: Any, server: Any, responses: list[dict[str, Any]] | None, **more: Any) -> str | None:
    document = {
        "invoiceId": "d1", "processingStatus": "Transferred", "companyCode": "1000", "currencyCode": "EUR",
        "paymentBlock": False, "paymentMessage": "ACH-102", "paymentResponses": responses,
    }  # fmt: skip
    server.answer = lambda _: httpx.Response(200, json=[document])
    given = {"amount": Decimal(10), "paid_total": Decimal(10), **more}
    record = Payment(key="9~46", invoice="46", number="P2", currency="EUR", document="d1", **given)
    body = bench.connection.target(Payment).prepare(record, bench.codes).body
    message: str | None = body.get("paymentMessage")
    return message


@pytest.mark.parametrize("shown", [None, []])
def test_where_no_responses_are_shown_only_the_first_payment_keeps_the_message(
    bench: Any, server: Any, shown: list[dict[str, Any]] | None
) -> None:
    assert told(bench, server, shown) == "ACH-102"
    assert told(bench, server, shown, paid_total=None) == "ACH-102"
    assert told(bench, server, shown, paid_total=Decimal(20)) is None
    assert told(bench, server, shown, paid_total=Decimal(0), cancelled=True) is None


def test_a_response_that_brought_the_message_keeps_it_for_itself(bench: Any, server: Any) -> None:
    assert told(bench, server, [{**RESPONSE, "paymentMessage": "ACH-102"}]) is None
    assert told(bench, server, [{**RESPONSE, "paymentMessage": "another"}]) == "ACH-102"
    own = told(bench, server, [{**RESPONSE, "paymentMessage": "ACH-102"}], reference="ACH-104")
    assert own == "ACH-104"

"""What a payment tells of its invoice: whose the payment message is, and in which currency and company it stands."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import Held
from ml_connector.records import Payment

RESPONSE = {"externalCode": "c1", "success": True, "paymentBlock": False, "paymentNumber": "P1"}


def told(bench: Any, server: Any, responses: list[dict[str, Any]] | None, **more: Any) -> str | None:
    document = {
        "invoiceId": "d1",
        "processingStatus": "Transferred",
        "companyCode": "1000",
        "currencyCode": "EUR",
        "paymentBlock": False,
        "paymentMessage": "ACH-102",
        "paymentResponses": responses,
    }
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


class Companies:
    """The ERP calls its currency `$`, and is company 1000."""

    def erp(self, kind: str, code: str) -> str:
        if (kind, code) != ("company", "1000"):
            raise Held(f"{kind}:{code}", "it is another one's")
        return "DB"

    def platform(self, kind: str, code: str) -> str:
        return {"$": "COP"}[code]


@pytest.mark.parametrize(
    ("shown", "currency", "waits"),
    [
        ({}, "$", None),
        ({"currencyCode": "USD"}, "$", "conflict:9~46"),
        ({"companyCode": "2000"}, "$", "company:2000"),
        ({"currencyCode": None}, "", "conflict:9~46"),
        ({"currencyCode": None}, "$", None),
    ],
)
def test_company_and_currency_of_a_payment_are_its_invoices(
    bench: Any, server: Any, shown: dict[str, Any], currency: str, waits: str | None
) -> None:
    document = {
        "invoiceId": "d1",
        "processingStatus": "Transferred",
        "companyCode": "1000",
        "currencyCode": "COP",
        "invoiceNumber": "R-7",
        **shown,
    }
    server.answer = lambda _: httpx.Response(200, json=[document])
    record = Payment(key="9~46", invoice="46", number="P2", currency=currency, document="d1", amount=Decimal(10))
    target = bench.connection.target(Payment)
    if waits is None:
        prepared = target.prepare(record, Companies())
        assert prepared.currency == "COP" and "10 COP" in prepared.body["responseMessage"]
    else:
        with pytest.raises(Held, match=r"P2.*R-7") as held:
            target.prepare(record, Companies())
        assert held.value.waiting_for == waits

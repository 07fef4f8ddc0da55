"""What fuzzing found in Basware's answers: a list that is none, lives without end, numbers that no ledger holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import ConnectorError, LoginRefused, Rejected, Transient
from ml_connector.records import Invoice
from ml_connector.systems.basware import faults, invoice_document, verdicts
from ml_connector.systems.http import Reply

DOCUMENT: dict[str, Any] = {
    "invoiceId": "i",
    "companyCode": "1000",
    "supplierCode": "V",
    "currencyCode": "EUR",
    "invoiceNumber": "R",
    "grossSum": Decimal("1.00"),
    "codingRows": [{"netTotal": Decimal("1.00")}],
}


@pytest.mark.parametrize("lists", [7, True, "x", {"a": 1}])
def test_what_stands_in_a_lists_place_is_no_list(lists: Any, bench: Any, server: Any) -> None:
    assert verdicts.read({"systems": lists}).items == {}
    assert verdicts.read({"systems": [{"items": lists}]}).items == {}
    item = verdicts.read({"systems": [{"items": [{"externalCode": "a", "status": "Error", "errors": lists}]}]}).of("a")
    assert item.messages == []
    body = f'{{"errors":{{"validationErrors":{faults_json(lists)},"message":"x"}}}}'.encode()
    assert faults.read(Reply(400, httpx.Headers(), body))[0].message == "x"
    server.token_answers = [httpx.Response(401, json={"detail": [{"loc": lists, "msg": "no"}]})]
    with pytest.raises(LoginRefused, match="no"):
        bench.client.get("/v1/vendors")


def faults_json(value: Any) -> str:
    return str(httpx.Response(200, json=value).text)


def test_responses_that_are_no_list_are_none(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(
        200, json={**DOCUMENT, "grossSum": 1, "codingRows": [], "transferResponses": 5}
    )
    assert bench.connection.source(Invoice)._has(bench.connection.source(Invoice).raw("i"), "code") is False


@pytest.mark.parametrize("life", [b"1e400", b'"NaN"', b'"Infinity"', b"1e15", b"-5", b"[]", b"true"])
def test_a_token_with_a_strange_life_is_used_all_the_same(bench: Any, server: Any, life: bytes) -> None:
    server.token_answers = [httpx.Response(200, content=b'{"access_token":"t","expires_in":' + life + b"}")]
    assert bench.client.get("/v1/vendors") == []
    assert server.logins == 1


@pytest.mark.parametrize("amount", ["1E+400", "1E-999999", "0E+999999"])
def test_a_number_that_no_ledger_holds_is_refused_with_its_field(amount: str) -> None:
    with pytest.raises(Rejected, match="grossSum"):
        invoice_document.invoice({**DOCUMENT, "grossSum": Decimal(amount)})
    with pytest.raises(Rejected, match="netTotal"):
        invoice_document.invoice({**DOCUMENT, "codingRows": [{"netTotal": Decimal(amount)}]})


def test_an_offer_with_such_a_number_is_still_offered(bench: Any, server: Any) -> None:
    listed = b'{"accountingDocuments":[{"invoiceId":"i","companyCode":"1000","grossSum":1e400}]}'
    server.answer = lambda _: httpx.Response(200, content=listed)
    (page,) = bench.connection.source(Invoice).list_documents(None, None)
    assert [(offer.key, offer.amount) for offer in page.documents] == [("i", None)]


def test_a_token_of_pages_in_other_letters_ends_in_no_fault_of_ours(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(
        200, json={"vendors": [{"externalCode": "a"}]}, headers=[(b"x-amz-meta-continuationtoken", "tö\xff".encode())]
    )
    with pytest.raises(Transient, match=r"circle|twice"):
        list(bench.client.list("/v1/vendors", "vendors"))


@pytest.mark.parametrize("location", ["http://[", "https://[::1", "https://h:99999999/x", "https://ex ample/"])
def test_a_redirect_to_nowhere_is_an_error_of_the_documented_kind(bench: Any, server: Any, location: str) -> None:
    server.answer = lambda _: httpx.Response(302, headers={"Location": location})
    with pytest.raises(ConnectorError):
        bench.client.get("/v1/vendors")


def test_an_echoed_secret_is_in_no_complaint(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(400, json={"errors": [{"message": "no hush-hush", "code": "hush-hush"}]})
    assert "hush" not in bench.client.post("/v1/vendors", [], safe=True).words()

"""What fuzzing found in the Service Layer's answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ml_connector.errors import OutcomeUnknown, Transient
from ml_connector.records import Account, PurchaseOrder
from ml_connector.systems.http import Reply
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.sap_b1.faults import fault_in, whole_number
from ml_connector.systems.sap_b1.query import Query, walk
from ml_connector.systems.sap_b1.rows import AccountRow

EMPTY = httpx.Response(200, json={"value": []})


def read(bench: Any, record: type = Account) -> list[Any]:
    return list(bench.connection.source(record).pages(None, None))


@pytest.mark.parametrize("details", ["7", "true", '{"a":1}', '"x"'])
def test_details_that_are_no_list_are_none(details: str) -> None:
    body = f'{{"error":{{"code":-10,"message":"no","details":{details}}}}}'.encode()
    assert str(fault_in(Reply(400, httpx.Headers(), body))) == "no (code -10, HTTP 400)"


@pytest.mark.parametrize("life", [b"1e999999", b"1000000000000000", b'"Infinity"', b'"NaN"', b"[1]", b"-5"])
def test_a_session_with_a_strange_life_is_used_all_the_same(bench: Any, life: bytes) -> None:
    bench.server.login = lambda _: httpx.Response(200, content=b'{"SessionId":"abc","SessionTimeout":' + life + b"}")
    bench.server.script(EMPTY)
    read(bench)
    assert bench.server.requests[0].headers["cookie"] == "B1SESSION=abc"


@pytest.mark.parametrize("session", ["ü", "a b", "a\r\nX: y", "x" * 5000])
def test_a_session_that_no_header_can_carry_is_none(bench: Any, session: str) -> None:
    bench.server.login = lambda _: httpx.Response(200, json={"SessionId": session})
    with pytest.raises(Transient, match="gave no session"):
        read(bench)


@pytest.mark.parametrize(
    "body", [b'{"value":"\xed\xa0\x80"}', b'{"x":' + b"[" * 100_000, b'{"x":1e99999999999999999999}']
)
def test_a_list_that_no_decoder_takes_is_read_again_later(bench: Any, body: bytes) -> None:
    bench.server.script(httpx.Response(200, content=body))
    with pytest.raises(Transient):
        read(bench)


@pytest.mark.parametrize("amount", ['"NaN"', '"Infinity"', "1e400", '"-0E+999999"'])
def test_an_amount_that_no_ledger_holds_breaks_its_own_order_alone(bench: Any, amount: str) -> None:
    good = '{"DocEntry":1,"CardCode":"V","DocCurrency":"EUR","DocumentLines":[{"LineNum":0,"LineTotal":5}]}'
    bad = good.replace('"DocEntry":1', '"DocEntry":2').replace("5}", f"{amount}}}")
    bench.server.script(httpx.Response(200, content=f'{{"value":[{good},{bad}]}}'), EMPTY)
    (page,) = read(bench, PurchaseOrder)
    assert [order.key for order in page.records] == ["1"]
    assert [(broken.key, "no amount" in broken.reason) for broken in page.broken] == [("2", True)]


@pytest.mark.parametrize("status", [202, 204])
def test_a_posting_answered_with_something_unreadable_is_in_doubt(bench: Any, status: int) -> None:
    bench.server.script(httpx.Response(status, content=b"<html>Sign in</html>"))
    with pytest.raises(OutcomeUnknown):
        bench.layer.create("PurchaseInvoices", {})


@pytest.mark.parametrize("link", ["http://[", "Things?$skip=²", "Things?$skip=" + "9" * 5000])
def test_a_next_link_that_is_no_address_is_a_loop(link: str) -> None:
    query = Query("ChartOfAccounts", AccountRow, "Code")
    with pytest.raises(Transient, match="loop"):
        list(walk(lambda *_: Batch([AccountRow("a")], ["a"], link=link), query))


@pytest.mark.parametrize(
    ("text", "number"), [("--5", None), ("²", None), ("9" * 40, None), ("-1", -1), ("17", 17), ("", None)]
)
def test_a_number_of_documents_and_terms(text: str, number: int | None) -> None:
    assert whole_number(text) == number

"""The session on the wire: cookies by hand, one renewal, one replay."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Transient
from ml_connector.records import Account
from ml_connector.systems.sap_b1.client import Created
from ml_connector.systems.sap_b1.faults import Fault

EMPTY = httpx.Response(200, json={"value": []})
EXPIRED = "Invalid session or session already timeout."


def read(bench: Any) -> list[Any]:
    return list(bench.connection.source(Account).pages(None, None))


def test_the_cookie_is_built_from_what_stands_before_the_semicolon(bench: Any) -> None:
    read(bench)
    assert bench.server.requests[0].headers["cookie"] == "B1SESSION=s1; ROUTEID=.node1"


def test_a_session_id_in_the_body_alone_will_do(bench: Any) -> None:
    bench.server.login = lambda _: httpx.Response(200, json={"SessionId": "abc", "SessionTimeout": "30"})
    read(bench)
    assert bench.server.requests[0].headers["cookie"] == "B1SESSION=abc"


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(("status", "code"), [(401, 301), (400, -5002), (403, 301), (500, -5002)])
def test_a_dead_session_is_renewed_and_the_request_sent_once_more(
    bench: Any, fault: Any, status: int, code: int, flat: bool
) -> None:
    bench.server.script(fault(status, code, EXPIRED, flat=flat), EMPTY)
    read(bench)
    assert bench.server.logins == 2
    assert bench.server.cookies == ["B1SESSION=s1; ROUTEID=.node1", "B1SESSION=s2; ROUTEID=.node1"]


@pytest.mark.parametrize("body", [b"", b"<html>Unauthorized</html>", b'{"error":null}'])
def test_401_is_believed_with_any_body(bench: Any, body: bytes) -> None:
    bench.server.script(httpx.Response(401, content=body), EMPTY)
    read(bench)
    assert bench.server.logins == 2


def test_a_second_401_ends_it(bench: Any, fault: Any) -> None:
    bench.server.answer = lambda _: fault(401, 301, EXPIRED)
    with pytest.raises(LoginRefused):
        read(bench)
    assert (bench.server.logins, len(bench.server.requests)) == (2, 2)


def test_a_dead_session_under_status_200_is_renewed_too(bench: Any, fault: Any) -> None:
    bench.server.script(fault(200, -5002, EXPIRED), EMPTY)
    read(bench)
    assert bench.server.logins == 2


def test_a_posting_refused_for_its_session_is_sent_once_more(bench: Any, fault: Any) -> None:
    bench.server.script(fault(400, -5002, "Session timeout"), httpx.Response(201, json={"DocEntry": 7, "DocNum": 9}))
    assert bench.layer.create("PurchaseInvoices", {"NumAtCard": "1"}) == Created(7, {"DocEntry": 7, "DocNum": 9})
    assert len(bench.server.requests) == 2
    assert bench.server.requests[0].content == bench.server.requests[1].content


@pytest.mark.parametrize(
    "text",
    [
        "Quantity falls into negative inventory [IGE1.WhsCode][line: 1]",
        "Attachments folder has not been defined",
        "One of the base documents has already been closed",
        "Internal error (-5002) occurred",
        "Lock request time out period exceeded",
    ],
)
def test_a_business_failure_with_code_5002_is_never_sent_again(bench: Any, fault: Any, text: str) -> None:
    bench.server.answer = lambda _: fault(400, -5002, text)
    outcome = bench.layer.create("PurchaseInvoices", {})
    assert outcome == Fault(400, "-5002", text)
    assert (bench.server.logins, len(bench.server.requests)) == (1, 1)


def test_a_code_that_is_the_password_is_masked(bench: Any, fault: Any) -> None:
    bench.server.answer = lambda _: fault(400, "geheim-1", "No.")
    refusal = bench.layer.create("PurchaseInvoices", {})
    assert isinstance(refusal, Fault)
    assert refusal.code == "***"


def test_an_error_within_a_success_is_no_refusal_of_a_posting(bench: Any, fault: Any) -> None:
    """The server says two things of it; a failure told to the platform may be false."""
    bench.server.answer = lambda _: fault(200, -5002, "Internal error (-5002) occurred")
    with pytest.raises(OutcomeUnknown, match="-5002"):
        bench.layer.create("PurchaseInvoices", {})


def test_a_replayed_posting_without_an_answer_is_unknown(bench: Any, fault: Any) -> None:
    def hang(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("nothing came", request=request)

    bench.server.script(fault(401, 301, EXPIRED), hang)
    with pytest.raises(OutcomeUnknown):
        bench.layer.create("PurchaseInvoices", {})
    assert len(bench.server.requests) == 2


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (401, -304, "Fail to get DB Credentials from SLD"),
        (400, -304, "anything"),
        (500, 100000027, "anything"),
        (401, 1, "Benutzername oder Kennwort falsch"),
        (500, 0, "Fail to get DB Credentials from SLD"),
    ],
)
def test_a_refused_login_names_its_causes_and_is_not_repeated(
    bench: Any, fault: Any, status: int, code: int, text: str
) -> None:
    asked = []
    bench.server.login = lambda request: asked.append(request) or fault(status, code, text)
    for _ in range(3):
        with pytest.raises(LoginRefused, match="'manager' to company 'SBO' at https://sl"):
            read(bench)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (400, -1, "Fail to Get the Bound Database Instance from SLD"),
        (500, 305, "Switch company error: -1102"),
    ],
)
def test_trouble_of_the_server_at_login_passes(bench: Any, fault: Any, answer: Any) -> None:
    bench.server.login = lambda _: fault(*answer)
    with pytest.raises(Transient):
        bench.layer.create("PurchaseInvoices", {})
    bench.server.login = bench.server.welcome
    read(bench)


def test_a_login_page_of_something_else_is_no_session(bench: Any) -> None:
    bench.server.login = lambda _: httpx.Response(200, content=b"<html>Welcome</html>")
    with pytest.raises(Transient, match="no proxy stands in between"):
        read(bench)
    bench.server.login = lambda _: httpx.Response(200, json={"hello": 1})
    with pytest.raises(Transient, match="gave no session"):
        read(bench)
    bench.server.login = lambda _: httpx.Response(404, content=b"<html>Not Found</html>")
    with pytest.raises(Misconfigured, match="service_layer_url"):
        read(bench)


def test_the_servers_own_timeout_decides_when_to_log_in_again(bench: Any) -> None:
    read(bench)
    bench.clock.sleep(28 * 60)
    read(bench)
    assert bench.server.logins == 1
    bench.clock.sleep(2 * 60)
    read(bench)
    assert bench.server.logins == 2


def test_a_very_short_timeout_does_not_mean_a_login_for_each_request(bench: Any) -> None:
    bench.server.login = lambda _: httpx.Response(200, json={"SessionId": "abc", "SessionTimeout": 1})
    read(bench)
    bench.server.login = lambda _: pytest.fail("logged in again")
    read(bench)

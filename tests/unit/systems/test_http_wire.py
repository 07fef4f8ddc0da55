"""What goes over the wire and what is made of an answer, through connections of the client's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from ml_connector import __version__
from ml_connector.embedded.clock import SeededRandom
from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Throttled, Transient, Unreachable
from ml_connector.redact import Redactor
from ml_connector.systems.http import Call, Http
from tests.clock import Clock

HOST, KEY = "https://erp.example", "a-key-of-ours-4711"


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def erp(clock: Clock) -> Iterator[Http]:
    made = Http(
        base_url=HOST,
        vendor="ERP",
        clock=clock,
        rng=SeededRandom(1),
        redactor=Redactor([KEY]),
        timeout=30,
        auth=httpx.BasicAuth("ada", KEY),
    )
    yield made
    made.close()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    """A request that no route takes fails its test."""
    with respx.mock(assert_all_called=False) as router:
        yield router


def test_a_request_says_who_asks_what_it_takes_and_what_it_brings(erp: Http, wire: respx.MockRouter) -> None:
    route = wire.post(f"{HOST}/orders", params={"note": "a&b=c d"}).respond(200, json={})
    erp.call(Call("POST", "/orders", {"note": "a&b=c d"}, body={"total": Decimal("0.10"), "name": "Ö"}))
    sent = route.calls.last.request
    assert sent.headers["user-agent"] == f"ml-connector/{__version__}"
    assert sent.headers["accept"] == sent.headers["content-type"] == "application/json"
    assert sent.headers["authorization"].startswith("Basic ")
    assert sent.content == '{"total":0.10,"name":"Ö"}'.encode()


def test_a_header_of_the_call_goes_before_the_clients_own(erp: Http, wire: respx.MockRouter) -> None:
    route = wire.patch(f"{HOST}/x").respond(200, json={})
    erp.call(Call("PATCH", "/x", body=[], headers={"Content-Type": "application/json-patch+json", "Accept": "text/x"}))
    sent = route.calls.last.request.headers
    assert (sent["content-type"], sent["accept"]) == ("application/json-patch+json", "text/x")
    assert sent.get_list("accept") == ["text/x"]


def test_credentials_stay_where_a_call_wants_none_and_go_to_no_redirect(erp: Http, wire: respx.MockRouter) -> None:
    moved = wire.get(f"{HOST}/doc").respond(302, headers={"Location": "https://storage.example/d?sig=1"})
    stored = wire.get("https://storage.example/d").respond(200, json={"id": 1})
    reply = erp.get("/doc", expect=(302,), want="none")
    assert moved.call_count == 1 and stored.call_count == 0
    assert erp.get(reply.headers["location"], auth=False, foreign=True).json() == {"id": 1}
    assert "authorization" not in stored.calls.last.request.headers
    with pytest.raises(Misconfigured, match=r"talks to erp\.example only"):
        erp.get("https://storage.example/d")
    assert stored.call_count == 1


@pytest.mark.parametrize("asked", ["7", "Mon, 02 Mar 2026 09:00:07 GMT"])
def test_what_is_asked_again_is_the_same_request_after_the_time_asked_for(
    erp: Http, wire: respx.MockRouter, clock: Clock, asked: str
) -> None:
    route = wire.get(f"{HOST}/x", params={"n": "1"})
    route.side_effect = [httpx.Response(503, headers={"Retry-After": asked}), httpx.Response(200, json=[])]
    assert erp.get("/x", {"n": "1"}).json() == []
    first, second = (call.request for call in route.calls)
    assert (first.url, first.headers.raw, first.content) == (second.url, second.headers.raw, second.content)
    assert clock.slept == [7]


@pytest.mark.parametrize(
    ("answer", "safe", "raised", "asked"),
    [
        (httpx.Response(500), True, Transient, 4),
        (httpx.Response(500), False, OutcomeUnknown, 1),
        (httpx.Response(429), False, Throttled, 1),
        (httpx.Response(401), True, LoginRefused, 1),
        (httpx.Response(404), True, Transient, 4),
        (httpx.Response(302, headers={"Location": "https://erp.example/login"}), False, OutcomeUnknown, 1),
        (httpx.ConnectError("no route"), False, Unreachable, 4),
        (httpx.ReadError("reset"), False, OutcomeUnknown, 1),
        (httpx.ReadError("reset"), True, Transient, 4),
    ],
)
def test_how_often_is_asked_and_what_is_said_of_it(
    erp: Http, wire: respx.MockRouter, answer: Any, safe: bool, raised: type[Exception], asked: int
) -> None:
    route = wire.post(f"{HOST}/x")
    route.side_effect = answer if isinstance(answer, Exception) else lambda _: answer
    with pytest.raises(raised) as caught:
        erp.call(Call("POST", "/x", body={}, safe=safe))
    assert type(caught.value) is raised
    assert route.call_count == asked


@pytest.mark.parametrize("body", [b"", b"<html>Sign in</html>", b'{"a": 1', b"\xff\xfe{}", b"null,", b"NaN"])
@pytest.mark.parametrize("safe", [True, False])
def test_a_body_that_is_no_json_is_no_answer(erp: Http, wire: respx.MockRouter, body: bytes, safe: bool) -> None:
    route = wire.post(f"{HOST}/x").respond(200, content=body, content_type="application/json")
    with pytest.raises(Transient if safe else OutcomeUnknown):
        erp.call(Call("POST", "/x", body={}, safe=safe))
    assert route.call_count == (4 if safe else 1)


def test_an_answer_that_says_our_key_back_is_shown_without_it(erp: Http, wire: respx.MockRouter) -> None:
    wire.get(f"{HOST}/x").respond(500, text=f"trace: password={KEY}")
    with pytest.raises(Transient) as caught:
        erp.get("/x")
    assert KEY not in str(caught.value) and "trace" in str(caught.value)

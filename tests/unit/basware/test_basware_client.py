"""What goes over the wire, and what is made of the answers."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from ml_connector import http_log
from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Throttled, Transient, Unreachable
from ml_connector.systems.basware import faults
from ml_connector.systems.basware.rights import scopes_of
from ml_connector.systems.http import Reply
from ml_connector.systems.kit.batches import batches

TOKEN = "X-AMZ-Meta-ContinuationToken"


# ── login ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_token_request_is_a_form_with_basic_credentials(bench: Any, server: Any) -> None:
    list(bench.client.list("/v1/vendors", "vendorEntities"))
    first, call = server.asked
    assert first.headers["authorization"] == "Basic " + base64.b64encode(b"me:hush-hush").decode()
    form = parse_qs(first.content.decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == ["accountingDocuments.read accountingDocuments.write requestStatus.read"]
    assert call.headers["authorization"] == "Bearer t1"
    assert first.headers["x-bw-request-id"] != call.headers["x-bw-request-id"]


def test_the_scopes_are_those_of_the_active_flows(make: Any, server: Any) -> None:
    bench = make(server, flows=("sap_b1-basware/vendors", "purchase_orders"))
    assert bench.client.scopes() == (
        "matchingOrderLines.read",
        "matchingOrderLines.write",
        "matchingOrders.read",
        "matchingOrders.write",
        "requestStatus.read",
        "vendors.read",
        "vendors.write",
    )
    assert scopes_of(make(server, scopes="only.this").settings, ("vendors",)) == ("only.this",)
    hooked = make(server, webhook_url="https://h.example.com", webhook_secret="s")
    assert "subscriptions.write" in hooked.client.scopes()


def test_a_token_is_shared_and_renewed_before_its_end(bench: Any, server: Any) -> None:
    for _ in range(3):
        bench.client.get("/v1/vendors")
    assert server.logins == 1
    bench.clock.sleep(3600 - 30)
    bench.client.get("/v1/vendors")
    assert server.logins == 2 and server.calls()[-1].headers["authorization"] == "Bearer t2"


@pytest.mark.parametrize("lifetime", [5, 60, 100, "300", None, "soon"])
def test_a_short_or_unstated_lifetime_does_not_mean_a_login_for_each_call(
    bench: Any, server: Any, lifetime: Any
) -> None:
    server.token_answers = [httpx.Response(200, json={"access_token": "t", "expires_in": lifetime})]
    for _ in range(3):
        bench.client.get("/v1/vendors")
    assert server.logins == 1


def test_a_401_is_worth_one_new_token(bench: Any, server: Any) -> None:
    server.answer = lambda r: httpx.Response(401 if r.headers["authorization"] == "Bearer t1" else 200, json=[])
    assert bench.client.get("/v1/vendors") == []
    assert server.logins == 2
    assert len({r.headers["x-bw-request-id"] for r in server.asked}) == len(server.asked)


@pytest.mark.parametrize("status", [401, 403])
def test_a_second_refusal_names_the_scope(bench: Any, server: Any, status: int) -> None:
    server.answer = lambda _: httpx.Response(status)
    with pytest.raises(LoginRefused, match=r"costCenters\.write.*not asked for"):
        bench.client.post("/v1/costCenters", [], safe=True)
    assert server.logins == 2 and len(server.calls()) == 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), LoginRefused, "client_secret"),
        (httpx.Response(400, json={"error": "invalid_scope"}), LoginRefused, r"accountingDocuments\.read"),
        (
            httpx.Response(422, json={"detail": [{"loc": ["body", "scope"], "msg": "bad"}]}),
            LoginRefused,
            r"body\.scope",
        ),
        (httpx.Response(404), Misconfigured, "base_url"),
        (httpx.Response(200, json={"token": "x"}), Transient, "access_token"),
        (httpx.Response(200, text="<html>"), Transient, "JSON"),
    ],
)
def test_a_login_that_fails_is_explained(bench: Any, server: Any, answer: Any, error: type, words: str) -> None:
    server.token_answers = [answer] * 4
    with pytest.raises(error, match=words) as caught:
        bench.client.get("/v1/vendors")
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(("status", "error"), [(500, Transient), (429, Throttled), (503, Throttled)])
def test_a_login_that_passes_trouble_is_no_refusal(bench: Any, server: Any, status: int, error: type) -> None:
    server.token_answers = [httpx.Response(status, headers={"Retry-After": "60"}) for _ in range(4)]
    with pytest.raises(error):
        bench.client.post("/v1/vendors", [], safe=False)
    assert server.logins <= 4 and not server.calls()


def test_after_a_refused_login_nobody_logs_in_again(bench: Any, server: Any) -> None:
    server.token_answers = [httpx.Response(401, json={"error": "invalid_client"})]
    for _ in range(3):
        with pytest.raises(LoginRefused):
            bench.client.get("/v1/vendors")
    assert server.logins == 1


def test_no_secret_is_kept_in_the_exchanges(bench: Any) -> None:
    with http_log.recording() as kept:
        bench.client.get("/v1/vendors")
    assert len(kept) == 2
    text = repr(http_log.as_rows(kept))
    assert "hush-hush" not in text and '"t1"' not in text and "Bearer" not in text


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────


def pages(*answers: httpx.Response) -> Any:
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def page(rows: Any, token: str | None = None) -> httpx.Response:
    return httpx.Response(200, json=rows, headers={TOKEN: token} if token else {})


def test_the_token_goes_back_as_a_header_with_the_same_query(bench: Any, server: Any) -> None:
    server.answer = pages(page({"vendorEntities": [1]}, "a"), page({"VendorEntities": []}, "b"), page([2]))
    found = list(bench.client.list("/v1/vendors", "vendorEntities", {"pageSize": "1"}))
    assert found == [[1], [], [2]]
    assert [r.headers.get(TOKEN) for r in server.calls()] == [None, "a", "b"]
    assert {str(r.url) for r in server.calls()} == {"https://api.basware.com/v1/vendors?pageSize=1"}


def test_404_is_an_empty_list(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(404)
    assert list(bench.client.list("/v1/vendors", "vendorEntities")) == []
    assert bench.client.get("/v1/vendors/x") is None


@pytest.mark.parametrize("second", [page([2], "a"), page([1], "b")])
def test_a_circle_of_pages_ends(bench: Any, server: Any, second: httpx.Response) -> None:
    server.answer = pages(page([1], "a"), second)
    with pytest.raises(Transient):
        list(bench.client.list("/v1/vendors", "vendorEntities"))


@pytest.mark.parametrize(
    "body",
    [
        '{"hasErrors": true, "errors": []}',
        "{}",
        '{"message": "hm"}',
        '"x"',
        "<html></html>",
        '{"vendorEntities": [',
        "",
    ],
)
def test_a_200_that_is_no_list_is_not_read_as_no_data(bench: Any, server: Any, body: str) -> None:
    server.answer = lambda _: httpx.Response(200, text=body)
    with pytest.raises(Transient):
        list(bench.client.list("/v1/vendors", "vendorEntities"))


def test_a_redirect_is_followed_without_credentials(bench: Any, server: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "store.example.net":
            assert "authorization" not in request.headers
            return page({"accountingDocuments": [str(request.url)]})
        number, more = ("2", {}) if TOKEN in request.headers else ("1", {TOKEN: "n"})
        location = f"https://store.example.net/{number}?X-Amz-Signature=abc%2B1"
        return httpx.Response(302, headers={"Location": location, **more})

    server.answer = answer
    found = list(bench.client.list("/v1/accountingDocuments", "accountingDocuments"))
    assert found == [[f"https://store.example.net/{n}?X-Amz-Signature=abc%2B1"] for n in (1, 2)]
    assert [r.headers.get(TOKEN) for r in server.calls()] == [None, None, "n", None]


@pytest.mark.parametrize(
    ("location", "there", "error"),
    [
        ("http://store.example.net/x", httpx.Response(200, json=[]), Misconfigured),
        ("ftp://store.example.net/x", httpx.Response(200, json=[]), Transient),
        ("", httpx.Response(200, json=[]), Transient),
        ("https://store.example.net/x", httpx.Response(403, text="<Error/>"), Transient),
        ("https://store.example.net/x", httpx.Response(404, text="<Error/>"), Transient),
        ("https://store.example.net/x", httpx.Response(302, headers={"Location": "https://x"}), Transient),
    ],
)
def test_a_redirect_has_one_hop_over_https(bench: Any, server: Any, location: str, there: Any, error: type) -> None:
    server.answer = lambda r: (
        there if r.url.host == "store.example.net" else httpx.Response(302, headers={"Location": location})
    )
    with pytest.raises(error):
        bench.client.get("/v1/accountingDocuments/1")


def test_no_call_leaves_for_another_host(bench: Any, server: Any) -> None:
    with pytest.raises(Misconfigured):
        bench.client.get("https://api.us.basware.com/v1/vendors")
    assert not server.calls()


# ── posts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_post_in_doubt_is_unknown_where_it_must_not_be_repeated(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(500)
    with pytest.raises(OutcomeUnknown):
        bench.client.post("/v1/x", {}, safe=False)
    assert len(server.calls()) == 1
    with pytest.raises(Transient):
        bench.client.post("/v1/x", {}, safe=True)
    assert len(server.calls()) == 5


def test_a_server_that_is_away_is_unreachable(bench: Any, server: Any) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    server.answer = refuse
    with pytest.raises(Unreachable):
        bench.client.post("/v1/x", {}, safe=False)


@pytest.mark.parametrize("body", ["", '"Acknowledged"', "Acknowledged", "[]"])
def test_a_success_may_say_little(bench: Any, server: Any, body: str) -> None:
    server.answer = lambda _: httpx.Response(200, text=body, headers={"X-Amzn-RequestId": "r1"})
    answer = bench.client.post("/v1/x", safe=True)
    assert answer.ok and answer.token == "r1"
    assert server.calls()[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"hasErrors":true,"errors":[{"externalCode":"a","code":"X","message":"m"}]}', ("a", "X", "m")),
        ('{"hasError":true,"errorMessages":[{"code":"X","message":"m"}]}', (None, "X", "m")),
        ('{"message":"Unauthorized"}', (None, "", "Unauthorized")),
        ('{"detail":"Not Found"}', (None, "", "Not Found")),
        ('{"detail":[{"loc":["body"],"msg":"m"}]}', (None, "", "m")),
        ('{"error":"e","error_description":"d"}', (None, "", "d")),
        ('[{"externalCode":"a","errors":["m"]}]', (None, "", "m")),
        ('{"version":"1.0","errors":{"message":"m","code":"E4"}}', (None, "E4", "m")),
        ("gateway says no", (None, "", "gateway says no")),
        ("", (None, "", "status 400 without a text")),
    ],
)
def test_every_dialect_of_errors_is_read(body: str, expected: tuple[Any, ...]) -> None:
    (fault,) = faults.read(Reply(400, httpx.Headers(), body.encode()))
    assert (fault.external_code, fault.code, fault.message) == expected


def test_batches_keep_to_number_and_bytes() -> None:
    assert list(batches([b"12345"] * 5, 2, 1000)) == [[0, 1], [2, 3], [4]]
    assert list(batches([b"12345"] * 5, 100, 20)) == [[0, 1, 2], [3, 4]]
    assert list(batches([b"1" * 50, b"2"], 100, 20)) == [[0], [1]]
    assert list(batches([], 1, 1)) == []

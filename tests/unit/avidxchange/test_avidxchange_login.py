"""Logins: tried once for all, across processes; nothing of a failed one is kept or told."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from ml_connector import http_log
from ml_connector.errors import LoginRefused, Misconfigured, Throttled, Transient
from ml_connector.records import Payment
from tests.unit.avidxchange.conftest import TOKEN, Account

PAYMENTS = "/apis/payments"
LOGIN = {"path": "/v1/authorizations", "user": "anna", "password": "Topsecret-2"}
EMPTY = {"items": [], "paging": {"pages": 0, "totalItems": 0}}


def by_login(account: Account) -> Account:
    account.secret = {
        "base_url": "https://api.avid.example/apis",
        "auth": "login",
        "login": LOGIN,
        "token_headers": {"Authorization": "Bearer gateway-key-1"},
    }
    account.on("POST", "/apis/v1/authorizations", TOKEN)
    return account


def by_headers(account: Account) -> Account:
    account.secret = {
        "base_url": "https://api.avid.example/apis",
        "auth": "token_headers",
        "token_headers": {"X-Company-Token": "company-1", "X-User-Token": "user-tok-1"},
    }
    return account


def read(account: Account) -> None:
    list(account.connect().source(Payment).list_documents(None, None))  # type: ignore[union-attr]


@pytest.mark.parametrize("in_body", [False, True])
def test_a_client_logs_in_once_and_sends_the_token(account: Account, in_body: bool) -> None:
    account.secret |= {"client_auth": "body" if in_body else "basic", "scope": "payments"}
    account.on("GET", PAYMENTS, EMPTY)
    read(account)
    read(account)
    (login,) = account.asked("POST", "/token")
    form = parse_qs(login.content.decode())
    assert form["grant_type"] == ["client_credentials"] and form["scope"] == ["payments"]
    assert ("client_secret" in form) == in_body == ("authorization" not in login.headers)
    assert {one.headers["authorization"] for one in account.asked("GET", PAYMENTS)} == {"Bearer token-1"}


def test_a_token_whose_life_is_not_said_is_renewed_after_minutes(account: Account) -> None:
    account.on("POST", "/token", {"access_token": "token-1"})
    account.on("GET", PAYMENTS, EMPTY)
    read(account)
    account.clock.moment += 2 * (account.clock.moment - account.clock.moment.replace(minute=25))
    read(account)
    assert len(account.asked("POST", "/token")) == 2


def test_a_user_logs_in_with_the_gateways_key_beside(account: Account) -> None:
    by_login(account).on("GET", PAYMENTS, httpx.Response(401, json={"fault": {"code": 900901}}), EMPTY)
    read(account)
    first, again = account.asked("POST", "/apis/v1/authorizations")
    assert parse_qs(first.content.decode())["username"] == ["anna"]
    assert first.headers["authorization"] == again.headers["authorization"] == "Bearer gateway-key-1"
    assert account.calls[-1].headers["avidauthorization"] == "Bearer token-1"
    assert account.calls[-1].headers["authorization"] == "Bearer gateway-key-1"


def test_fixed_headers_are_proven_once_before_anything_is_read(account: Account) -> None:
    by_headers(account).on("GET", PAYMENTS, EMPTY)
    read(account)
    read(account)
    assert [one.headers["x-user-token"] for one in account.calls] == ["user-tok-1"] * 3


@pytest.mark.parametrize(
    ("way", "status"), [*((way, n) for way in ("oauth2", "login") for n in (400, 401, 403)), ("token_headers", 401)]
)
def test_a_refused_login_is_tried_once_by_all_processes(account: Account, way: str, status: int) -> None:
    """A person's account would be locked."""
    refusal = httpx.Response(status, json={"error": "invalid_grant", "error_description": "locked soon"})
    if way == "token_headers":
        by_headers(account).on("GET", PAYMENTS, refusal)
    else:
        (account if way == "oauth2" else by_login(account)).on(
            "POST", "/token" if way == "oauth2" else "/apis/v1/authorizations", refusal
        )
    for _ in range(3):
        with pytest.raises(LoginRefused):
            read(account)
    assert len(account.calls) == 1


@pytest.mark.parametrize("way", ["oauth2", "login"])
@pytest.mark.parametrize("status", [400, 500, 503])
def test_nothing_of_a_failed_login_is_kept_or_told(
    account: Account, log: list[http_log.Exchange], way: str, status: int
) -> None:
    """A failing server says back user and password, in spellings that nobody masks."""
    said = "user=a-n-n-a password=T&#111;psecret-2 secret-T%6Fpsecret"
    path = "/token" if way == "oauth2" else "/apis/v1/authorizations"
    (account if way == "oauth2" else by_login(account)).on("POST", path, httpx.Response(status, text=said))
    with pytest.raises((LoginRefused, Transient)) as told:
        read(account)
    kept = f"{told.value} {told.value.__cause__} {log}"
    assert "psecret" not in kept and "a-n-n-a" not in kept and log


def test_a_gateway_that_has_no_login_is_an_address_to_correct(account: Account) -> None:
    account.secret["token_url"] = "https://login.avid.example/elsewhere"
    with pytest.raises(Misconfigured, match="token_url"):
        read(account)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (httpx.Response(429, headers={"Retry-After": "120"}, json={}), 120),
        (httpx.Response(429, json={"fault": {"code": 900802, "nextAccessTime": "2026-Feb-10 09:32:00+0000 UTC"}}), 120),
        (httpx.Response(503, json={"code": "900800", "nextAccessTime": "2026-Feb-10 09:32:00+0000 UTC"}), 120),
        (httpx.Response(429, text="<am:fault><am:code>900802</am:code></am:fault>"), None),
    ],
    ids=["header", "next-access-time", "unwrapped-503", "xml"],
)
def test_too_many_requests_wait_as_long_as_is_asked(
    account: Account, answer: httpx.Response, seconds: float | None
) -> None:
    account.on("GET", PAYMENTS, answer)
    with pytest.raises(Throttled) as told:
        read(account)
    assert told.value.retry_after == seconds


def test_a_right_that_is_missing_is_no_refused_login(account: Account) -> None:
    account.on("GET", PAYMENTS, httpx.Response(403, json={"fault": {"code": 900908, "message": "Resource forbidden"}}))
    with pytest.raises(Misconfigured, match="subscription"):
        read(account)

"""Tokens that a connected application signs itself, and those of the regional gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.sandbox.kit.codec import decode
from infra.sandbox.sage_x3 import create_app
from infra.sandbox.sage_x3.logins import opened, sealed
from infra.sandbox.sage_x3.seed import APP_ID, APP_SECRET, CLIENT_ID, CLIENT_SECRET
from tests.contract.sandbox_sage_x3.conftest import BASE

QUERY = {"query": "{ x3MasterData { supplier { query(first: 1) { totalCount } } } }"}


def minted(clock, secret: str = CLIENT_SECRET, **changed: Any) -> dict[str, str]:
    now = int(clock().timestamp())
    claims = {
        "iss": CLIENT_ID,
        "sub": "mlconn",
        "aud": "https://x3.example/xtrem/api",
        "iat": now - 30,
        "exp": now + 300,
    }
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    return {"Authorization": f"Bearer {sealed(claims, secret)}", "x-xtrem-endpoint": "SEED"}


def ask(api, headers: dict[str, str]) -> httpx.Response:
    return api.http.post("/xtrem/api", json=QUERY, headers=headers)


def test_a_signed_token_opens_graphql_and_api1_where_bearer_is_on(api, world, clock):
    assert ask(api, minted(clock)).status_code == 200
    url = f"{BASE}/BPSUPPLIER?representation=BPSUPPLIER.$query&count=1"
    assert api.http.get(url, headers=minted(clock)).status_code == 200
    world.auth = {"basic"}
    assert api.http.get(url, headers=minted(clock)).status_code == 401


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"iat": 1}, 50),
        ({"iat": None}, 21),
        ({"iss": "somebody"}, 41),
        ({"sub": "admin"}, 42),
        ({"sub": None}, 42),
        ({"aud": "https://x3.example/xtrem/api/"}, 45),
        ({"aud": "https://X3.example/xtrem/api"}, 45),
        ({"aud": None}, 45),
        ({"exp": 1}, 50),
        ({"secret": "wrong"}, 50),
    ],
)
def test_each_claim_is_checked_and_refused_in_plain_text(api, world, clock, changed, number):
    reply = ask(api, minted(clock, **changed))
    assert (reply.status_code, reply.text) == (401, f"Error {number}: Invalid token")
    assert reply.headers["Content-Type"].startswith("text/plain")


def test_a_clock_that_is_ahead_is_refused(api, clock):
    headers = minted(clock, iat=int(clock().timestamp()) + 1)
    assert ask(api, headers).text == "Error 21: Invalid token"


def test_the_validity_and_the_subject_are_the_applications_own(api, world, clock):
    world.logins.applications[CLIENT_ID].validity = 60
    now = int(clock().timestamp())
    assert ask(api, minted(clock)).status_code == 401
    assert ask(api, minted(clock, iat=now, exp=now + 60)).status_code == 200
    api.control("applications", client_id=CLIENT_ID, needs_sub=False, validity=600)
    assert ask(api, minted(clock, sub=None)).status_code == 200


@pytest.mark.parametrize("header", [None, "Bearer x", "Bearer a.b.c", "Basic eDp5"])
def test_without_a_login_nothing_is_read(api, header):
    headers = {"x-xtrem-endpoint": "SEED"} | ({"Authorization": header} if header else {})
    assert ask(api, headers).status_code == 401


# ── the gateway ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def gateway(world) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(create_app(world)), base_url="https://api.eu-sagex3.com")


def refresh(world, **changed: Any) -> dict[str, Any]:
    body = {"grant_type": "refresh_token", "refresh_token": world.logins.paired[APP_ID].refresh}
    body |= {"client_id": APP_ID, "client_secret": APP_SECRET} | changed
    return {name: value for name, value in body.items() if value is not None}


def bearer(gateway, world) -> dict[str, str]:
    token = gateway.post("/v1/token", json=refresh(world)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_the_root_is_a_map_and_there_is_nothing_else_on_this_host(gateway):
    found = decode(gateway.get("/v1").content)
    assert found["customerUsage"]["graphQL"] == "https://api.eu-sagex3.com/v1/service/{endPoint}/api"
    assert gateway.get(f"{BASE}/BPSUPPLIER").status_code == 404 and gateway.post("/xtrem/api").status_code == 404


def test_a_refresh_gives_new_tokens_and_the_old_one_is_dead_at_once(gateway, world, clock):
    body = refresh(world)
    found = gateway.post("/v1/token", json=body).json()
    access, kept = opened(found["access_token"])[1], opened(found["refresh_token"])[1]
    assert access["exp"] - access["iat"] == 300 and kept["exp"] - kept["iat"] == 2_629_800 and kept["jti"]
    assert (access["azp"], access["scopes"][-1]) == (APP_ID, "api.graphQL")
    again = gateway.post("/v1/token", json=body)
    assert (again.status_code, again.json()) == (403, {"message": "Pairing request not found"})
    assert gateway.post("/v1/token", json=refresh(world)).status_code == 200


def test_a_refresh_token_ends_too(gateway, world, clock):
    body = refresh(world)
    clock.forward(seconds=2_629_800)
    reply = gateway.post("/v1/token", json=body)
    assert (reply.status_code, reply.json()) == (403, {"message": "The request has expired."})


def test_an_access_token_lives_five_minutes_and_a_refresh_token_opens_nothing(gateway, world, clock):
    headers = bearer(gateway, world)
    assert gateway.get("/v1/folders", headers=headers).json()["folders"][0]["name"] == "SEED"
    wrong = {"Authorization": f"Bearer {world.logins.paired[APP_ID].refresh}"}
    assert gateway.get("/v1/folders", headers=wrong).status_code == 401
    clock.now += timedelta(seconds=300)
    reply = gateway.get("/v1/folders", headers=headers)
    assert (reply.status_code, reply.json()) == (401, {"message": "Unauthorised"})


@pytest.mark.parametrize(
    ("changed", "status", "text"),
    [
        ({"client_id": None}, 400, {"message": "Missing required request parameters"}),
        ({"refresh_token": None}, 400, {"message": "Missing required request parameters"}),
        ({"grant_type": "client_credentials"}, 400, {"message": "Invalid grant type"}),
        ({"grant_type": "authorization_code"}, 400, {"message": "Missing required request parameters"}),
        ({"client_secret": "wrong"}, 404, "Could not associate the values with an active application"),
    ],
)
def test_refusals_of_tokens_are_the_vendors_own(gateway, world, changed, status, text):
    reply = gateway.post("/v1/token", json=refresh(world, **changed))
    assert (reply.status_code, reply.json()) == (status, text)


def test_a_token_is_asked_for_in_json_only(gateway, world):
    assert gateway.post("/v1/token", data=refresh(world)).status_code == 400
    assert world.logins.issued == 1


def test_a_pairing_is_asked_for_accepted_and_traded_once(gateway, world):
    world.logins.paired[APP_ID].code = "code-1"
    asked = {"client_id": APP_ID, "scope": "api.graphQL", "customer": "https://x3", "redirect_uri": "https://us"}
    assert gateway.get("/v1/token/authorise", params=asked).status_code == 400
    assert gateway.get("/v1/token/authorise", params=asked | {"state": "s"}).status_code == 200
    body = {"grant_type": "authorization_code", "code": "code-1", "redirect_uri": "https://us"}
    assert gateway.post("/v1/token", json=refresh(world, **body, refresh_token=None)).status_code == 200
    assert gateway.post("/v1/token", json=refresh(world, **body, refresh_token=None)).status_code == 403
    for name, text in (("accepted", "has not been accepted"), ("disabled", "is disabled")):
        world.logins.paired[APP_ID].accepted, world.logins.paired[APP_ID].disabled = True, False
        setattr(world.logins.paired[APP_ID], name, name == "disabled")
        reply = gateway.post("/v1/token", json=refresh(world))
        assert reply.status_code == 403 and text in reply.json()["message"]


def test_the_other_spelling_of_an_answer(gateway, world):
    world.logins.spelling = "camel"
    assert {"accessToken", "refreshToken"} < gateway.post("/v1/token", json=refresh(world)).json().keys()


def test_graphql_behind_the_gateway_is_for_a_granted_folder_and_scope(gateway, world):
    headers = bearer(gateway, world)
    reply = gateway.post("/v1/service/SEED/api", json=QUERY, headers=headers)
    assert reply.json()["data"]["x3MasterData"]["supplier"]["query"]["totalCount"] == 305
    assert gateway.post("/v1/service/OTHER/api", json=QUERY, headers=headers).status_code == 404
    world.logins.paired[APP_ID].scopes = ["api.dataIngestion"]
    assert gateway.post("/v1/service/SEED/api", json=QUERY, headers=headers).status_code == 403
    world.logins.paired[APP_ID].folders = []
    assert gateway.get("/v1/folders", headers=headers).json() == {"folders": []}


def test_the_quota_of_a_day_ends_calls_until_midnight(gateway, world, clock):
    headers = bearer(gateway, world)
    world.logins.daily_quota = 2
    assert [gateway.get("/v1/folders", headers=headers).status_code for _ in range(3)] == [200, 200, 429]
    reply = gateway.get("/v1/folders", headers=headers)
    assert int(reply.headers["Retry-After"]) == 14.5 * 3600
    clock.now = clock.now + timedelta(hours=15)
    assert gateway.get("/v1/folders", headers=bearer(gateway, world)).status_code == 200


def test_gateway_tokens_open_a_direct_server_too(api, gateway, world):
    headers = bearer(gateway, world)
    assert ask(api, headers | {"x-xtrem-endpoint": "SEED"}).status_code == 200
    url = f"{BASE}/BPSUPPLIER?representation=BPSUPPLIER.$query&count=1"
    assert api.http.get(url, headers=headers).status_code == 200

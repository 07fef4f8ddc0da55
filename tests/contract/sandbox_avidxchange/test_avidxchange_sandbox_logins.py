"""The three logins, what the gateway says to those that have none, and what locks a person's account."""

from __future__ import annotations

import base64

import pytest

from infra.sandbox.avidxchange.seed import CLIENT, GATEWAY_KEY, HEADER_TOKENS, PASSWORD, USER

LIST = "/payments?modifiedSince=2026-02-01"
OLD = "/v1/accountingSystems"


@pytest.mark.parametrize("body", [False, True])
def test_a_client_gets_a_token_in_both_ways(api, world, body):
    reply = api.token(body=body)
    assert reply.json() | {"access_token": ""} == {"access_token": "", "token_type": "Bearer", "expires_in": 3600}
    assert world.logins.logins == 1
    assert api.http.post("/oauth2/token", data={"grant_type": "client_credentials"}).status_code == 401
    reply = api.token("wrong", body=body)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client") and world.logins.refused == 2


@pytest.mark.parametrize(("wanted", "body"), [("basic", True), ("body", False)])
def test_a_server_may_take_a_secret_in_one_way_only(api, world, wanted, body):
    world.logins.client_auth = wanted
    assert api.token(body=body).status_code == 401
    assert api.token(body=not body).status_code == 200


def test_a_repeated_request_gives_the_same_token_with_less_life(api, clock):
    first = api.token().json()
    clock.forward(seconds=3000)
    second = api.token().json()
    assert (second["access_token"], second["expires_in"]) == (first["access_token"], 600)
    clock.forward(seconds=601)
    third = api.token().json()
    assert third["access_token"] != first["access_token"] and third["expires_in"] == 3600


def test_what_a_token_answer_may_leave_out_or_spell(api, world):
    world.logins.says_expiry, world.logins.token_type = False, "bearer"
    assert api.token().json().keys() == {"access_token", "token_type"}
    assert api.token().json()["token_type"] == "bearer"
    assert api.token(scope="payments").json()["scope"] == "payments"
    assert api.http.post("/token", data={}).json()["error"] == "invalid_request"
    assert api.token(grant_type="password").json()["error"] == "unsupported_grant_type"


def test_no_call_without_a_live_login(api, world, clock):
    assert api.http.get(LIST).json()["fault"]["code"] == 900902
    api.signed = {"Authorization": "Bearer nobody"}
    reply = api.raw("GET", LIST)
    assert (reply.status_code, reply.json()["fault"]["code"]) == (401, 900901)
    api.log_in()
    assert api.raw("GET", LIST).status_code == 200
    clock.forward(seconds=3600)
    assert api.raw("GET", LIST).json()["fault"]["code"] == 900903
    api.log_in()
    world.logins.expire()
    assert api.raw("GET", LIST).status_code == 401
    api.log_in()
    world.logins.modes = {"login"}
    assert api.raw("GET", LIST).status_code == 401 and api.token().status_code == 401


def test_faults_of_the_gateway_have_two_wrappings_and_are_xml_for_who_asks_for_nothing(api, world):
    world.fault_style = "bare"
    assert api.http.get(LIST).json()["code"] == "900902"
    reply = api.http.get(LIST, headers={"Accept": "*/*"})
    assert reply.headers["Content-Type"].startswith("application/xml") and "<ams:code>900902</ams:code>" in reply.text


def test_fixed_token_headers_must_all_agree(api, world):
    api.signed = dict(HEADER_TOKENS)
    assert api.raw("GET", LIST).status_code == 200
    api.signed["X-User-Token"] = "another"
    assert api.raw("GET", LIST).json()["fault"]["code"] == 900901 and world.logins.refused == 1
    del api.signed["X-User-Token"]
    assert api.raw("GET", LIST).json()["fault"]["code"] == 900902
    api.signed = dict(HEADER_TOKENS)
    world.logins.modes = {"oauth2"}
    assert api.raw("GET", LIST).status_code == 401


def test_a_user_needs_the_gateway_key_too(api, world):
    assert api.authorize(key="wrong").json()["fault"]["code"] == 900901
    assert api.authorize().json().keys() == {"access_token"}
    api.log_in_old()
    assert api.get(OLD)["Items"][0] == {"ID": "101", "Name": "Sandbox Manufacturing"}
    token = api.signed["AvidAuthorization"]
    api.signed["Authorization"] = "Bearer wrong"
    assert api.raw("GET", OLD).json()["fault"]["code"] == 900901
    api.signed = {"Authorization": f"Bearer {GATEWAY_KEY}"}
    assert api.raw("GET", OLD).status_code == 401
    api.signed["AvidAuthorization"] = token.replace("Bearer", "Basic")
    assert api.raw("GET", OLD).status_code == 401


def test_a_session_ends_without_having_said_when(api, clock):
    api.log_in_old()
    clock.forward(seconds=1800)
    reply = api.raw("GET", OLD)
    assert (reply.status_code, reply.json()["exception"]["reason"]) == (401, "Unauthorized")


def test_three_refused_logins_lock_the_account_of_a_person(api, world):
    for _ in range(2):
        assert api.authorize("wrong").json() == {"error_description": "The user name or password is incorrect."}
    assert api.authorize().status_code == 200, "a login that succeeds forgives those before it"
    for _ in range(3):
        assert api.authorize("wrong").status_code == 400
    assert "locked" in api.authorize().json()["error_description"]
    assert world.logins.locked == {USER} and world.logins.after_lock == 1
    world.logins.change_password(USER, "new")
    assert api.authorize("new").status_code == 200 and api.authorize(PASSWORD).status_code == 400


def test_a_refused_login_may_be_401_and_a_password_may_expire(api, world):
    world.logins.refusal = 401
    assert api.authorize("wrong").json()["exception"]["detail"].startswith("The user name")
    world.logins.expired_passwords.add(USER)
    reply = api.authorize()
    assert reply.status_code == 401 and "expired" in reply.json()["exception"]["detail"]


def test_a_503_of_the_login_holds_the_password(api, world):
    world.faults.add("login-503", "authorizations")
    reply = api.authorize()
    assert reply.status_code == 503 and PASSWORD in reply.text and USER in reply.text
    assert world.logins.logins == 0 and not world.log[-1].query


def test_a_basic_header_that_cannot_be_read_is_none(api):
    for text in ("Basic !!", f"Basic {base64.b64encode(CLIENT.encode()).decode()}"):
        reply = api.http.post("/token", data={"grant_type": "client_credentials"}, headers={"Authorization": text})
        assert reply.status_code == 401


def test_planned_faults_of_logins(api, world):
    world.faults.add("401", "token")
    assert api.token().json()["error"] == "invalid_client"
    world.faults.add("401", "authorizations")
    assert api.authorize().json() == {"error_description": "Refused"}

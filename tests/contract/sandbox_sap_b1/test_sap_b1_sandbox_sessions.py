"""Login, sessions, and the two shapes of a refusal (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import pytest


def test_login_sets_a_session_cookie_without_path_and_a_route_cookie(connect):
    reply = connect().login()
    first, second = reply.headers.get_list("set-cookie")
    assert first == f"B1SESSION={reply.json()['SessionId']};HttpOnly;"
    assert second == "ROUTEID=.node1; path=/b1s"
    assert reply.json()["SessionTimeout"] == 30


def test_login_is_annotated_in_the_words_of_the_version(connect):
    assert connect("v1").login().json()["odata.metadata"].endswith("$metadata#B1Sessions/@Element")
    assert connect("v2").login().json()["@odata.context"].endswith("$metadata#B1Sessions/$entity")


@pytest.mark.parametrize("wrong", [{"Password": "x"}, {"UserName": "x"}, {"CompanyDB": "x"}])
def test_wrong_login_data_is_401_with_the_configured_code(connect, world, expect_refusal, wrong):
    world.sessions.failure_code = 100000027
    expect_refusal(connect().login(**wrong), 401, 100000027)
    assert (world.logins, world.login_failures) == (0, 1)


def test_five_wrong_passwords_lock_the_user_for_the_right_one_too(connect, world, expect_refusal):
    client = connect()
    for _ in range(5):
        expect_refusal(client.login(Password="wrong"), 401, -304)
    expect_refusal(client.login(), 401, -304)
    world.unlock("manager")
    assert client.login().status_code == 200


def test_a_right_password_restarts_the_count_of_failures(connect):
    client = connect()
    for _ in range(3):
        for _ in range(4):
            client.login(Password="wrong")
        assert client.login().status_code == 200


def test_a_call_without_session_is_301_in_the_envelope_of_the_version(connect):
    text = "Invalid session or session already timeout."
    v1, v2 = connect("v1").get("PurchaseOrders"), connect("v2").get("PurchaseOrders")
    assert v1.status_code == v2.status_code == 401
    assert v1.json() == {"error": {"code": 301, "message": {"lang": "en-us", "value": text}}}
    assert v2.json() == {"error": {"code": "301", "message": text}}


def test_v1_can_answer_with_the_flat_envelope(connect, world):
    world.flat_errors_on_v1 = True
    assert connect("v1").get("PurchaseOrders").json()["error"]["code"] == "301"


def test_a_session_of_v1_is_good_on_v2(api_v1, connect):
    other = connect("v2")
    other.session = api_v1.session
    assert other.get("Currencies").status_code == 200


def test_a_session_dies_after_idling_not_after_age(api, clock, expect_refusal):
    for _ in range(3):
        clock.forward(minutes=29)
        assert api.get("Currencies").status_code == 200
    clock.forward(minutes=30)
    expect_refusal(api.get("Currencies"), 401, 301)


def test_a_dead_session_can_look_like_minus_5002(api, world, expect_refusal):
    world.dead_session_style = "-5002"
    world.expire_sessions()
    expect_refusal(api.get("Currencies"), 400, -5002, "Invalid session")


def test_logout_is_204_and_ends_the_session(api, expect_refusal):
    assert api.post("Logout", None).status_code == 204
    expect_refusal(api.get("Currencies"), 401, 301)


@pytest.mark.parametrize("path", ["login", "LOGIN", "logout"])
def test_a_path_in_the_wrong_case_looks_like_a_dead_session(api, expect_refusal, path):
    expect_refusal(api.post(path, {}), 401, 301)


def test_sessions_of_a_user_are_limited(connect, world, expect_refusal):
    world.sessions.limit_per_user = 2
    assert [connect().login().status_code for _ in range(2)] == [200, 200]
    expect_refusal(connect().login(), 500, 305)


def test_the_log_keeps_calls_but_no_password(api, world):
    api.get("Currencies?$top=1")
    assert [(one.method, one.path, one.status) for one in world.log] == [
        ("POST", "/b1s/v2/Login", 200),
        ("GET", "/b1s/v2/Currencies", 200),
    ]
    assert not any(b"sandbox-only" in one.body for one in world.log)
    assert world.calls == {"POST Login": 1, "GET Currencies": 1}


def test_expect_100_continue_is_an_empty_500(api):
    reply = api.call("POST", "PurchaseInvoices", {}, Expect="100-continue")
    assert (reply.status_code, reply.content) == (500, b"")

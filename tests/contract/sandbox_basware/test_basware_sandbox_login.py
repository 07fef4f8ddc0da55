from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from infra.sandbox.basware.scopes import SCOPES


def test_a_wrong_secret_is_invalid_client(basware):
    answer = basware.login("vendors.read", auth=("sandbox-client", "wrong"))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert basware.world.refused_logins == 1


def test_credentials_in_the_form_are_not_enough(basware):
    assert basware.login("vendors.read", auth=None).status_code == 401


@pytest.mark.parametrize("missing", ["grant_type", "scope"])
def test_both_form_fields_are_required(basware, missing):
    form = {"grant_type": "client_credentials", "scope": "vendors.read"}
    del form[missing]
    answer = basware.login("", data=form)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": f"{missing} field required"}


def test_a_json_token_request_is_422(basware):
    answer = basware.login("", data=None, json={"grant_type": "client_credentials", "scope": "vendors.read"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "grant_type"]


@pytest.mark.parametrize("scope", ["p2p:read", "vendors.read organizations.read", "tasks.write"])
def test_an_unknown_scope_is_refused(basware, scope):
    answer = basware.login(scope)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_scope"})


def test_a_scope_that_the_client_was_not_granted_is_refused(basware):
    basware.world.granted = frozenset({"vendors.read"})
    assert basware.login("vendors.read").status_code == 200
    assert basware.login("vendors.write").status_code == 400


def test_the_token_looks_like_a_jwt_and_lives_as_configured(basware):
    basware.world.token_seconds = 300
    answer = basware.login("vendors.read vendors.write").json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 300
    assert answer["access_token"].count(".") == 2
    assert "refresh_token" not in answer


def test_the_token_expires_by_the_clock(basware):
    basware.later(3599)
    assert basware.get("/v1/vendors").status_code == 404
    basware.later(1)
    assert basware.get("/v1/vendors").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ="])
def test_anything_but_a_live_bearer_token_is_401(basware, header):
    assert basware.get("/v1/vendors", headers={"Authorization": header}).status_code == 401


def test_a_read_scope_does_not_write(basware, make):
    basware.token = basware.login("vendors.read accountingDocuments.read").json()["access_token"]
    basware.put()
    assert basware.get("/v1/vendors").status_code == 404
    assert basware.post("/v1/vendors", [make.vendor()]).status_code == 401
    assert basware.post("/v1/accountingDocuments/inv1/acknowledge").status_code == 401
    assert basware.post("/v1/accountingDocuments/inv1/transferResponses", make.transfer()).status_code == 401


def test_a_write_scope_does_not_read_and_another_entity_is_closed(basware, make):
    basware.token = basware.login("vendors.write").json()["access_token"]
    assert basware.post("/v1/vendors", [make.vendor()]).status_code == 200
    assert basware.get("/v1/vendors").status_code == 401
    assert basware.post("/v1/accounts", [make.account()]).status_code == 401


NO_UUID_4 = ["", "abc", "b4194e82-e565-11f1-8ad5-02fc00000001", "907b0fca9cdd4a46a89e2c7be9158f18"]


@pytest.mark.parametrize("given", NO_UUID_4)
def test_a_request_id_that_is_no_uuid_4_is_refused(basware, given):
    answer = basware.get("/v1/vendors", headers={"X-BW-REQUEST-ID": given})
    assert answer.status_code == 400
    assert "X-BW-REQUEST-ID" in answer.json()["errors"][0]["message"]


def test_a_request_id_is_used_once_also_for_tokens(basware):
    again = {"X-BW-REQUEST-ID": str(uuid4())}
    assert basware.get("/v1/vendors", headers=again).status_code == 404
    assert basware.get("/v1/accounts", headers=again).status_code == 400
    form = {"grant_type": "client_credentials", "scope": "vendors.read"}
    assert basware.http.post("/v1/tokens", data=form, headers=again).status_code == 400


def test_the_request_id_rule_can_be_switched_off(basware):
    basware.world.require_request_id = False
    assert basware.get("/v1/vendors", headers={"X-BW-REQUEST-ID": ""}).status_code == 404


def test_every_answer_has_a_fresh_request_id(basware):
    answers = [basware.get("/v1/vendors"), basware.get("/v1/none"), basware.login("x"), basware.login("x")]
    assert len({answer.headers["x-amzn-RequestId"] for answer in answers}) == 4


def test_calls_logins_and_requests_are_counted(basware):
    basware.get("/v1/vendors/V1")
    assert basware.world.logins == 1
    assert basware.world.calls["GET /v1/vendors/<code>"] == 1
    logged = basware.world.log[-1]
    assert (logged.method, logged.path, logged.status) == ("GET", "/v1/vendors/V1", 404)


def test_there_are_eighty_scopes(basware):
    assert len(SCOPES) == 80


def test_redirected_and_control_requests_need_no_request_id(basware):
    basware.put()
    assert isinstance(basware.follow(basware.get("/v1/accountingDocuments")), httpx.Response)
    assert basware.http.get("/_sandbox/state").status_code == 200


def test_a_head_request_needs_the_read_scope(basware, make):
    basware.post("/v1/vendors", [make.vendor()])
    assert basware.ask("HEAD", "/v1/vendors").status_code == 200
    assert basware.ask("HEAD", "/v1/vendors", headers={"Authorization": ""}).status_code == 401

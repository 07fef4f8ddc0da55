"""Credentials in capitals, tried once; a content type always; explanations that a person can act on."""

from __future__ import annotations

import base64
import importlib

import httpx
import pytest

from ml_connector.bootstrap import LANES
from ml_connector.context import TenantSettings
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.records import Supplier
from ml_connector.settings_epoch import settings_epoch
from ml_connector.systems.sage_300 import Settings
from ml_connector.systems.settings import parse

BASE = "https://erp.example/Sage300WebApi/v1.0/-"


def credentials(request: httpx.Request) -> str:
    return base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()


def refuse(_: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"error": {"code": "Unauthorized", "message": {"value": "Invalid login"}}})


def test_user_and_password_are_sent_in_capitals(bench):
    bench.all(Supplier)
    assert {credentials(r) for r in bench.server.requests + bench.server.proofs} == {"WEBAPI:SECRET-1X"}


def test_a_password_with_small_letters_stays_as_it_is_where_the_secret_says_so(make):
    bench = make(uppercase_password=False)
    bench.all(Supplier)
    assert credentials(bench.server.requests[0]) == "WEBAPI:Secret-1x"


def test_both_spellings_of_the_password_are_masked():
    settings = Settings.model_validate({"api_url": BASE, "company": "c1", "user": "u", "password": "Geheim-1"})
    assert {"Geheim-1", "GEHEIM-1"} <= set(settings.secret_values())
    assert "eheim" not in repr(settings).lower()


def test_every_request_has_a_content_type_reading_too(bench):
    bench.all(Supplier)  # the server asserts it
    assert [r.method for r in bench.server.requests] == ["GET"]


def test_a_wrong_password_is_explained(bench):
    bench.server.proof = refuse
    with pytest.raises(LoginRefused) as first:
        bench.all(Supplier)
    assert bench.server.requests == []
    for word in ("upper case", "uppercase_password", "ADMIN", "AllowWebApiAccessForAdmin", "Sage 300 Web API"):
        assert word in str(first.value)
    assert "SECRET" not in str(first.value)


def test_a_single_refusal_of_proven_credentials_is_looked_into_and_survived(bench):
    bench.server.script(
        "AP/APVendors", refuse, httpx.Response(200, json={"value": [{"VendorNumber": "1", "VendorName": "A"}]})
    )
    assert [one.key for one in bench.all(Supplier)] == ["1"]
    assert len(bench.server.proofs) == 2


def test_a_password_changed_meanwhile_stops_after_one_look(bench):
    bench.all(Supplier)
    bench.server.proof = refuse
    bench.server.answers["AP/APVendors"] = refuse
    with pytest.raises(LoginRefused):
        bench.all(Supplier)
    seen = len(bench.server.proofs) + len(bench.server.requests)
    with pytest.raises(LoginRefused):
        bench.all(Supplier)
    assert len(bench.server.proofs) + len(bench.server.requests) == seen


@pytest.mark.parametrize(
    "open_answer",
    [
        httpx.Response(200, json={"error": {"code": "UnknownError", "message": {"lang": "en-US", "value": "No."}}}),
        httpx.Response(503, text="<html>Service Unavailable</html>"),
    ],
)
def test_a_proof_that_stays_open_is_made_again_before_anything_else_is_asked(bench, open_answer):
    bench.all(Supplier)
    bench.server.answers["AP/APVendors"], bench.server.proof = refuse, lambda _: open_answer
    with pytest.raises(Transient):
        bench.all(Supplier)
    seen = len(bench.server.requests)
    bench.server.proof = refuse
    with pytest.raises(LoginRefused):
        bench.all(Supplier)
    assert len(bench.server.requests) == seen
    with pytest.raises(LoginRefused):
        bench.breaker.check()


def test_windows_authentication_in_front_is_explained_by_the_iis_setting(bench):
    bench.server.proof = lambda _: httpx.Response(
        401, headers={"www-authenticate": "Negotiate"}, text="<html><title>401 - Unauthorized</title></html>"
    )
    with pytest.raises(LoginRefused, match="Anonymous Authentication must be enabled and Windows Authentication dis"):
        bench.all(Supplier)


@pytest.mark.parametrize(
    "page",
    [
        httpx.Response(200, text="<html><body>IIS Windows Server</body></html>"),
        httpx.Response(404, text="<html>404 - File or directory not found.</html>"),
        httpx.Response(302, headers={"location": "/login"}),
        httpx.Response(200, json={"hello": "world"}),
    ],
)
def test_a_page_that_is_not_the_api_is_explained(bench, page):
    bench.server.proof = lambda _: page
    with pytest.raises(Misconfigured, match="Anonymous Authentication"):
        bench.all(Supplier)


def test_a_user_without_the_right_to_vendors_is_logged_in_and_told_of_the_right(bench, fault):
    bench.server.proof = lambda _: fault(403, "Forbidden", "No rights")
    bench.server.answers["AP/APVendors"] = lambda _: fault(403, "Forbidden", "No rights")
    with pytest.raises(Misconfigured, match="module AP the right 'Sage 300 Web API'"):
        bench.all(Supplier)


def test_ping_reads_one_of_each_kind_and_names_missing_rights_by_module(bench, fault):
    bench.server.rows("GL/GLAccounts", {"UnformattedAccount": "6260", "Description": "Office"})
    bench.server.answers["PO/POPurchaseOrders"] = lambda _: fault(403, "Forbidden", "No rights")
    checks = {check.what: check for check in bench.connection.ping()}
    assert checks["login"].ok
    assert checks["accounts"].detail == "for example 6260"
    assert not checks["purchase orders"].ok
    assert "module PO" in checks["purchase orders"].detail
    assert checks["time zone"].warning


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"api_url": "https://erp.example/Sage300WebApi"}, "/v1.0/-"),
        ({"company": "A B"}, "company id"),
        ({"cost_center_segment": "0"}, "segment number"),
        ({"cost_center_segment": "11"}, "segment number"),
        ({"date_literal": "oracle"}, "date_literal"),
        ({"company_db": "x"}, "unknown"),
    ],
)
def test_a_secret_that_cannot_be_used_says_which_field(change, words):
    import json

    good = {"api_url": BASE, "company": "SAMLTD", "user": "u", "password": "p"}
    with pytest.raises(Misconfigured, match=words):
        parse(Settings, json.dumps(good | change), "acme/sage_300", insecure=False)


def test_a_secret_without_a_company_names_the_field_as_it_is_written():
    with pytest.raises(Misconfigured, match="'company' is missing"):
        parse(Settings, f'{{"api_url": "{BASE}", "user": "u", "password": "p"}}', "acme/sage_300", insecure=False)


def test_identity_and_company_do_not_depend_on_spelling():
    one = Settings.model_validate({"api_url": BASE, "company": "samltd", "user": "u", "password": "p"})
    other = Settings.model_validate({"api_url": BASE.upper(), "company": "SAMLTD", "user": "x", "password": "q"})
    assert one.identity() == other.identity()
    assert one.company() == "SAMLTD"


def test_a_session_that_the_server_lost_is_not_named_again(bench, fault):
    good = httpx.Response(200, json={"value": []}, headers={"set-cookie": "ASP.NET_SessionId=s1; path=/"})
    bench.server.script("AP/APVendors", good, fault(500, "SessionError", "No session"), good, good)
    for _ in range(3):
        bench.all(Supplier)
    assert [request.headers.get("cookie") for request in bench.server.requests] == [
        None,
        "ASP.NET_SessionId=s1",
        None,
        "ASP.NET_SessionId=s1",
    ]


def test_credentials_and_ways_of_writing_do_not_send_everything_anew():
    def epoch(**changes):
        plain = {"api_url": BASE, "company": "SAMLTD", "user": "u", "password": "p"}
        return settings_epoch(TenantSettings(), {"sage_300": Settings.model_validate(plain | changes)})

    same = {"user": "x", "password": "q", "uppercase_password": False, "post_batches": True, "date_literal": "datetime"}
    assert epoch(**same) == epoch()
    assert epoch(cost_center_segment="2") != epoch()


def test_two_calls_at_most_run_side_by_side():
    system = importlib.import_module("ml_connector.systems.sage_300.connection")
    assert system.CONNECTIONS == 2
    assert LANES["sage_300"] == 1

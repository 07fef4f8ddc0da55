"""Who gets in, and what every request must carry (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from infra.sandbox.sage_300 import create_app
from tests.contract.sandbox_sage_300.conftest import JSON, basic

GOOD = basic("WEBAPI", "Sandbox-Only")


def test_a_right_request_is_answered_and_gets_a_cookie(api):
    reply = api.get("AP/APTerms")
    assert reply.status_code == 200
    assert reply.headers["Set-Cookie"].startswith("ASP.NET_SessionId=")


def test_a_get_without_content_type_is_an_internal_error(api, expect_refusal):
    expect_refusal(api.raw("GET", "AP/APTerms", GOOD), 500, "InternalServerError")
    expect_refusal(api.raw("GET", "AP/APTerms", GOOD | {"Content-Type": "text/plain"}), 500, "InternalServerError")
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert api.raw("GET", "AP/APTerms", GOOD | charset).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic ???"},
        {"Authorization": "Bearer abc"},
        basic("WEBAPI", "SANDBOX-ONLY"),
        basic("WEBAPI", ""),
        basic("webapi", "Sandbox-Only"),
        basic("NOBODY", "Sandbox-Only"),
    ],
)
def test_other_credentials_are_unauthorized(api, expect_refusal, headers):
    expect_refusal(api.raw("GET", "AP/APTerms", JSON | headers), 401, "Unauthorized")


def test_a_password_is_compared_as_it_is_stored(world, connect):
    world.users.add("OLD", "ALLUPPER1")
    assert connect("OLD", "ALLUPPER1").get("AP/APTerms").status_code == 200
    assert connect("OLD", "AllUpper1").get("AP/APTerms").status_code == 401
    world.users.fold_ids = True
    assert connect("old", "ALLUPPER1").get("AP/APTerms").status_code == 200


def test_the_cookie_alone_opens_nothing(api, expect_refusal):
    cookie = api.get("AP/APTerms").headers["Set-Cookie"].partition(";")[0]
    expect_refusal(api.raw("GET", "AP/APTerms", JSON | {"Cookie": cookie}), 401, "Unauthorized")


def test_five_refused_logins_lock_a_user_until_somebody_unlocks_it(world, api, connect, expect_refusal):
    for _ in range(5):
        connect(password="wrong").get("AP/APTerms")
    expect_refusal(api.get("AP/APTerms"), 401, "Unauthorized")
    world.users.unlock("WEBAPI")
    assert api.get("AP/APTerms").status_code == 200


def test_admin_is_forbidden_unless_the_installation_allows_it(world, connect, expect_refusal):
    admin = connect("ADMIN")
    expect_refusal(admin.get("AP/APTerms"), 403, "Forbidden", "ADMIN")
    world.users.allow_admin = True
    assert admin.get("AP/APTerms").status_code == 200


def test_the_right_is_given_module_by_module(connect, expect_refusal):
    user = connect("APONLY")
    assert user.get("AP/APTerms").status_code == 200
    expect_refusal(user.get("GL/GLAccounts"), 403, "Forbidden", "GL")


def test_windows_authentication_answers_with_a_page_of_iis(world, api):
    world.windows_login = True
    reply = api.get("AP/APTerms")
    assert (reply.status_code, reply.headers["Content-Type"][:9]) == (401, "text/html")
    assert "NTLM" in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("prefix", ["/Sage300WebApi/v1.0", "/v1.0", "/Sage300WebApi/V1.0"])
def test_the_path_of_the_application_may_be_left_out_by_a_proxy(api, prefix):
    assert api.get(f"https://sage.example{prefix}/-/SAMLTD/AP/APTerms").status_code == 200


@pytest.mark.parametrize("path", ["/v1.0/SAMLTD/AP/APTerms", "/v2.0/-/SAMLTD/AP/APTerms", "/Sage300WebApi"])
def test_another_path_is_not_the_api(api, path):
    assert (api.get(f"https://sage.example{path}").status_code) == 404


def test_a_company_that_does_not_exist_has_no_session(api, expect_refusal):
    for company in ("OTHER", "samltd"):
        path = f"https://sage.example/v1.0/-/{company}/AP/APTerms"
        expect_refusal(api.get(path), 500, "SessionError", company)


@pytest.mark.parametrize("path", ["AP/Vendors", "AP/GLAccounts", "XX/APVendors", "AP/APVendors/1200", "AP/apvendors"])
def test_an_unknown_resource_is_not_found(api, expect_refusal, path):
    expect_refusal(api.get(path), 404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "PO/POPurchaseOrders(10021001)"),
        ("DELETE", "PO/POPurchaseOrders(10021001)"),
        ("POST", "PO/POInvoices"),
        ("GET", "PO/POReceipts"),
        ("POST", "PO/POGetReceipts"),
        ("PUT", "AP/APInvoiceBatches(101)"),
        ("DELETE", "AP/APInvoiceBatches(101)"),
        ("GET", "AP/APPostInvoices('$process')"),
        ("POST", "AP/APPostedDocuments"),
        ("POST", "CS/CSFiscalCalendars"),
        ("POST", "TX/TXTaxGroups"),
    ],
)
def test_a_verb_that_the_table_does_not_have_is_not_allowed(api, expect_refusal, method, path):
    expect_refusal(api.call(method, path, {}), 405, "MethodNotAllowed")


def test_more_requests_at_once_than_allowed_are_too_many(world):
    inside, go = threading.Semaphore(0), threading.Event()

    def sleep(_seconds: float) -> None:
        inside.release()
        go.wait(5)

    world.sleep = sleep
    world.faults.add("hang", times=3)
    app = create_app(world)

    def ask(_number: int) -> httpx.Response:
        with httpx.Client(transport=httpx.WSGITransport(app)) as client:
            return client.get("https://sage.example/v1.0/-/SAMLTD/AP/APTerms", headers=JSON | GOOD)

    with ThreadPoolExecutor(4) as pool:
        held = [pool.submit(ask, n) for n in range(3)]
        for _ in held:
            assert inside.acquire(timeout=5)
        fourth = ask(4)
        go.set()
        assert [one.result(5).status_code for one in held] == [200] * 3
    assert (fourth.status_code, fourth.json()["error"]["code"]) == (429, "TooManyRequests")
    assert "Retry-After" not in fourth.headers
    assert ask(5).status_code == 200


def test_metadata_lists_the_entities_of_a_module(api):
    reply = api.get("AP/$metadata")
    assert reply.headers["Content-Type"].startswith("application/xml")
    assert '<EntitySet Name="APVendors"' in reply.text
    assert '<ComplexType Name="InvoiceDetail">' in reply.text
    assert "POPurchaseOrders" not in reply.text


def test_the_log_tells_who_asked_for_what(world, api):
    api.get("AP/APTerms?$top=1")
    entry = world.log[-1]
    assert (entry.user, entry.query, entry.status) == ("WEBAPI", "$top=1", 200)

"""Planned faults, and the control routes that plan them from outside."""

from __future__ import annotations

import httpx
import pytest

BATCHES = "AP/APInvoiceBatches"


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("502", 502), ("503", 503), ("504", 504), ("429", 429)])
def test_a_fault_hits_as_often_as_it_says(api, world, kind, status):
    world.faults.add(kind, "APTerms", times=2)
    assert [api.get("AP/APTerms").status_code for _ in range(3)] == [status, status, 200]
    assert world.faults.hit == {kind: 2}


def test_a_gateway_answers_in_text_and_in_nobodys_words(api, world):
    world.faults.add("gateway-404", "APTerms")
    reply = api.get("AP/APTerms")
    assert (reply.status_code, reply.text) == (404, "404 page not found")
    assert reply.headers["content-type"].startswith("text/plain")
    assert api.get("AP/APTerms").status_code == 200


def test_a_fault_can_skip_calls_and_choose_method_and_query(api, world):
    world.faults.add("500", r"APTerms\?.*skip=1", "GET").skip = 1
    paths = ("AP/APTerms", "AP/APTerms?$skip=1", "AP/APTerms?$skip=1", "AP/APTerms?$skip=1")
    assert [api.get(path).status_code for path in paths] == [200, 200, 500, 200]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("500", 500, "InternalServerError"),
        ("401", 401, "Unauthorized"),
        ("429", 429, "TooManyRequests"),
        ("session", 500, "SessionError"),
        ("200-error", 200, "InternalServerError"),
    ],
)
def test_some_faults_speak_the_envelope(api, world, expect_refusal, kind, status, code):
    world.faults.add(kind)
    reply = api.get("AP/APTerms")
    expect_refusal(reply, status, code)
    assert "Retry-After" not in reply.headers


def test_a_200_can_hold_a_page(api, world):
    world.faults.add("200-html")
    reply = api.get("AP/APTerms")
    assert (reply.status_code, reply.headers["Content-Type"][:9], reply.text[:9]) == (200, "text/html", "<!DOCTYPE")


def test_a_proxy_may_say_when_to_come_again(api, world):
    world.faults.add("503").headers = {"Retry-After": "7"}
    assert api.get("AP/APTerms").headers["Retry-After"] == "7"


def test_json_can_be_cut(api, world):
    world.faults.add("truncated")
    with pytest.raises(ValueError):
        api.get("AP/APTerms").json()


def test_a_page_in_the_middle_can_be_empty_and_still_point_on(api, world):
    world.faults.add("empty-page", r"skip=100")
    page = api.read("AP/APVendors?$skip=100")
    assert (page["value"], page["@odata.nextLink"][-10:]) == ([], "?$skip=200")


def test_a_page_can_come_twice(api, world):
    first = [row["VendorNumber"] for row in api.rows("AP/APVendors")]
    world.faults.add("repeated-page", r"skip=100")
    page = api.read("AP/APVendors?$skip=100")
    assert [row["VendorNumber"] for row in page["value"]] == first
    assert page["@odata.nextLink"].endswith("$skip=200")


def test_a_next_link_can_stand_still_or_lead_away(api, world):
    world.faults.add("page-loop")
    assert api.read("AP/APVendors?$skip=100")["@odata.nextLink"].endswith("$skip=100")
    world.faults.add("wrong-host")
    link = api.read("AP/APVendors")["@odata.nextLink"]
    assert link == "https://elsewhere.invalid/Sage300WebApi/v1.0/-/SAMLTD/AP/APVendors?$skip=100"


def test_a_dropped_write_was_done(api, world, invoice):
    world.faults.add("drop", "APInvoiceBatches", "POST")
    with pytest.raises(ConnectionResetError):
        api.call("POST", BATCHES, invoice())
    assert len(api.rows(BATCHES)) == 1


def test_a_connection_broken_before_the_server_acts_leaves_nothing(api, world, invoice):
    world.faults.add("drop-before", "APInvoiceBatches", "POST")
    with pytest.raises(ConnectionResetError):
        api.call("POST", BATCHES, invoice())
    assert api.rows(BATCHES) == []


def test_a_late_write_appears_once_its_time_has_come(api, world, clock, invoice):
    world.faults.add("late", "APInvoiceBatches", "POST", seconds=600)
    assert api.call("POST", BATCHES, invoice()).status_code == 504
    clock.forward(seconds=599)
    assert api.rows(BATCHES) == []
    clock.forward(seconds=1)
    assert len(api.rows(BATCHES)) == 1


def test_a_late_write_is_refused_in_silence_when_it_is_wrong(api, world, clock, invoice):
    world.faults.add("late", "APInvoiceBatches", "POST", seconds=1)
    api.call("POST", BATCHES, invoice(VendorNumber="NOPE"))
    clock.forward(seconds=1)
    assert api.rows(BATCHES) == []


def test_a_hang_sleeps_and_then_answers(api, world):
    slept = []
    world.sleep = slept.append
    world.faults.add("hang", seconds=90)
    assert api.get("AP/APTerms").status_code == 200
    assert slept == [90]


def test_an_unknown_kind_is_refused(world):
    with pytest.raises(ValueError, match="unknown kind"):
        world.faults.add("explode")


def control(api, method, path, body=None) -> httpx.Response:
    return api.http.request(method, f"https://sage.example/_sandbox/{path}", json=body)


def test_faults_can_be_planned_and_dropped_from_outside(api):
    assert control(api, "POST", "faults", {"kind": "502", "path": "APTerms", "times": 5}).json() == {"rules": 1}
    assert api.get("AP/APTerms").status_code == 502
    assert control(api, "DELETE", "faults").json() == {"rules": 0}
    assert api.get("AP/APTerms").status_code == 200
    assert control(api, "POST", "faults", {"kind": "explode"}).status_code == 400


def test_state_shows_what_was_posted_and_called(api, ready):
    api.posted(ready())
    state = control(api, "GET", "state").json()
    assert state["APPostedDocuments"][0]["DocumentNumber"] == "INV-1"
    assert state["APInvoiceBatches"][0]["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] == "400001CC101"
    assert (state["counts"]["APVendors"], state["calls"]["POST AP/APPostInvoices"]) == (303, 1)


def test_a_record_changed_from_outside_gets_a_new_stamp(api, clock):
    clock.forward(days=1)
    body = {"VendorNumber": "V10000", "VendorName": "Renamed"}
    assert control(api, "POST", "records/APVendors", body).status_code == 200
    row = api.rows("AP/APVendors?$filter=DateLastMaintained ge 2026-02-11T00:00:00Z")[0]
    assert (row["VendorNumber"], row["VendorName"]) == ("V10000", "Renamed")
    for wrong in ({"VendorNumber": "V1", "Nope": 1}, {"VendorName": "x"}):
        assert control(api, "POST", "records/APVendors", wrong).status_code == 400


def test_a_clerk_can_receive_return_complete_and_post_from_outside(api, invoice):
    lines = [{"ItemNumber": "A1-105/0", "QuantityOrdered": 5, "UnitCost": 2}]
    order = control(api, "POST", "records/POPurchaseOrders", {"Vendor": "V10000", "PurchaseOrderLines": lines}).json()
    key = order["PurchaseOrderSequenceKey"]
    receipt = control(api, "POST", "receipts", {"PurchaseOrder": key, "Lines": [{"LineNumber": 1000, "Quantity": 2}]})
    body = {"Receipt": receipt.json()["ReceiptSequenceKey"], "Lines": [{"ItemNumber": "A1-105/0", "Quantity": 1}]}
    assert control(api, "POST", "returns", body).json()["PurchaseOrderNumber"] == order["PurchaseOrderNumber"]
    assert control(api, "POST", f"orders/{key}/complete").json()["Completed"] == "Yes"
    number = api.made(BATCHES, invoice())["BatchNumber"]
    assert control(api, "POST", f"batches/{number}/post").json()["BatchStatus"] == "Posted"
    assert control(api, "POST", f"batches/{number}/delete").status_code == 400


def test_users_and_switches_can_be_set_from_outside(api, connect, invoice, expect_refusal):
    assert control(api, "POST", "users", {"user": "new", "password": "P", "modules": ["AP"]}).status_code == 200
    assert connect("NEW", "P").get("AP/APTerms").status_code == 200
    assert control(api, "POST", "switches", {"closed_periods": ["2026-02"], "page_size": 2}).status_code == 200
    expect_refusal(api.call("POST", BATCHES, invoice()), 400, "RecordInvalid", "2026 - 02")
    assert len(api.rows("AP/APTerms")) == 2
    assert control(api, "POST", "switches", {"clock": 1}).status_code == 400

"""Planned faults, and the control routes that plan them from outside."""

from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("502", 502), ("503", 503), ("504", 504)])
def test_a_fault_hits_as_often_as_it_says(api, world, kind, status):
    world.faults.add(kind, "Currencies", times=2)
    assert [api.get("Currencies").status_code for _ in range(3)] == [status, status, 200]
    assert world.faults.hit == {kind: 2}


def test_a_gateway_answers_in_text_and_in_nobodys_words(api, world):
    world.faults.add("gateway-404", "Currencies")
    reply = api.get("Currencies")
    assert (reply.status_code, reply.text) == (404, "404 page not found")
    assert reply.headers["content-type"].startswith("text/plain")
    assert api.get("Currencies").status_code == 200


def test_a_fault_can_skip_calls_and_choose_method_and_query(api, world):
    world.faults.add("500", r"Currencies\?.*skip=1", "GET").skip = 1
    paths = ("Currencies", "Currencies?$skip=1", "Currencies?$skip=1", "Currencies?$skip=1")
    assert [api.get(path).status_code for path in paths] == [200, 200, 500, 200]


def test_the_empty_500_and_the_html_pages_are_not_json(api, world):
    world.faults.add("500")
    assert api.get("Currencies").content == b""
    world.faults.add("503").headers = {"Retry-After": "7"}
    reply = api.get("Currencies")
    assert (reply.headers["Content-Type"][:9], reply.headers["Retry-After"]) == ("text/html", "7")


def test_a_200_can_hold_a_page_or_an_error(api, world):
    world.faults.add("200-html")
    reply = api.get("Currencies")
    assert (reply.status_code, reply.text[:9]) == (200, "<!DOCTYPE")
    world.faults.add("200-error")
    reply = api.get("Currencies")
    assert (reply.status_code, "error" in reply.json()) == (200, True)


def test_a_single_401_does_not_end_the_session(api, world, expect_refusal):
    world.faults.add("401")
    expect_refusal(api.get("Currencies"), 401, 301)
    assert api.get("Currencies").status_code == 200


def test_json_can_be_cut(api, world):
    world.faults.add("truncated")
    with pytest.raises(ValueError):
        api.get("Currencies").json()


def test_a_page_in_the_middle_can_be_empty_and_still_point_on(api, world):
    world.faults.add("empty-page", r"skip=20")
    page = api.get("BusinessPartners?$skip=20").json()
    assert (page["value"], page["@odata.nextLink"]) == ([], "/b1s/v2/BusinessPartners?$skip=40")


def test_a_next_link_can_stand_still_or_lead_away(api, world):
    world.faults.add("page-loop")
    assert api.get("BusinessPartners?$skip=20").json()["@odata.nextLink"].endswith("$skip=20")
    world.faults.add("wrong-host")
    assert api.get("BusinessPartners").json()["@odata.nextLink"].startswith("https://elsewhere.invalid/")


def test_a_dropped_write_was_done(api, world, service):
    world.faults.add("drop", "PurchaseInvoices", "POST")
    with pytest.raises(ConnectionResetError):
        api.post("PurchaseInvoices", service())
    assert len(api.rows("PurchaseInvoices?$filter=NumAtCard eq 'INV-1'")) == 1


def test_a_connection_broken_before_the_server_acts_leaves_nothing(api, world, service):
    world.faults.add("drop-before", "PurchaseInvoices", "POST")
    with pytest.raises(ConnectionResetError):
        api.post("PurchaseInvoices", service())
    assert api.rows("PurchaseInvoices") == []


def test_a_late_write_appears_once_its_time_has_come(api, world, clock, service):
    world.faults.add("late", "PurchaseInvoices", "POST", seconds=600)
    assert api.post("PurchaseInvoices", service()).status_code == 504
    clock.forward(seconds=599)
    assert api.rows("PurchaseInvoices") == []
    clock.forward(seconds=1)
    assert len(api.rows("PurchaseInvoices")) == 1


def test_a_late_write_is_refused_in_silence_when_it_is_wrong(api, world, clock, service):
    world.faults.add("late", "PurchaseInvoices", "POST", seconds=1)
    api.post("PurchaseInvoices", service(CardCode="none"))
    clock.forward(seconds=1)
    assert api.rows("PurchaseInvoices") == []


def test_a_hang_sleeps_and_then_answers(api, world):
    slept = []
    world.sleep = slept.append
    world.faults.add("hang", seconds=90)
    assert api.get("Currencies").status_code == 200
    assert slept == [90]


def test_an_unknown_kind_is_refused(world):
    with pytest.raises(ValueError, match="unknown kind"):
        world.faults.add("explode")


def control(api, method, path, body=None) -> httpx.Response:
    return api.http.request(method, f"{api.root}/_sandbox/{path}", json=body)


def test_faults_can_be_planned_and_dropped_from_outside(api):
    assert control(api, "POST", "faults", {"kind": "502", "path": "Currencies", "times": 5}).json() == {"rules": 1}
    assert api.get("Currencies").status_code == 502
    assert control(api, "DELETE", "faults").json() == {"rules": 0}
    assert api.get("Currencies").status_code == 200
    assert control(api, "POST", "faults", {"kind": "explode"}).status_code == 400


def test_state_shows_what_was_posted_and_called(api, service):
    api.made("PurchaseInvoices", service())
    state = control(api, "GET", "state").json()
    invoice = state["PurchaseInvoices"][0]
    assert (invoice["NumAtCard"], invoice["DocTotal"]) == ("INV-1", 297.5)
    assert invoice["DocumentLines"][0]["AccountCode"] == "400001"
    assert (state["logins"], state["calls"]["POST PurchaseInvoices"]) == (1, 1)


def test_a_record_changed_from_outside_gets_a_new_stamp(api, clock):
    clock.forward(minutes=5)
    body = {"CardCode": "V10000", "CardName": "Renamed"}
    assert control(api, "POST", "records/BusinessPartners", body).status_code == 200
    row = api.rows("BusinessPartners?$filter=UpdateDate ge 2026-02-10&$select=CardCode,CardName,UpdateTime")[0]
    assert (row["CardCode"], row["CardName"], row["UpdateTime"]) == ("V10000", "Renamed", "09:35:00")
    assert control(api, "POST", "records/BusinessPartners", {"CardCode": "V1", "Nope": 1}).status_code == 400


def test_a_clerk_can_order_receive_and_pay_from_outside(api, service):
    lines = [{"ItemCode": "I1001", "Quantity": 2, "UnitPrice": 5}]
    order = control(api, "POST", "records/PurchaseOrders", {"CardCode": "V10000", "DocumentLines": lines}).json()
    body = {"PurchaseOrder": order["DocEntry"], "Lines": [{"LineNum": 0, "Quantity": 1}]}
    receipt = control(api, "POST", "receipts", body).json()
    assert receipt["DocumentLines"][0]["BaseEntry"] == order["DocEntry"]
    assert control(api, "POST", "returns", {"PurchaseDeliveryNote": receipt["DocEntry"]}).status_code == 200
    entry = api.made("PurchaseInvoices", service())["DocEntry"]
    paid = control(api, "POST", "payments", {"DocEntry": entry, "Amount": "100.00", "DocDate": "2026-02-09"}).json()
    assert paid["PaymentInvoices"][0]["SumApplied"] == 100
    assert control(api, "POST", f"payments/{paid['DocEntry']}/cancel").json()["Cancelled"] == "tYES"


def test_sessions_and_switches_can_be_set_from_outside(api, service, expect_refusal):
    body = {"approval_for": ["V10000"], "closed_periods": ["2026-01"]}
    assert control(api, "POST", "switches", body).status_code == 200
    assert api.post("PurchaseInvoices", service()).status_code == 204
    draft = control(api, "GET", "state").json()["Drafts"][0]["DocEntry"]
    assert control(api, "POST", f"drafts/{draft}/approve").status_code == 200
    assert control(api, "POST", "switches", {"clock": 1}).status_code == 400
    control(api, "POST", "sessions/expire")
    expect_refusal(api.get("Currencies"), 401, 301)

from __future__ import annotations

import httpx
import pytest

from infra.sandbox.basware import World, create_app
from infra.sandbox.basware.model import Fault
from infra.sandbox.kit.faults import Dropped
from infra.sandbox.server import serving


def test_a_rule_is_used_up_and_can_wait(basware):
    basware.world.faults = [Fault("status", path="/v1/vendors", status=503, times=2, skip=1, retry_after="7")]
    answers = [basware.get("/v1/vendors") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 503, 503, 404]
    assert answers[1].headers["Retry-After"] == "7"


def test_a_gateway_answers_in_text_and_without_a_request_id(basware):
    basware.world.faults = [Fault("gateway")]
    answers = [basware.get("/v1/vendors") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.text for answer in answers] == ["404 page not found", ""]
    assert ["x-amzn-requestid" in answer.headers for answer in answers] == [False, True]


@pytest.mark.parametrize("status", [500, 502])
def test_an_html_error(basware, status):
    basware.world.faults = [Fault("status", status=status)]
    answer = basware.get("/v1/vendors")
    assert (answer.status_code, answer.headers["content-type"][:9]) == (status, "text/html")


def test_a_200_that_is_no_success(basware, make):
    basware.world.faults = [Fault("html"), Fault("error_envelope")]
    answers = [basware.post("/v1/vendors", [make.vendor()]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text.startswith("<!DOCTYPE html>")
    assert answers[1].json()["hasErrors"] is True
    assert basware.world.entities == {}


def test_a_cut_after_acting_leaves_the_record(basware, make):
    basware.world.faults = [Fault("act_then_drop", method="POST")]
    with pytest.raises(Dropped):
        basware.post("/v1/vendors", [make.vendor()])
    assert list(basware.world.entities["vendors"]) == ["V1"]


def test_a_cut_before_acting_leaves_nothing(basware, make):
    basware.world.faults = [Fault("drop")]
    with pytest.raises(Dropped):
        basware.post("/v1/vendors", [make.vendor()])
    assert basware.world.entities == {}


def test_an_empty_page_and_a_page_loop(basware, make):
    basware.post("/v1/vendors", [make.vendor(f"V{n}") for n in range(3)])
    basware.world.faults = [Fault("page_loop"), Fault("empty_page")]
    first = basware.get("/v1/vendors", params={"pageSize": 1})
    header = {"x-amz-meta-continuationtoken": first.headers["x-amz-meta-continuationtoken"]}
    empty = basware.get("/v1/vendors", params={"pageSize": 1}, headers=header)
    assert empty.json() == {"vendorEntities": []}
    again = basware.get("/v1/vendors", params={"pageSize": 1}, headers=header)
    assert again.json() == first.json()


def test_a_hang_goes_through_the_injected_sleep(basware):
    waited = []
    basware.world.sleep = waited.append
    basware.world.faults = [Fault("hang", seconds=30)]
    assert basware.get("/v1/vendors").status_code == 404
    assert waited == [30]


def test_a_retry_with_the_same_request_id_is_refused_also_after_a_fault(basware):
    basware.world.faults = [Fault("status")]
    header = {"X-BW-REQUEST-ID": "6f1c2f9e-6a0e-4c9b-9d58-0d6f0f6f7a11"}
    assert basware.get("/v1/vendors", headers=header).status_code == 503
    assert basware.get("/v1/vendors", headers=header).status_code == 400


def test_the_control_routes_set_faults_settings_and_verdicts(basware, make):
    http = basware.http
    assert http.post("/_sandbox/faults", json={"kind": "status", "status": 429, "retry_after": "3"}).status_code == 200
    assert basware.get("/v1/vendors").status_code == 429
    assert http.post("/_sandbox/faults", json={"kind": "earthquake"}).status_code == 400
    assert http.delete("/_sandbox/faults").json() == {"faults": 0}
    assert http.post("/_sandbox/settings", json={"verdict_delay": 2.5, "companies": ["7"]}).status_code == 200
    assert (basware.world.verdict_delay, basware.world.companies) == (2.5, {"7"})
    assert http.post("/_sandbox/settings", json={"clock": 1}).status_code == 400
    assert http.post("/_sandbox/verdicts", json={"entity_type": "Vendor", "message": "no"}).status_code == 200
    assert basware.verdicts(basware.post("/v1/vendors", [make.vendor()]), wait=3)["V1"] == ("Error", "no")
    http.post("/_sandbox/tokens/expire")
    assert basware.get("/v1/vendors").status_code == 401


def test_the_state_tells_what_happened(basware, make):
    basware.put()
    basware.verdicts(basware.post("/v1/accountingDocuments/inv1/transferResponses", make.transfer()))
    basware.post("/v1/vendors", [make.vendor(name=1)])
    state = basware.http.get("/_sandbox/state").json()
    assert state["documents"]["inv1"]["processingStatus"] == "Transferred"
    assert state["documents"]["inv1"]["transferResponses"][0]["voucherNumber1"] == "4711"
    assert "$.name" in state["refusals"][-1]["reason"]
    assert state["logins"] == 1


def test_broken_invoices_need_to_be_meant(basware):
    broken = {"invoiceId": "x", "processingStatus": "New"}
    assert basware.http.post("/_sandbox/documents", json=broken).status_code == 400
    basware.put()
    assert basware.http.post("/_sandbox/documents/inv1", json={"currencyCode": "EURO"}).status_code == 400
    assert basware.http.post("/_sandbox/documents/inv1?strict=0", json={"currencyCode": "EURO"}).status_code == 200


def test_control_can_be_switched_off(basware):
    basware.world.control = False
    assert basware.http.get("/_sandbox/state").status_code == 403


def test_the_server_cuts_the_connection():
    world = World(require_request_id=False, control=True)
    form = {"grant_type": "client_credentials", "scope": "vendors.read"}
    with serving(create_app(world)) as url, httpx.Client(base_url=url, timeout=5) as http:
        for kind in ("drop", "act_then_drop", "truncated"):
            world.faults = [Fault(kind)]
            with pytest.raises(httpx.RemoteProtocolError):
                http.post("/v1/tokens", data=form, auth=("sandbox-client", "sandbox-secret"))
    assert world.logins == 2


def test_an_empty_page_of_invoices_comes_behind_the_redirect(basware):
    basware.put()
    basware.world.faults = [Fault("empty_page", path="/v1/accountingDocuments")]
    answer = basware.follow(basware.get("/v1/accountingDocuments"))
    assert answer.json() == {"accountingDocuments": []}


def test_a_fault_can_hit_the_storage_server(basware):
    basware.put()
    basware.world.faults = [Fault("status", path="/_documents/.*", status=503)]
    answer = basware.get("/v1/accountingDocuments")
    assert [basware.follow(answer).status_code for _ in range(2)] == [503, 200]

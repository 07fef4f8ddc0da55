from __future__ import annotations

import hmac
import json
from base64 import b64decode
from hashlib import sha256

import pytest

from infra.sandbox.basware import notify

KEY = "ad65rujö"


def wanted(**changes):
    return {
        "taskType": "AccountingDocuments",
        "taskSubType": "WaitingForTransfer",
        "subscriptionType": "Webhook",
        "notificationWebhookURL": "https://example.test/hook",
        "webhookAuthenticationToken": KEY,
    } | changes


def test_a_subscription_is_tested_first_and_only_200_will_do(basware):
    seen = []
    basware.world.deliver = lambda notification: seen.append(notification) or 202
    answer = basware.post("/v1/subscriptions", [wanted()])
    assert answer.status_code == 400
    assert answer.json()["hasError"] is True
    assert json.loads(seen[0].body)["taskType"] == "ConnectionTest"
    assert basware.world.subscriptions == []
    basware.world.deliver = lambda notification: 200
    assert basware.post("/v1/subscriptions", [wanted()]).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"taskType": "Invoices"},
        {"taskSubType": "Waiting"},
        {"subscriptionType": "Polling"},
        {"notificationWebhookURL": "hook"},
        {"webhookAuthenticationToken": ""},
        {"colour": "red"},
    ],
)
def test_a_wrong_subscription_is_refused_in_the_push_dialect(basware, change):
    answer = basware.post("/v1/subscriptions", [wanted(**change)])
    assert answer.status_code == 400
    assert answer.json()["errorMessages"][0]["code"] == "SCHEMA_VALIDATION_ERROR"


def test_the_body_is_an_array(basware):
    assert basware.post("/v1/subscriptions", wanted()).status_code == 400


def test_a_waiting_invoice_is_announced_and_signed_over_the_raw_body(basware):
    basware.post("/v1/subscriptions", [wanted()])
    basware.put()
    sent = basware.world.outbox[0]
    payload = json.loads(sent.body)
    assert (payload["taskType"], payload["taskSubType"], payload["documentId"]) == (
        "AccountingDocuments",
        "WaitingForTransfer",
        "inv1",
    )
    expected = hmac.new(KEY.encode("utf-8"), sent.body, sha256).hexdigest()
    assert sent.headers["x-bwapi-signature-256"] == expected


def test_the_signature_has_three_forms():
    digest = hmac.new(KEY.encode(), b"x", sha256)
    assert notify.sign(b"x", KEY, "hex") == digest.hexdigest()
    assert notify.sign(b"x", KEY, "sha256=") == "sha256=" + digest.hexdigest()
    assert b64decode(notify.sign(b"x", KEY, "base64")) == digest.digest()


def test_other_states_are_not_announced(basware):
    basware.post("/v1/subscriptions", [wanted()])
    basware.put(processingStatus="New")
    assert basware.world.outbox == []
    basware.http.post("/_sandbox/documents/inv1", json={"processingStatus": "WaitingForTransfer"})
    assert len(basware.world.outbox) == 1


def test_request_status_is_announced_for_errors_by_default(basware, make):
    basware.post(
        "/v1/subscriptions", [{k: v for k, v in wanted(taskType="RequestStatus").items() if k != "taskSubType"}]
    )
    basware.verdicts(basware.post("/v1/vendors", [make.vendor()]))
    assert basware.world.outbox == []
    sent = basware.post("/v1/vendors", [make.vendor("V2", companies=[])])
    basware.verdicts(sent)
    assert json.loads(basware.world.outbox[0].body)["documentId"] == sent.headers["x-amzn-RequestId"]


def test_subscriptions_are_listed_and_deleted(basware):
    assert basware.get("/v1/subscriptions").status_code == 404
    basware.post("/v1/subscriptions", [wanted()])
    assert len(basware.get("/v1/subscriptions").json()["subscriptions"]) == 1
    assert basware.ask("DELETE", "/v1/subscriptions", params={"taskType": "All"}).status_code == 422
    all_of_them = {"lastUpdated": "2020-01-01", "taskType": "All", "taskSubType": "All"}
    answer = basware.ask("DELETE", "/v1/subscriptions", params=all_of_them)
    assert answer.json() == {"status": "Deleted successfully", "numberOfRecordsDeleted": 1}


def test_a_delivery_is_tried_three_times_and_its_task_tells(basware):
    basware.post("/v1/subscriptions", [wanted()])
    basware.put()
    basware.world.deliver = lambda notification: 500
    assert [notify.pump(basware.world) for _ in range(4)] == [1, 1, 1, 0]
    task = basware.get("/v1/tasks", params={"documentId": "inv1"}).json()["taskStatus"][0]
    assert task["taskStatus"] == "Failed"
    assert basware.get(f"/v1/tasks/{task['taskId']}").status_code == 200
    assert basware.get("/v1/tasks/none").json() == {"detail": "Not Found"}


def test_a_missing_login_is_told_in_the_push_dialect(basware):
    answer = basware.get("/v1/tasks", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})

"""`local serve`: schedules fire, webhooks are received, and nothing is ever posted twice."""

import base64
import hashlib
import hmac
import json
import signal
import time
import uuid
from collections import Counter

import httpx
import pytest

SECRET = "höök-secret"


def notification(document, task=None, kind="AccountingDocuments"):
    made = {
        "taskId": task or str(uuid.uuid4()),
        "taskStatus": "New",
        "taskType": kind,
        "taskSubType": "WaitingForTransfer",
        "documentId": document,
    }
    return json.dumps(made).encode()


def signature(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(url, body, signed=None, tenant="acme"):
    headers = {"x-bwapi-signature-256": signed} if signed is not None else {}
    return httpx.post(f"{url}{tenant}", content=body, headers=headers).status_code


def until(check, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def hooked(small):
    small.write("basware", webhook_secret=SECRET, previous_webhook_secret="older-secret")
    return small


def test_a_signed_notification_posts_an_invoice_once_though_the_poll_finds_it_too(hooked):
    hooked.ran()
    with hooked.left_running() as (_, url):
        key = hooked.invoice("12.00")
        body = notification(key)
        assert until(lambda: send(url, body, signature(body)) == 200, 5)
        assert until(lambda: hooked.document(key).status == "Transferred")
        assert send(url, body, signature(body)) == 200
        again = notification(key)
        assert send(url, again, signature(again)) == 200
        time.sleep(1)
    hooked.ran()
    assert len(hooked.posted(key)) == 1
    assert hooked.erp.calls["POST PurchaseInvoices"] == 1
    assert len(hooked.document(key).answers["transferResponses"]) == 1


def test_schedules_fire_by_themselves(small_for_all):
    # The first runs of tenants are spread over a minute by their names; those of this one come at once.
    ready = small_for_all("t36")
    key = ready.invoice("12.00")
    with ready.left_running():
        assert until(lambda: ready.document(key).status == "Transferred", 40)
    assert len(ready.posted(key)) == 1
    assert len(ready.imported("vendors")) == 5


def test_requests_are_answered_by_their_signature_and_size_alone(hooked):
    with hooked.left_running() as (_, url):
        good = notification("none", kind="ConnectionTest")
        digest = hmac.new(SECRET.encode(), good, hashlib.sha256).digest()
        assert until(lambda: send(url, good, signature(good)) == 200, 5)
        assert send(url, good, f"sha256={signature(good).upper()}") == 200
        assert send(url, good, base64.b64encode(digest).decode()) == 200
        assert send(url, good, signature(good, "older-secret")) == 200
        assert send(url, good) == 401
        assert send(url, good, signature(good, "another")) == 401
        assert send(url, good, signature(good), tenant="nobody") == 401
        assert send(url, good, tenant="nobody") == 401
        unknown = notification("x", kind="ExportedContracts")
        assert send(url, unknown, signature(unknown)) == 200
        for junk in (b"not json", b"[]", b"{}", b'{"taskType": "AccountingDocuments"}', b"\xff\xfe"):
            assert send(url, junk, signature(junk)) == 400
        long = b"{" + b" " * (256 * 1024) + b"}"
        assert send(url, long, signature(long)) == 413
        assert send(url, long) == 413
        assert httpx.get(f"{url}acme").status_code == 404


def test_a_repeated_task_is_answered_200_and_done_once(hooked):
    hooked.ran()
    key = hooked.invoice("12.00")
    with hooked.left_running() as (_, url):
        body = notification(key, task="task-1")
        assert until(lambda: send(url, body, signature(body)) == 200, 5)
        assert [send(url, body, signature(body)) for _ in range(4)] == [200] * 4
        assert until(lambda: hooked.document(key).status == "Transferred")
    assert Counter(row["NumAtCard"] for row in hooked.erp.rows("PurchaseInvoices")).most_common(1)[0][1] == 1


def test_a_notification_for_a_document_that_is_no_longer_there_harms_nobody(hooked):
    hooked.ran()
    before = hooked.writes()
    with hooked.left_running() as (_, url):
        body = notification("0" * 32)
        assert until(lambda: send(url, body, signature(body)) == 200, 5)
        time.sleep(2)
    assert hooked.writes() == before
    report = hooked.ran()
    assert [report["held"], report["rejected"], report["failed"]] == [[], [], []]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_gracefully(hooked, number):
    with hooked.left_running() as (process, _):
        time.sleep(1)
        process.send_signal(number)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
    assert hooked.ran()

"""The sandbox as a server: threads, and notifications that leave it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
from werkzeug.wrappers import Request, Response

from infra.sandbox.basware import World, create_app, deliver, notify
from infra.sandbox.server import serving

INVOICE = {
    "invoiceId": "inv1",
    "processingStatus": "WaitingForTransfer",
    "companyCode": "1000",
    "supplierCode": "V1",
    "currencyCode": "EUR",
    "paymentBlock": False,
}


def headers(token=None):
    own = {"X-BW-REQUEST-ID": str(uuid4())}
    return {**own, "Authorization": f"Bearer {token}"} if token else own


def login(http):
    scope = "accountingDocuments.read accountingDocuments.write subscriptions.write"
    form = {"grant_type": "client_credentials", "scope": scope}
    answer = http.post("/v1/tokens", data=form, auth=("sandbox-client", "sandbox-secret"), headers=headers())
    return answer.json()["access_token"]


def test_one_of_many_acknowledgements_at_once_succeeds():
    with serving(create_app(World())) as url, httpx.Client(base_url=url, timeout=20) as http:
        token = login(http)
        http.post("/_sandbox/documents", json=INVOICE)
        path = "/v1/accountingDocuments/inv1/acknowledge"
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(http.post, path, headers=headers(token)) for _ in range(8)]
        assert sorted(future.result().status_code for future in asked) == [200] + [405] * 7


def test_a_notification_reaches_its_address_with_a_signature_over_the_bytes_sent():
    received = []

    @Request.application
    def hook(request):
        received.append((request.get_data(), request.headers["x-bwapi-signature-256"]))
        return Response("{}", content_type="application/json")

    world = World()
    with (
        serving(hook) as hook_url,
        serving(create_app(world)) as url,
        deliver.delivering(world),
        httpx.Client(base_url=url, timeout=20) as http,
    ):
        token = login(http)
        wanted = {
            "taskType": "AccountingDocuments",
            "subscriptionType": "Webhook",
            "notificationWebhookURL": hook_url,
            "webhookAuthenticationToken": "kö",
        }
        assert http.post("/v1/subscriptions", json=[wanted], headers=headers(token)).status_code == 200
        http.post("/_sandbox/documents", json=INVOICE)
        until = time.monotonic() + 10
        while len(received) < 2 and time.monotonic() < until:
            time.sleep(0.02)
    assert [b"ConnectionTest" in body for body, _ in received] == [True, False]
    assert all(signature == notify.sign(body, "kö") for body, signature in received)


def test_an_address_that_does_not_answer_is_no_subscription():
    world = World()
    with serving(create_app(world)) as url, deliver.delivering(world), httpx.Client(base_url=url, timeout=20) as http:
        wanted = {
            "taskType": "AccountingDocuments",
            "subscriptionType": "Webhook",
            "notificationWebhookURL": "http://127.0.0.1:1/",
            "webhookAuthenticationToken": "k",
        }
        answer = http.post("/v1/subscriptions", json=[wanted], headers=headers(login(http)))
        assert answer.status_code == 400

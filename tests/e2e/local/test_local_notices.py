"""Orders that Basware made and tells of: verified, read, kept with the order's history, and never acknowledged."""

import hashlib
import hmac
import json
import time
import uuid
from contextlib import ExitStack

import httpx
import pytest

from infra.local.demo_books import SageBooks
from infra.sandbox import basware
from infra.sandbox.basware.exported import export
from infra.sandbox.server import serving
from tests import program

SECRET = "a-secret-of-the-webhook"


@pytest.fixture
def place(tmp_path):
    """A company on Sage 300 whose Basware signs its notifications."""
    books, folder = SageBooks(), tmp_path / "secrets"
    (folder / "acme").mkdir(parents=True)
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(books.app))
        ap_url = stack.enter_context(serving(basware.create_app(books.world.ap)))
        ap = {
            "region": "EU",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "base_url": ap_url,
            "companies": ["1000"],
            "source_system": books.source_system,
            "webhook_secret": SECRET,
        }
        (folder / "acme" / "basware.json").write_text(json.dumps(ap))
        (folder / "acme" / "sage_300.json").write_text(json.dumps(books.secret(erp_url)))
        (folder / "acme" / "settings.json").write_text(json.dumps({"schedules": {"invoices": "off"}}))
        yield books, folder


def notify(url, code):
    body = json.dumps(
        {
            "taskId": str(uuid.uuid4()),
            "taskStatus": "New",
            "taskType": "ExportedPurchaseOrders",
            "taskSubType": "WaitingForExport",
            "documentId": code,
        }
    ).encode()
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    wrong = httpx.post(f"{url}acme", content=body, headers={"x-bwapi-signature-256": "0" * 64})
    return wrong.status_code, httpx.post(f"{url}acme", content=body, headers={"x-bwapi-signature-256": signed})


def command(folder, *words):
    ran = program.run(*words, "--secrets", str(folder))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_an_exported_order_is_read_and_kept_with_the_order_of_its_number(place):
    books, folder = place
    command(folder, "local", "run")
    number = next(iter(books.world.ap.imported["matchingOrders"].values()))["orderNumber"]
    order = {
        "externalCode": "EX-1",
        "orderNumber": "P-77",
        "extOrderNumber": number,
        "requisitionNumber": "RQ-1",
        "companyCode": "1000",
        "purchaseCurrency": "CAD",
        "orderLines": [],
    }
    export(books.world.ap, order)
    with program.Program("local", "serve", "--secrets", str(folder), "--port", "0") as serve:
        url = serve.stdout.readline().split()[-1].removesuffix("TENANT")
        refused, taken = notify(url, "EX-1")
        assert (refused, taken.status_code) == (401, 200)
        ends = time.monotonic() + 20
        while time.monotonic() < ends and not books.world.ap.calls["GET /v1/exportedPurchaseOrders/<code>"]:
            time.sleep(0.1)
        time.sleep(3)  # it is written down after that
    history = command(folder, "audit", "acme", "purchase_orders", number)
    assert "Basware shows order P-77 as Ordered, WaitingForExport." in history
    assert books.world.ap.calls["GET /v1/exportedPurchaseOrders/<code>"] == 1
    assert books.world.ap.calls["POST /v1/exportedPurchaseOrders/<code>/acknowledge"] == 0
    assert books.world.ap.exported["exportedPurchaseOrders"]["EX-1"]["processingStatus"] == "WaitingForExport"


def test_both_kinds_of_notification_are_subscribed_where_a_webhook_url_is_stated(place):
    books, folder = place
    path = folder / "acme" / "basware.json"
    (folder / "acme" / "settings.json").unlink()
    hook = "http://127.0.0.1:9/webhooks/basware/acme"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"webhook_url": hook}))
    books.world.ap.deliver = lambda _: 200
    with program.Program("local", "serve", "--secrets", str(folder), "--port", "0"):
        ends = time.monotonic() + 75
        while time.monotonic() < ends and len(books.world.ap.subscriptions) < 2:  # with the first reading of Basware
            time.sleep(0.1)
    assert {(s["taskType"], s["taskSubType"]) for s in books.world.ap.subscriptions} == {
        ("AccountingDocuments", "WaitingForTransfer"),
        ("ExportedPurchaseOrders", "WaitingForExport"),
    }

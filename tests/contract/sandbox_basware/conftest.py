from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.sandbox.basware import World, create_app
from infra.sandbox.basware.scopes import SCOPES
from infra.sandbox.kit.codec import decode

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Sandbox:
    """A world under a clock that stands still, and a client that does everything right unless told otherwise."""

    def __init__(self, world: World | None = None) -> None:
        self.moment = START
        self.world = world or World()
        self.world.clock = lambda: self.moment
        transport = httpx.WSGITransport(app=create_app(self.world))
        self.http = httpx.Client(transport=transport, base_url="http://basware.test")
        self.token = self.login(" ".join(SCOPES)).json()["access_token"]

    def later(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def login(self, scope: str, **changes: Any) -> httpx.Response:
        form = {"grant_type": "client_credentials", "scope": scope}
        given = {"data": form, "auth": ("sandbox-client", "sandbox-secret"), **changes}
        return self.http.post("/v1/tokens", headers={"X-BW-REQUEST-ID": str(uuid4())}, **given)

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **given: Any) -> httpx.Response:
        own = {"Authorization": f"Bearer {self.token}", "X-BW-REQUEST-ID": str(uuid4())}
        return self.http.request(method, path, headers={**own, **(headers or {})}, **given)

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.ask("GET", path, **given)

    def post(self, path: str, body: Any = None, **given: Any) -> httpx.Response:
        return self.ask("POST", path, json=body, **given)

    def follow(self, response: httpx.Response) -> httpx.Response:
        """Fetch what a redirect points to, without Authorization."""
        assert response.status_code == 302, response.text
        return self.http.get(response.headers["location"])

    def invoices(self, **params: Any) -> list[dict[str, Any]]:
        body = decode(self.follow(self.get("/v1/accountingDocuments", params=params)).content)
        return body["accountingDocuments"]

    def invoice(self, invoice_id: str) -> dict[str, Any]:
        body = decode(self.follow(self.get(f"/v1/accountingDocuments/{invoice_id}")).content)
        return body["accountingDocuments"][0]

    def put(self, **changes: Any) -> str:
        """Enter an invoice through the control route."""
        record = {**INVOICE, **changes}
        assert self.http.post("/_sandbox/documents", json=record).status_code == 200
        return record["invoiceId"]

    def verdicts(self, response: httpx.Response, wait: float = 1) -> dict[str, tuple[str, str | None]]:
        """Wait for the verdicts on a request: {externalCode: (status, message)}."""
        assert response.status_code == 200, response.text
        self.later(wait)
        found = self.get(f"/v1/requestStatus/{response.headers['x-amzn-RequestId']}").json()["requestStatus"][0]
        items = found["systems"][0]["items"]
        return {i["externalCode"]: (i["status"], i["errors"][0]["message"] if i["errors"] else None) for i in items}


INVOICE = {
    "invoiceId": "inv1",
    "processingStatus": "WaitingForTransfer",
    "invoiceNumber": "R-1",
    "companyCode": "1000",
    "supplierCode": "V1",
    "currencyCode": "EUR",
    "paymentBlock": False,
    "netSum": 100,
    "grossSum": 119,
    "invoiceDate": "2026-02-20T00:00:00",
}


def vendor(code: str = "V1", **changes: Any) -> dict[str, Any]:
    return {"externalCode": code, "vendorCode": code, "name": "A", "companies": [{"companyCode": "1000"}]} | changes


def account(code: str = "A1", **changes: Any) -> dict[str, Any]:
    names = [{"language": "en-US", "translation": "Rent"}]
    companies = [{"companyCode": "1000", "active": True, "inherit": True}]
    return {"externalCode": code, "accountCode": code, "accountNames": names, "companies": companies} | changes


def order(code: str = "O1", **changes: Any) -> dict[str, Any]:
    return {
        "externalCode": code,
        "orderNumber": code,
        "sourceSystem": "ERP",
        "companyCode": "1000",
        "organizationElementCode": "1000",
        "currencyCode": "EUR",
        "supplierCode": "V1",
    } | changes


def line(code: str = "L1", **changes: Any) -> dict[str, Any]:
    return {
        "externalCode": code,
        "orderExternalCode": "O1",
        "lineNumber": code,
        "quantity": 2,
        "netSum": 10.5,
        "matchingMode": "Standard",
        "isDeleted": False,
    } | changes


def transfer(code: str = "T1", **changes: Any) -> dict[str, Any]:
    return {
        "externalCode": code,
        "success": True,
        "responseMessage": "Posted",
        "paymentBlock": False,
        "voucherNumber1": "4711",
    } | changes


def payment(code: str = "P1", **changes: Any) -> dict[str, Any]:
    return {"externalCode": code, "success": True, "paymentBlock": False, "paidTotal": 119} | changes


@pytest.fixture
def basware() -> Sandbox:
    return Sandbox()


@pytest.fixture
def make() -> Any:
    """The builders of valid bodies, reached through a fixture because test folders are no packages."""
    from types import SimpleNamespace

    return SimpleNamespace(
        vendor=vendor, account=account, order=order, line=line, transfer=transfer, payment=payment, sandbox=Sandbox
    )

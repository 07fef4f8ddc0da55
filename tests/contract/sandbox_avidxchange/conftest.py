"""A customer behind the simulated gateway, a settable clock, and a client that sends what the dossier shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.sandbox.avidxchange import World, add_code, add_vendor, create_app, small_world
from infra.sandbox.avidxchange.seed import CLIENT, GATEWAY_KEY, PASSWORD, SECRET, USER
from infra.sandbox.kit.codec import decode, encode
from tests.clock import Hand

HOST = "https://avidxchange.example"


class Api:
    """Calls one customer; logs in by client credentials, or by user name for the older interface."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = httpx.Client(
            transport=httpx.WSGITransport(create_app(world)), base_url=HOST, headers={"Accept": "application/json"}
        )
        self.signed: dict[str, str] = {}

    # ── logins ──────────────────────────────────────────────────────────────────────────────────────────────

    def token(self, secret: str = SECRET, *, body: bool = False, **form: str) -> httpx.Response:
        form = {"grant_type": "client_credentials"} | form
        if body:
            return self.http.post("/token", data=form | {"client_id": CLIENT, "client_secret": secret})
        return self.http.post("/token", data=form, auth=(CLIENT, secret))

    def authorize(self, password: str = PASSWORD, user: str = USER, key: str = GATEWAY_KEY) -> httpx.Response:
        form = {"grant_type": "password", "username": user, "password": password}
        return self.http.post("/v1/authorizations", data=form, headers={"Authorization": f"Bearer {key}"})

    def log_in(self) -> None:
        self.signed = {"Authorization": f"Bearer {self.token().json()['access_token']}"}

    def log_in_old(self) -> None:
        token = self.authorize().json()["access_token"]
        self.signed = {"Authorization": f"Bearer {GATEWAY_KEY}", "AvidAuthorization": f"Bearer {token}"}

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        if not self.signed:
            self.log_in()
        content = {} if body is None else {"content": encode(body)}
        more = {} if body is None else {"Content-Type": "application/json"}
        return self.http.request(method, path, **content, headers=self.signed | more | headers)

    def get(self, path: str) -> Any:
        reply = self.raw("GET", path)
        assert reply.status_code == 200, reply.text
        return decode(reply.content)

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path)["items"]
        return found

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.raw("POST", path, body, **headers)

    def submit(self, body: Any, key: str = "") -> httpx.Response:
        return self.post("/invoices", body, **({"Idempotency-Key": key} if key else {}))

    def refused(self, reply: httpx.Response, status: int) -> str:
        """The code of a refusal."""
        assert reply.status_code == status, reply.text
        return str(reply.json()["errors"][0]["code"])


@pytest.fixture
def clock() -> Hand:
    return Hand(datetime(2026, 2, 10, 9, 30, tzinfo=UTC))


@pytest.fixture
def world(clock: Hand) -> World:
    made = small_world(clock)
    for code in ("V10000", "V10001"):
        add_vendor(made, code)
    for value in ("6100", "6200"):
        add_code(made, value)
    add_code(made, "NY_B", "Department")
    return made


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def bill() -> Callable[..., dict[str, Any]]:
    """A correct invoice over 250.00; keywords change it, `None` leaves a field out."""

    def make(**fields: Any) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "externalId": "p2p-123",
            "vendorExternalCode": "V10000",
            "invoiceNumber": "INV-7731",
            "invoiceDate": "2026-01-30",
            "dueDate": "2026-03-01",
            "amount": "250.00",
            "currency": "USD",
            "purchaseOrderNumber": "50231",
            "companyExternalCode": "101",
            "description": "Cleaning",
            "lines": [line()],
        }
        return {name: value for name, value in (plain | fields).items() if value is not None}

    return make


def line(amount: Any = "250.00", code: str = "6100", **fields: Any) -> dict[str, Any]:
    codes = [{"group": "Department", "value": "NY_B"}]
    return {"lineNumber": 1, "description": "Cleaning", "amount": amount, "glCode": code, "codes": codes} | fields

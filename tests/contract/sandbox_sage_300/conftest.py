"""A small company behind the simulated Web API, a settable clock, and a client that sends what every request needs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.kit.codec import decode, encode
from infra.sandbox.sage_300 import World, create_app, seeded_world
from tests.clock import Hand

HOST = "https://sage.example"
JSON = {"Content-Type": "application/json"}


def basic(user: str, password: str) -> dict[str, str]:
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


class Api:
    """Calls one company; `raw` leaves out the headers that are always needed."""

    def __init__(self, world: World, user: str = "WEBAPI", password: str = "Sandbox-Only") -> None:
        transport = httpx.WSGITransport(create_app(world))
        self.http = httpx.Client(transport=transport, base_url=f"{HOST}/Sage300WebApi/v1.0/-/SAMLTD/")
        self.headers = JSON | basic(user, password)

    def raw(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> httpx.Response:
        return self.http.request(method, path, content=None if body is None else encode(body), headers=headers)

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        self.http.cookies.clear()
        return self.raw(method, path, self.headers, body)

    def get(self, path: str) -> httpx.Response:
        return self.call("GET", path)

    def read(self, path: str) -> dict[str, Any]:
        """The body of an answer that must be right; money as Decimal."""
        reply = self.get(path)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = decode(reply.content)
        return found

    def rows(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.read(path)["value"]
        return found

    def made(self, path: str, body: Any) -> dict[str, Any]:
        reply = self.call("POST", path, body)
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = decode(reply.content)
        return made

    def changed(self, path: str, body: Any, method: str = "PATCH") -> None:
        reply = self.call(method, path, body)
        assert (reply.status_code, reply.content) == (204, b""), reply.text

    def posted(self, first: int, last: int | None = None) -> None:
        body = {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": first, "ToBatch": last or first}
        reply = self.call("POST", "AP/APPostInvoices('$process')", body)
        assert (reply.status_code, reply.content) == (204, b""), reply.text


def refused(reply: httpx.Response, status: int, code: str, text: str = "") -> None:
    """Assert a refusal in the documented envelope."""
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert (error["code"], error["message"]["lang"]) == (code, "en-US"), reply.text
    assert text in error["message"]["value"], reply.text


@pytest.fixture
def expect_refusal() -> Callable[..., None]:
    return refused


@pytest.fixture
def clock() -> Hand:
    return Hand(datetime(2026, 2, 10, 9, 30, tzinfo=UTC))


@pytest.fixture
def world(clock: Hand) -> World:
    return seeded_world(1, clock=clock)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def connect(world: World) -> Callable[..., Api]:
    """A client with other credentials."""
    return lambda user="WEBAPI", password="Sandbox-Only": Api(world, user, password)


@pytest.fixture
def invoice() -> Callable[..., dict[str, Any]]:
    """A correct batch of one invoice of V10000 (terms N30, tax group V2: 19 %); keywords change the entry."""

    def make(line: dict[str, Any] | None = None, **header: Any) -> dict[str, Any]:
        row = {"GLAccount": "400001CC101", "DistributedAmount": Decimal("250.00")} if line is None else line
        plain = {
            "VendorNumber": "V10000",
            "DocumentNumber": "INV-1",
            "DocumentType": "Invoice",
            "DocumentDate": "2026-02-01",
            "DocumentTotalIncludingTax": Decimal("297.50"),
        }
        return {"Invoices": [plain | header | {"InvoiceDetails": [row]}]}

    return make


@pytest.fixture
def ready(api: Api, invoice: Callable[..., dict[str, Any]]) -> Callable[..., int]:
    """Make a batch that is ready to post; gives its number."""
    return lambda **header: int(
        api.made("AP/APInvoiceBatches", {"BatchStatus": "ReadyToPost"} | invoice(**header))["BatchNumber"]
    )

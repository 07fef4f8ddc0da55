"""A small company behind the simulated Service Layer, a settable clock, and a client for either version."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.kit.codec import decode, encode
from infra.sandbox.sap_b1 import World, create_app, seeded_world
from tests.clock import Hand


class Api:
    """Calls one version; keeps the session id as a client should."""

    def __init__(self, world: World, version: str = "v2") -> None:
        transport = httpx.WSGITransport(create_app(world))
        self.http = httpx.Client(transport=transport, base_url=f"https://sl.example:50000/b1s/{version}/")
        self.root = "https://sl.example:50000"
        self.session = ""

    def login(self, **changed: str) -> httpx.Response:
        body = {"CompanyDB": "SBODEMO", "UserName": "manager", "Password": "sandbox-only"} | changed
        reply = self.call("POST", "Login", body)
        self.http.cookies.clear()
        if reply.status_code == 200:
            self.session = reply.json()["SessionId"]
        return reply

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        cookie = {"Cookie": f"B1SESSION={self.session}"} if self.session else {}
        data = None if body is None else encode(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, content=data, headers=cookie | names)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, **headers)

    def rows(self, path: str, **headers: str) -> list[dict[str, Any]]:
        reply = self.get(path, **headers)
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = decode(reply.content)["value"]
        return found

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.call("POST", path, body, **headers)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """The record that a POST made; money as Decimal."""
        reply = self.post(path, body)
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = decode(reply.content)
        return made


def refused(reply: httpx.Response, status: int, code: int, text: str = "") -> None:
    """Assert a refusal in whichever envelope the version uses."""
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    message = error["message"]["value"] if isinstance(error["message"], dict) else error["message"]
    assert str(error["code"]) == str(code), reply.text
    assert text in message, reply.text


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
    client = Api(world)
    client.login()
    return client


@pytest.fixture
def api_v1(world: World) -> Api:
    client = Api(world, "v1")
    client.login()
    return client


@pytest.fixture
def connect(world: World) -> Callable[..., Api]:
    """A client that has not logged in."""
    return lambda version="v2": Api(world, version)


@pytest.fixture
def service() -> Callable[..., dict[str, Any]]:
    """A correct service invoice; keyword arguments change the header, `line` the line."""

    def make(line: dict[str, Any] | None = None, **header: Any) -> dict[str, Any]:
        row = {"ItemDescription": "Cleaning", "AccountCode": "400001", "LineTotal": Decimal("250.00"), "VatGroup": "V2"}
        plain = {"CardCode": "V10000", "DocType": "dDocument_Service", "NumAtCard": "INV-1"}
        return plain | {"DocDate": "2026-02-01", "DocumentLines": [row | (line or {})]} | header

    return make


@pytest.fixture
def order(world: World) -> dict[str, Any]:
    """A fresh item order of V10000: line 0 of 10 at 12.50, line 1 of 3 at 100."""
    from infra.sandbox.sap_b1 import back_office

    lines = [
        {"ItemCode": "I1001", "Quantity": 10, "UnitPrice": Decimal("12.50"), "VatGroup": "V2", "AccountCode": "400002"},
        {"ItemCode": "I1002", "Quantity": 3, "UnitPrice": 100, "VatGroup": "V1", "AccountCode": "400003"},
    ]
    return back_office.change(world, "PurchaseOrders", {"CardCode": "V10000", "DocumentLines": lines})


@pytest.fixture
def drawn(order: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """A correct item invoice of the order's first line; keyword arguments change that line."""

    def make(**line: Any) -> dict[str, Any]:
        base = {"BaseType": 22, "BaseEntry": order["DocEntry"], "BaseLine": 0, "Quantity": 4}
        header = {"CardCode": "V10000", "DocType": "dDocument_Items", "NumAtCard": "INV-2", "DocDate": "2026-02-01"}
        return header | {"DocumentLines": [base | line]}

    return make

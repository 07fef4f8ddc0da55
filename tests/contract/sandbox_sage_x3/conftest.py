"""A folder behind the simulated X3, a settable clock, and a client that sends what the dossier shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.kit.codec import decode, encode
from infra.sandbox.sage_x3 import World, create_app, seeded_world
from infra.sandbox.sage_x3.seed import PASSWORD, USER
from tests.clock import Hand

HOST = "https://x3.example"
BASE = "/api1/x3/erp/SEED"


class Api:
    """Calls one folder by Basic unless another header is given."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = httpx.Client(transport=httpx.WSGITransport(create_app(world)), base_url=HOST)
        self.auth: Any = (USER, PASSWORD)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        content = None if body is None else encode(body)
        return self.http.request(method, path, content=content, auth=self.auth, **options)

    def query(self, cls: str, rep: str = "", **options: Any) -> httpx.Response:
        params = {"representation": f"{rep or cls}.$query", **options}
        return self.call("GET", f"{BASE}/{cls}", params=params)

    def rows(self, cls: str, rep: str = "", **options: Any) -> list[dict[str, Any]]:
        """The rows of one page."""
        return page(self.query(cls, rep, **options))["$resources"]

    def whole(self, cls: str, **options: Any) -> list[dict[str, Any]]:
        """All rows, by the links to the next page."""
        found, body = [], page(self.query(cls, **options))
        while True:
            found += body["$resources"]
            link = body["$links"].get("$next")
            if link is None:
                return found
            body = page(self.call("GET", link["$url"]))

    def read(self, cls: str, key: str, facet: str = "details", rep: str = "") -> dict[str, Any]:
        reply = self.call("GET", f"{BASE}/{cls}('{key}')", params={"representation": f"{rep or cls}.${facet}"})
        assert reply.status_code == 200, reply.text
        return decode(reply.content)

    def create(self, cls: str, body: Any, rep: str = "") -> httpx.Response:
        return self.call("POST", f"{BASE}/{cls}", body, params={"representation": f"{rep or f'Z{cls}'}.$create"})

    def change(self, cls: str, key: str, body: Any, rep: str = "") -> httpx.Response:
        params = {"representation": f"{rep or f'Z{cls}'}.$edit"}
        return self.call("PUT", f"{BASE}/{cls}('{key}')", body, params=params)

    def control(self, path: str, status: int = 200, method: str = "POST", **body: Any) -> Any:
        reply = self.http.request(method, f"/_sandbox/{path}", content=encode(body))
        assert reply.status_code == status, reply.text
        return decode(reply.content)


def page(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = decode(reply.content)
    assert "$diagnoses" not in body, reply.text
    return body


def complaint(reply: httpx.Response) -> str:
    """The error in an answer of api1, whatever its status."""
    found = decode(reply.content)["$diagnoses"][0]
    assert found["$severity"] == "error"
    return str(found["$message"])


@pytest.fixture
def clock() -> Hand:
    return Hand(datetime(2026, 2, 10, 9, 30, tzinfo=UTC))


@pytest.fixture
def world(clock: Hand) -> World:
    return seeded_world(1, clock=clock)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def line(amount: str, code: str = "400001", sign: int = 1, **more: Any) -> dict[str, Any]:
    """A line of an entry; an account of expenses gets a cost center."""
    found: dict[str, Any] = {"ACC": code, "SNS": sign, "AMTCUR": Decimal(amount)}
    if code.startswith("400"):
        found["GACCENTRYA"] = [{"DIE": ["CCT"], "CCE": ["CC101"], "AMTCUR": Decimal(amount)}]
    return found | more


def payable(amount: str, supplier: str = "V10000") -> dict[str, Any]:
    return line(amount, "401100", -1, BPR=supplier)


@pytest.fixture
def entry() -> Callable[..., dict[str, Any]]:
    """A correct entry of V10000 over 119.00, 19.00 of it tax; keywords change the header, `None` leaves one out."""

    def make(*lines: Mapping[str, Any], **head: Any) -> dict[str, Any]:
        plain: dict[str, Any] = {"TYP": "PIINV", "FCY": "FR011", "JOU": "ACH", "ACCDAT": "2026-02-01", "CUR": "EUR"}
        plain |= {"BPRVCR": "INV-1", "BPRDATVCR": "2026-01-31", "REFINT": "our-key", "DESVCR": "Invoice"}
        plain["GACCENTRYD"] = list(lines) or [line("100.00"), line("19.00", "445660"), payable("119.00")]
        return {name: value for name, value in (plain | head).items() if value is not None}

    return make


def balance(world: World) -> Decimal:
    """What all entries add up to."""
    return sum((row["SNS"] * row["AMTCUR"] for row in world.rows("GACCENTRYD")), Decimal(0))

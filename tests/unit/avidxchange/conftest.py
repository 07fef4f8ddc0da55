"""An account whose server is a table of answers: what was asked is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector import http_log
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import Held
from ml_connector.records import CodingRow, SupplierInvoice
from ml_connector.systems.avidxchange.connection import Connection
from ml_connector.systems.avidxchange.settings import Settings
from ml_connector.systems.settings import parse
from tests.clock import Clock

SECRET: dict[str, Any] = {
    "base_url": "https://api.avid.example/apis",
    "token_url": "https://login.avid.example/token",
    "client_id": "acme-client",
    "client_secret": "Topsecret-1",
}
TOKEN = {"access_token": "token-1", "token_type": "bearer", "expires_in": 3600}
Answer = Callable[[httpx.Request], httpx.Response] | httpx.Response | list[Any] | dict[str, Any]


class Codes:
    """Every code is the same on both sides, unless a test names another or removes it."""

    def __init__(self, **mapped: str) -> None:
        self.mapped, self.missing = mapped, set[tuple[str, str]]()

    def erp(self, kind: str, code: str) -> str:
        if (kind, code) in self.missing:
            raise Held(f"{kind}:{code}", "not mapped")
        return code

    def platform(self, kind: str, code: str) -> str:
        return self.mapped.get(code, self.erp(kind, code))

    def named(self, kind: str, code: str) -> str:
        return self.mapped.get(code, code)


@dataclass
class Account:
    secret: dict[str, Any] = field(default_factory=lambda: dict(SECRET))
    calls: list[httpx.Request] = field(default_factory=list)
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    clock: Clock = field(default_factory=lambda: Clock(datetime(2026, 2, 10, 9, 30, tzinfo=UTC)))
    store: Any = None
    options: TenantSettings = field(default_factory=TenantSettings)
    vault: MemoryVault = field(default_factory=MemoryVault)
    opened: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqliteStore(clock=self.clock)
        self.on("POST", "/token", TOKEN)

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Answer in turn, the last one for ever."""
        self.answers[method, path] = list(answers)

    def asked(self, method: str, path: str) -> list[httpx.Request]:
        return [one for one in self.calls if (one.method, one.url.path) == (method, path)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        left = self.answers.get((request.method, request.url.path))
        if left is None:
            return httpx.Response(404, json={"code": "404", "type": "Status report", "message": "Not Found"})
        told = left.pop(0) if len(left) > 1 else left[0]
        if callable(told):
            return told(request)
        if isinstance(told, httpx.Response):
            return httpx.Response(told.status_code, headers=told.headers, content=told.content)
        return httpx.Response(200, json=told)

    def connect(self) -> Connection:
        """Another process of the same tenant: it shares nothing but the store."""
        settings = parse(Settings, json.dumps(self.secret), "acme/avidxchange", insecure=True)
        breaker = Breaker(self.store, self.clock, tenant="acme", system="avidxchange", version="1", boot="b", sole=True)
        version = settings.credentials_version()
        sessions = Sessions(self.store, self.vault, self.clock, breaker, name="acme", version=version, boot="b")
        made = Connection(
            settings,
            AdapterContext(
                tenant="acme",
                integration="sage_x3-avidxchange",
                clock=self.clock,
                rng=SeededRandom(1),
                sessions=sessions,
                options=self.options,
                transport=httpx.MockTransport(self._answer),
                insecure=True,
            ),
        )
        self.opened.append(made)
        return made


@pytest.fixture
def account() -> Iterator[Account]:
    made = Account()
    yield made
    for one in made.opened:
        one.close()


@pytest.fixture
def log() -> Iterator[list[http_log.Exchange]]:
    with http_log.recording() as exchanges:
        yield exchanges


def invoice(**other: Any) -> SupplierInvoice:
    """An invoice of X3 with one coded line."""
    row = CodingRow(key="1000", account="6100", net=Decimal("250.00"), order_number="POH1", description="Cleaning")
    values: dict[str, Any] = {
        "key": "BISFAC-1",
        "number": "INV-7731",
        "company": "US01",
        "supplier": "V10000",
        "currency": "USD",
        "gross": Decimal("250.00"),
        "invoice_date": date(2026, 1, 30),
        "due_date": date(2026, 3, 1),
        "rows": (row,),
    }
    return SupplierInvoice(**{**values, **other})


def body(request: httpx.Request) -> Any:
    """Decode what was sent, with exact numbers."""
    return json.loads(request.content, parse_float=Decimal)

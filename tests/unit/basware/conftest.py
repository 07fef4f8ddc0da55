from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import Held
from ml_connector.systems.basware import Settings, connect
from tests.clock import Clock

Handler = Callable[[httpx.Request], httpx.Response]


class Codes:
    """`x` becomes `x!`; what is in `missing` holds."""

    missing: tuple[str, ...] = ()

    def erp(self, kind: str, code: str) -> str:
        return code

    def platform(self, kind: str, code: str) -> str:
        if kind in self.missing:
            raise Held(f"{kind}:{code}", "not mapped")
        return code if kind == "currency" else f"{code}!"


class Server:
    """Answers by a function; gives tokens by itself, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.token_answers: list[httpx.Response] = []
        self.logins = 0
        self.answer: Handler = lambda _: httpx.Response(200, json=[])

    def handle(self, request: httpx.Request) -> httpx.Response:
        seen = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        self.asked.append(seen)  # a copy: a replay is the same object with other headers
        if request.url.path != "/v1/tokens":
            return self.answer(request)
        self.logins += 1
        if self.token_answers:
            return self.token_answers.pop(0)
        return httpx.Response(200, json={"access_token": f"t{self.logins}", "expires_in": 3600})

    def calls(self) -> list[httpx.Request]:
        return [r for r in self.asked if r.url.path != "/v1/tokens"]


class Bench:
    def __init__(self, server: Server, flows: tuple[str, ...] = ("invoices",), **settings: Any) -> None:
        self.server, self.clock, self.codes = server, Clock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC)), Codes()
        self.settings = Settings.model_validate(
            {
                "region": "EU",
                "client_id": "me",
                "client_secret": "hush-hush",
                "companies": ["1000"],
                "source_system": "ERP1",
                **settings,
            }
        )
        self.store = SqliteStore(clock=self.clock)
        breaker = Breaker(self.store, self.clock, tenant="acme", system="basware", version="1", boot="b", sole=True)
        sessions = Sessions(self.store, MemoryVault(), self.clock, breaker, name="acme", version="1", boot="b")
        self.context = AdapterContext(
            tenant="acme",
            integration="sap_b1-basware",
            clock=self.clock,
            rng=SeededRandom(1),
            sessions=sessions,
            options=TenantSettings(),
            transport=httpx.MockTransport(server.handle),
            flows=lambda: flows,
        )
        self.connection = connect(self.settings, self.context)
        self.client = self.connection.client


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def bench(server: Server) -> Bench:
    return Bench(server)


@pytest.fixture
def make() -> type[Bench]:
    return Bench

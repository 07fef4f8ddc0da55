from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.sandbox.basware import World, create_app
from infra.sandbox.basware.seed import seeded_world
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import Held
from ml_connector.systems.basware import Settings, connect
from tests.clock import Clock

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FLOWS = ("vendors", "accounts", "cost_centers", "purchase_orders", "invoices", "payments")


class Codes:
    """Every code is the same on both sides, unless said otherwise."""

    def __init__(self, **missing: str) -> None:
        self.missing = missing

    def erp(self, kind: str, code: str) -> str:
        return code

    def platform(self, kind: str, code: str) -> str:
        if self.missing.get(kind) == code:
            raise Held(f"{kind}:{code}", "not mapped")
        return code or "1000"


class Wire(httpx.BaseTransport):
    """The sandbox in this process; a connection that it cuts is one that breaks off."""

    def __init__(self, world: World) -> None:
        self.inner = httpx.WSGITransport(app=create_app(world))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self.inner.handle_request(request)
            response.read()
        except ConnectionError as error:
            raise httpx.ReadError(str(error)) from error
        return response


class Bench:
    """The adapter in front of a sandbox, under one clock."""

    def __init__(self, world: World, **settings: Any) -> None:
        self.clock, self.codes = Clock(START), Codes()
        self.world = world
        world.clock = self.clock.now
        world.sleep = self.clock.sleep
        self.settings = Settings.model_validate(
            {
                "region": "EU",
                "client_id": "sandbox-client",
                "client_secret": "sandbox-secret",
                "companies": ["1000"],
                "source_system": "ERP1",
                "base_url": "http://basware.test",
                **settings,
            }
        )
        store = SqliteStore(clock=self.clock)
        breaker = Breaker(store, self.clock, tenant="acme", system="basware", version="1", boot="b", sole=True)
        sessions = Sessions(store, MemoryVault(), self.clock, breaker, name="acme#basware", version="1", boot="b")
        self.context = AdapterContext(
            tenant="acme",
            integration="sap_b1-basware",
            clock=self.clock,
            rng=SeededRandom(1),
            sessions=sessions,
            options=TenantSettings(send_bank_details=True),
            transport=Wire(world),
            insecure=True,
            flows=lambda: FLOWS,
        )
        self.connection = connect(self.settings, self.context)

    def later(self, seconds: float) -> None:
        self.clock.sleep(seconds)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(World())
    yield made
    made.connection.close()


@pytest.fixture
def seeded() -> Iterator[Bench]:
    clock = Clock(START)
    made = Bench(seeded_world(clock=clock.now))
    yield made
    made.connection.close()


@pytest.fixture
def make() -> type[Bench]:
    return Bench

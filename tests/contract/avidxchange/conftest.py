"""The client against the simulated AvidXchange, by both profiles, on one clock that is turned by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.sandbox.avidxchange import World, add_code, add_vendor, create_app, small_world
from infra.sandbox.avidxchange.seed import CLIENT, GATEWAY_KEY, HEADER_TOKENS, PASSWORD, SECRET, USER
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.flow import DocumentPage, Found
from ml_connector.records import InvoiceStatus, Payment, SupplierInvoice
from ml_connector.systems.avidxchange.connection import Connection
from ml_connector.systems.avidxchange.settings import Settings
from ml_connector.systems.settings import parse
from tests.clock import Clock
from tests.contract.conformance.wire import Wire
from tests.unit.avidxchange.conftest import Codes, invoice

HOST = "https://avidxchange.example"
OAUTH = {"token_url": f"{HOST}/token", "client_id": CLIENT, "client_secret": SECRET}
HEADERS = {"auth": "token_headers", "token_headers": HEADER_TOKENS}
LOGIN = {
    "auth": "login",
    "login": {"path": "/v1/authorizations", "user": USER, "password": PASSWORD},
    "token_headers": {"Authorization": f"Bearer {GATEWAY_KEY}"},
}
OLDER = {**LOGIN, "profile": "avidsuite_v1", "company_id": "sandbox manufacturing"}


class Breaking(Wire):
    """The wire, which breaks where the sandbox does."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except ConnectionError as error:
            raise httpx.ReadError(str(error)) from error


@dataclass
class Bench:
    world: World
    clock: Clock
    secret: dict[str, Any] = field(default_factory=lambda: dict(OAUTH))
    opened: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqliteStore(clock=self.clock)
        self.vault = MemoryVault()

    def connect(self, **profile: Any) -> Connection:
        secret = {"base_url": f"{HOST}{self.world.prefix}", **self.secret}
        if profile:
            secret["profile"] = profile
        settings = parse(Settings, json.dumps(secret), "acme/avidxchange", insecure=True)
        breaker = Breaker(self.store, self.clock, tenant="acme", system="avidxchange", version="1", boot="b", sole=True)
        version = settings.credentials_version()
        sessions = Sessions(self.store, self.vault, self.clock, breaker, name="acme", version=version, boot="b")
        context = AdapterContext(
            tenant="acme",
            integration="sage_x3-avidxchange",
            clock=self.clock,
            rng=SeededRandom(1),
            sessions=sessions,
            options=TenantSettings(),
            transport=Breaking(create_app(self.world), "avidxchange.example"),
            insecure=True,
        )
        self.opened.append(Connection(settings, context))
        return self.opened[-1]

    def submit(self, connection: Connection | None = None, **other: Any) -> Found:
        target: Any = (connection or self.connect()).target(SupplierInvoice)
        return target.send(target.prepare(invoice(company="101", **other), Codes()))  # type: ignore[no-any-return]

    def payments(self, since: str | None = None, connection: Connection | None = None) -> list[DocumentPage]:
        source: Any = (connection or self.connect()).source(Payment)
        return list(source.list_documents(since, None))

    def payment(self, key: str) -> Any:
        source: Any = self.connect().source(Payment)
        return source.fetch(key)

    def status(self, key: str) -> Any:
        source: Any = self.connect().source(InvoiceStatus)
        return source.fetch(key)


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = Clock(datetime(2026, 2, 10, 9, 30, tzinfo=UTC))
    world = small_world(clock.now)
    for code in ("V10000", "V10001"):
        add_vendor(world, code)
    for value in ("6100", "6200"):
        add_code(world, value)
    add_code(world, "NY_B", "Department")
    made = Bench(world, clock)
    yield made
    for one in made.opened:
        one.close()
    assert not world.offences, world.offences

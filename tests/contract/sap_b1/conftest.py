"""The adapter in front of the simulated Service Layer, under one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.sap_b1 import World, create_app, seeded_world
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.sap_b1 import Settings, connect
from tests.clock import Clock

START = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)


class Codes:
    """Every code is the same on both sides, unless a test maps or removes it."""

    def __init__(self) -> None:
        self.mapped: dict[tuple[str, str], str] = {}
        self.missing: set[tuple[str, str]] = set()

    def erp(self, kind: str, code: str) -> str:
        if (kind, code) in self.missing:
            raise Held(f"{kind}:{code}", "not mapped")
        return self.mapped.get((kind, code), code)

    def platform(self, kind: str, code: str) -> str:
        return code


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
    """One tenant's connection to one simulated company."""

    def __init__(self, world: World, version: str, options: dict[str, Any], settings: dict[str, Any]) -> None:
        self.world, self.clock, self.codes = world, Clock(START), Codes()
        world.clock = self.clock.now
        world.sleep = self.clock.sleep
        self.settings = Settings.model_validate(
            {
                "service_layer_url": f"https://sl.example:50000/b1s/{version}",
                "company_db": "SBODEMO",
                "user_name": "manager",
                "password": "sandbox-only",
                "timezone": "Europe/Berlin",
                **settings,
            }
        )
        store = SqliteStore(clock=self.clock)
        breaker = Breaker(store, self.clock, tenant="acme", system="sap_b1", version="1", boot="b", sole=True)
        self.sessions = Sessions(store, MemoryVault(), self.clock, breaker, name="acme#sap_b1", version="1", boot="b")
        self.context = AdapterContext(
            tenant="acme",
            integration="sap_b1-basware",
            clock=self.clock,
            rng=SeededRandom(1),
            sessions=self.sessions,
            options=TenantSettings.model_validate(options),
            transport=Wire(world),
        )
        self.connection = connect(self.settings, self.context)

    def all(self, record: type[Any], since: str | None = None) -> list[Any]:
        """Every record of a bulk source; none may be broken."""
        pages = list(self.connection.source(record).pages(since, None))
        assert not [broken for page in pages for broken in page.broken]
        return [one for page in pages for one in page.records]

    def post(self, invoice: Invoice) -> dict[str, Any]:
        """Bring an invoice the whole way and give the document that the company keeps."""
        target = self.connection.target(Invoice)
        prepared = target.prepare(invoice, self.codes)
        assert target.look(prepared) == []
        found = target.send(prepared)
        assert target.look(prepared)[0].id == found.id
        back = target.read_back(found)
        assert (back.amount, back.currency, back.number) == (invoice.gross, invoice.currency, found.number)
        kind, entry = found.id.split(":")
        document: dict[str, Any] = self.world.find(
            {"18": "PurchaseInvoices", "19": "PurchaseCreditNotes"}[kind], int(entry)
        )
        return document


Maker = Callable[..., Bench]


@pytest.fixture(params=["v1", "v2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(version: str) -> Iterable[Maker]:
    """Make a bench; keyword arguments are fields of the secret, `options` the tenant's settings."""
    made: list[Bench] = []

    def maker(*, options: dict[str, Any] | None = None, **settings: Any) -> Bench:
        made.append(Bench(seeded_world(clock=lambda: START), version, options or {}, settings))
        return made[-1]

    yield maker
    for bench in made:
        bench.connection.close()


@pytest.fixture
def bench(make: Maker) -> Bench:
    return make()


def coding(**fields: Any) -> CodingRow:
    """A coding row; money as text."""
    money = ("net", "gross", "tax", "quantity", "unit_price", "tax_percent")
    values = {name: Decimal(value) if name in money else value for name, value in fields.items()}
    return CodingRow(**{"key": "1", "account": "400001", "cost_center": "CC101", "tax_code": "V2", **values})


@pytest.fixture
def row() -> Callable[..., CodingRow]:
    return coding


@pytest.fixture
def invoice() -> Callable[..., Invoice]:
    """An approved invoice of a supplier in good standing."""

    def maker(gross: str, *rows: CodingRow, **fields: Any) -> Invoice:
        plain = {"key": "inv-1", "number": "R-4711", "company": "SBODEMO", "supplier": "V10000", "currency": "EUR"}
        days = {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "due_date": date(2026, 3, 1)}
        return Invoice(**{**plain, **days, "gross": Decimal(gross), "rows": rows, **fields})

    return maker

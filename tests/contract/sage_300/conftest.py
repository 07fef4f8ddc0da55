"""The adapter in front of the simulated Web API, under one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.sage_300 import World, create_app, seeded_world
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.sage_300 import Settings, connect
from tests.clock import Clock

START = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
PASSWORD = "SANDBOX-ONLY"


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

    def __init__(self, world: World, options: dict[str, Any], settings: dict[str, Any]) -> None:
        self.world, self.clock, self.codes = world, Clock(START), Codes()
        world.clock, world.sleep = self.clock.now, self.clock.sleep
        plain = {"api_url": "https://erp.example/Sage300WebApi/v1.0/-", "company": "SAMLTD", "user": "webapi"}
        self.settings = Settings.model_validate(
            plain | {"password": PASSWORD.lower(), "timezone": "America/Vancouver"} | settings
        )
        store = SqliteStore(clock=self.clock)
        self.breaker = Breaker(store, self.clock, tenant="acme", system="sage_300", version="1", boot="b", sole=True)
        sessions = Sessions(store, MemoryVault(), self.clock, self.breaker, name="acme#sage_300", version="1", boot="b")
        self.context = AdapterContext(
            tenant="acme",
            integration="sage_300-basware",
            clock=self.clock,
            rng=SeededRandom(1),
            sessions=sessions,
            options=TenantSettings.model_validate(options),
            transport=Wire(world),
        )
        self.connection = connect(self.settings, self.context)

    def all(self, record: type[Any], since: str | None = None) -> list[Any]:
        """Every record of a bulk source; none may be broken."""
        pages = list(self.connection.source(record).pages(since, None))
        assert not [broken for page in pages for broken in page.broken]
        return [one for page in pages for one in page.records]

    @property
    def target(self) -> Any:
        return self.connection.target(Invoice)

    def post(self, invoice: Invoice) -> dict[str, Any]:
        """Bring an invoice the whole way and give the batch that the company keeps."""
        prepared = self.target.prepare(invoice, self.codes)
        assert self.target.look(prepared) == []
        found = self.target.send(prepared)
        assert [one.id for one in self.target.look(prepared)] == [found.id]
        back = self.target.read_back(found)
        assert (back.id, back.amount, back.currency, back.number) == (
            found.id,
            invoice.gross,
            invoice.currency,
            found.id.partition(":")[0],
        )
        assert [one.id for one in self.target.look(prepared)] == [found.id]
        return self.batch(found)

    def restart(self) -> None:
        """Begin again as another process does, which remembers nothing."""
        self.connection.close()
        self.connection = connect(self.settings, self.context)

    def batch(self, found: Any) -> dict[str, Any]:
        batch: dict[str, Any] = self.world.find("APInvoiceBatches", int(found.id.partition(":")[0]))
        return batch

    def calls(self, method: str, part: str) -> int:
        return sum(call.method == method and part in call.path for call in self.world.log)


Maker = Callable[..., Bench]


def keep_orders(world: World, count: int) -> None:
    """Leave the first orders, with what was received on them."""
    orders = world.tables["POPurchaseOrders"]
    for key in list(orders)[count:]:
        del orders[key]
    kept = {order["PurchaseOrderNumber"] for order in orders.values()}
    receipts = world.tables["POGetReceipts"]
    for key in [key for key, row in receipts.items() if row["PurchaseOrderNumber"] not in kept]:
        del receipts[key]


@pytest.fixture(params=[True, False], ids=["described", "bare"])
def served(request: pytest.FixtureRequest) -> bool:
    """Tell whether the server serves $metadata; each test runs with both."""
    return bool(request.param)


@pytest.fixture
def make(served: bool) -> Iterable[Maker]:
    """Make a bench; keyword arguments are fields of the secret, `options` the tenant's settings.

    `orders`: how many purchase orders the company keeps, for tests that read them again and again.
    """
    made: list[Bench] = []

    def maker(*, options: dict[str, Any] | None = None, orders: int | None = None, **settings: Any) -> Bench:
        world = seeded_world(password=PASSWORD, clock=lambda: START)
        world.metadata = served
        if orders is not None:
            keep_orders(world, orders)
        made.append(Bench(world, options or {}, {"cost_center_segment": "2", **settings}))
        return made[-1]

    yield maker
    for bench in made:
        bench.connection.close()


@pytest.fixture
def bench(make: Maker) -> Bench:
    return make()


def coding(**fields: Any) -> CodingRow:
    money = ("net", "gross", "tax", "quantity", "unit_price", "tax_percent")
    values = {name: Decimal(value) if name in money else value for name, value in fields.items()}
    return CodingRow(**{"key": "1", "account": "400001", "cost_center": "CC101", **values})


@pytest.fixture
def row() -> Callable[..., CodingRow]:
    return coding


@pytest.fixture
def invoice() -> Callable[..., Invoice]:
    """An approved invoice of a vendor in good standing (tax group V2: 19%)."""

    def maker(gross: str, *rows: CodingRow, **fields: Any) -> Invoice:
        plain = {"key": "inv-1", "number": "R-4711", "company": "SAMLTD", "supplier": "1200", "currency": "EUR"}
        days = {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "due_date": date(2026, 3, 1)}
        return Invoice(**{**plain, **days, "gross": Decimal(gross), "rows": rows, **fields})

    return maker

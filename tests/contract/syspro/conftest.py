"""The adapter in front of the simulated SYSPRO, under one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.syspro import World, create_app, seeded_world
from infra.sandbox.syspro.seed import COMPANY, ODATA_PASSWORD, ODATA_USER, OPERATOR, PASSWORD
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.syspro.connection import Connection
from ml_connector.systems.syspro.invoices import Invoices
from ml_connector.systems.syspro.settings import Settings
from tests.clock import Clock
from tests.contract.conformance.wire import Wire

START = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
PLAIN = {
    "enet_url": "https://erp.example/SYSPROWCFService/Rest", "operator": OPERATOR, "operator_password": PASSWORD,
    "company_id": COMPANY, "odata_url": "https://erp.example/SYSPRO8Odata/SYSPROOData", "odata_user": ODATA_USER,
    "odata_password": ODATA_PASSWORD, "timezone": "Europe/Berlin",
    "cost_centers": {"from": "ledger_code", "section": 2},
}  # fmt: skip


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


class Bench:
    """One tenant's connection to one simulated company."""

    def __init__(self, world: World, options: dict[str, Any], settings: dict[str, Any]) -> None:
        self.world, self.clock, self.codes = world, Clock(START), Codes()
        world.clock, world.sleep = self.clock.now, self.clock.sleep
        self.settings = Settings.model_validate(PLAIN | settings)
        store = SqliteStore(clock=self.clock)
        self.breaker = Breaker(store, self.clock, tenant="acme", system="syspro", version="1", boot="b", sole=True)
        sessions = Sessions(store, MemoryVault(), self.clock, self.breaker, name="acme#syspro", version="1", boot="b")
        self.wire = Wire(create_app(world), "erp.example")
        self.context = AdapterContext(
            tenant="acme", integration="syspro-basware", clock=self.clock, rng=SeededRandom(1), sessions=sessions,
            options=TenantSettings.model_validate(options), transport=self.wire,
        )  # fmt: skip
        self.connection = Connection(self.settings, self.context)

    @property
    def target(self) -> InvoiceTarget[Any]:
        """A target that remembers nothing."""
        invoices = Invoices(self.connection.client, self.settings, self.context)
        return InvoiceTarget(invoices, self.settings, self.context)

    def prepare(self, invoice: Invoice) -> Any:
        return self.target.prepare(invoice, self.codes)

    def post(self, invoice: Invoice) -> Any:
        """Bring an invoice the whole way, and give it as it is read back."""
        target, prepared = self.target, self.prepare(invoice)
        assert target.look(prepared) == []
        found = target.send(prepared)
        assert [one.id for one in target.look(prepared)] == [found.id]
        back = target.read_back(found)
        assert (back.id, back.amount, back.kind) == (found.id, invoice.gross, prepared.kind)
        return back

    def kept(self, number: str = "R-4711", supplier: str = "V10000") -> dict[str, Any]:
        """The row of an invoice."""
        row: dict[str, Any] = self.world.get("ApInvoice", supplier, number)
        return row

    def entries(self, **where: Any) -> dict[str, Decimal]:
        """What the general ledger has by account, of the entries for which all holds."""
        sums: dict[str, Decimal] = {}
        for row in self.world.rows("GenJournalDetail"):
            if all(row[name] == value for name, value in where.items()):
                sums[row["GlCode"]] = sums.get(row["GlCode"], Decimal(0)) + row["EntryValue"]
        return sums

    def sent(self, name: str = "Transaction/Post") -> list[str]:
        """The documents that were posted."""
        return [str(one.url.params["XmlIn"]) for one in self.wire.seen if one.url.path.endswith(name)]


Maker = Callable[..., Bench]


@pytest.fixture
def make() -> Iterable[Maker]:
    """Make a bench; keyword arguments are fields of the secret, `options` the tenant's settings."""
    made: list[Bench] = []

    def maker(*, options: dict[str, Any] | None = None, **settings: Any) -> Bench:
        made.append(Bench(seeded_world(1, clock=lambda: START), options or {}, settings))
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
    return CodingRow(**{"key": "1", "account": "400001-CC101", "cost_center": "CC101", **values})


@pytest.fixture
def row() -> Callable[..., CodingRow]:
    return coding


@pytest.fixture
def invoice() -> Callable[..., Invoice]:
    """An approved invoice of a supplier in good standing, whose tax code is A (19%)."""

    def maker(gross: str, *rows: CodingRow, **fields: Any) -> Invoice:
        plain = {"key": "inv-1", "number": "R-4711", "company": "A", "supplier": "V10000", "currency": "EUR"}
        days = {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "due_date": date(2026, 3, 1)}
        return Invoice(**{**plain, **days, "gross": Decimal(gross), "rows": rows, **fields})

    return maker

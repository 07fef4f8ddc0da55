"""A Web API of a few lines: a test says what each resource answers, and sees what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
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
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.sage_300 import Settings, connect
from tests.clock import Clock

Answer = Callable[[httpx.Request], httpx.Response]
BASE = "https://erp.example/Sage300WebApi/v1.0/-"
INNER = "http://localhost/Sage300WebApi/v1.0/-/SAMLTD"
PROOF = {"$top": "1", "$select": "VendorNumber"}


class Server:
    """Proves credentials by itself, and answers everything else by resource; what nobody set is an empty list."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.proofs: list[httpx.Request] = []
        self.proof: Answer = lambda _: httpx.Response(200, json={"value": []})
        self.answers: dict[str, Answer] = {}
        self.described: dict[str, httpx.Response] = {}
        """By module: what $metadata is answered with; nobody set it: the server says that it has no such thing."""
        self.descriptions: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/json"
        resource = request.url.path.partition("/SAMLTD/")[2]
        if dict(request.url.params) == PROOF and resource == "AP/APVendors":
            self.proofs.append(request)
            return self.proof(request)
        if resource.endswith("/$metadata"):
            self.descriptions.append(request)
            none = refusal(404, "ResourceNotFound", "The resource '$metadata' cannot be found")
            return self.described.get(resource.partition("/")[0], none)
        self.requests.append(request)
        for name in (f"{request.method} {resource}", resource, resource.partition("(")[0]):
            if name in self.answers:
                return self.answers[name](request)
        return httpx.Response(200, json={"value": []})

    def rows(self, resource: str, *rows: dict[str, Any]) -> None:
        """Answer a list, whatever the filter."""
        self.answers[resource] = lambda _: httpx.Response(200, json={"value": list(rows)})

    def script(self, resource: str, *answers: httpx.Response | Answer) -> None:
        """Answer one after the other, the last one for ever."""
        left = list(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            one = left.pop(0) if len(left) > 1 else left[0]
            return one(request) if callable(one) else one

        self.answers[resource] = answer

    def asked(self, resource: str, option: str = "$filter") -> list[str | None]:
        """What stood in an option of each reading of a resource."""
        return [r.url.params.get(option) for r in self.requests if r.url.path.endswith(f"/{resource}")]

    def sent(self, method: str, ending: str) -> list[Any]:
        """The bodies sent, in the order of their fields."""
        return [json.loads(r.content) for r in self.requests if r.method == method and r.url.path.endswith(ending)]


class Codes:
    """Every code is the same on both sides, unless a test maps it."""

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
    """A tenant's connection to that server."""

    def __init__(self, settings: dict[str, Any], options: dict[str, Any]) -> None:
        self.server, self.clock, self.codes = Server(), Clock(datetime(2026, 2, 10, 9, 30, tzinfo=UTC)), Codes()
        self.store = SqliteStore(clock=self.clock)
        plain = {"api_url": BASE, "company": "SAMLTD", "user": "webapi", "password": "Secret-1x"}
        self.settings = Settings.model_validate({**plain, **settings})
        self.breaker = Breaker(
            self.store, self.clock, tenant="acme", system="sage_300", version="1", boot="b", sole=True
        )
        self.sessions = Sessions(
            self.store, MemoryVault(), self.clock, self.breaker, name="acme#sage_300", version="1", boot="b"
        )
        self.context = AdapterContext(
            tenant="acme",
            integration="sage_300-basware",
            clock=self.clock,
            rng=SeededRandom(1),
            sessions=self.sessions,
            options=TenantSettings.model_validate(options),
            transport=httpx.MockTransport(self.server),
        )
        self.connection = connect(self.settings, self.context)

    def pages(self, record: type[Any], since: str | None = None) -> list[Any]:
        return list(self.connection.source(record).pages(since, None))

    def all(self, record: type[Any], since: str | None = None) -> list[Any]:
        pages = self.pages(record, since)
        assert not [broken for page in pages for broken in page.broken]
        return [one for page in pages for one in page.records]

    @property
    def target(self) -> Any:
        return self.connection.target(Invoice)


@pytest.fixture
def make() -> Callable[..., Bench]:
    def maker(options: dict[str, Any] | None = None, **settings: Any) -> Bench:
        bench = Bench(settings, options or {})
        bench.server.rows(
            "AP/APVendors", {"VendorNumber": "1200", "VendorName": "A", "CurrencyCode": "CAD", "TaxGroup": "BCTAX"}
        )
        return bench

    return maker


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


def refusal(status: int, code: str, text: str) -> httpx.Response:
    error = {"code": code, "message": {"lang": "en-US", "value": text}}
    return httpx.Response(status, json={"error": error})


@pytest.fixture
def fault() -> Callable[..., httpx.Response]:
    return refusal


def coding(**fields: Any) -> CodingRow:
    money = ("net", "gross", "tax", "quantity", "tax_percent")
    values = {name: Decimal(value) if name in money else value for name, value in fields.items()}
    return CodingRow(**{"key": "1", "account": "6260", **values})


@pytest.fixture
def row() -> Callable[..., CodingRow]:
    return coding


@pytest.fixture
def invoice() -> Callable[..., Invoice]:
    """An approved invoice; without rows given, one of 80.00 and 6.60 tax."""

    def maker(gross: str = "86.60", *rows: CodingRow, **fields: Any) -> Invoice:
        plain = {"key": "inv-1", "number": "R-4711", "company": "SAMLTD", "supplier": "1200", "currency": "CAD"}
        days = {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "due_date": date(2026, 3, 1)}
        default = (coding(net="80.00", tax="6.60"),)
        return Invoice(**{**plain, **days, "gross": Decimal(gross), "rows": rows or default, **fields})

    return maker

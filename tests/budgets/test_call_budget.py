"""How many calls Basware gets for a thousand records, whatever the page size of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from benchmarks.stream import HandClock
from infra.sandbox.basware import World as Sandbox
from infra.sandbox.basware import create_app
from ml_connector.context import AdapterContext
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.worker import write
from ml_connector.flow import Page
from ml_connector.integrations.sap_b1_basware import SAP_B1_BASWARE
from ml_connector.records import Account, OrderLine, PurchaseOrder, Record, Supplier
from ml_connector.systems.basware import CHUNKING, Settings, connect

SETTINGS = {
    "region": "EU",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "companies": ["1000"],
    "source_system": "ERP1",
    "base_url": "http://basware.test",
}


def supplier(n: int) -> Supplier:
    return Supplier(
        key=f"V{n}", code=f"V{n}", name=f"Supplier {n}", currency="EUR", payment_term="30", payment_term_name="30 days"
    )


def account(n: int) -> Account:
    return Account(key=f"{400_000 + n}", code=f"{400_000 + n}", name=f"Account {n}")


def order(n: int) -> PurchaseOrder:
    lines = tuple(
        OrderLine(key=str(i), number=str(i), quantity=Decimal(1), net=Decimal(9), unit_price=Decimal(9))
        for i in range(25)
    )
    return PurchaseOrder(key=f"po{n}", number=f"PO{n}", supplier="V1", currency="EUR", lines=lines)


@dataclass
class Source:
    """Gives records in pages of `size`."""

    records: list[Any]
    size: int

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Record]]:
        for start in range(int(position or 0), len(self.records), self.size):
            end = start + self.size
            yield Page(self.records[start:end], (), str(end) if end < len(self.records) else None)

    def source(self, record: type) -> Source:
        return self

    def close(self) -> None:
        """Nothing is open."""


class Bench:
    """The product's own way from page to request, in front of a sandbox."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.sandbox = Sandbox()
        self.sandbox.clock, self.sandbox.sleep = self.clock.now, self.clock.sleep
        self.queue = MemoryQueue(self.clock)
        self.runtime = Runtime(
            SqliteStore(clock=self.clock), self.queue, MemoryBlobs(), self.clock, SeededRandom(1), boot="b", sole=True
        )

    def send(self, name: str, records: list[Any], size: int) -> None:
        flow = SAP_B1_BASWARE.flow(name)
        pair = self.pair(name, Source(records, size))
        Poll(pair, flow, name).read()
        for _ in range(60):
            wake_due(self.runtime)
            while (queued := self.queue.take()) is not None:
                write(pair, flow, queued.message["id"])
                self.queue.done(queued)
            self.clock.sleep(2)
        assert sum(chunk.delivered for chunk in pair.ledger(name).finished()) == len(records)

    def pair(self, flow: str, source: Any) -> TenantIntegration:
        breakers = {
            s: Breaker(self.runtime.store, self.clock, tenant="acme", system=s, version="1", boot="b", sole=True)
            for s in ("sap_b1", "basware")
        }
        sessions = Sessions(
            self.runtime.store,
            MemoryVault(),
            self.clock,
            breakers["basware"],
            name="acme#basware",
            version="1",
            boot="b",
        )
        context = AdapterContext(
            tenant="acme",
            integration=SAP_B1_BASWARE.name,
            clock=self.clock,
            rng=self.runtime.rng,
            sessions=sessions,
            insecure=True,
            flows=lambda: (flow,),
            transport=httpx.WSGITransport(app=create_app(self.sandbox)),
        )
        settings = Settings.model_validate(SETTINGS)
        return TenantIntegration(
            runtime=self.runtime,
            tenant="acme",
            integration=SAP_B1_BASWARE,
            scope="s",
            breakers=breakers,
            connectors={"sap_b1": lambda: source, "basware": lambda: connect(settings, context)},
            active=frozenset({flow}),
            epoch="e",
            chunking=CHUNKING,
            companies=("1000",),
            erp_company="SBO",
        )


@pytest.mark.parametrize("size", [20, 300, 500])
@pytest.mark.parametrize(
    ("name", "make", "count", "path", "budget"),
    [
        ("vendors", supplier, 1000, "/v1/vendors", 5),
        ("accounts", account, 1000, "/v1/accounts", 2),
        ("purchase_orders", order, 40, "/v1/matchingOrderLines", 10),  # of 25 lines each
    ],
)
def test_a_thousand_records_take_few_calls(
    name: str, make: Callable[[int], Record], count: int, path: str, budget: int, size: int
) -> None:
    bench = Bench()
    if name == "purchase_orders":
        bench.send("vendors", [supplier(1)], 500)
    bench.send(name, [make(n) for n in range(count)], size)
    assert bench.sandbox.calls[f"POST {path}"] == budget

"""The adapter in front of the simulated Sage X3, under one clock, in each dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.sandbox.sage_x3 import World, create_app, seeded_world
from infra.sandbox.sage_x3.seed import COMPANY, FOLDER, PASSWORD, USER
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.flow import Broken, Page
from ml_connector.records import Record
from ml_connector.systems.sage_x3.connection import Connection
from ml_connector.systems.sage_x3.settings import Settings
from tests.clock import Clock
from tests.contract.conformance.wire import Wire

START = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "url": "https://x3.example", "folder": FOLDER, "company": COMPANY, "timezone": "Europe/Paris",
    "auth": {"type": "basic", "user": USER, "password": PASSWORD}, "cost_center_dimension": "CCT",
}  # fmt: skip


class Bench:
    """One tenant's connection to one simulated folder."""

    def __init__(self, world: World, dimensions: tuple[str, ...], settings: dict[str, Any]) -> None:
        self.world, self.clock = world, Clock(START)
        world.clock, world.sleep = self.clock.now, self.clock.sleep
        self.settings = Settings.model_validate(PLAIN | settings)
        store = SqliteStore(clock=self.clock)
        breaker = Breaker(store, self.clock, tenant="acme", system="sage_x3", version="1", boot="b", sole=True)
        sessions = Sessions(store, MemoryVault(), self.clock, breaker, name="acme#sage_x3", version="1", boot="b")
        self.wire = Wire(create_app(world), "x3.example")
        self.context = AdapterContext(
            tenant="acme", integration="sage_x3-basware", clock=self.clock, rng=SeededRandom(1), sessions=sessions,
            options=TenantSettings(send_bank_details=True), transport=self.wire, dimensions=dimensions,
        )  # fmt: skip
        self.connection = Connection(self.settings, self.context)

    def again(self) -> Bench:
        """Connect anew, as the next reading does."""
        self.connection = Connection(self.settings, self.context)
        return self

    def pages(self, kind: type[Record], since: str | None = None) -> list[Page[Any]]:
        return list(self.source(kind).pages(since, None))

    def source(self, kind: type[Record]) -> Any:
        return self.connection.source(kind)

    def read(self, kind: type[Record], since: str | None = None) -> dict[str, Any]:
        """Read records by key; each comes once."""
        found = [one for page in self.pages(kind, since) for one in page.records]
        assert len({one.key for one in found}) == len(found)
        return {one.key: one for one in found}

    def broken(self, kind: type[Record], since: str | None = None) -> list[Broken]:
        return [bad for page in self.pages(kind, since) for bad in page.broken]


Maker = Callable[..., Bench]
both = pytest.mark.parametrize("api", ["api1", "graphql"])


@pytest.fixture
def make() -> Iterable[Maker]:
    """Make a bench; keyword arguments are fields of the secret, `dimensions` those that the platform lists."""
    made: list[Bench] = []

    def maker(*, dimensions: tuple[str, ...] = (), **settings: Any) -> Bench:
        made.append(Bench(seeded_world(1, clock=lambda: START), dimensions, settings))
        return made[-1]

    yield maker
    for bench in made:
        assert bench.world.violations == []
        bench.connection.close()

"""A session takes a licence: the poll gives it back when nobody used it for five minutes (mistake 10)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.sandbox.syspro import create_app, seeded_world
from ml_connector import registry
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.secrets import FolderSecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.runtime import Runtime
from ml_connector.runs import Run, tick
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock
from tests.contract.conformance.wire import Wire
from tests.contract.syspro.conftest import PLAIN, START

BASWARE = {"region": "EU", "client_id": "c", "client_secret": "s", "companies": ["1000"], "source_system": "SYSPRO"}


class Site:
    """The poll of one tenant, on this machine."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.world = Clock(START), seeded_world(1, clock=lambda: START)
        self.world.clock, self.world.sleep = self.clock.now, self.clock.sleep
        wire = Wire(create_app(self.world), "erp.example")
        self.runtime = Runtime(
            store=SqliteStore(clock=self.clock), queue=MemoryQueue(self.clock), blobs=MemoryBlobs(), clock=self.clock,
            rng=SeededRandom(1), boot="b", sole=True,
        )  # fmt: skip
        self.tools = BootstrapOptions(MemoryVault(), transport=lambda *_: wire)
        (folder / "acme").mkdir()
        secret = {name: value for name, value in PLAIN.items() if not name.startswith("odata_")} | {"read_via": "enet"}
        schedules = {"schedules": dict.fromkeys(("accounts", "cost_centers", "purchase_orders"), "off")}
        for system, fields in (("syspro", secret), ("basware", BASWARE), ("settings", schedules)):
            (folder / "acme" / f"{system}.json").write_text(json.dumps(fields))
        self.secrets = FolderSecrets(folder)
        registry.rebuild(self.runtime, self.secrets, self.tools)

    def minute(self) -> list[str]:
        """Let the poll's minute pass; gives the tenants that were asked for."""
        asked: list[str] = []
        tick(self.runtime, "syspro", lambda some: asked.extend(tenant for tenant, _ in some))
        for tenant in dict.fromkeys(asked):
            Run(self.runtime, self.secrets, self.tools, "syspro").of(tenant)
        self.clock.sleep(60)
        return asked


@pytest.fixture
def site(tmp_path: Path) -> Any:
    return Site(tmp_path)


def test_an_idle_session_is_ended_by_the_poll_and_a_used_one_is_not(site: Site) -> None:
    site.clock.sleep(3600)  # the first reading is planned within the hour
    assert site.minute() == ["acme"] and len(site.world.sessions.open) == 1
    for _ in range(4):
        site.minute()
        assert len(site.world.sessions.open) == 1, "it may be wanted again at any moment"
    for _ in range(3):
        site.minute()
    assert not site.world.sessions.open and site.world.sessions.logoffs == 1
    for _ in range(5):
        site.minute()
    assert site.world.sessions.logoffs == 1, "once"


def test_the_next_run_logs_on_again(site: Site) -> None:
    for _ in range(3):
        site.clock.sleep(3600)
        for _ in range(8):
            site.minute()
    assert not site.world.sessions.open
    assert site.world.sessions.logons == site.world.sessions.logoffs >= 2

"""Pairings are kept alive each week, whether or not a flow of their tenant is on, and no tick grows by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ml_connector import keeping, registry
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.secrets import MemorySecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access import chain
from ml_connector.engine.access.chain import Pairing
from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.runtime import Runtime
from ml_connector.ports import Item
from ml_connector.runs import BATCH, Asked, Run, tick
from ml_connector.systems.kit.signed_tokens import minted
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock

SYSTEM = "sage_x3"
AUTH = {
    "type": "oauth2",
    "token_url": "https://api.eu-sagex3.com/v1/token",
    "client_id": "app",
    "client_secret": "client-secret",
    "refresh_token": "first-token",
}
BASWARE = {
    "region": "EU",
    "client_id": "c",
    "client_secret": "s",
    "companies": ["1000"],
    "source_system": "X3",
    "requisition_owner_email": "buyer@example.com",
    "category_code": "6200",
}
DAY, WEEK = timedelta(days=1), timedelta(days=7)


class Stack:
    def __init__(self) -> None:
        self.clock, self.secrets = Clock(datetime(2026, 3, 2, tzinfo=UTC)), MemorySecrets()
        self.store, self.refused = SqliteStore(clock=self.clock), False
        self.runtime = Runtime(
            self.store, MemoryQueue(self.clock), MemoryBlobs(), self.clock, SeededRandom(1), boot="b"
        )
        self.tools = BootstrapOptions(MemoryVault(), transport=lambda *_: httpx.MockTransport(self.answer))
        self.used: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/token", "nothing else is asked for an idle tenant"
        self.used.append(json.loads(request.content)["refresh_token"])
        if self.refused:
            return httpx.Response(403, json={"message": "The request has expired."})
        return httpx.Response(200, json={"access_token": "a.b.c", "refresh_token": f"token-{len(self.used)}"})

    def onboard(self, tenant: str = "acme", auth: dict[str, str] = AUTH, **settings: object) -> None:
        url = "https://api.eu-sagex3.com/v1" if "token_url" in auth else "https://x3.example"
        secret = {"url": url, "folder": "SEED", "auth": auth}
        self.secrets.write(tenant, SYSTEM, json.dumps(secret))
        self.secrets.write(tenant, "basware", json.dumps(BASWARE))
        self.secrets.write(tenant, "settings", json.dumps({"paused": True, **settings}))
        registry.rebuild(self.runtime, self.secrets, self.tools)

    def minute(self) -> list[str]:
        asked: list[Asked] = []
        tick(self.runtime, SYSTEM, asked.extend)
        for tenant, _ in asked:
            Run(self.runtime, self.secrets, self.tools, SYSTEM).of(tenant)
        return [tenant for tenant, _ in asked]

    def days(self, count: int) -> None:
        for _ in range(count):
            self.clock.moment += DAY
            self.minute()


@pytest.fixture
def stack() -> Stack:
    return Stack()


def test_a_paused_tenants_token_is_refreshed_each_week_from_the_first_day_on(stack: Stack) -> None:
    stack.onboard()
    assert stack.minute() == ["acme"] and stack.minute() == []
    stack.days(6)
    assert stack.used == ["first-token"]
    stack.days(8)
    assert stack.used == ["first-token", "token-1", "token-2"]


def test_a_tenant_whose_flows_run_is_never_due_for_it(stack: Stack) -> None:
    stack.onboard()
    stack.minute()
    for _ in range(14):
        stack.clock.moment += DAY
        row = stack.store.get(chain.chain_key("acme"), SYSTEM)
        assert row is not None
        stack.store.put(Item(row.pk, row.sk, row.data, row.rev, row.due_pk, chain.at(stack.clock.now() + WEEK)))
        assert stack.minute() == []


def test_a_refresh_that_fails_is_tried_once_a_day_and_people_are_warned(stack: Stack) -> None:
    stack.onboard()
    stack.minute()
    stack.refused = True
    stack.days(7)
    assert len(stack.used) == 2 and stack.minute() == []
    assert keeping.ending(stack.runtime, [SYSTEM, "basware"]) == 1
    stack.days(3)
    assert len(stack.used) == 2, "the login is suspended: nothing is sent until the secret changes"


def test_another_pairing_in_the_secret_is_taken_up_without_a_flow_and_ends_the_warning(stack: Stack) -> None:
    stack.onboard()
    stack.minute()
    stack.refused = True
    stack.days(7)
    stack.refused = False
    stack.onboard(auth=AUTH | {"refresh_token": "paired-again"})
    assert keeping.ending(stack.runtime, [SYSTEM]) == 0
    stack.minute()
    assert stack.used[-1] == "paired-again"


def test_nobody_is_warned_of_a_tenant_that_ended_or_logs_in_otherwise(stack: Stack) -> None:
    stack.onboard()
    stack.minute()
    stack.refused = True
    stack.days(7)
    stack.onboard(auth=AUTH | {"refresh_token": "other"})
    stack.minute()
    assert keeping.ending(stack.runtime, [SYSTEM]) == 1
    stack.onboard(auth={"type": "basic", "user": "u", "password": "p"})
    assert keeping.ending(stack.runtime, [SYSTEM]) == 0
    stack.onboard(auth=AUTH | {"refresh_token": "a third"})
    stack.minute()
    assert keeping.ending(stack.runtime, [SYSTEM]) == 1
    for system in (SYSTEM, "basware", "settings"):
        stack.secrets.remove("acme", system)
    registry.rebuild(stack.runtime, stack.secrets, stack.tools)
    assert keeping.ending(stack.runtime, [SYSTEM]) == 0
    stack.days(1)
    assert stack.minute() == []


def test_people_are_warned_of_a_tenant_that_cannot_run_too(stack: Stack) -> None:
    """Its pairing cannot be refreshed while the secret of the other system is unusable, and ends."""
    ends = stack.clock.now() + timedelta(days=6)
    stack.secrets.write("acme", "basware", "{")
    secret = {"url": "https://api.eu-sagex3.com/v1", "folder": "SEED"}
    auth = AUTH | {"refresh_token": minted({"exp": int(ends.timestamp())}, "k")}
    stack.secrets.write("acme", SYSTEM, json.dumps(secret | {"auth": auth}))
    registry.rebuild(stack.runtime, stack.secrets, stack.tools)
    assert keeping.ending(stack.runtime, [SYSTEM]) == 1
    assert stack.minute() == ["acme"] and stack.minute() == [] and stack.used == []


def test_a_tick_of_ten_thousand_idle_tenants_asks_for_those_that_are_due_and_reads_no_other(stack: Stack) -> None:
    now = stack.clock.now()
    for n in range(10_000):
        chain.expect(stack.store, f"t{n:05}", SYSTEM, Pairing(f"token {n}"), now + timedelta(minutes=n))
    asked: list[Asked] = []
    read: list[str] = []
    get = stack.store.get
    stack.store.get = lambda pk, sk: read.append(pk) or get(pk, sk)  # type: ignore[method-assign,func-returns-value]
    tick(stack.runtime, SYSTEM, asked.extend)
    assert [tenant for tenant, _ in asked] == ["t00000"] and read == []
    stack.clock.moment += WEEK
    until = stack.clock.now()
    tick(stack.runtime, SYSTEM, asked.extend, until)
    assert len(asked) == 1, "out of time: the rest is first in the next tick"
    assert keeping.idle(stack.runtime, SYSTEM, iso(stack.clock.now()), BATCH)[0][0] == "t00000"

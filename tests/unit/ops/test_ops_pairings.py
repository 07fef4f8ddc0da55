"""`tenants` says how a pairing stands and how many calls were made today, for the systems that have either."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.ops import tenants
from infra.ops.workspace import NoDeadLetters, Workspace
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.secrets import MemorySecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.runtime import Runtime
from ml_connector.errors import ConnectorError
from ml_connector.systems.kit.signed_tokens import minted
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GATE = "https://api.eu-sagex3.com/v1"


class Office:
    """A tenant whose gateway gives a refresh token of 30 days, or refuses."""

    def __init__(self, first_ends: datetime) -> None:
        self.clock, self.refuses = Clock(NOW), False
        token = minted({"exp": int(first_ends.timestamp())}, "k")
        auth = {"type": "oauth2", "token_url": f"{GATE}/token", "client_id": "app", "client_secret": "s-e-c"}
        secret = {"url": GATE, "folder": "SEED", "auth": auth | {"refresh_token": token}}
        basware: dict[str, Any] = {
            "region": "EU",
            "client_id": "c",
            "client_secret": "s",
            "companies": ["1"],
            "source_system": "X3",
        }
        basware["purchase_order_target"] = "matching_orders"
        secrets = MemorySecrets({("acme", "sage_x3"): json.dumps(secret), ("acme", "basware"): json.dumps(basware)})
        runtime = Runtime(
            SqliteStore(clock=self.clock), MemoryQueue(self.clock), MemoryBlobs(), self.clock, SeededRandom(1), boot="b"
        )
        tools = BootstrapOptions(MemoryVault(), transport=lambda *_: httpx.MockTransport(self.answer))
        self.workspace = Workspace(runtime, secrets, tools, "here", NoDeadLetters())

    def answer(self, _: httpx.Request) -> httpx.Response:
        if self.refuses:
            return httpx.Response(403, json={"message": "The request has expired."})
        return httpx.Response(200, json={"access_token": "a.b.c", "refresh_token": "next"})

    def refresh(self) -> None:
        (pair,) = self.workspace.pairs("acme")
        connection: Any = pair.connection("sage_x3")
        try:
            connection.keep_alive()
        except ConnectorError:
            pass
        finally:
            pair.close()

    def row(self) -> dict[str, Any]:
        (tenant,) = self.workspace.tenants()
        return tenants._row(self.workspace, tenant, ["basware", "sage_x3"])


def test_a_pairing_that_is_well_shows_its_end_and_no_problem() -> None:
    office = Office(NOW + timedelta(days=29))
    assert office.row()["refresh_token_ends"] == ["sage_x3: 2026-03-31"] and office.row()["problem"] is None
    assert office.row()["calls_today"] == []
    office.refresh()
    assert office.row()["refresh_token_ends"] == ["sage_x3: 2026-04-01"]
    assert office.row()["calls_today"] == ["sage_x3: 1"]
    office.clock.moment += timedelta(days=1)
    assert office.row()["calls_today"] == []


@pytest.mark.parametrize(
    ("first_ends", "said"),
    [
        (NOW + timedelta(days=6), "ends on 2026-03-08, and was not refreshed since it was written into the secret"),
        (NOW - timedelta(days=1), "ended on 2026-03-01. Repeat the pairing"),
    ],
)
def test_a_token_that_ends_soon_is_a_problem(first_ends: datetime, said: str) -> None:
    assert said in Office(first_ends).row()["problem"]


def test_a_pairing_that_is_over_is_a_problem_until_it_is_repeated() -> None:
    office = Office(NOW + timedelta(days=20))
    office.refuses = True
    office.refresh()
    assert "The pairing is over. Sage X3 takes the refresh token no more" in office.row()["problem"]

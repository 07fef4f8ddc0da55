"""A notification costs what its own tenant costs, however many others there are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector import webhook_keys
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.ledger.rows import dump
from ml_connector.engine.schedule.tenant_rows import PK, TenantRow, webhook_context
from ml_connector.errors import Misconfigured, Transient
from ml_connector.ports import Item
from ml_connector.receive import Receiver
from tests.clock import Clock

HELLO = json.dumps({"taskId": "1", "taskType": "Other", "documentId": "1"}).encode()
PROBE = json.dumps({"taskId": "1", "taskType": "ConnectionTest", "documentId": "1"}).encode()


class Calls(SqliteStore):
    """Counts the calls that AWS would be sent: a query gives a page of at most 500 rows."""

    count = 0

    def get(self, *args: Any, **more: Any) -> Any:
        self.count += 1
        return super().get(*args, **more)

    def query(self, *args: Any, **more: Any) -> Any:
        for number, item in enumerate(super().query(*args, **more)):
            self.count += number % 500 == 0
            yield item


class Opened(MemoryVault):
    """Notes for whom a text was opened, and may be away or deny it for a tenant."""

    def __init__(self) -> None:
        super().__init__()
        self.contexts: list[str] = []
        self.errors: dict[str, Exception] = {}

    def open(self, sealed: bytes, context: str) -> bytes:
        self.contexts.append(context)
        if error := self.errors.get(context, self.errors.get("")):
            raise error
        return super().open(sealed, context)


class Site:
    """Some tenants, each with a key of its own, and a process that has just begun."""

    def __init__(self, tenants: int) -> None:
        self.clock = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.store, self.vault, self.faulty = Calls(clock=self.clock), Opened(), list[str]()
        names = [f"t{n}" for n in range(tenants)]
        self.store.put_many([Item(PK, name, data=dump(self.row(name))) for name in names])
        self.door = Receiver(self.store, MemoryQueue(self.clock), self.vault, self.clock, self.faulty.append)

    def row(self, name: str) -> TenantRow:
        sealed = self.vault.seal(name.encode(), webhook_context(name))
        return TenantRow(name=name, webhook=[base64.b64encode(sealed).decode()])

    def post(self, tenant: str, body: bytes = HELLO, key: bytes | None = None) -> tuple[int, dict[str, str]]:
        return self.door.receive(tenant, body, hmac.new(key or tenant.encode(), body, hashlib.sha256).hexdigest())

    def cost(self, tenant: str, body: bytes = HELLO, key: bytes | None = None) -> tuple[int, int, int]:
        """Give the status, the calls to the table, and those to the vault."""
        calls, opened = self.store.count, len(self.vault.contexts)
        status = self.post(tenant, body, key)[0]
        return status, self.store.count - calls, len(self.vault.contexts) - opened


@pytest.fixture(scope="module")
def many() -> Site:
    return Site(10_000)


def test_ten_thousand_tenants_cost_one_notification_what_ten_do(many: Site) -> None:
    few = Site(10)
    for name, key in (("t7", None), ("t8", b"wrong"), ("nobody", None)):
        assert few.cost(name, key=key) == many.cost(name, key=key)
    assert few.store.count == few.vault.contexts.count("webhook#t7") + 2


def test_the_key_of_the_tenant_that_is_called_is_opened_and_no_other(many: Site) -> None:
    many.vault.contexts.clear()
    assert many.post("t42")[0] == 200
    assert many.vault.contexts == ["webhook#t42"]


@pytest.mark.parametrize("body", [HELLO, PROBE, b"junk", b""])
def test_an_unknown_tenant_costs_and_says_what_a_wrong_signature_does(body: bytes) -> None:
    """Also later: what is known of a name, or that nothing is, is kept and read again in the same rhythm."""
    site = Site(3)
    for seconds in (0, 0, 30, 31, 61, 600):
        site.clock.sleep(seconds)
        assert site.cost("t1", body, b"wrong") == site.cost("nobody", body, b"wrong")
        assert site.post("t1", body, b"wrong") == site.post("nobody", body, b"wrong")
        assert site.post("t1", body, b"wrong")[0] == 401


@pytest.mark.parametrize("error", [Transient("AWS throttles."), Misconfigured("AWS refuses access.")])
def test_trouble_with_kms_does_not_tell_which_names_are_tenants(error: Exception) -> None:
    site = Site(2)
    site.vault.errors[""] = error
    assert site.post("t1", key=b"wrong") == site.post("nobody", key=b"wrong")


@pytest.mark.parametrize("name", ["", "T1", "t1/x", "../t1", "t1 ", "ü", "x" * 42, "\ud800"])
def test_what_can_be_no_name_is_refused_without_a_call(name: str) -> None:
    site = Site(2)
    calls = site.store.count
    assert site.door.receive(name, HELLO, "0" * 64)[0] == 401
    assert (site.store.count, site.vault.contexts) == (calls, [])


def test_strangers_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_keys, "KEPT", 10)
    site = Site(2)
    for n in range(100):
        site.post(f"nobody-{n}")
    assert len(site.door._tenants._known) == 10
    assert site.post("t1")[0] == 200


@pytest.mark.parametrize("error", [Misconfigured("AWS refuses access."), ValueError("damaged")])
def test_a_key_that_cannot_be_opened_is_named_counted_and_stops_nobody_else(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(3)
    site.vault.errors["webhook#t1"] = error
    with caplog.at_level(logging.WARNING, "ml_connector"):
        assert [site.post(name)[0] for name in ("t0", "t1", "t2")] == [200, 401, 200]
    assert site.faulty == ["t1"]
    assert "t1: A webhook key cannot be opened" in caplog.text and "t0" not in caplog.text


def test_a_table_that_is_away_asks_for_the_notification_again() -> None:
    site = Site(1)

    def away(*_: Any, **__: Any) -> None:
        raise Transient("AWS throttles the table.")

    site.store.get = away  # type: ignore[method-assign]
    assert site.post("t0")[0] == site.post("nobody")[0] == 503

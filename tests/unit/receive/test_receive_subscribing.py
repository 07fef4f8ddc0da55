"""While a subscription of ours is being made, Basware's test of the address is answered, signed or not."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.sandbox.basware import World as Basware
from infra.sandbox.basware import create_app
from ml_connector import registry
from ml_connector.bootstrap import tenants
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.runtime import Runtime
from ml_connector.ports import Secret
from ml_connector.receive import Receiver
from ml_connector.subscribe import subscribe
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock

SECRET = "höök-secret"
TEST = json.dumps({"taskId": "1", "taskStatus": "New", "taskType": "ConnectionTest", "documentId": "1"}).encode()


class CountingStore(SqliteStore):
    """Counts what is asked of it."""

    reads = 0

    def query(self, *args: Any, **more: Any) -> Any:
        self.reads += 1
        return super().query(*args, **more)

    def get(self, *args: Any, **more: Any) -> Any:
        self.reads += 1
        return super().get(*args, **more)


@dataclass
class Site:
    """Tenants with a webhook, Basware that does not sign its tests, and one process that receives."""

    clock: Clock = field(default_factory=lambda: Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)))
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    lag: float = 0.2

    def __post_init__(self) -> None:
        self.store = CountingStore(clock=self.clock)
        self.queue, self.vault = MemoryQueue(self.clock), MemoryVault()
        self.runtime = Runtime(
            store=self.store, queue=self.queue, blobs=MemoryBlobs(), clock=self.clock, rng=SeededRandom(1), boot="b"
        )
        self.basware = Basware(clock=self.clock.now, sleep=self.clock.sleep, signed_tests=False, deliver=self._deliver)
        app = create_app(self.basware)
        self.tools = BootstrapOptions(self.vault, insecure=True, transport=lambda *_: httpx.WSGITransport(app=app))
        self.door = self.opened()

    def opened(self) -> Receiver:
        return Receiver(self.store, self.queue, self.vault, self.clock)

    def _deliver(self, notification: Any) -> int:
        self.clock.sleep(self.lag)
        tenant = notification.url.rpartition("/")[2]
        self.answers.append(self.post(notification.body, notification.headers.get("x-bwapi-signature-256"), tenant))
        return self.answers[-1]

    def post(self, body: bytes = TEST, signature: str | None = None, tenant: str = "acme") -> int:
        return self.door.receive(tenant, body, signature)[0]

    lags = False

    def listed(self) -> dict[tuple[str, str], str | None]:
        return dict.fromkeys(self.texts)

    def names(self) -> list[tuple[str, str]]:
        return sorted(self.texts)

    def read(self, tenant: str, system: str, *, fresh: bool = False) -> Secret | None:
        text = self.texts.get((tenant, system))
        return Secret(text, hashlib.sha256(text.encode()).hexdigest()) if text else None

    def onboard(self, tenant: str = "acme", **changes: Any) -> None:
        ap = {
            "region": "EU",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "companies": [tenant],
            "source_system": "S",
            "base_url": "http://basware.test",
            "webhook_secret": SECRET,
            "webhook_url": f"https://h.example.com/webhooks/basware/{tenant}",
        }
        erp = {"service_layer_url": "http://erp.test/b1s/v2", "company_db": tenant, "user_name": "u", "password": "p"}
        self.texts[tenant, "sap_b1"] = json.dumps(erp)
        self.texts[tenant, "basware"] = json.dumps({k: v for k, v in (ap | changes).items() if v})
        registry.rebuild(self.runtime, self, self.tools)

    def subscribes(self, tenant: str = "acme") -> list[str]:
        (pair,) = tenants(self.runtime, self, self.tools, tenant)[0].pairs
        return subscribe(self.runtime, pair)


@pytest.fixture
def site() -> Site:
    return Site()


def test_the_first_test_is_answered_by_a_door_that_has_just_been_opened(site: Site) -> None:
    site.onboard()
    assert site.subscribes() == ["acme: AccountingDocuments/WaitingForTransfer: subscribed"]
    assert site.answers == [200]


@pytest.mark.parametrize("seconds", [0, 1, 59])
def test_the_first_test_is_answered_by_a_door_that_read_its_keys_before(site: Site, seconds: float) -> None:
    site.post(b"anything")
    site.onboard()
    site.clock.sleep(seconds)
    assert "subscribed" in site.subscribes()[0]
    assert site.answers == [200]


def test_a_test_that_is_signed_with_a_key_of_this_minute_is_answered(site: Site) -> None:
    site.basware.signed_tests = True
    site.onboard(webhook_secret="old")
    site.post(b"anything")
    site.onboard()
    assert "subscribed" in site.subscribes()[0]
    assert site.answers == [200]


def test_a_subscription_that_is_made_anew_long_after_is_answered_at_once(site: Site) -> None:
    site.onboard()
    site.subscribes()
    site.clock.sleep(24 * 3600)
    site.basware.subscriptions.clear()
    site.post(b"anything")
    site.clock.sleep(5)
    assert "subscribed" in site.subscribes()[0]
    assert site.answers == [200, 200]


def test_several_tenants_that_subscribe_in_the_same_minute_are_all_answered(site: Site) -> None:
    site.post(b"anything")
    for tenant in ("a", "b", "c"):
        site.onboard(tenant)
    for tenant in ("a", "b", "c"):
        site.clock.sleep(3)
        assert "subscribed" in site.subscribes(tenant)[0]
    assert site.answers == [200, 200, 200]


def test_no_other_unsigned_request_is_answered_meanwhile_and_nothing_is_done(site: Site) -> None:
    site.onboard()
    other = json.dumps({"taskId": "1", "taskType": "AccountingDocuments", "documentId": "x"}).encode()
    assert site.post(TEST) == 200
    assert [site.post(body) for body in (other, b"junk", b"")] == [401, 401, 401]
    assert site.post(TEST, tenant="nobody") == 401
    assert site.queue.empty()


@pytest.mark.parametrize("changes", [{"webhook_url": None}, {"webhook_url": None, "webhook_secret": None}])
def test_without_an_address_to_subscribe_no_unsigned_test_is_answered(site: Site, changes: dict[str, Any]) -> None:
    site.onboard(**changes)
    assert site.post() == 401


def test_once_subscribed_an_unsigned_test_is_refused_within_a_minute(site: Site) -> None:
    site.onboard()
    site.subscribes()
    site.clock.sleep(60)
    assert site.post() == 401


def test_a_subscription_that_fails_is_being_made_for_ten_minutes(site: Site) -> None:
    site.onboard()
    site.basware.deliver = lambda _: 500
    assert "not subscribed" in site.subscribes()[0]
    site.clock.sleep(9 * 60)
    assert site.post() == 200
    site.clock.sleep(2 * 60)
    assert site.post() == 401


def test_a_client_that_may_not_subscribe_has_no_subscription_being_made(site: Site) -> None:
    site.onboard()
    site.clock.sleep(11 * 60)
    site.basware.granted = frozenset(s for s in site.basware.granted if not s.startswith("subscriptions."))
    assert "which this client does not have" in site.subscribes()[0]
    asked = sum(site.basware.calls.values())
    site.clock.sleep(121)
    assert site.subscribes() == []
    assert site.post() == 401
    assert sum(site.basware.calls.values()) == asked


def test_whatever_is_asked_a_name_is_read_once_a_minute_and_for_tests_once_more(site: Site) -> None:
    site.onboard(webhook_url=None)
    site.door = site.opened()
    other = json.dumps({"taskType": "AccountingDocuments", "documentId": "x"}).encode()
    bodies = [(b"junk", "acme"), (other, "acme"), (other, "nobody"), (b"", "x")]
    before = site.store.reads
    for _ in range(600):
        for body, tenant in bodies:
            assert site.post(body, "0" * 64, tenant) == 401
        site.clock.sleep(1)
    assert site.store.reads - before <= 10 * len({tenant for _, tenant in bodies})
    before = site.store.reads
    for _ in range(600):
        assert site.post(TEST) == site.post(TEST, tenant="nobody") == 401
        site.clock.sleep(1)
    assert site.store.reads - before <= 20 * 2


def test_known_and_unknown_tenants_cost_the_same_reads(site: Site) -> None:
    site.onboard(webhook_url=None)
    counts = []
    for tenant in ("acme", "nobody"):
        site.door, before = site.opened(), site.store.reads
        site.post(b"anything", tenant=tenant)
        for _ in range(3):
            assert site.post(TEST, tenant=tenant) == 401
        counts.append(site.store.reads - before)
    assert counts[0] == counts[1]


def test_the_signature_is_what_counts_as_ever(site: Site) -> None:
    site.onboard()
    signed = hmac.new(SECRET.encode(), TEST, hashlib.sha256).hexdigest()
    assert site.post(TEST, signed) == 200
    assert site.door.receive("acme", TEST, signed) == (200, {"message": "Received."})

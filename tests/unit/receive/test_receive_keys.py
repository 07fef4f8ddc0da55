"""Which keys a notification may be signed with: those of the tenant that can be opened, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector import receive, registry
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.secrets import MemorySecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule.tenant_rows import PK, row
from ml_connector.errors import ConnectorError, Misconfigured, Transient
from ml_connector.receive import Receiver
from ml_connector.systems.basware.settings import Settings
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock

BODY = json.dumps({"taskType": "AccountingDocuments", "taskId": "t", "documentId": "d"}).encode()
AP = {"region": "EU", "client_id": "c", "client_secret": "s3cret-of-acme", "source_system": "S"}
ERP = {"service_layer_url": "https://erp.example/b1s/v2", "user_name": "u", "password": "p4ssword"}
NONE: tuple[dict[str, Any], ...] = (
    {},
    {"webhook_secret": ""},
    {"webhook_secret": "   "},
    {"webhook_secret": None, "previous_webhook_secret": "\t"},
    {"webhook_secret": "", "previous_webhook_secret": ""},
)


class Choosy(MemoryVault):
    """A vault that is denied for one tenant, as a KMS policy can do it."""

    denied = ""
    why: ConnectorError = Misconfigured("AWS refuses access to the KMS key.")

    def seal(self, plain: bytes, context: str) -> bytes:
        self._may(context)
        return super().seal(plain, context)

    def open(self, sealed: bytes, context: str) -> bytes:
        self._may(context)
        return super().open(sealed, context)

    def _may(self, context: str) -> None:
        if self.denied and context.endswith(f"#{self.denied}"):
            raise self.why


class Site:
    """Tenants from their secrets, and doors for their notifications."""

    def __init__(self, **tenants: dict[str, Any]) -> None:
        self.clock, self.vault, self.secrets = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)), Choosy(), MemorySecrets()
        self.runtime = Runtime(
            store=SqliteStore(clock=self.clock),
            queue=MemoryQueue(self.clock),
            blobs=MemoryBlobs(),
            clock=self.clock,
            rng=SeededRandom(1),
            boot="b",
        )
        for name, fields in tenants.items():
            self.secrets.write(name, "basware", json.dumps({**AP, "companies": [name], **fields}))
            self.secrets.write(name, "sap_b1", json.dumps({**ERP, "company_db": name}))
        self.enroll()

    def enroll(self) -> None:
        registry.rebuild(self.runtime, self.secrets, BootstrapOptions(self.vault))

    def door(self) -> Receiver:
        return Receiver(self.runtime.store, self.runtime.queue, self.vault, self.clock)

    def damage(self, tenant: str, **fields: Any) -> None:
        item = self.runtime.store.get(PK, tenant)
        assert item is not None
        self.runtime.store.put(replace(item, data={**item.data, **fields}))


def signed(key: bytes) -> str:
    return hmac.new(key, BODY, hashlib.sha256).hexdigest()


def guesses(tenant: str) -> list[bytes]:
    """What anybody could try, and the stand-in itself."""
    names = (tenant, "", " ", "   ", "\t", "None", "null", "None".lower())
    return [receive._STAND_IN, *(n.encode() for n in names), *(hashlib.sha256(n.encode()).digest() for n in names)]


def refuses_all(door: Receiver, tenant: str) -> bool:
    return {door.receive(tenant, BODY, signed(key))[0] for key in guesses(tenant)} == {401}


@pytest.mark.parametrize("fields", NONE)
def test_a_tenant_without_a_key_takes_nothing_whatever_it_is_signed_with(fields: dict[str, Any]) -> None:
    assert refuses_all(Site(acme=fields).door(), "acme")


def test_an_unknown_tenant_takes_nothing() -> None:
    door = Site(acme={"webhook_secret": "right"}).door()
    assert refuses_all(door, "nobody") and refuses_all(door, "")
    assert door.receive("nobody", BODY, signed(b"right"))[0] == 401


def test_an_earlier_secret_alone_is_a_key_and_nothing_else_is() -> None:
    door = Site(acme={"previous_webhook_secret": "before"}).door()
    assert refuses_all(door, "acme") and door.receive("acme", BODY, signed(b"before"))[0] == 200


def test_a_key_that_cannot_be_opened_is_no_key_and_the_other_one_stays_good(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(acme={"webhook_secret": "now", "previous_webhook_secret": "before"}, beta={"webhook_secret": "its"})
    sealed = row(site.runtime.store, "acme").webhook  # type: ignore[union-attr]
    site.damage("acme", webhook=["AAAA", sealed[1]])
    door = site.door()
    with caplog.at_level(logging.WARNING):
        assert refuses_all(door, "acme") and door.receive("acme", BODY, signed(b"now"))[0] == 401
    assert "acme" in caplog.text and "beta" not in caplog.text
    assert door.receive("acme", BODY, signed(b"before"))[0] == 200
    assert door.receive("beta", BODY, signed(b"its"))[0] == 200


@pytest.mark.parametrize("webhook", [["AAAA"], ["no base64 ü"], [""], [base64.b64encode(b"\x01" * 40).decode()]])
def test_with_one_unusable_key_nothing_is_taken(webhook: list[str]) -> None:
    site = Site(acme={"webhook_secret": "now"})
    site.damage("acme", webhook=webhook)
    assert refuses_all(site.door(), "acme")


def test_an_empty_key_that_was_sealed_once_is_never_accepted() -> None:
    site = Site(acme={"webhook_secret": "now"})
    for key in (b"", b"  "):
        site.damage("acme", webhook=[base64.b64encode(site.vault.seal(key, "webhook#acme")).decode()])
        assert refuses_all(site.door(), "acme") and site.door().receive("acme", BODY, signed(key))[0] == 401


def test_the_stand_in_is_a_fresh_one_in_each_process() -> None:
    assert len(receive._STAND_IN) == 32 and receive._STAND_IN not in {
        hashlib.sha256(name.encode()).digest() for name in ("acme", "nobody", "")
    }


def test_a_blank_webhook_secret_is_none_everywhere() -> None:
    made = Settings.model_validate_json(json.dumps({**AP, "companies": ["1"], "webhook_secret": "  "}))
    assert made.webhook_secret is None and made.webhook_keys() == []


# ── what the registry does about it ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fields", [{"webhook": ["AAAA"]}, {"webhook": []}, {"webhook": "junk"}, {"pairs": 7}, {"name": "beta"}]
)
def test_a_damaged_row_costs_its_own_tenant_only_and_is_written_again(fields: dict[str, Any]) -> None:
    site = Site(acme={"webhook_secret": "now"}, beta={"webhook_secret": "its"})
    site.damage("acme", **fields)
    door = site.door()
    assert door.receive("beta", BODY, signed(b"its"))[0] == 200
    assert door.receive("acme", BODY, signed(b"now"))[0] == 401
    site.enroll()
    assert site.door().receive("acme", BODY, signed(b"now"))[0] == 200


def test_another_key_of_the_vault_seals_everything_again_from_the_secrets() -> None:
    site = Site(acme={"webhook_secret": "now"}, beta={"webhook_secret": "its"})
    site.vault = Choosy()
    assert site.door().receive("acme", BODY, signed(b"now"))[0] == 401
    site.enroll()
    assert {site.door().receive(t, BODY, signed(k))[0] for t, k in (("acme", b"now"), ("beta", b"its"))} == {200}


def test_nothing_is_sealed_again_that_is_whole() -> None:
    site = Site(acme={"webhook_secret": "now"})
    before = site.runtime.store.get(PK, "acme")
    site.vault.denied = "acme"
    site.enroll()
    assert site.runtime.store.get(PK, "acme") == before


def test_a_key_that_one_tenant_may_not_use_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(beta={"webhook_secret": "its"})
    site.vault.denied = "acme"
    site.secrets.write("acme", "basware", json.dumps({**AP, "companies": ["acme"], "webhook_secret": "now"}))
    site.enroll()
    found = row(site.runtime.store, "acme")
    assert found is not None and "cannot be sealed" in str(found.problem) and found.webhook == []
    assert site.door().receive("beta", BODY, signed(b"its"))[0] == 200


def test_keys_that_cannot_be_opened_just_now_ask_for_the_notification_again() -> None:
    site = Site(acme={"webhook_secret": "now"}, beta={"webhook_secret": "its"})
    warm = site.door()
    assert warm.receive("acme", BODY, signed(b"now"))[0] == 200
    site.vault.denied, site.vault.why = "acme", Transient("AWS throttles.")
    site.clock.sleep(120)
    assert warm.receive("acme", BODY, signed(b"now"))[0] == 200, "what was opened once stays open"
    cold = site.door()
    assert cold.receive("acme", BODY, signed(b"now"))[0] == 503
    assert cold.receive("beta", BODY, signed(b"its"))[0] == 200

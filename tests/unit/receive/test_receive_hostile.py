"""What fuzzing found at the door for webhooks: each of these was an error 500."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.ledger.rows import dump
from ml_connector.engine.schedule.tenant_rows import PK, IntegrationRow, TenantRow, webhook_context
from ml_connector.ports import Item
from ml_connector.receive import Receiver
from tests.fuzz.webhooks import lambda_module

KEY = b"a-webhook-key"


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 9, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        """Nothing passes."""


@pytest.fixture
def door() -> Receiver:
    store, vault = SqliteStore(), MemoryVault()
    pair = IntegrationRow(
        scope="s",
        epoch="e",
        companies=["1000"],
        erp_company="DB",
        in_doubt_seconds={},
        lanes={},
        active=["invoices"],
        shadow=False,
    )
    sealed = base64.b64encode(vault.seal(KEY, webhook_context("acme"))).decode()
    row = TenantRow(name="acme", pairs={"sap_b1-basware": pair}, webhook=[sealed])
    store.put(Item(PK, "acme", data=dump(row)))
    return Receiver(store, MemoryQueue(Still()), vault, Still())


def sent(door: Receiver, tenant: str = "acme", **fields: Any) -> int:
    body = json.dumps({"taskType": "AccountingDocuments", "taskId": "t", "documentId": "d", **fields}).encode()
    return door.receive(tenant, body, hmac.new(KEY, body, hashlib.sha256).hexdigest())[0]


def test_a_tenant_that_no_text_can_name_is_unknown(door: Receiver) -> None:
    assert sent(door, "\ud800") == 401


def test_an_id_that_no_row_could_carry_is_junk(door: Receiver) -> None:
    assert sent(door, documentId="k" * 4000) == 400
    assert sent(door, documentId="k" * 100, taskId="t" * 4000) == 200
    assert sent(door, documentId="k" * 100, taskId="t" * 4000) == 200


@pytest.mark.parametrize(
    ("document", "status"), [("..", 400), (".", 400), ("../../x", 200), ("..\\x", 200), ("a\0b", 200)]
)
def test_an_id_that_looks_like_a_path_is_an_id(door: Receiver, document: str, status: int) -> None:
    assert sent(door, documentId=document, taskId=document) == status
    assert sent(door, documentId=document, taskId=document) == status


def test_a_body_that_is_said_to_be_base64_and_is_none_is_taken_as_it_is() -> None:
    module = lambda_module()
    assert module.raw_body({"body": "ü", "isBase64Encoded": True}) == "ü".encode()
    assert module.raw_body({"body": "\ud800", "isBase64Encoded": False})
    assert module.raw_body({"body": "YQ==", "isBase64Encoded": True}) == b"a"

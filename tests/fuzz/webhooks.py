"""Notifications: spoilt bodies and headers at the three doors (receiver, Lambda handler, local serve)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import importlib.util
import io
import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from werkzeug.test import Client

from infra.local.serve import Server
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.ledger.rows import dump
from ml_connector.engine.schedule.tenant_rows import PK, IntegrationRow, TenantRow, webhook_context
from ml_connector.ports import Item
from ml_connector.receive import LARGEST, Receiver
from ml_connector.systems.basware.webhook import HEADER
from tests.clock import Clock
from tests.fuzz import mutate
from tests.fuzz.runner import Finding

KEYS = (b"hidden-webhook-key-1", "vorhöriger-schlüssel".encode())
VALID = {
    "taskId": "8d1c3f4e-0000-4000-8000-000000000001",
    "taskStatus": "New",
    "taskType": "AccountingDocuments",
    "taskSubType": "WaitingForTransfer",
    "documentId": "138e0a5e-0000-4000-8000-000000000002",
}
KINDS = ("AccountingDocuments", "AccoutingDocuments", "RequestStatus", "ConnectionTest", "Something", "")
TENANTS = ("acme", "acme", "acme", "acme", "nobody", "", "acme/..", "\ud800", "x" * 5000, "acme\x00", "ACME")
ROOT = Path(__file__).parents[2]


@cache
def lambda_module() -> ModuleType:
    """Load the function as Lambda does; its receiver is replaced for each case."""
    names = ("TABLE", "RECORDS_QUEUE", "RECORDS_DLQ", "AUDIT_BUCKET", "KMS_KEY", "SECRET_PREFIX")
    kept = dict(os.environ)
    os.environ.update({f"ML_{name}": "x" for name in names} | {"AWS_DEFAULT_REGION": "eu-central-1"})
    try:
        spec = importlib.util.spec_from_file_location("fuzzed_webhook", ROOT / "functions/basware_webhook/handler.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return module


class Webhooks:
    """The campaign: what is signed is 200 or 400, all else 401 or 413, and nothing unsigned leaves a trace."""

    def __init__(self) -> None:
        self.store, self.vault = SqliteStore(), MemoryVault()
        clock: Any = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.queue = MemoryQueue(clock)
        self._enrol()
        self.receiver = Receiver(self.store, self.queue, self.vault, clock)
        self.module = lambda_module()
        self.module.receiver = self.receiver  # type: ignore[attr-defined]
        server = object.__new__(Server)  # without its port and threads: only its door is asked
        server.receiver = self.receiver
        self.web = Client(server._answer)

    def _enrol(self) -> None:
        pair = IntegrationRow(
            scope="s",
            epoch="e",
            companies=["1000"],
            erp_company="DB",
            in_doubt_seconds={},
            lanes={"sap_b1": 3},
            active=["invoices"],
            shadow=False,
        )
        sealed = [base64.b64encode(self.vault.seal(key, webhook_context("acme"))).decode() for key in KEYS]
        row = TenantRow(name="acme", pairs={"sap_b1-basware": pair}, webhook=sealed)
        self.store.put(Item(PK, "acme", data=dump(row)))

    def case(self, dice: Random) -> str:
        body = self._body(dice)
        key = dice.choice(KEYS)
        signature, good = self._signature(dice, hmac.new(key, body, hashlib.sha256).digest())
        tenant = dice.choice(TENANTS)
        before = self._rows()
        doors = (self._at_receiver, self._at_lambda, self._at_serve)
        status, said = dice.choice(doors)(dice, tenant, body, signature)
        self._judge(status, said, good and tenant == "acme", body)
        if status != 200 and self._rows() != before:
            raise Finding(f"a request answered {status} left a row")
        if not isinstance(said, dict) or set(said) != {"message"}:
            raise Finding(f"no small JSON object: {said!r}")
        return str(status)

    def _judge(self, status: int, said: Any, right: bool, body: bytes) -> None:
        if len(body) > LARGEST:
            expected = {413}
        elif not right:
            expected = {401}
        else:
            expected = (
                {200} if mutate.parsed(body) in [{**VALID, "taskType": kind} for kind in KINDS[:5]] else {200, 400}
            )
        if status not in expected:
            raise Finding(f"answered {status}, expected {expected}: {said}")
        if any(key.decode() in json.dumps(said, ensure_ascii=False) for key in KEYS):
            raise Finding("an answer shows the key")

    def _rows(self) -> int:
        connection = self.store._connection
        return int(connection.execute("SELECT count(*) FROM rows").fetchone()[0])

    def _body(self, dice: Random) -> bytes:
        told = {**VALID, "taskType": dice.choice(KINDS)}
        plain = json.dumps(told).encode()
        chance = dice.random()
        if chance < 0.15:
            return plain
        if chance < 0.17:
            return plain + b" " * dice.choice((LARGEST - len(plain), LARGEST - len(plain) + 1, LARGEST * 2))
        if chance < 0.25:
            return json.dumps({**told, "documentId": "k" * dice.choice((900, 1020, 1025, 4000))}).encode()
        return mutate.body(dice, plain)

    def _signature(self, dice: Random, digest: bytes) -> tuple[str | None, bool]:
        """Sign as documented, or nearly so; tells which."""
        text = dice.choice((digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode()))
        signed = dice.choice(("", "sha256=", "SHA256=")) + text
        if dice.random() < 0.7:
            return signed, True
        wrong = (
            None,
            "",
            signed[:-2],
            signed + "00",
            "sha1=" + text,
            text[::-1],
            "sha256=sha256=" + text,
            "²" * 64,
            bytes(b ^ (1 << dice.randrange(8)) if n == 7 else b for n, b in enumerate(digest)).hex(),
            hashlib.sha256(digest).hexdigest(),
            "\ud800",
            "A" * 20_000,
            "0" * 64,
        )
        return dice.choice(wrong), False

    # ── doors ───────────────────────────────────────────────────────────────────────────────────────────────

    def _at_receiver(self, dice: Random, tenant: str, body: bytes, signature: str | None) -> tuple[int, Any]:
        return self.receiver.receive(tenant, body, signature)

    def _at_lambda(self, dice: Random, tenant: str, body: bytes, signature: str | None) -> tuple[int, Any]:
        name = dice.choice((HEADER, HEADER.upper(), HEADER.title()))
        event: dict[str, Any] = {"pathParameters": {"tenant": tenant}, "headers": {name: signature}}
        if signature is None:
            event |= {"headers": dice.choice(({}, None))}
        try:
            event |= {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        if dice.random() < 0.3:
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        with contextlib.redirect_stdout(io.StringIO()):
            answer = self.module.handler(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    def _at_serve(self, dice: Random, tenant: str, body: bytes, signature: str | None) -> tuple[int, Any]:
        try:
            path = f"/webhooks/basware/{tenant}".encode().decode("latin-1")
            headers = {HEADER: signature.encode("latin-1").decode("latin-1")} if signature is not None else {}
        except UnicodeError:
            return self.receiver.receive(tenant, body, signature)  # no HTTP request can carry that
        answer = self.web.post(
            environ_overrides={"PATH_INFO": path}, data=body, headers=headers, content_type="application/json"
        )
        return answer.status_code, json.loads(answer.data)

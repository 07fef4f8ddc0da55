"""Two tenants of one stack, each with its own vendors: whatever is wrong with acme, beta goes on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.ops.workspace import NoDeadLetters, Workspace
from infra.sandbox import basware, sap_b1
from infra.sandbox.fixtures import PASSWORD, seeded_systems
from ml_connector import registry
from ml_connector.aws.secrets import SecretsManagerSecrets
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.ledger.rows import Chunk, load
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import tenant_rows
from ml_connector.ports import Item
from ml_connector.receive import Receiver
from ml_connector.runs import Run
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock
from tests.simulation import functions

TENANTS = ("acme", "beta")
INTEGRATION = "sap_b1-basware"
BODY = json.dumps({"taskId": "1", "taskType": "Other", "documentId": "1"}).encode()


def refusal(code: str, message: str = "m") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetSecretValue")


class Manager:
    """Secrets Manager as boto's client shows it. An error in place of a text is raised; what is not there is absent."""

    def __init__(self) -> None:
        self.texts: dict[str, Any] = {}
        self.absent = refusal("ResourceNotFoundException")
        self.unlisted: set[str] = set()

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:
        found = self.texts.get(SecretId, self.absent)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, bytes):
            return {"SecretBinary": found, "VersionId": "v"}
        return {"SecretString": found, "VersionId": hashlib.sha256(found.encode()).hexdigest()}

    def get_paginator(self, _: str) -> Manager:
        return self

    def paginate(self, Filters: Any, **_: Any) -> Any:
        return [{"SecretList": [{"Name": name} for name in self.texts if name not in self.unlisted]}]


class Vault(MemoryVault):
    """A vault that may deny a context."""

    denied: dict[str, Exception]

    def open(self, sealed: bytes, context: str) -> bytes:
        if error := getattr(self, "denied", {}).get(context):
            raise error
        return super().open(sealed, context)


class Late(httpx.BaseTransport):
    """A vendor that is made when it is first called: few tests call one."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.WSGITransport(app=self.make()).handle_request(request)


class Site:
    """The stack: its ports, its functions as they are deployed, and the desk of its operator."""

    def __init__(self) -> None:
        self.clock = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.vault, self.manager = Vault(), Manager()
        self.runtime = Runtime(
            store=SqliteStore(clock=self.clock),
            queue=MemoryQueue(self.clock),
            blobs=MemoryBlobs(),
            clock=self.clock,
            rng=SeededRandom(1),
            boot="b",
        )
        self.scenes: dict[str, Any] = {}
        self.instead: dict[str, httpx.BaseTransport] = {}
        self.hidden: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.tools = BootstrapOptions(self.vault, insecure=True, transport=self._transport, shadow_ledger=True)
        for name in TENANTS:
            self.write(
                name,
                "basware",
                region="EU",
                client_id="sandbox-client",
                client_secret="sandbox-secret",
                companies=["1000"],
                source_system="SAPB1",
                base_url=f"http://basware-{name}.test",
                webhook_secret=f"key of {name}",
            )
            self.write(
                name,
                "sap_b1",
                service_layer_url=f"http://sap-{name}.test/b1s/v2",
                company_db="SBODEMO",
                user_name="manager",
                password=PASSWORD,
            )

    def _transport(self, tenant: str, system: str) -> httpx.BaseTransport:
        self.asked.append((tenant, system))
        if tenant in self.instead:
            return self.instead[tenant]
        return Late(lambda: self._app(tenant, system))

    def _app(self, tenant: str, system: str) -> Any:
        its = self.scenes.get(tenant) or self.scenes.setdefault(tenant, seeded_systems(clock=self.clock.now))
        return sap_b1.create_app(its.erp) if system == "sap_b1" else basware.create_app(its.ap)

    # ── what people write ───────────────────────────────────────────────────────────────────────────────────

    def write(self, tenant: str, system: str, **fields: Any) -> None:
        self.manager.texts[f"ml-connector/{tenant}/{system}"] = json.dumps(fields)

    def spoil(self, tenant: str, system: str, found: Any) -> None:
        """Let a secret be a text that cannot be used, bytes, or an error."""
        self.manager.texts[f"ml-connector/{tenant}/{system}"] = found

    def damage(self, tenant: str, **fields: Any) -> None:
        item = self.runtime.store.get(tenant_rows.PK, tenant)
        assert item is not None
        self.runtime.store.put(replace(item, data={**item.data, **fields}))

    def secrets(self) -> SecretsManagerSecrets:
        """What a process that has just begun reads."""
        return SecretsManagerSecrets(self.manager, "ml-connector", self.clock)

    # ── the functions ───────────────────────────────────────────────────────────────────────────────────────

    def enroll(self) -> dict[str, tenant_rows.TenantRow]:
        return {row.name: row for row in registry.rebuild(self.runtime, self.secrets(), self.tools)}

    def run(self, tenant: str, system: str = "basware") -> Run:
        """Read a tenant's due flows."""
        run = Run(self.runtime, self.secrets(), self.tools, system)
        run.of(tenant)
        return run

    def function(self, name: str) -> Any:
        """Load a function as it is deployed, on these ports."""
        module: Any = functions.deployed(name)
        module.metrics = functions.REPLACED["metrics"]
        names = SimpleNamespace(
            stack="stack", stage="dev", system="basware", runs_queue="runs", records_queue="records"
        )
        sqs = SimpleNamespace(change_message_visibility=lambda **call: self.hidden.append(call))
        module.aws = SimpleNamespace(
            runtime=self.runtime,
            store=self.runtime.store,
            queue=self.runtime.queue,
            vault=self.vault,
            clock=self.clock,
            secrets=self.secrets(),
            tools=self.tools,
            names=names,
            clients={"sqs": sqs},
        )
        return module

    def writes(self, *messages: Any, seconds: float = 120) -> Any:
        """Hand rings to a writer that has just begun; gives the answers. `seconds`: what Lambda says that is left."""
        module, context = self.function("write"), SimpleNamespace(**vars(functions.CONTEXT))
        context.get_remaining_time_in_millis = lambda: int(seconds * 1000)
        return [module.handler({"Records": [_record(json.dumps(one))]}, context) for one in messages]

    def polls(self, tenant: str) -> Any:
        return self.function("poll").handler({"Records": [_record(tenant)]}, functions.CONTEXT)

    def door(self, faulty: Callable[[str], None] = lambda _: None) -> Receiver:
        return Receiver(self.runtime.store, self.runtime.queue, self.vault, self.clock, faulty)

    def notify(self, tenant: str, door: Receiver | None = None) -> int:
        """Send a notification that is signed with the tenant's key."""
        key = hmac.new(f"key of {tenant}".encode(), BODY, hashlib.sha256)
        return (door or self.door()).receive(tenant, BODY, key.hexdigest())[0]

    def workspace(self) -> Workspace:
        return Workspace(self.runtime, self.secrets(), self.tools, "the stack", NoDeadLetters(), registered=True)

    # ── what stands there ───────────────────────────────────────────────────────────────────────────────────

    def due(self) -> None:
        """Let every flow be due now."""
        self.clock.sleep(120)

    def queue(self) -> dict[str, list[Any]]:
        """Take what was queued, by tenant."""
        found: dict[str, list[Any]] = {name: [] for name in TENANTS}
        queue: Any = self.runtime.queue
        while (queued := queue.take()) is not None:
            found[queued.message["tenant"]].append(queued.message)
            queue.done(queued)
        return found

    def chunk(self, message: Any) -> Chunk:
        pk = f"f#{message['tenant']}#{INTEGRATION}#{message['flow']}#{message['scope']}"
        found: Item | None = self.runtime.store.get(pk, f"c#{message['id']}")
        assert found is not None
        return load(Chunk, found.data)


def _record(body: str) -> dict[str, Any]:
    return {
        "messageId": "1",
        "receiptHandle": "1",
        "body": body,
        "eventSource": "aws:sqs",
        "awsRegion": "eu-central-1",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:queue.fifo",
        "messageAttributes": {},
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "group"},
        "md5OfBody": "",
    }


def junk_key(site: Site, tenant: str) -> None:
    """Damage what is sealed, so that it opens for nobody."""
    site.damage(tenant, webhook=[base64.b64encode(b"\x01" + b"junk" * 10).decode()])


@pytest.fixture
def site() -> Site:
    return Site()

"""An office at work: a local state with two tenants, filled as the engine would have, and the command line on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import typer.testing
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.loaders import JSONFileLoader
from moto import mock_aws
from typer.main import get_command
from typer.testing import CliRunner

from infra.local.state import open_state
from infra.ops.main import app
from infra.ops.stack import open_stack
from infra.ops.workspace import NoDeadLetters, Workspace
from ml_connector import bootstrap
from ml_connector.aws.clients import Clients
from ml_connector.connection import Check
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, Row, dump, iso
from ml_connector.http_log import Exchange
from ml_connector.ports import Item
from tests.unit.ops import partiql

BASWARE = {
    "region": "EU",
    "client_id": "client",
    "client_secret": "hush-hush-secret",
    "companies": ["1000"],
    "source_system": "SAP",
}
SAP_B1 = {
    "service_layer_url": "https://sap.example.com:50000/b1s/v2",
    "company_db": "ACME",
    "user_name": "connector",
    "password": "hush-hush-password",
}
OLD, NEW = "2026-01-10T08:00:00.000000+00:00", "2026-01-11T08:00:00.000000+00:00"
"""Two runs."""


made = cache(get_command)
"""The command line, made once: making it from its functions takes ten times as long as most commands."""
typer.testing._get_command = made  # type: ignore[attr-defined] # or its runner makes it again for each command


def sure(*words: str, yes: bool = True) -> list[str]:
    """Give `--yes` to a command that asks before it changes something."""
    command: Any = made(app)
    for word in words:
        command = command.commands.get(word, command) if hasattr(command, "commands") else command
    return ["--yes"] if yes and any("--yes" in option.opts for option in command.params) else []


class Server:
    """A vendor's connection whose ping says what the test wants; it remembers what it was wired with."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Any], Iterator[Check]]] = {}
        self.wirings: dict[str, Any] = {}

    def connect(self, system: str) -> Any:
        def made(_settings: Any, context: Any) -> Any:
            self.wirings[system] = context
            default = lambda _w: iter([Check("login", True, "user connector"), Check("accounts", True)])  # noqa: E731
            answer = self.answers.get(system, default)
            nothing = lambda *_: iter(())  # noqa: E731
            source = SimpleNamespace(answers=False, pages=nothing, reread=nothing, list_documents=nothing)
            target = SimpleNamespace(recent=lambda: [])
            return SimpleNamespace(
                ping=lambda: answer(context), source=lambda _: source, target=lambda _: target, close=lambda: None
            )

        return made


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """Vendors without a network: real settings, fake connections."""
    from ml_connector.systems.basware.settings import Settings as Basware
    from ml_connector.systems.sap_b1.settings import Settings as SapB1

    fake, models = Server(), {"basware": Basware, "sap_b1": SapB1}

    def module(system: str) -> Any:
        return SimpleNamespace(Settings=models[system], connect=fake.connect(system), CHUNKING={})

    monkeypatch.setattr(bootstrap, "module", module)
    return fake


class Office:
    """The secrets folder, its state, and the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("acme", "basware", BASWARE)
        self.write("acme", "sap_b1", SAP_B1)
        self.workspace = self.open()

    def open(self) -> Workspace:
        state = open_state(self.folder, sole=False)
        return Workspace(state.runtime, state.secrets, state.tools(), str(self.folder), NoDeadLetters())

    def write(self, tenant: str, system: str, secret: Any) -> None:
        path = self.folder / tenant / f"{system}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secret if isinstance(secret, str) else json.dumps(secret), encoding="utf-8")

    def run(self, *words: str, code: int = 0, stdin: str | None = None, yes: bool = True) -> Any:
        """Run a command on this state; gives its result, or what its JSON says where `--json` is asked for.

        One that asks is told `--yes`.
        """
        result = CliRunner().invoke(app, [*words, *sure(*words, yes=yes), "--secrets", str(self.folder)], input=stdin)
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        assert "hush-hush" not in result.output
        return json.loads(result.stdout) if "--json" in words else result

    def ledger(self, flow: str, tenant: str = "acme") -> Ledger:
        return self.workspace.stream(tenant, flow).ledger

    def chunk(self, flow: str, body: Any = None, **fields: Any) -> Chunk:
        """Put an unfinished chunk there, as a poll or an attempt left it."""
        ledger = self.ledger(flow)
        known = {"id": fields.get("key", "7"), "run": NEW, "created": NEW, "lane": f"acme.{flow}", "due_at": NEW}
        names = {"tenant": ledger.tenant, "integration": ledger.integration, "flow": flow}
        chunk = Chunk(**{**known, **names, **fields})
        assert ledger.add(chunk, body)
        return chunk

    def done(self, flow: str, **fields: Any) -> Chunk:
        """Put a finished chunk there."""
        chunk = self.chunk(flow, **{"state": "done", "done_at": NEW, **fields})
        self.ledger(flow).archive(chunk)
        return chunk

    def row(self, flow: str, key: str, **fields: Any) -> None:
        ledger = self.ledger(flow)
        self.workspace.runtime.store.put(Item(ledger.pk, f"r#{key}", dump(Row(**fields))))

    def attempt(self, chunk: Chunk, **said: Any) -> None:
        """Write an audit object of a chunk and save the chunk."""
        exchange = Exchange(
            at=NEW,
            method="POST",
            url="https://sap.example.com/b1s/v2/PurchaseInvoices",
            status=201,
            request_headers={"Authorization": "***"},
            request_body='{"DocTotal": "119.00"}',
            response_body='{"ok": 1}',
        )
        audit.write(self.workspace.runtime.blobs, chunk, NEW, [exchange], {"state": "done", **said})

    @property
    def now(self) -> str:
        return iso(self.workspace.runtime.clock.now())


@pytest.fixture
def office(tmp_path: Path, server: Server) -> Office:
    return Office(tmp_path / "secrets")


# ── a deployed stack ─────────────────────────────────────────────────────────────────────────────────────────

REGION = "us-east-1"


def keyed(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": k} for n, k in zip(names, ("HASH", "RANGE"), strict=True)]


TABLE: Any = {
    "TableName": "rows",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "due_pk", "due_at")],
    "KeySchema": keyed("pk", "sk"),
    "GlobalSecondaryIndexes": [
        {"IndexName": "due", "KeySchema": keyed("due_pk", "due_at"), "Projection": {"ProjectionType": "ALL"}}
    ],
}


class CloudFormation:
    """Describes stacks as AWS does; moto needs more than the project brings for it."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, str]] = {}

    def describe_stacks(self, StackName: str) -> Any:
        if StackName not in self.stacks:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")  # type: ignore[typeddict-item]
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.stacks[StackName].items()]
        parameters = [{"ParameterKey": "AllowInsecureEndpoints", "ParameterValue": "true"}]
        return {"Stacks": [{"Outputs": outputs, "Parameters": parameters}]}


def resources() -> dict[str, str]:
    """Make what the template makes; gives its outputs."""
    sqs, fifo = boto3.client("sqs", REGION), {"FifoQueue": "true"}
    boto3.client("dynamodb", REGION).create_table(**TABLE)
    boto3.client("s3", REGION).create_bucket(Bucket="audit")
    return {
        "TableName": "rows",
        "AuditBucketName": "audit",
        "SecretPrefix": "ml-connector",
        "RecordsQueueUrl": sqs.create_queue(QueueName="records.fifo", Attributes=fifo)["QueueUrl"],
        "RecordsDlqUrl": sqs.create_queue(QueueName="dead.fifo", Attributes=fifo)["QueueUrl"],
        "KeyArn": boto3.client("kms", REGION).create_key()["KeyMetadata"]["Arn"],
    }


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """Each command makes clients of its own, and each client reads megabytes of JSON that describe its service."""
    with pytest.MonkeyPatch.context() as patch:
        read = cache(JSONFileLoader().load_file)
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        yield


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, server: Any) -> Iterator[Any]:
    for name, value in {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "t",
        "AWS_SECRET_ACCESS_KEY": "t",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    known = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: Any, name: str, kwargs: Any) -> Any:
        if name == "BatchExecuteStatement":
            return partiql.answered(self, kwargs["Statements"])
        return known(self, name, kwargs)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    with mock_aws():
        formation = CloudFormation()
        formation.stacks = {"live": resources(), "other": {"Url": "https://example.com"}}

        class SomeClients(Clients):
            def get(self, service: str) -> Any:
                return formation if service == "cloudformation" else super().get(service)

        monkeypatch.setattr("infra.ops.stack.Clients", SomeClients)
        secrets = boto3.client("secretsmanager", REGION)
        basware = {"region": "EU", "client_id": "c", "client_secret": "hush", "companies": ["1"], "source_system": "S"}
        sap = {
            "service_layer_url": "https://sap.example.com/b1s/v2",
            "company_db": "A",
            "user_name": "u",
            "password": "p",
        }
        secrets.create_secret(Name="ml-connector/acme/basware", SecretString=json.dumps(basware))
        secrets.create_secret(Name="ml-connector/acme/sap_b1", SecretString=json.dumps(sap))
        yield open_stack("live")

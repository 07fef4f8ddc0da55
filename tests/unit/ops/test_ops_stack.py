"""A deployed stack: found by its outputs, read and changed through the AWS ports, its letters counted and cleared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from infra.ops.main import app
from infra.ops.stack import open_stack
from ml_connector.aws.clients import Clients
from ml_connector.engine.rows import Chunk
from ml_connector.errors import Misconfigured

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
        "TableName": "rows", "AuditBucketName": "audit", "SecretPrefix": "ml-connector",
        "RecordsQueueUrl": sqs.create_queue(QueueName="records.fifo", Attributes=fifo)["QueueUrl"],
        "RecordsDlqUrl": sqs.create_queue(QueueName="dead.fifo", Attributes=fifo)["QueueUrl"],
        "KeyArn": boto3.client("kms", REGION).create_key()["KeyMetadata"]["Arn"],
    }  # fmt: skip


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, server: Any) -> Iterator[Any]:
    for name, value in {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "t",
                        "AWS_SECRET_ACCESS_KEY": "t"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
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


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*words, "--stack", "live"])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return json.loads(result.stdout) if "--json" in words else result


def dead(desk: Any, key: str, death: int) -> None:
    ledger = desk.stream("acme", "invoices").ledger
    ledger.add(Chunk(
        id=key, key=key, tenant="acme", integration=ledger.integration, flow="invoices", lane="acme.lane", run="r",
        created=ledger.now(), state="dead", cause="exhausted", death=death,
    ))  # fmt: skip


def letter(desk: Any, key: str, death: int, group: str = "acme.lane") -> None:
    ledger = desk.stream("acme", "invoices").ledger
    desk.world.rings.bury(group, {
        "id": key, "tenant": "acme", "integration": ledger.integration, "flow": "invoices", "scope": ledger.scope,
        "death": death,
    })  # fmt: skip


def depth(desk: Any) -> int | None:
    return desk.letters.count()


def test_redrive_opens_the_row_rings_for_it_and_clears_its_letter(stack: Any) -> None:
    dead(stack, "k1", 2)
    letter(stack, "k1", 1)  # of an earlier death
    letter(stack, "k1", 2)
    said = run("dlq", "redrive", "--json")
    assert ([r["key"] for r in said["reopened"]], said["letters_removed"], depth(stack)) == (["k1"], 2, 0)
    sqs = boto3.client("sqs", REGION)
    url = sqs.get_queue_url(QueueName="records.fifo")["QueueUrl"]
    (ring,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(ring["Body"])["id"] == "k1"


def test_a_canary_leaves_the_letters_of_the_others_where_they_are(stack: Any) -> None:
    dead(stack, "k1", 1)
    dead(stack, "k2", 1)
    letter(stack, "k1", 1, "a")
    letter(stack, "k2", 1, "b")
    run("dlq", "redrive", "--canary")
    assert depth(stack) == 1
    assert run("dlq", "list", "--json")[0]["chunks"] == 1


def test_a_letter_that_nobody_can_read_stays_for_a_person(stack: Any) -> None:
    stack.world.rings.bury("odd", {"hello": "world"})
    assert run("dlq", "redrive", "--json")["letters_removed"] == 0
    assert depth(stack) == 1
    assert "About 1 letters" in run("dlq", "list").stderr


def test_mappings_and_tenants_work_on_the_stack(stack: Any) -> None:
    run("mappings", "set", "acme", "account", "6100", "400000")
    assert run("mappings", "list", "acme", "--json")[0]["target"] == "400000"
    assert run("tenants", "--json")[0]["integrations"] == ["sap_b1-basware"]
    assert run("held", "--json") == []
    assert run("runs", "--json") == []


def test_ping_works_on_the_stack(stack: Any) -> None:
    assert all(row["ok"] for row in run("ping", "--json"))


def test_insecure_addresses_are_as_the_stack_says(stack: Any) -> None:
    assert stack.tools.insecure is True


def test_a_stack_that_is_not_there_is_wrong_use(stack: Any) -> None:
    result = CliRunner().invoke(app, ["held", "--stack", "dead"])
    assert result.exit_code == 2
    assert "There is no stack dead" in result.stderr


def test_another_products_stack_is_wrong_use(stack: Any) -> None:
    with pytest.raises(Misconfigured, match="has no output TableName"):
        open_stack("other")


def test_without_a_region_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(Misconfigured, match="set AWS_REGION"):
        open_stack("live")


def test_a_profile_that_is_not_there_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Misconfigured, match="AWS_PROFILE"):
        open_stack("live")

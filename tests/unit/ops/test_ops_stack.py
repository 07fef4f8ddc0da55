"""A deployed stack: found by its outputs, read and changed through the AWS ports, its letters counted and cleared."""

from __future__ import annotations

import gzip
import json
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from infra.ops.main import app
from infra.ops.stack import open_stack
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.errors import Misconfigured
from tests.unit.ops.conftest import sure

REGION = "us-east-1"


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*words, *sure(*words), "--stack", "live"])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return json.loads(result.stdout) if "--json" in words else result


def dead(workspace: Any, key: str, death: int) -> None:
    ledger = workspace.stream("acme", "invoices").ledger
    ledger.add(
        Chunk(
            id=key,
            key=key,
            tenant="acme",
            integration=ledger.integration,
            flow="invoices",
            lane="acme.lane",
            run="r",
            created=ledger.now(),
            state="failed",
            cause="exhausted",
            death=death,
        )
    )


def letter(workspace: Any, key: str, death: int, group: str = "acme.lane") -> None:
    ledger = workspace.stream("acme", "invoices").ledger
    workspace.runtime.queue.dead_letter(
        group,
        {
            "id": key,
            "tenant": "acme",
            "integration": ledger.integration,
            "flow": "invoices",
            "scope": ledger.scope,
            "death": death,
        },
    )


def depth(workspace: Any) -> int | None:
    return workspace.dead_letters.count()


def test_redrive_opens_the_row_rings_for_it_and_clears_its_letter(stack: Any) -> None:
    dead(stack, "k1", 2)
    letter(stack, "k1", 1)  # of an earlier death
    letter(stack, "k1", 2)
    said = run("dlq", "redrive", "--json")
    assert ([r["key"] for r in said["reopened"]], said["messages_removed"], depth(stack)) == (["k1"], 2, 0)
    sqs = boto3.client("sqs", REGION)
    url = sqs.get_queue_url(QueueName="records.fifo")["QueueUrl"]
    (queued,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(queued["Body"])["id"] == "k1"


def test_a_canary_leaves_the_letters_of_the_others_where_they_are(stack: Any) -> None:
    dead(stack, "k1", 1)
    dead(stack, "k2", 1)
    letter(stack, "k1", 1, "a")
    letter(stack, "k2", 1, "b")
    run("dlq", "redrive", "--canary")
    assert depth(stack) == 1
    assert run("dlq", "list", "--json")[0]["chunks"] == 1


def test_a_letter_that_nobody_can_read_stays_for_a_person(stack: Any) -> None:
    stack.runtime.queue.dead_letter("odd", {"hello": "world"})
    assert run("dlq", "redrive", "--json")["messages_removed"] == 0
    assert depth(stack) == 1
    assert "The DLQ holds about 1 message without" in run("dlq", "list").stderr


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


def test_a_purge_deletes_bodies_and_their_earlier_versions(stack: Any) -> None:
    boto3.client("s3", REGION).put_bucket_versioning(
        Bucket="audit", VersioningConfiguration={"Status": "Enabled"}
    )  # as the template has it
    stack.runtime.blobs.put("audit/acme/i/invoices/2026-01-10/k1/1.json.gz", gzip.compress(b'{"n": 1}\n{"at": "2026"}'))
    assert run("purge", "acme", "--force", "--json")["purged"] == 1
    (left,) = boto3.client("s3", REGION).list_object_versions(Bucket="audit")["Versions"]
    assert b"2026" not in gzip.decompress(stack.runtime.blobs.get(left["Key"])).partition(b"\n")[2]


def test_a_purge_is_refused_under_object_lock(stack: Any) -> None:
    s3 = boto3.client("s3", REGION)
    s3.delete_bucket(Bucket="audit")
    s3.create_bucket(Bucket="audit", ObjectLockEnabledForBucket=True)
    stack.runtime.blobs.put("audit/acme/1", gzip.compress(b'{"n": 1}\n{"at": "2026"}'))
    result = run("purge", "acme", "--force", code=1)
    assert "Nothing was purged: the bucket audit has Object Lock" in result.stderr
    assert b"2026" in gzip.decompress(stack.runtime.blobs.get("audit/acme/1"))


def test_advice_names_the_stack(stack: Any) -> None:
    dead(stack, "k1", 1)
    dead(stack, "k2", 1)
    assert "`ml-connector dlq redrive --stack live`" in run("dlq", "redrive", "--canary").stdout

"""Every call to AWS that a command makes is allowed by the template's policies for people, and nothing more is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from typer.testing import CliRunner

from infra.local.layer import ROOT
from infra.local.package import load_template
from infra.ops.main import app
from ml_connector.engine.ledger.rows import Chunk, Row, dump
from ml_connector.ports import Item
from tests.unit.ops.conftest import sure

IAM = {
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "ListObjectVersions"): "ListBucketVersions",
    ("s3", "DeleteObject"): "DeleteObjectVersion",
    ("s3", "GetObjectLockConfiguration"): "GetBucketObjectLockConfiguration",
}
"""IAM's names of actions, where the call has another."""
FOUND_BY_THE_FAKE = {"cloudformation:DescribeStacks"}
"""The test's own stand-in answers it."""
INSIDE = {"kms:Decrypt", "kms:GenerateDataKey"}
"""Also needed by S3 and DynamoDB to read and write with the stack's key on a person's behalf."""
BATCHED = {"dynamodb:BatchGetItem"}
"""Reads of several rows at once."""


@pytest.fixture
def calls(stack: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    found: set[str] = set()
    real: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def noted(self: Any, name: str, kwargs: Any) -> Any:
        service = self.meta.service_model.service_name
        for action in _partiql(kwargs) if name == "BatchExecuteStatement" else [IAM.get((service, name), name)]:
            found.add(f"{service}:{action}")
        return real(self, name, kwargs)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return found


def _partiql(kwargs: Any) -> set[str]:
    return {"PartiQLInsert" if s["Statement"].startswith("INSERT") else "PartiQLUpdate" for s in kwargs["Statements"]}


def allowed(name: str) -> set[str]:
    statements = load_template(ROOT / "template.yaml")["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]
    plain = [s["Fn::If"][1] if "Fn::If" in s else s for s in statements]
    return {a for s in plain for a in (s["Action"] if isinstance(s["Action"], list) else [s["Action"]])}


def run(*words: str, codes: tuple[int, ...] = (0,)) -> None:
    result = CliRunner().invoke(app, [*words, *sure(*words), "--stack", "live"])
    assert result.exit_code in codes, f"{result.output}\n{result.exception!r}"


def something_of_everything(workspace: Any) -> None:
    """A dead invoice with its letter, a held one, a delivered one, a vendor, and a session to seal."""
    ledger = workspace.stream("acme", "invoices").ledger
    names = {"tenant": "acme", "integration": ledger.integration, "flow": "invoices", "lane": "acme.lane", "run": "r"}
    for key, more in (
        ("k1", {"state": "failed", "cause": "exhausted", "death": 1}),
        ("k2", {"state": "waiting", "waiting_for": "account:6100"}),
    ):
        ledger.add(Chunk(id=key, key=key, created=ledger.now(), **names, **more))
    workspace.runtime.queue.dead_letter("acme.lane", {"id": "k1", "scope": ledger.scope, "death": 1, **names})
    workspace.runtime.queue.dead_letter("odd", {"hello": "world"})  # nobody can read it, so it is shown again
    folder = f"audit/acme/{ledger.integration}/invoices/{ledger.now()[:10]}/k2"
    envelope = b'{"n": 1, "previous": null, "body_hash": "b", "hash": "h"}'
    workspace.runtime.blobs.put(f"{folder}/1.json.gz", gzip.compress(envelope + b'\n{"at": "1"}'))
    vendors = workspace.stream("acme", "vendors").ledger
    workspace.runtime.store.put(Item(vendors.pk, "r#V1", dump(Row(outcome="delivered", code="V1"))))


def test_operators_commands_call_what_the_policy_allows_and_the_policy_allows_no_more(
    stack: Any, calls: set[str]
) -> None:
    something_of_everything(stack)
    secrets = boto3.client("secretsmanager", "us-east-1")
    basware = json.loads(secrets.get_secret_value(SecretId="ml-connector/acme/basware")["SecretString"])
    hook = json.dumps(basware | {"webhook_secret": "s3cret"})
    secrets.put_secret_value(SecretId="ml-connector/acme/basware", SecretString=hook)
    calls.clear()
    for words in (
        "ping",
        "tenants",
        "runs",
        "documents",
        "held",
        "audit acme invoices k2",
        "dlq list",
        "dlq show exhausted",
        "mappings set acme account 6100 400000",
        "mappings list acme",
        "mappings export acme account",
        "mappings remove acme account 6100",
        "dlq redrive",
        "replay acme invoices k2",
        "replay acme vendors V1",
    ):
        run(*words.split())
    other = json.dumps(basware | {"companies": ["1000", "2000"]})
    secrets.put_secret_value(SecretId="ml-connector/acme/basware", SecretString=other)
    calls.discard("secretsmanager:PutSecretValue")
    run("ping")
    policy = allowed("OperatorPolicy")
    assert calls <= policy, calls - policy
    assert policy <= calls | FOUND_BY_THE_FAKE | INSIDE | BATCHED, policy - calls


def test_a_purge_calls_what_both_policies_allow(stack: Any, calls: set[str]) -> None:
    something_of_everything(stack)
    boto3.client("s3", "us-east-1").put_bucket_versioning(Bucket="audit", VersioningConfiguration={"Status": "Enabled"})
    for turn in (b"1", b"2"):
        stack.runtime.blobs.put("audit/acme/1", gzip.compress(b'{"n": 1}\n{"at": "%s"}' % turn))
    calls.clear()
    run("purge", "acme", "--force")
    both = allowed("OperatorPolicy") | allowed("PurgePolicy")
    assert calls <= both, calls - both
    assert allowed("PurgePolicy") <= calls

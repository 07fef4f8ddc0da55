"""purge: what was said is deleted, its hash stays, the chain verifies; never under Object Lock, never a neighbour."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.ops.erasure import S3Eraser
from infra.ops.workspace import Refused, Workspace
from ml_connector.aws.blobs import S3Blobs
from ml_connector.engine.ledger import audit
from ml_connector.engine.write.deferred_audit import bring, park, waiting

OLD, NEW = "2026-01-10T08:00:00.000000+00:00", "2026-01-11T08:00:00.000000+00:00"
REGION = "us-east-1"


def invoice(office: Any, key: str, *times: str, tenant_prefix: str = "") -> Any:
    """An invoice with an attempt at each of the times."""
    chunk = office.chunk("invoices", key=key, number=f"INV-{key}", state="waiting", created=OLD)
    for at in times:
        office.attempt(chunk, state="waiting")
        _move(office, chunk, at)
    ledger = office.ledger("invoices")
    ledger.finish(chunk, ledger.chunk(key)[1])
    return chunk


def _move(office: Any, chunk: Any, at: str) -> None:
    """Let the attempt that was just made be of another time, chain and all."""
    blobs, (*_, last) = office.workspace.runtime.blobs, office.workspace.runtime.blobs.keys(audit.prefix(chunk))
    envelope, _ = audit.opened(blobs.get(last))
    (office.folder / ".state" / "audit" / last).unlink()
    chunk.audits, chunk.chain = envelope["n"] - 1, envelope["previous"]
    audit.write(blobs, chunk, at, [exchange()], {"state": "waiting"})


def exchange() -> Any:
    from ml_connector.http_log import Exchange

    return Exchange(
        at=NEW,
        method="POST",
        url="https://sap.example.com/x",
        status=201,
        request_headers={},
        request_body='{"Name": "A Person"}',
        response_body="{}",
    )


def bodies(office: Any, chunk: Any) -> list[bytes]:
    blobs = office.workspace.runtime.blobs
    return [audit.opened(blobs.get(key))[1] for key in blobs.keys(audit.prefix(chunk))]


def test_an_attempt_that_waits_for_the_bucket_is_told_of(office: Any) -> None:
    """It is in no object yet, and will be: the person must know that something is left."""
    chunk = invoice(office, "k1", OLD)
    ledger = office.ledger("invoices")
    again = audit.made(chunk, NEW, [exchange()], {"state": "done"})
    assert park(ledger, chunk, again)
    said = office.run("purge", "acme", "--force", "--by", "Ada").stdout
    assert "1 wait in the table until the bucket takes them: purge again in an hour." in said
    assert bring(office.workspace.runtime, ledger, next(waiting(ledger)).id)
    assert "wait in the table" not in office.run("purge", "acme", "--force", "--by", "Ada").stdout
    assert not any(bodies(office, chunk))


def test_a_purge_deletes_bodies_and_the_chain_still_verifies(office: Any) -> None:
    chunk = invoice(office, "k1", OLD, NEW)
    hashes = [head["body_hash"] for head, _ in audit.read(office.workspace.runtime.blobs, chunk)]
    said = office.run("purge", "acme", "--force", "--by", "Ada").stdout
    assert "The requests and responses of 2 attempts were purged of acme; their hashes stay." in said
    assert bodies(office, chunk) == [b"", b""]
    assert [head["body_hash"] for head, _ in audit.read(office.workspace.runtime.blobs, chunk)] == hashes
    text = office.run("audit", "acme", "invoices", "k1", "--verify").stdout
    assert "Audit trail verified: " in text
    assert text.count(" by Ada; its hash ") == 2
    assert text.count(f"purged {office.now[:10]}") == 2
    attempts = office.run("audit", "acme", "invoices", "k1", "--json")["chunks"][0]["attempt_list"]
    assert [(a["purged"], a["purged_by"]) for a in attempts] == [(True, "Ada")] * 2


def test_nothing_of_a_purged_body_is_left_in_the_folder(office: Any) -> None:
    invoice(office, "k1", OLD)
    office.run("purge", "acme", "--force")
    for path in (office.folder / ".state" / "audit").rglob("*"):
        if path.is_file():
            assert b"A Person" not in gzip.decompress(path.read_bytes())


def test_before_a_date_keeps_what_was_made_later_also_of_one_document(office: Any) -> None:
    chunk = invoice(office, "k1", OLD, NEW)
    done = office.run("purge", "acme", "--before", "2026-01-11", "--json")
    assert done == {"tenant": "acme", "purged": 1, "purged_before": 0, "kept": 1, "waiting": 0, "damaged": []}
    assert [bool(body) for body in bodies(office, chunk)] == [False, True]
    again = office.run("purge", "acme", "--force", "--json")
    assert again == {"tenant": "acme", "purged": 1, "purged_before": 1, "kept": 0, "waiting": 0, "damaged": []}
    assert office.run("audit", "acme", "invoices", "k1", "--verify", "--json")["faults"] == []


def test_a_second_purge_changes_neither_time_nor_name(office: Any) -> None:
    chunk = invoice(office, "k1", OLD)
    office.run("purge", "acme", "--force", "--by", "Ada")
    first = next(audit.read(office.workspace.runtime.blobs, chunk))[0]
    assert (
        "Nothing was purged of acme. 1 was purged before."
        in office.run("purge", "acme", "--force", "--by", "Bob").stdout
    )
    assert next(audit.read(office.workspace.runtime.blobs, chunk))[0] == first


def test_a_changed_hash_is_found_also_after_a_purge(office: Any) -> None:
    chunk = invoice(office, "k1", OLD, NEW)
    office.run("purge", "acme", "--force")
    (first, _) = office.workspace.runtime.blobs.keys(audit.prefix(chunk))
    envelope, _ = audit.opened(office.workspace.runtime.blobs.get(first))
    office.workspace.runtime.blobs.put(first, audit.emptied({**envelope, "body_hash": "0" * 64}, NEW, "Eve"))
    assert "the chain is broken" in office.run("audit", "acme", "invoices", "k1", "--verify", code=1).stdout


def test_a_tenant_that_has_ended_can_be_purged_and_one_with_a_longer_name_is_left(office: Any) -> None:
    chunk = invoice(office, "k1", OLD)
    neighbour = Path(office.folder / ".state" / "audit" / "audit" / "acme-2" / "x.json.gz")
    neighbour.parent.mkdir(parents=True)
    packed = gzip.compress(b'{"n": 1}\n{"at": "2020"}')
    neighbour.write_bytes(packed)
    for file in (office.folder / "acme").iterdir():
        file.unlink()
    assert office.run("purge", "acme", "--force", "--json")["purged"] == 1
    assert bodies(office, chunk) == [b""]
    assert neighbour.read_bytes() == packed


@pytest.mark.parametrize("name", ["acm", "acme/sap_b1-basware"])
def test_an_unknown_tenant_is_wrong_use(office: Any, name: str) -> None:
    invoice(office, "k1", OLD)
    stderr = office.run("purge", name, "--force", code=2).stderr
    assert "Nothing is on record of a tenant" in stderr
    assert "nown are: acme" in stderr


# ── a bucket ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "t")
    with mock_aws():
        client = boto3.client("s3", REGION)
        client.create_bucket(Bucket="audit")
        client.put_bucket_versioning(Bucket="audit", VersioningConfiguration={"Status": "Enabled"})
        client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        yield client


def test_earlier_versions_of_what_was_purged_are_deleted_and_no_others(bucket: Any, office: Any) -> None:
    blobs = S3Blobs(bucket, "audit")
    workspace = Workspace(**{**vars(office.workspace), "eraser": S3Eraser(bucket, "audit")})
    object.__setattr__(workspace.runtime, "blobs", blobs)
    from infra.ops.purge import _purged

    for name in ("a/1", "a/2", "b/1"):
        for turn in (b"1", b"2"):
            body = b'{"n": 1}\n{"at": "%s", "turn": %s}' % (NEW.encode() if name == "a/2" else OLD.encode(), turn)
            blobs.put(f"audit/{name}", gzip.compress(body))
    done = _purged(workspace, "audit/a/", "2026-01-11", "Ada")
    assert (done.purged, done.kept) == (1, 1)
    versions = bucket.list_object_versions(Bucket="audit")["Versions"]
    left = {key: sum(v["Key"] == key for v in versions) for key in ("audit/a/1", "audit/a/2", "audit/b/1")}
    assert left == {"audit/a/1": 1, "audit/a/2": 2, "audit/b/1": 2}
    assert b"turn" not in gzip.decompress(blobs.get("audit/a/1") or b"")


def test_a_bucket_with_object_lock_refuses_with_a_sentence(bucket: Any) -> None:
    S3Eraser(bucket, "audit").check()
    with pytest.raises(Refused, match="has Object Lock"):
        S3Eraser(bucket, "locked").check()

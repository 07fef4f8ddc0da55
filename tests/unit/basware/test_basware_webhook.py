from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.systems.basware.webhook import parse, verify

SECRET, OLD = "schlüssel-ö".encode(), b"old"
BODY = json.dumps({"taskId": "t", "taskStatus": "New", "taskType": "AccountingDocuments", "documentId": "d"}).encode()


def sign(secret: bytes = SECRET, body: bytes = BODY) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()


@pytest.mark.parametrize("prefix", ["", "sha256=", "sha256 ", "SHA256=", " sha256= "])
@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_hex_and_base64_with_and_without_prefix_are_taken(prefix: str, secret: bytes) -> None:
    digest = sign(secret)
    plain = base64.b64encode(digest).decode()
    for text in (
        digest.hex(),
        digest.hex().upper(),
        plain,
        plain.rstrip("="),
        base64.urlsafe_b64encode(digest).decode(),
    ):
        assert verify(BODY, prefix + text, [SECRET, OLD])


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "ö" * 64,
        "٣" * 64,
        "\udcff",
        "g" * 64,
        sign(b"other").hex(),
        sign(body=BODY + b" ").hex(),
        sign().hex()[:-2],
        sign().hex() + "00",
        "=" * 44,
        "A" * 100_000,
    ],
)
def test_anything_else_is_refused_and_nothing_crashes(signature: str | None) -> None:
    assert not verify(BODY, signature, [SECRET, OLD])


def test_without_a_secret_nothing_is_right() -> None:
    assert not verify(BODY, sign(b"").hex(), [b""])
    assert not verify(BODY, sign().hex(), [])


@given(st.text(), st.binary())
def test_no_header_makes_an_exception(signature: str, body: bytes) -> None:
    assert not verify(body, signature, [SECRET])


NAMES = st.sampled_from(["taskType", "taskId", "documentId"]) | st.text()
NESTED = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
)


@given(st.binary() | NESTED.map(lambda value: json.dumps(value).encode()))
def test_junk_is_a_value_error_and_nothing_else(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse(body)


@pytest.mark.parametrize(
    ("task_type", "kind"),
    [
        ("AccountingDocuments", "documents"),
        ("AccoutingDocuments", "documents"),
        ("accountingdocuments", "documents"),
        ("RequestStatus", "verdict"),
        ("ConnectionTest", "test"),
        ("ExportedContracts", "unknown"),
        ("SomethingNew", "unknown"),
    ],
)
def test_task_types_are_read_leniently(task_type: str, kind: str) -> None:
    body = {"taskId": 7, "taskType": task_type, "documentId": "d", "new": {"field": 1}}
    found = parse(json.dumps(body).encode())
    assert (found.kind, found.task_id, found.document) == (kind, "7", "d")


def test_a_test_needs_no_document_and_no_id() -> None:
    assert parse(b'{"taskType":"ConnectionTest"}').kind == "test"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"taskType":""}', b'{"taskType":"AccountingDocuments"}', b"\xff"])
def test_junk_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(body)


def test_the_module_brings_no_http_client_along() -> None:
    heavy = {"httpx", "pydantic", "boto3", "cryptography", "ml_connector.systems.http"}
    code = f"import sys, ml_connector.systems.basware.webhook; print([m for m in {heavy!r} if m in sys.modules])"
    layer = Path(__file__).parents[3] / "layers" / "connector"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(layer)}
    )
    assert done.stdout.strip() == "[]"

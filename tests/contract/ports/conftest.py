"""Both families of ports, each through the same fixture."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from ml_connector.aws.blobs import S3Blobs
from ml_connector.aws.session_vault import SessionVault
from ml_connector.aws.vault import KmsVault
from ml_connector.embedded.blobs import FolderBlobs, MemoryBlobs
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import FileVault, MemoryVault
from tests.clock import Clock
from tests.contract.ports.port_benches import (
    FolderKeeper,
    ManagerKeeper,
    MemoryBench,
    MemoryKeeper,
    SqsBench,
    dynamo,
)

REGION = "us-east-1"


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 1, 31, 12, tzinfo=UTC))


@pytest.fixture
def moto() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The local AWS; where it was not set up, the skip says how to."""
    local = pytest.importorskip("infra.local.ministack", reason="infra/local is not there: run `make setup`")
    try:
        stack = local.start(tmp_path_factory.mktemp("ministack"))
    except local.StackError as error:
        pytest.skip(f"no local stack: {error}")
    with stack:
        yield stack


_clients: dict[tuple[str, str], Any] = {}
"""By kind and service: making one costs more than most tests."""


def client_of(kind: str, service: str, request: pytest.FixtureRequest) -> Any:
    """A client of moto or of the local stack."""
    aws = request.getfixturevalue(kind)
    if (kind, service) not in _clients:
        _clients[kind, service] = aws.client(service) if aws else boto3.client(service, REGION)
    return _clients[kind, service]


# --- Store


def open_store(kind: str, request: pytest.FixtureRequest, clock: Clock) -> Any:
    match kind:
        case "memory":
            return SqliteStore(":memory:", clock)
        case "file":
            return SqliteStore(request.getfixturevalue("tmp_path") / "state" / "rows.db", clock)
        case _:
            return dynamo(client_of(kind, "dynamodb", request), clock)


@pytest.fixture(params=["memory", "file", "moto", "ministack"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Any:
    return open_store(request.param, request, clock)


@pytest.fixture(params=["memory", "file", "ministack"])
def exact_store(request: pytest.FixtureRequest, clock: Clock) -> Any:
    """Without moto, which neither checks the conditions of PartiQL nor writes one at a time from many threads."""
    return open_store(request.param, request, clock)


# --- Rings


@pytest.fixture(params=["memory", "moto", "ministack"])
def bench(request: pytest.FixtureRequest, clock: Clock) -> Any:
    match request.param:
        case "memory":
            return MemoryBench(clock)
        case kind:
            return SqsBench(client_of(kind, "sqs", request))


# --- Secrets: the port, and how a person writes a secret


@pytest.fixture(params=["memory", "folder", "moto", "ministack"])
def keeper(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Any:
    match request.param:
        case "memory":
            return MemoryKeeper()
        case "folder":
            return FolderKeeper(tmp_path)
        case kind:
            return ManagerKeeper(client_of(kind, "secretsmanager", request), clock)


# --- Blobs and vaults


@pytest.fixture(params=["memory", "folder", "moto", "ministack"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    match request.param:
        case "memory":
            return MemoryBlobs()
        case "folder":
            return FolderBlobs(tmp_path / "audit")
        case kind:
            client, bucket = client_of(kind, "s3", request), f"audit-{uuid4().hex[:8]}"
            client.create_bucket(Bucket=bucket)
            return S3Blobs(client, bucket)


@pytest.fixture(params=["memory", "file", "moto", "ministack", "sessions, moto", "sessions, ministack"])
def vault_maker(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Any:
    """Makes vaults under one key: of two processes, say."""
    match request.param:
        case "memory":
            key = b"k" * 32
            return lambda: MemoryVault(key)
        case "file":
            return lambda: FileVault(tmp_path / "state" / "key")
        case kind:
            sessions, name = kind.startswith("sessions"), kind.rpartition(" ")[2]
            client, store = client_of(name, "kms", request), SqliteStore(clock=clock)
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            return lambda: SessionVault(client, key_id, store, clock) if sessions else KmsVault(client, key_id, clock)

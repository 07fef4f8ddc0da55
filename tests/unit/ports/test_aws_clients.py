from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from ml_connector.aws.clients import Clients
from ml_connector.aws.store import DynamoStore
from ml_connector.embedded.clock import SystemClock
from ml_connector.errors import Misconfigured, Transient

IMPORTS = """
import socket
def refuse(*_): raise AssertionError("a connection was made")
socket.socket.connect = refuse
from ml_connector.aws import blobs, clients, queue, secrets, store, vault
clients.Clients()
print("ok")
"""


def test_nothing_is_called_at_import_and_no_region_is_needed() -> None:
    environment = {"PYTHONPATH": ":".join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTS], check=False, capture_output=True, text=True, env=environment
    )
    assert answer.stdout == "ok\n", answer.stderr


def test_threads_share_one_client_of_a_service() -> None:
    clients = Clients("us-east-1")
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(clients.get("sqs"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1
    assert clients.get("s3") is not got[0]


def test_clients_give_up_in_time() -> None:
    config = Clients("eu-central-1").get("dynamodb").meta.config
    assert (config.connect_timeout, config.read_timeout, config.region_name) == (3.0, 10.0, "eu-central-1")
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def test_a_server_that_is_away_is_passing_trouble(credentials: None) -> None:
    client = Clients("us-east-1", "http://127.0.0.1:9").get("dynamodb")
    with pytest.raises(Transient, match="not reached for the table t"):
        DynamoStore("t", client, SystemClock()).get("p", "s")


def test_missing_credentials_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    client = Clients("us-east-1", "http://127.0.0.1:9").get("dynamodb")
    with pytest.raises(Misconfigured, match="Unable to locate credentials"):
        DynamoStore("t", client, SystemClock()).get("p", "s")

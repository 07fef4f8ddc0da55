"""What a test needs around a port: its clock, a table, the reading end of a queue, a person who writes secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from ml_connector.aws.queue import SqsQueue
from ml_connector.aws.secrets import SecretsManagerSecrets
from ml_connector.aws.store import DynamoStore
from ml_connector.embedded.clock import SystemRandom
from ml_connector.embedded.queue import MemoryQueue, QueuedMessage
from ml_connector.embedded.secrets import FolderSecrets, MemorySecrets
from tests.clock import Clock


def dynamo(client: Any, clock: Clock) -> DynamoStore:
    """A store on a table of its own, made as the template makes it."""
    name = f"rows-{uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "due_pk", "due_at")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_pk", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return DynamoStore(name, client, clock)


class MemoryBench:
    """Rings in memory, with the reading end that a worker has."""

    def __init__(self, clock: Clock) -> None:
        self.queue = MemoryQueue(clock)

    def take(self) -> tuple[Any, str, Any] | None:
        queued = self.queue.take()
        return (queued, queued.group, queued.message) if queued else None

    def done(self, handle: QueuedMessage) -> None:
        self.queue.done(handle)

    def again(self, handle: QueuedMessage) -> None:
        self.queue.again(handle)

    def dead_letters(self) -> list[tuple[str, Any]]:
        return [(queued.group, queued.message) for queued in self.queue.dead_letters]


class SqsBench:
    """Wake-up messages on SQS, read as Lambda reads them: one message at a time."""

    def __init__(self, client: Any) -> None:
        self._client = client
        name = uuid4().hex[:8]
        self._queue, self._dlq = (
            client.create_queue(QueueName=f"{part}-{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            for part in ("records", "dead")
        )
        self.queue = SqsQueue(client, self._queue, self._dlq, SystemRandom())

    def take(self) -> tuple[Any, str, Any] | None:
        return self._receive(self._queue)

    def done(self, handle: str) -> None:
        self._client.delete_message(QueueUrl=self._queue, ReceiptHandle=handle)

    def again(self, handle: str) -> None:
        self._client.change_message_visibility(QueueUrl=self._queue, ReceiptHandle=handle, VisibilityTimeout=0)

    def dead_letters(self) -> list[tuple[str, Any]]:
        found = []
        while one := self._receive(self._dlq):
            found.append(one[1:])
            self._client.delete_message(QueueUrl=self._dlq, ReceiptHandle=one[0])
        return found

    def _receive(self, url: str) -> Any:
        answer = self._client.receive_message(QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"])
        for message in answer.get("Messages", []):
            return message["ReceiptHandle"], message["Attributes"]["MessageGroupId"], json.loads(message["Body"])
        return None


class FolderKeeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.secrets = FolderSecrets(folder)

    def write(self, tenant: str, system: str, text: str) -> None:
        path = self._folder / tenant / f"{system}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def remove(self, tenant: str, system: str) -> None:
        (self._folder / tenant / f"{system}.json").unlink()


class MemoryKeeper:
    def __init__(self) -> None:
        self.secrets = MemorySecrets()
        self.write, self.remove = self.secrets.write, self.secrets.remove


class ManagerKeeper:
    def __init__(self, client: Any, clock: Clock) -> None:
        self._client, self._prefix = client, f"ml-{uuid4().hex[:8]}"
        self.secrets = SecretsManagerSecrets(client, self._prefix, clock)

    def write(self, tenant: str, system: str, text: str) -> None:
        name = f"{self._prefix}/{tenant}/{system}"
        try:
            self._client.create_secret(Name=name, SecretString=text)
        except self._client.exceptions.ResourceExistsException:
            self._client.put_secret_value(SecretId=name, SecretString=text)

    def remove(self, tenant: str, system: str) -> None:
        self._client.delete_secret(SecretId=f"{self._prefix}/{tenant}/{system}", ForceDeleteWithoutRecovery=True)

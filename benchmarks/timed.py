"""AWS in memory where every call takes 15 ms of a clock that is turned by hand, and is charged as `metered.py` does."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from botocore.exceptions import ClientError

from benchmarks.metered import Meter, MeteredBucket, MeteredDynamo, MeteredQueue
from benchmarks.stream import HandClock

SECONDS = 0.015
"""What a call takes, of AWS and of a vendor alike."""
LISTED = 100
"""Secrets in one answer of ListSecrets."""


class Timed:
    """A client whose every call takes its time."""

    def __init__(self, client: Any, clock: HandClock) -> None:
        """`client` does what is called, in no time."""
        self._client, self._clock = client, clock

    def __getattr__(self, name: str) -> Any:
        """Give the call, with the time that it takes."""
        call = getattr(self._client, name)

        def timed(*args: Any, **named: Any) -> Any:
            self._clock.sleep(SECONDS)
            return call(*args, **named)

        return timed


class SecretsManager:
    """Secrets by name. `hidden`: names that a list does not show yet."""

    def __init__(self, meter: Meter, clock: HandClock) -> None:
        """Begin empty."""
        self._meter, self._clock = meter, clock
        self._texts: dict[str, tuple[str, str]] = {}
        self.hidden: set[str] = set()

    def write(self, name: str, text: str) -> None:
        """Write a secret: another text is another version."""
        self._texts[name] = text, hashlib.sha256(text.encode()).hexdigest()[:36]

    def delete(self, name: str) -> None:
        """Delete one."""
        del self._texts[name]

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - AWS's names
        """Read one by name: never behind."""
        self._clock.sleep(SECONDS)
        self._meter.add("secrets calls", 1, "GetSecretValue")
        if SecretId not in self._texts:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        text, version = self._texts[SecretId]
        return {"SecretString": text, "VersionId": version}

    def get_paginator(self, name: str) -> SecretsManager:
        """Give the one paginator that there is."""
        assert name == "list_secrets"
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        """List a hundred a page."""
        names = [name for name in self._texts if name not in self.hidden]
        for start in range(0, max(1, len(names)), LISTED):
            self._clock.sleep(SECONDS)
            self._meter.add("secrets calls", 1, "ListSecrets")
            some = names[start : start + LISTED]
            yield {
                "SecretList": [
                    {"Name": n, "SecretVersionsToStages": {self._texts[n][1]: ["AWSCURRENT"], "old": ["AWSPREVIOUS"]}}
                    for n in some
                ]
            }


class Kms:
    """Data keys that anybody could open."""

    def __init__(self, meter: Meter) -> None:
        """Begin."""
        self._meter = meter

    def generate_data_key(self, *, EncryptionContext: dict[str, str], **_: Any) -> dict[str, bytes]:  # noqa: N803
        """Make a key of its context."""
        self._meter.add("kms requests", 1, "GenerateDataKey")
        key = hashlib.sha256(EncryptionContext["context"].encode()).digest()
        return {"Plaintext": key, "CiphertextBlob": key}

    def decrypt(self, *, CiphertextBlob: bytes, **_: Any) -> dict[str, bytes]:  # noqa: N803
        """Open one."""
        self._meter.add("kms requests", 1, "Decrypt")
        return {"Plaintext": CiphertextBlob}


@dataclass
class Queues:
    """SQS: what was sent to each queue and is still there, as (when, group, body)."""

    meter: Meter
    clock: HandClock
    there: dict[str, deque[tuple[datetime, str, str]]] = field(default_factory=lambda: defaultdict(deque))

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Take up to ten; receiving and deleting each is charged here, as it comes to."""
        sink: Callable[[str, str], None] = lambda group, body: self.there[QueueUrl].append(  # noqa: E731
            (self.clock.now(), group, body)
        )
        return MeteredQueue(self.meter, sink).send_message_batch(Entries=Entries)

    def send_message(self, *, QueueUrl: str, **entry: str) -> None:  # noqa: N803
        """Take one."""
        self.send_message_batch(QueueUrl=QueueUrl, Entries=[{"Id": "0", **entry}])


class Cloud:
    """All services over one meter and clock; `get` gives a client as `ml_connector.aws.clients.Clients` does."""

    def __init__(self) -> None:
        """Begin on a Monday morning with nothing."""
        self.meter, self.clock = Meter(), HandClock()
        self.secrets = SecretsManager(self.meter, self.clock)
        self.queues = Queues(self.meter, self.clock)
        self._clients = {
            "dynamodb": Timed(MeteredDynamo(self.meter), self.clock),
            "sqs": Timed(self.queues, self.clock),
            "secretsmanager": self.secrets,
            "kms": Timed(Kms(self.meter), self.clock),
            "s3": Timed(MeteredBucket(self.meter), self.clock),
        }

    def get(self, service: str) -> Any:
        """Give the client of a service."""
        return self._clients[service]


class TimedWire(httpx.BaseTransport):
    """The way to a vendor's sandbox in this process; each request takes its time."""

    def __init__(self, app: Any, clock: HandClock) -> None:
        """`app` is the sandbox."""
        self._inner, self._clock = httpx.WSGITransport(app=app), clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        self._clock.sleep(SECONDS)
        return self._inner.handle_request(request)

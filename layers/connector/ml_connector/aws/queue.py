"""Wake-up messages on SQS FIFO queues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ml_connector.aws.errors import translated
from ml_connector.errors import Transient
from ml_connector.ports import Random

BATCH = 10
BYTES = 250_000
"""Bytes in one call, and so in one message: the oldest limit of SQS (262,144), less its envelope."""
TRIES = 3


class SqsQueue:
    """Wake-up messages to one FIFO queue and its dead letters.

    A group is at most 128 letters, digits and punctuation marks. Deduplication ids are fresh for each send: the same
    wake-up message again within five minutes is meant. Every method raises `Transient` where AWS throttles or is not
    reached; the message may have been queued all the same.
    """

    def __init__(self, client: Any, records_queue_url: str, dlq_url: str, rng: Random) -> None:
        """`client` is boto3's for `sqs`."""
        self._client, self._rng = client, rng
        self._queue, self._dlq = records_queue_url, dlq_url

    def notify(self, group: str, message: Mapping[str, Any]) -> None:
        """Queue `message`; messages of one group are handled one at a time, in order."""
        self._send(self._queue, group, message)

    def notify_many(self, queue: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Queue many messages (group, message), ten a call; of one group in order, unless AWS refuses some at first."""
        for batch in _batches([(group, _body(message)) for group, message in queue]):
            self._send_batch({str(n): self._entry(group, body) for n, (group, body) in enumerate(batch)})

    def dead_letter(self, group: str, message: Mapping[str, Any]) -> None:
        """Put `message` on the dead-letter queue, whose depth is the alarm."""
        self._send(self._dlq, group, message)

    def _send(self, url: str, group: str, message: Mapping[str, Any]) -> None:
        with translated(f"the queue {url}"):
            self._client.send_message(QueueUrl=url, **self._entry(group, _body(message)))

    def _send_batch(self, left: dict[str, dict[str, str]]) -> None:
        send_batch(self._client, self._queue, left)

    def _entry(self, group: str, body: str) -> dict[str, str]:
        return {
            "MessageBody": body,
            "MessageGroupId": group,
            "MessageDeduplicationId": str(self._rng.uuid4()),
        }


def send_batch(client: Any, queue: str, left: dict[str, dict[str, str]]) -> None:
    """Send up to ten entries by their id; what AWS left out is sent again with the same deduplication id.

    Raises `Transient` where AWS throttles or leaves some out each time.
    """
    for _ in range(TRIES):
        entries = [{"Id": name, **entry} for name, entry in left.items()]
        with translated(f"the queue {queue}"):
            answer = client.send_message_batch(QueueUrl=queue, Entries=entries)
        failed = answer.get("Failed", [])
        if any(one.get("SenderFault") for one in failed):
            raise ValueError(f"SQS refuses a message: {failed[0].get('Code')}.")
        left = {one["Id"]: left[one["Id"]] for one in failed}
        if not left:
            return
    raise Transient(f"AWS did not take {len(left)} messages for the queue {queue}; it is tried again later.")


def ask_for_runs(client: Any, queue: str, asked: Sequence[tuple[str, str]]) -> None:
    """Send run requests (tenant, id), ten a call; the same id within five minutes is one request."""
    for start in range(0, len(asked), BATCH):
        some = enumerate(asked[start : start + BATCH])
        send_batch(
            client,
            queue,
            {
                str(n): {"MessageBody": tenant, "MessageGroupId": tenant, "MessageDeduplicationId": request}
                for n, (tenant, request) in some
            },
        )


def _body(message: Mapping[str, Any]) -> str:
    body = msgspec.json.encode(message)
    if len(body) > BYTES:
        raise ValueError(f"A wake-up message of {len(body):,} bytes is more than the {BYTES:,} that a queue takes.")
    return body.decode()


def _batches(queue: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    size = 0
    for group, body in queue:
        length = len(body.encode())
        if batch and (len(batch) == BATCH or size + length > BYTES):
            yield batch
            batch, size = [], 0
        batch.append((group, body))
        size += length
    if batch:
        yield batch

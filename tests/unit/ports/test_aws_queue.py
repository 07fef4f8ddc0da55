from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.aws.queue import SqsQueue
from ml_connector.embedded.clock import SeededRandom
from ml_connector.errors import Transient


class FakeSqs:
    """Leaves out, in each batch, the messages whose body is in the next of `refused`."""

    def __init__(self, *refused: set[int], fault: bool = False) -> None:
        self._refused, self._fault = list(refused), fault
        self.batches: list[list[dict[str, str]]] = []
        self.sent: list[dict[str, str]] = []

    def send_message(self, **message: str) -> dict[str, Any]:
        self.sent.append(message)
        return {}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.batches.append(Entries)
        refused = self._refused.pop(0) if self._refused else set()
        failed = [e for e in Entries if json.loads(e["MessageBody"])["n"] in refused]
        return {"Failed": [{"Id": e["Id"], "Code": "X", "SenderFault": self._fault} for e in failed]}


def rings_on(client: FakeSqs) -> SqsQueue:
    return SqsQueue(client, "https://q", "https://dlq", SeededRandom(1))


def test_each_send_has_an_id_of_its_own() -> None:
    client = FakeSqs()
    queue = rings_on(client)
    queue.notify("g", {"id": "1"})
    queue.notify("g", {"id": "1"})
    queue.dead_letter("g", {"id": "1"})
    assert [m["QueueUrl"] for m in client.sent] == ["https://q", "https://q", "https://dlq"]
    assert len({m["MessageDeduplicationId"] for m in client.sent}) == 3
    assert {m["MessageGroupId"] for m in client.sent} == {"g"}
    assert {m["MessageBody"] for m in client.sent} == {'{"id":"1"}'}


def test_what_was_left_out_goes_again_under_its_id() -> None:
    client = FakeSqs({1, 3}, {3})
    rings_on(client).notify_many([("g", {"n": n}) for n in range(5)])
    assert [[json.loads(e["MessageBody"])["n"] for e in batch] for batch in client.batches] == [
        [0, 1, 2, 3, 4],
        [1, 3],
        [3],
    ]
    ids = {e["MessageDeduplicationId"] for batch in client.batches for e in batch}
    assert len(ids) == 5


def test_what_stays_out_is_passing_trouble() -> None:
    with pytest.raises(Transient, match="did not take 1 messages"):
        rings_on(FakeSqs({1}, {1}, {1}, {1})).notify_many([("g", {"n": n}) for n in range(3)])


def test_a_message_that_is_refused_for_itself_is_our_fault() -> None:
    with pytest.raises(ValueError, match="SQS refuses a message: X"):
        rings_on(FakeSqs({1}, fault=True)).notify_many([("g", {"n": 1})])


def test_a_call_takes_ten_messages_and_256_kb() -> None:
    client = FakeSqs()
    rings_on(client).notify_many([("g", {"n": n}) for n in range(25)])
    assert [len(batch) for batch in client.batches] == [10, 10, 5]
    client = FakeSqs()
    rings_on(client).notify_many([("g", {"n": n, "keys": "ü" * 50_000}) for n in range(5)])
    assert [len(batch) for batch in client.batches] == [2, 2, 1]


def test_a_ring_larger_than_a_queue_takes_is_refused() -> None:
    for call in (rings_on(FakeSqs()).notify, rings_on(FakeSqs()).dead_letter):
        with pytest.raises(ValueError, match="more than the 250,000"):
            call("g", {"keys": "x" * 250_000})

"""The simulated queue keeps the rules of SQS FIFO, so that a history proves something."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.simulation.fifo import Fifo
from tests.simulation.machine import Machine


@pytest.fixture
def machine():
    return Machine(1)


@pytest.fixture
def queue(machine):
    return Fifo(machine, "records", visibility=60, most=2)


def pass_time(machine: Machine, seconds: float) -> None:
    machine.jump(machine.now() + timedelta(seconds=seconds))


def test_one_of_a_group_at_a_time_and_in_order(queue):
    for n in range(2):
        queue.send("a", {"n": n})
    queue.send("b", {"n": 9})
    first = queue.receive()
    assert first.message == {"n": 0}
    assert queue.receive().message == {"n": 9}
    assert queue.receive() is None
    queue.done(first)
    assert queue.receive().message == {"n": 1}


def test_a_message_comes_again_after_the_visibility_time_and_then_to_the_dead_letters(machine, queue):
    queue.send("a", {"n": 0})
    for _ in range(2):
        assert queue.receive().message == {"n": 0}
        assert queue.receive() is None
        pass_time(machine, 61)
    assert queue.receive() is None
    assert [letter.message for letter in queue.dead] == [{"n": 0}]


def test_one_deduplication_id_is_one_message_whatever_the_body_for_five_minutes(machine, queue):
    queue.send("a", {"n": 0}, "x")
    queue.send("a", {"n": 1}, "x")
    assert queue.receive().message == {"n": 0}
    pass_time(machine, 301)
    queue.send("b", {"n": 2}, "x")
    assert {queue.receive().message["n"] for _ in range(2)} == {0, 2}


def test_retention_ends_in_the_queue_and_begins_anew_among_the_dead(machine, queue):
    queue.retention = timedelta(hours=1)
    queue.send("a", {"n": 0})
    pass_time(machine, 3500)
    for _ in range(3):
        queue.receive()
        queue.again()
    assert len(queue.dead) == 1
    pass_time(machine, 3500)
    queue.receive()
    assert len(queue.dead) == 1, "its time began anew when it came there"
    pass_time(machine, 200)
    queue.send("a", {"n": 1})
    pass_time(machine, 3601)
    assert queue.receive() is None
    assert queue.dead == []


def test_behind_120_000_messages_no_group_is_seen(machine, queue):
    for n in range(120_000):
        queue._append("blocked", f'{{"n":{n}}}', 0)
    assert queue.receive() is not None
    queue.send("free", {"n": -1})
    assert queue.receive() is None
    queue.groups["blocked"].pop()
    queue._waiting -= 1
    assert queue.receive().message == {"n": -1}

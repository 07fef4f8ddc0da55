"""What every queue promises."""

from __future__ import annotations

from typing import Any

import pytest


def drain(bench: Any) -> list[tuple[str, Any]]:
    """Take and finish everything that can be taken."""
    found = []
    while taken := bench.take():
        handle, group, message = taken
        found.append((group, message))
        bench.done(handle)
    return found


def test_an_empty_queue_gives_nothing(bench: Any) -> None:
    assert bench.take() is None


def test_messages_of_a_group_come_in_order(bench: Any) -> None:
    for n in range(12):
        bench.queue.notify("acme.basware.master", {"v": 1, "id": str(n)})
    assert drain(bench) == [("acme.basware.master", {"v": 1, "id": str(n)}) for n in range(12)]


def test_a_taken_message_closes_its_group_and_no_other(bench: Any) -> None:
    bench.queue.notify("a", {"n": 1})
    bench.queue.notify("a", {"n": 2})
    bench.queue.notify("b", {"n": 3})
    first, _, message = bench.take()
    assert message == {"n": 1}
    second, group, _ = bench.take()
    assert group == "b"
    assert bench.take() is None
    bench.done(first)
    assert bench.take()[2] == {"n": 2}
    bench.done(second)
    assert bench.take() is None


def test_a_message_that_is_given_back_comes_again_first(bench: Any) -> None:
    bench.queue.notify("a", {"n": 1})
    bench.queue.notify("a", {"n": 2})
    handle, _, _ = bench.take()
    bench.again(handle)
    assert drain(bench) == [("a", {"n": 1}), ("a", {"n": 2})]


def test_the_same_message_twice_is_two_messages(bench: Any) -> None:
    """Deduplication ids are fresh: the same row may ring again within five minutes."""
    for _ in range(3):
        bench.queue.notify("a", {"id": "chunk-1"})
    assert len(drain(bench)) == 3


def test_many_messages_keep_the_order_of_their_groups(bench: Any) -> None:
    queue = [(f"tenant{n % 3}.sap_b1.master", {"n": n, "keys": ["é" * 20]}) for n in range(25)]
    bench.queue.notify_many(queue)
    found = drain(bench)
    assert len(found) == 25
    for group in {group for group, _ in queue}:
        assert [one for one in found if one[0] == group] == [one for one in queue if one[0] == group]
    bench.queue.notify_many([])
    assert bench.take() is None


def test_large_messages_go_in_more_calls(bench: Any) -> None:
    bench.queue.notify_many([("a", {"n": n, "keys": "x" * 60_000}) for n in range(10)])
    assert [message["n"] for _, message in drain(bench)] == list(range(10))


def test_buried_messages_stand_apart(bench: Any) -> None:
    bench.queue.dead_letter("a", {"id": "1", "cause": "exhausted"})
    bench.queue.dead_letter("b", {"id": "2"})
    assert bench.take() is None
    assert sorted(bench.dead_letters(), key=str) == [("a", {"id": "1", "cause": "exhausted"}), ("b", {"id": "2"})]


def test_a_message_is_a_copy(bench: Any) -> None:
    message = {"keys": ["1"]}
    bench.queue.notify("a", message)
    message["keys"].append("2")
    assert drain(bench) == [("a", {"keys": ["1"]})]


@pytest.mark.parametrize("group", ["a.b.documents.3", "a-1_2", "x" * 128])
def test_groups_take_the_names_of_lanes(bench: Any, group: str) -> None:
    bench.queue.notify(group, {"n": 1})
    assert drain(bench) == [(group, {"n": 1})]

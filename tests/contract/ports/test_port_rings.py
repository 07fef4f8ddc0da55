"""What every queue promises."""

from __future__ import annotations

from typing import Any

import pytest


def drain(desk: Any) -> list[tuple[str, Any]]:
    """Take and finish everything that can be taken."""
    found = []
    while taken := desk.take():
        handle, group, message = taken
        found.append((group, message))
        desk.done(handle)
    return found


def test_an_empty_queue_gives_nothing(desk: Any) -> None:
    assert desk.take() is None


def test_messages_of_a_group_come_in_order(desk: Any) -> None:
    for n in range(12):
        desk.rings.ring("acme.basware.master", {"v": 1, "id": str(n)})
    assert drain(desk) == [("acme.basware.master", {"v": 1, "id": str(n)}) for n in range(12)]


def test_a_taken_message_closes_its_group_and_no_other(desk: Any) -> None:
    desk.rings.ring("a", {"n": 1})
    desk.rings.ring("a", {"n": 2})
    desk.rings.ring("b", {"n": 3})
    first, _, message = desk.take()
    assert message == {"n": 1}
    second, group, _ = desk.take()
    assert group == "b"
    assert desk.take() is None
    desk.done(first)
    assert desk.take()[2] == {"n": 2}
    desk.done(second)
    assert desk.take() is None


def test_a_message_that_is_given_back_comes_again_first(desk: Any) -> None:
    desk.rings.ring("a", {"n": 1})
    desk.rings.ring("a", {"n": 2})
    handle, _, _ = desk.take()
    desk.again(handle)
    assert drain(desk) == [("a", {"n": 1}), ("a", {"n": 2})]


def test_the_same_message_twice_is_two_messages(desk: Any) -> None:
    """Deduplication ids are fresh: the same row may ring again within five minutes."""
    for _ in range(3):
        desk.rings.ring("a", {"id": "chunk-1"})
    assert len(drain(desk)) == 3


def test_many_messages_keep_the_order_of_their_groups(desk: Any) -> None:
    rings = [(f"tenant{n % 3}.sap_b1.master", {"n": n, "keys": ["é" * 20]}) for n in range(25)]
    desk.rings.ring_many(rings)
    found = drain(desk)
    assert len(found) == 25
    for group in {group for group, _ in rings}:
        assert [one for one in found if one[0] == group] == [one for one in rings if one[0] == group]
    desk.rings.ring_many([])
    assert desk.take() is None


def test_large_messages_go_in_more_calls(desk: Any) -> None:
    desk.rings.ring_many([("a", {"n": n, "keys": "x" * 60_000}) for n in range(10)])
    assert [message["n"] for _, message in drain(desk)] == list(range(10))


def test_buried_messages_stand_apart(desk: Any) -> None:
    desk.rings.bury("a", {"id": "1", "cause": "exhausted"})
    desk.rings.bury("b", {"id": "2"})
    assert desk.take() is None
    assert sorted(desk.buried(), key=str) == [("a", {"id": "1", "cause": "exhausted"}), ("b", {"id": "2"})]


def test_a_message_is_a_copy(desk: Any) -> None:
    message = {"keys": ["1"]}
    desk.rings.ring("a", message)
    message["keys"].append("2")
    assert drain(desk) == [("a", {"keys": ["1"]})]


@pytest.mark.parametrize("group", ["a.b.documents.3", "a-1_2", "x" * 128])
def test_groups_take_the_names_of_lanes(desk: Any, group: str) -> None:
    desk.rings.ring(group, {"n": 1})
    assert drain(desk) == [(group, {"n": 1})]

"""What every store promises of many rows at once, and to many writers at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from ml_connector.errors import Conflict
from ml_connector.ports import Item


def keys(items: Any) -> list[str]:
    return [item.sk for item in items]


def test_a_batch_writes_data_and_leaves_what_else_stands_on_a_row(exact_store: Any) -> None:
    before = exact_store.put(Item("p", "a", {"n": 1}, due_pk="due", due_at="2026", ttl=2**40, blob=b"x"))
    assert exact_store.put_many([Item("p", "a", {"n": 2}, rev=1), Item("p", "b", {"n": 2})]) == [True, True]
    assert exact_store.get("p", "a") == replace(before, data={"n": 2}, rev=2)
    assert exact_store.get("p", "b") == Item("p", "b", {"n": 2}, rev=1)
    assert keys(exact_store.due("due", "2027")) == ["a"]


@pytest.mark.parametrize("more", [{"due_pk": "due"}, {"due_at": "2026"}, {"ttl": 2**40}, {"blob": b""}], ids=str)
def test_a_batch_takes_nothing_but_data_and_a_whole_place_in_the_due_index(store: Any, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="The item p b has more than data"):
        store.put_many([Item("p", "a"), Item("p", "b", **more)])
    assert list(store.query("p")) == []


def test_a_batch_places_rows_in_the_due_index_where_it_says_so(exact_store: Any) -> None:
    exact_store.put(Item("p", "a", {"n": 1}, due_pk="due", due_at="2026", ttl=2**40))
    items = [Item("p", "a", {"n": 2}, rev=1, due_pk="due", due_at="2028"), Item("p", "b", due_pk="due", due_at="2027")]
    assert exact_store.put_many(items) == [True, True]
    assert exact_store.get("p", "a") == replace(items[0], rev=2, ttl=2**40)
    assert keys(exact_store.due("due", "2029")) == ["b", "a"]
    assert exact_store.put_many([replace(items[0], due_at="2020")]) == [False]  # the row is another by now
    assert keys(exact_store.due("due", "2029")) == ["b", "a"]


def test_a_batch_writes_over_expired_rows_too(exact_store: Any, clock: Any) -> None:
    exact_store.put(Item("p", "a", {"old": True}, ttl=int(clock.now().timestamp())))
    exact_store.put(Item("p", "b", {"old": True}))
    assert exact_store.put_many([Item("p", "a", {"new": True}), Item("p", "b", {"new": True})]) == [True, False]
    assert exact_store.get("p", "a") == Item("p", "a", {"new": True}, rev=1)


def test_a_batch_tells_for_each_row_whether_it_was_written(exact_store: Any) -> None:
    kept = exact_store.put(Item("p", "kept", {"n": 1}))
    moved = exact_store.put(Item("p", "moved", {"n": 1}))
    exact_store.put(replace(moved, data={"n": 2}))
    done = exact_store.put_many(
        [
            Item("p", "new", {"n": 1}),
            replace(kept, data={"n": 2}),
            replace(moved, data={"n": 9}),
            Item("q", "absent", rev=4),
            Item("q", "new", {"n": 1}),
        ]
    )
    assert done == [True, True, False, False, True]
    assert {item.sk: (item.rev, item.data["n"]) for item in exact_store.query("p")} == {
        "kept": (2, 2),
        "moved": (2, 2),
        "new": (1, 1),
    }
    assert exact_store.get("q", "absent") is None


def test_a_batch_finds_rows_that_exist(exact_store: Any) -> None:
    exact_store.put(Item("p", "there", {"n": 1}))
    assert exact_store.put_many([Item("p", "there", {"n": 2}), Item("p", "new")]) == [False, True]
    assert exact_store.get("p", "there").data == {"n": 1}


def test_a_large_batch_keeps_the_order_of_its_answers(exact_store: Any) -> None:
    for n in range(0, 130, 7):
        exact_store.put(Item("p", f"{n:03}"))
    done = exact_store.put_many([Item("p", f"{n:03}", {"n": n}) for n in range(130)])
    assert done == [n % 7 != 0 for n in range(130)]
    again = exact_store.put_many([Item("p", f"{n:03}", {"n": -n}, rev=1) for n in range(130)])
    assert again == [True] * 130
    assert exact_store.put_many([]) == []


def test_a_batch_holds_a_row_once(store: Any) -> None:
    with pytest.raises(ValueError, match="twice"):
        store.put_many([Item("p", "a"), *(Item("p", f"b{n}") for n in range(30)), Item("p", "a")])
    assert list(store.query("p")) == []


def test_no_increment_of_eight_threads_is_lost(exact_store: Any) -> None:
    exact_store.put(Item("p", "count", {"n": 0}))

    def increment() -> None:
        for _ in range(10):
            while True:
                row = exact_store.get("p", "count")
                try:
                    exact_store.put(replace(row, data={"n": row.data["n"] + 1}))
                except Conflict:
                    continue
                break

    run_eight(increment)
    assert exact_store.get("p", "count").data == {"n": 80}
    assert exact_store.get("p", "count").rev == 81


def test_of_eight_threads_one_claims_a_row(exact_store: Any) -> None:
    won: list[bool] = []

    def claim() -> None:
        for n in range(10):
            won.extend(exact_store.put_many([Item("p", f"claim{n}", {"owner": threading.get_ident()})]))

    run_eight(claim)
    assert sorted(won) == [False] * 70 + [True] * 10


def run_eight(work: Any) -> None:
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

"""What every store promises."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ml_connector.errors import Conflict
from ml_connector.ports import Item

UNICODE = ["Ärger", "naïve/2024", "客户~7", "a b", "emoji-🧾", "100%_x", "quote'\"", "tab\tkey"]


def keys(items: Any) -> list[str]:
    return [item.sk for item in items]


def test_a_row_is_read_as_it_was_written(store: Any) -> None:
    data = {"text": 'Grüße "quoted" \n', "number": 2**60, "none": None, "yes": True, "list": [1, "two", {"x": []}]}
    written = store.put(Item("p", "s", data, due_pk="due", due_at="2026-01-01T00:00:00+00:00", blob=b"\x00\xff"))
    assert written.rev == 1
    assert store.get("p", "s") == written
    assert store.get("p", "s").data == data


def test_an_absent_row_is_none(store: Any) -> None:
    assert store.get("p", "s") is None
    assert store.get_many("p", ["s"]) == {}
    assert list(store.query("p")) == []


def test_a_new_row_is_written_once(store: Any) -> None:
    store.put(Item("p", "s", {"n": 1}))
    with pytest.raises(Conflict):
        store.put(Item("p", "s", {"n": 2}))
    assert store.get("p", "s").data == {"n": 1}


def test_a_write_needs_the_revision_it_read(store: Any) -> None:
    first = store.put(Item("p", "s", {"n": 1}))
    second = store.put(replace(first, data={"n": 2}))
    assert second.rev == 2
    with pytest.raises(Conflict):
        store.put(replace(first, data={"n": 3}))
    assert store.get("p", "s") == second


def test_a_row_that_was_deleted_is_not_changed(store: Any) -> None:
    row = store.put(Item("p", "s"))
    store.delete("p", "s")
    store.delete("p", "s")
    assert store.get("p", "s") is None
    with pytest.raises(Conflict):
        store.put(row)
    assert store.get("p", "s") is None


def test_a_write_removes_what_it_leaves_out(store: Any) -> None:
    row = store.put(Item("p", "s", {"n": 1}, due_pk="d", due_at="2026", ttl=2**40, blob=b"x"))
    bare = store.put(Item("p", "s", {}, rev=row.rev))
    assert store.get("p", "s") == bare == Item("p", "s", {}, rev=2)


def test_a_blob_of_350_kb_comes_back_whole(store: Any) -> None:
    blob = os.urandom(350 * 1024)
    store.put(Item("p", "s", blob=blob))
    store.put(Item("p", "t", blob=b""))
    assert store.get("p", "s").blob == blob
    assert store.get("p", "t").blob == b""
    assert next(store.query("p")).blob == blob
    assert store.get_many("p", ["s"])["s"].blob == blob


def test_a_row_over_400_kb_or_with_an_impossible_key_is_refused_without_its_content(store: Any) -> None:
    with pytest.raises(ValueError, match="takes 409,600") as caught:
        store.put(Item("p", "s", {"text": "secret" * 10}, blob=bytes(400 * 1024)))
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="takes 409,600"):
        store.put_many([Item("p", "a"), Item("p", "s", {"text": "é" * 210_000})])
    for pk, sk in [("", "s"), ("p", ""), ("p" * 2049, "s"), ("p", "ü" * 513)]:
        with pytest.raises(ValueError, match="keys"):
            store.put(Item(pk, sk))
    assert list(store.query("p")) == []


def test_many_rows_are_read_by_key(store: Any) -> None:
    for n in range(130):
        store.put(Item("p", f"{n:03}", {"n": n}))
    store.put(Item("other", "000"))
    wanted = [f"{n:03}" for n in range(0, 260, 2)] + ["000"]
    for consistent in (False, True):
        found = store.get_many("p", wanted, consistent=consistent)
        assert sorted(found) == [f"{n:03}" for n in range(0, 130, 2)]
        assert found["064"] == Item("p", "064", {"n": 64}, rev=1)
    assert store.get_many("p", []) == {}


@pytest.mark.parametrize("name", UNICODE)
def test_keys_are_any_text(store: Any, name: str) -> None:
    store.put(Item(f"p {name}", name, {name: name}))
    assert store.get(f"p {name}", name).data == {name: name}
    assert list(store.get_many(f"p {name}", [name])) == [name]
    assert keys(store.query(f"p {name}", name)) == [name]


def test_rows_come_in_the_order_of_their_bytes(store: Any) -> None:
    names = ["B", "a", "a#1", "a#10", "a#2", "a-", "b", "ä", "客", "\ufb01", "🧾"]
    for name in reversed(names):
        store.put(Item("p", name))
    assert keys(store.query("p")) == names == sorted(names, key=str.encode)
    assert keys(store.query("p", reverse=True)) == names[::-1]


def test_a_prefix_is_taken_as_it_is(store: Any) -> None:
    names = ["a", "a#", "a#1", "a#2", "a$", "a%", "a%1", "a_1", "ab", "b", "~", "\ud7ff1", "\uffff", "\U0010ffff1"]
    for name in names:
        store.put(Item("p", name))
    store.put(Item("q", "a#3"))
    for prefix in ["", "a", "a#", "a%", "a_", "~", "\ud7ff", "\uffff", "\U0010ffff", "zz", "a#1x"]:
        expected = sorted(name for name in names if name.startswith(prefix))
        assert keys(store.query("p", prefix)) == expected
        assert keys(store.query("p", prefix, reverse=True)) == expected[::-1]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("after", ["", "a", "a#", "a#0", "a#1", "a#15", "a#9", "a#99", "b", "zz"])
def test_after_is_exclusive_and_need_not_exist(store: Any, after: str, reverse: bool) -> None:
    names = ["a", *(f"a#{n}" for n in range(1, 10)), "b"]
    for name in names:
        store.put(Item("p", name))
    for prefix in ("a#", "a", ""):
        for limit in (None, 3):
            expected = sorted((n for n in names if n.startswith(prefix)), reverse=reverse)
            expected = [name for name in expected if (name < after if reverse else name > after)][:limit]
            assert keys(store.query("p", prefix, after=after, limit=limit, reverse=reverse)) == expected


def test_a_query_of_many_pages_takes_every_row_once(store: Any) -> None:
    for n in range(230):
        store.put(Item("p", f"{n:03}"))
    everything = [f"{n:03}" for n in range(230)]
    assert keys(store.query("p")) == everything
    assert keys(store.query("p", reverse=True, limit=205)) == everything[::-1][:205]
    assert keys(store.query("p", limit=0)) == []
    position, seen = None, []
    while page := keys(store.query("p", after=position, limit=50)):
        seen += page
        position = page[-1]
    assert seen == everything


def test_pages_of_large_rows_are_joined(exact_store: Any) -> None:
    """DynamoDB ends a page at 1 MB."""
    for n in range(8):
        exact_store.put(Item("p", str(n), blob=bytes(300_000)))
    assert keys(exact_store.query("p")) == [str(n) for n in range(8)]
    assert sorted(exact_store.get_many("p", [str(n) for n in range(9)])) == [str(n) for n in range(8)]


def test_rows_may_be_written_while_others_are_read(store: Any) -> None:
    for n in range(150):
        store.put(Item("p", f"{n:03}"))
    reader = store.query("p")
    next(reader)
    for n in range(150):
        store.put(Item("p", f"{n:03}", {"seen": True}, rev=1))
    assert len(list(reader)) == 149


def test_due_rows_come_oldest_first_up_to_a_time(store: Any) -> None:
    times = {"c": "2026-01-01T00:00:03+00:00", "a": "2026-01-01T00:00:01+00:00", "b": "2026-01-01T00:00:02+00:00"}
    for name, due_at in times.items():
        store.put(Item("p", name, due_pk="due#1", due_at=due_at))
    store.put(Item("p", "never"))
    store.put(Item("p", "other", due_pk="due#2", due_at=times["a"]))
    assert keys(store.due("due#1", times["b"])) == ["a", "b"]
    assert keys(store.due("due#1", "2027")) == ["a", "b", "c"]
    assert keys(store.due("due#1", "2027", limit=2)) == ["a", "b"]
    assert store.due("due#1", "2025") == []
    assert store.due("due#2", "2027") == [Item("p", "other", {}, 1, "due#2", times["a"])]


def test_due_rows_are_read_page_by_page_also_where_many_fall_due_at_one_time(store: Any) -> None:
    for n in range(25):
        store.put(Item(f"p{n % 3}", f"{n:02}", due_pk="due#1", due_at="2026-01-01" if n < 20 else f"2026-01-{n}"))
    read: list[Item] = []
    while page := store.due("due#1", "2026-12", limit=4, after=read[-1] if read else None):
        read += page
    assert sorted(keys(read)) == [f"{n:02}" for n in range(25)]
    assert [i.due_at for i in read] == sorted(str(i.due_at) for i in read)
    moved = read[2]  # what has moved on, or is gone, still marks its place
    store.put(replace(moved, due_at="2026-11"))
    rest = store.due("due#1", "2026-12", after=read[20])
    assert keys(rest) == [*keys(read[21:]), moved.sk]
    store.delete(read[20].pk, read[20].sk)
    assert keys(store.due("due#1", "2026-12", after=read[20])) == [*keys(read[21:]), moved.sk]
    assert store.due("due#1", "2025", after=read[20]) == []


def test_a_row_moves_in_the_due_index_and_leaves_it(store: Any) -> None:
    row = store.put(Item("p", "a", due_pk="due", due_at="2026-01-01"))
    row = store.put(replace(row, due_at="2026-03-01"))
    assert store.due("due", "2026-02-01") == []
    assert keys(store.due("due", "2026-04-01")) == ["a"]
    row = store.put(replace(row, due_pk=None, due_at=None))
    assert store.due("due", "2027") == []
    row = store.put(replace(row, due_pk="due", due_at="2026-01-01"))
    store.delete("p", "a")
    assert store.due("due", "2027") == []


def test_an_expired_row_is_absent_everywhere(store: Any, clock: Any) -> None:
    ends = int(clock.now().timestamp()) + 60
    for name in ("a", "b"):
        store.put(Item("p", name, ttl=ends, due_pk="due", due_at="2026"))
    store.put(Item("p", "c", due_pk="due", due_at="2027"))
    assert keys(store.query("p")) == ["a", "b", "c"]
    clock.moment += timedelta(seconds=60)
    assert store.get("p", "a") is None
    assert store.get_many("p", ["a", "b"]) == {}
    assert keys(store.query("p")) == keys(store.query("p", limit=1)) == ["c"]
    assert keys(store.due("due", "2028", limit=1)) == ["c"]


def test_an_expired_row_does_not_stand_in_the_way_of_a_new_one(store: Any, clock: Any) -> None:
    store.put(Item("p", "a", {"old": True}, ttl=int(clock.now().timestamp()), blob=b"old"))
    assert store.put(Item("p", "a", {"new": True})).rev == 1
    assert store.get("p", "a") == Item("p", "a", {"new": True}, rev=1)


def test_a_row_that_expires_later_is_not_written_over(exact_store: Any, clock: Any) -> None:
    exact_store.put(Item("p", "a", {"n": 1}, ttl=int(clock.now().timestamp()) + 1))
    with pytest.raises(Conflict):
        exact_store.put(Item("p", "a", {"n": 2}))
    assert exact_store.put_many([Item("p", "a", {"n": 3})]) == [False]
    assert exact_store.get("p", "a").data == {"n": 1}


@pytest.mark.parametrize("sk", ["", "k" * 1025, "ä" * 513, "\ud800"])
def test_a_row_that_cannot_be_is_absent(store: Any, sk: str) -> None:
    store.put(Item("p", "a", {"n": 1}))
    assert store.get("p", sk) is None
    assert list(store.get_many("p", [sk, "a"], consistent=True)) == ["a"]

"""A page costs the same wherever it stands: reading a partition to its end is no square of its size."""

from collections.abc import Callable, Iterator

import pytest

from ml_connector.embedded.store import SqliteStore
from ml_connector.ports import Item

ROWS = 5_000


@pytest.fixture(scope="module")
def store() -> SqliteStore:
    made = SqliteStore()
    made.put_many([Item("p", f"{kind}#{n:05d}") for kind in "arz" for n in range(ROWS)])
    return made


def steps(store: SqliteStore, work: Callable[[], object]) -> int:
    """Count SQLite's own steps, in hundreds."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    store._connection.set_progress_handler(step, 100)
    work()
    store._connection.set_progress_handler(None, 100)
    return count


def first(rows: Iterator[Item]) -> str:
    return next(rows).sk


@pytest.mark.parametrize("reverse", [False, True])
def test_a_late_page_takes_no_more_steps_than_an_early_one(store: SqliteStore, reverse: bool) -> None:
    def page(after: int) -> Callable[[], object]:
        return lambda: list(store.query("p", "r#", after=f"r#{after:05d}", limit=50, reverse=reverse))

    early, late = (ROWS - 100, 100) if reverse else (100, ROWS - 100)
    assert steps(store, page(late)) <= steps(store, page(early)) + 2


def test_a_start_outside_of_the_prefix_keeps_the_prefix(store: SqliteStore) -> None:
    assert first(store.query("p", "r#", after="a#00007")) == "r#00000"
    assert first(store.query("p", "r#", after="r#00007")) == "r#00008"
    assert list(store.query("p", "r#", after="z#00007")) == []
    assert first(store.query("p", "r#", after="z#00007", reverse=True)) == f"r#{ROWS - 1:05d}"
    assert first(store.query("p", "r#", after="r#00007", reverse=True)) == "r#00006"
    assert list(store.query("p", "r#", after="a#00007", reverse=True)) == []
    assert first(store.query("p", after="a#00007")) == "a#00008"

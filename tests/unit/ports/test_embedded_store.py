from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_connector.embedded.store import SqliteStore
from ml_connector.errors import Conflict, Misconfigured, Transient
from ml_connector.ports import Item

WRITER = """
import sys
from ml_connector.embedded.store import SqliteStore
from ml_connector.ports import Item
store = SqliteStore(sys.argv[1])
for n in range(1_000_000):
    store.put(Item("p", str(n), {"n": n}))
    print(n, flush=True)
"""


def test_rows_outlast_the_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.db"
    store = SqliteStore(path)
    row = store.put(Item("p", "s", {"n": 1}, blob=b"x"))
    store.close()
    assert SqliteStore(path).get("p", "s") == row


def test_a_kill_loses_no_row_whose_write_returned(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    for _ in range(500):
        process.stdout.readline()
    process.kill()
    told = process.communicate()[0].splitlines()
    last = int(told[-2] if len(told) > 1 else 499)
    assert len(SqliteStore(path).get_many("p", [str(n) for n in range(last + 1)])) == last + 1


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    store = SqliteStore(path)
    store.put(Item("p", "s"))
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert {file.name for file in tmp_path.iterdir()} >= {"rows.db", "rows.db-wal"}
    store.close()


def test_another_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("My notes are not a database, and longer than a header of one. " * 20)
    with pytest.raises(Misconfigured, match="is not a state file of ml-connector"):
        SqliteStore(path)
    assert path.read_text().startswith("My notes")


def test_a_state_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    SqliteStore(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(Misconfigured, match="newer ml-connector"):
        SqliteStore(path)


def test_a_file_that_stays_locked_is_passing_trouble(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    store = SqliteStore(path, busy_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient, match="locked"):
        store.put(Item("p", "s"))
    with pytest.raises(Transient, match="locked"):
        store.put_many([Item("p", "s")])
    other.execute("ROLLBACK")
    other.close()
    assert store.put_many([Item("p", "s")]) == [True]


def test_a_half_read_query_locks_nobody_out(tmp_path: Path) -> None:
    mine, other = (SqliteStore(tmp_path / "rows.db", busy_seconds=0.05) for _ in range(2))
    mine.put_many([Item("p", f"{n:03}") for n in range(250)])
    reader = mine.query("p")
    next(reader)
    other.put(Item("p", "249", {"changed": True}, rev=1))
    other.delete("p", "248")
    rest = list(reader)
    assert rest[-1] == Item("p", "249", {"changed": True}, rev=2)
    assert len(rest) == 248


def test_expired_rows_are_swept_on_opening(tmp_path: Path, clock: Any) -> None:
    path = tmp_path / "rows.db"
    store = SqliteStore(path, clock)
    ends = int(clock.now().timestamp()) + 10
    for item in [*(Item("p", str(n), ttl=ends) for n in range(1_100)), Item("p", "stays", ttl=ends + 1)]:
        store.put(item)
    clock.sleep(10)
    store.close()
    store = SqliteStore(path, clock)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT sk FROM rows").fetchall() == [("stays",)]
    raw.close()
    clock.sleep(1)
    assert store.sweep() == 1


def test_the_due_index_is_used(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "rows.db").close()
    with sqlite3.connect(tmp_path / "rows.db") as raw:
        plans = [
            raw.execute(f"EXPLAIN QUERY PLAN SELECT * FROM rows WHERE {where}").fetchall()[0][3]
            for where in (
                "due_pk = 'a' AND due_at <= 'b' AND (ttl IS NULL OR ttl > 1) ORDER BY due_at, rowid LIMIT 5",
                "pk = 'a' AND (ttl IS NULL OR ttl > 1) AND sk >= 'b' AND sk < 'c' ORDER BY sk LIMIT 5",
                "ttl <= 1",
            )
        ]
    raw.close()
    assert "INDEX due (due_pk=? AND due_at<?)" in plans[0]
    assert "(pk=? AND sk>? AND sk<?)" in plans[1]
    assert "INDEX ttl (ttl<?)" in plans[2]


def test_no_increment_is_lost_between_processes(tmp_path: Path) -> None:
    """Each thread opens the file itself, at the same moment: as an engine and a command would."""
    path = tmp_path / "rows.db"
    barrier = threading.Barrier(8)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            barrier.wait()
            store = SqliteStore(path)
            for _ in range(20):
                increment(store)
            store.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert SqliteStore(path).get("p", "count").data == {"n": 160}


def test_a_file_that_another_process_makes_while_it_is_opened_is_not_foreign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.db"

    class Overtaken(sqlite3.Connection):
        def execute(self, sql: str, *bound: Any) -> sqlite3.Cursor:
            found = super().execute(sql, *bound)
            if sql == "PRAGMA user_version":
                monkeypatch.undo()
                SqliteStore(path).close()
            return found

    monkeypatch.setattr(sqlite3, "connect", Overtaken)
    SqliteStore(path).close()


def increment(store: SqliteStore) -> None:
    while True:
        row = store.get("p", "count") or Item("p", "count", {"n": 0})
        try:
            store.put(replace(row, data={"n": row.data["n"] + 1}))
        except Conflict:
            continue
        return


def test_a_batch_that_fails_half_way_writes_nothing() -> None:
    store = SqliteStore()
    with pytest.raises(TypeError):
        store.put_many([Item("p", "a"), Item("p", "b", {"bad": object()})])
    assert list(store.query("p")) == []
    assert store.put_many([Item("p", "a")]) == [True]

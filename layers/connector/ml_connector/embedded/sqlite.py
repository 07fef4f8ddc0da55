"""The file behind the store: how it is made, opened and told apart from other files."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_connector.errors import Misconfigured, Transient

VERSION = 1
BUSY_SECONDS = 15.0
"""How long a statement waits for another process (a command beside a running engine)."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS rows (
    pk TEXT NOT NULL, sk TEXT NOT NULL, rev INTEGER NOT NULL, due_pk TEXT, due_at TEXT, ttl INTEGER,
    data TEXT NOT NULL, blob BLOB, PRIMARY KEY (pk, sk)
);
CREATE INDEX IF NOT EXISTS due ON rows (due_pk, due_at) WHERE due_pk IS NOT NULL AND due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ttl ON rows (ttl) WHERE ttl IS NOT NULL;
PRAGMA user_version = {VERSION};
"""


def connect(path: str, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open or make the file, for one connection that several threads share.

    Raises `Misconfigured` where it is something else, `Transient` where another process holds it.
    """
    if path != ":memory:":
        _make(Path(path))
    with translated(path):
        connection = sqlite3.connect(path, busy_seconds, check_same_thread=False, isolation_level=None)
        try:
            _prepare(connection, path, time.monotonic() + busy_seconds)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ours where there is something to do about them; others pass."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _is_busy(error):
            raise Transient(f"Another process keeps {path} locked; it is tried again later.") from error
        raise
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise Misconfigured(f"{path} is not a state file of ml-connector.") from error
        raise


def _make(path: Path) -> None:
    """Make the file readable by its owner alone; SQLite gives its side files the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare(connection: sqlite3.Connection, path: str, deadline: float) -> None:
    _write_ahead(connection, deadline)
    connection.execute("PRAGMA synchronous = FULL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise Misconfigured(f"{path} was written by a newer ml-connector (state version {version}); upgrade this one.")
    if version < VERSION:
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")


def _write_ahead(connection: sqlite3.Connection, deadline: float) -> None:
    """Let readers and a writer work at once. SQLite does not wait here when two processes open a file together."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

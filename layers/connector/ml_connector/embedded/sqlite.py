"""The file behind the store: how it is made, opened and told apart from other files."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_connector.embedded import private
from ml_connector.embedded.disk import full, told
from ml_connector.errors import ConnectorError, Misconfigured, Transient

VERSION = 1
RESTORE = (
    "Restore the state folder from a backup, or name the right one with --state. Without a backup move the file aside: "
    "the next run starts from scratch, compares everything, and looks for each document before it posts it."
)
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


_LOCKED = (Transient, "Another process keeps {path} locked; it is tried again later.")
_CLOSED = (Misconfigured, "{path} cannot be written ({error}). Make the file and its folder writable for this user.")
_MEANING: dict[int, tuple[type[ConnectorError], str]] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_NOTADB: (Misconfigured, "{path} is not a state file of ml-connector. " + RESTORE),
    sqlite3.SQLITE_CORRUPT: (Misconfigured, "{path} is damaged ({error}). " + RESTORE),
    sqlite3.SQLITE_IOERR: (Transient, "{path} cannot be read or written ({error}). Check its disk, then run again."),
}
"""What the primary codes of SQLite mean for a person."""


def connect(path: str, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open or make the file, for one connection that several threads share.

    Raises `Misconfigured` where it is something else, `Transient` where another process holds it.
    """
    if path != ":memory:":
        _make(Path(path))
    with translated(path), _known(path):
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
    except sqlite3.DatabaseError as error:
        found = _ours(path, error)
        if found is None:
            raise
        raise found from error


def _ours(path: str, error: sqlite3.DatabaseError) -> ConnectorError | None:
    """Say what an error of SQLite means for the file."""
    if _code(error) == sqlite3.SQLITE_FULL:
        return Transient(full(path))
    kind, said = _MEANING.get(_code(error), (None, ""))
    return kind(said.format(path=path, error=error)) if kind is not None else None


def _make(path: Path) -> None:
    """Make the file readable by its owner alone; SQLite gives its side files the same mode."""
    with told(path):
        if not path.parent.is_dir():
            private.folder(path.parent)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            if name == path.name or path.with_name(name).exists():
                private.file(path.with_name(name))
        os.close(os.open(path, os.O_RDWR))


@contextmanager
def _known(path: str) -> Iterator[None]:
    """Say of a file that lacks what this release needs that it is another's."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _code(error) != sqlite3.SQLITE_ERROR:
            raise
        raise Misconfigured(
            f"{path} was written by another version of ml-connector, or by another program ({error}). {RESTORE}"
        ) from error


def _prepare(connection: sqlite3.Connection, path: str, deadline: float) -> None:
    _write_ahead(connection, deadline)
    connection.execute("PRAGMA synchronous = FULL")
    version, tables = _found(connection)
    if version > VERSION:
        raise Misconfigured(f"{path} was written by a newer ml-connector (state version {version}); upgrade this one.")
    if version < VERSION and tables:
        raise Misconfigured(f"{path} is not a state file of ml-connector, but another program's. {RESTORE}")
    if version < VERSION:
        connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
    connection.execute("SELECT pk, sk, data, rev, due_pk, due_at, ttl, blob FROM rows LIMIT 0")


def _found(connection: sqlite3.Connection) -> tuple[int, set[str]]:
    """Read version and tables at one moment: between two, another process may make them, and the file looks foreign."""
    connection.execute("BEGIN")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.execute("COMMIT")
    return version, tables


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


def _code(error: sqlite3.Error) -> int:
    """Give the primary code; errors of the module itself have none."""
    return int(getattr(error, "sqlite_errorcode", -1)) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

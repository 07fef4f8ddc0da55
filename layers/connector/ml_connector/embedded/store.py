"""The rows on SQLite: one file, or memory."""

# ruff: noqa: S608 (statements are put together from the constants below; every value is bound)

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from ml_connector.embedded.clock import SystemClock
from ml_connector.embedded.sqlite import BUSY_SECONDS, connect, translated
from ml_connector.errors import Conflict
from ml_connector.ports import Clock, Item, check_batch, may_be_row

PAGE = 100
"""Rows read at a time: no lock outlasts a page."""
KEYS = 500
"""Keys in one statement."""
SWEEP = 1_000
"""Expired rows removed in one transaction."""

ITEM_BYTES, PK_BYTES, SK_BYTES = 400 * 1024, 2048, 1024
OVERHEAD = 100
"""The limits of DynamoDB, and what an item has besides its keys, data and blob."""

COLUMNS = "pk, sk, data, rev, due_pk, due_at, ttl, blob"
LIVES = "(ttl IS NULL OR ttl > ?)"
GET = f"SELECT {COLUMNS} FROM rows WHERE pk = ? AND sk = ? AND {LIVES}"
INSERT = f"""INSERT INTO rows ({COLUMNS}) VALUES (?, ?, ?, 1, ?, ?, ?, ?)
ON CONFLICT (pk, sk) DO UPDATE SET data = excluded.data, rev = 1, due_pk = excluded.due_pk,
due_at = excluded.due_at, ttl = excluded.ttl, blob = excluded.blob WHERE rows.ttl <= ?"""
UPDATE = """UPDATE rows SET data = ?, rev = rev + 1, due_pk = ?, due_at = ?, ttl = ?, blob = ?
WHERE pk = ? AND sk = ? AND rev = ?"""
UPDATE_DUE = "UPDATE rows SET due_pk = ?, due_at = ? WHERE pk = ? AND sk = ?"
UPDATE_DATA = "UPDATE rows SET data = ?, rev = rev + 1 WHERE pk = ? AND sk = ? AND rev = ?"
DUE = f"""SELECT {COLUMNS} FROM rows WHERE due_pk = ? AND due_at <= ? AND {LIVES}
ORDER BY due_at, rowid LIMIT ?"""
DUE_AFTER = f"""SELECT {COLUMNS} FROM rows WHERE due_pk = ? AND due_at <= ? AND {LIVES} AND due_at >= ?
AND (due_at > ? OR rowid > coalesce((SELECT rowid FROM rows WHERE pk = ? AND sk = ?), 0))
ORDER BY due_at, rowid LIMIT ?"""


class SqliteStore:
    """Rows in one SQLite file, for any number of threads and for commands beside a running engine.

    A row whose `ttl` has passed is absent. Every method raises `Transient` where another process keeps the file
    locked for `busy_seconds`.
    """

    def __init__(
        self, path: Path | str = ":memory:", clock: Clock | None = None, *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        """`path` may be ":memory:"; `clock` tells what has expired. Raises `Misconfigured` for a foreign file."""
        self._path = str(path)
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._connection = connect(self._path, busy_seconds)
        self.sweep()

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one row."""
        if not may_be_row(pk, sk):
            return None
        rows = self._read(GET, (pk, sk, self._now()))
        return rows[0] if rows else None

    def get_many(self, pk: str, sks: Sequence[str], *, consistent: bool = False) -> dict[str, Item]:  # noqa: ARG002
        """Read many rows of one partition by sort key; always consistent here."""
        found: dict[str, Item] = {}
        sks = [sk for sk in sks if may_be_row(pk, sk)]
        for start in range(0, len(sks), KEYS):
            some = sks[start : start + KEYS]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT {COLUMNS} FROM rows WHERE pk = ? AND {LIVES} AND sk IN ({marks})"
            found.update((item.sk, item) for item in self._read(sql, (pk, self._now(), *some)))
        return found

    def put(self, item: Item) -> Item:
        """Write under the condition that the row still has `item.rev`. Raises `Conflict`; `ValueError` if too large."""
        with self._using() as connection:
            if not self._write(connection, item):
                raise Conflict(f"The item {item.pk} {item.sk} was changed by another writer; read it again.")
        return replace(item, rev=item.rev + 1)

    def put_many(self, items: Sequence[Item]) -> list[bool]:
        """Write the data of many rows in one transaction, each under its own condition; tells which took effect.

        Raises `ValueError` as `check_batch` does, or where one is larger than a row may be; then none is written.
        """
        check_batch(items)
        with self._using() as connection, _transaction(connection):
            return [self._write_data(connection, item) for item in items]

    def delete(self, pk: str, sk: str) -> None:
        """Remove a row; removing an absent one is no error."""
        with self._using() as connection:
            connection.execute("DELETE FROM rows WHERE pk = ? AND sk = ?", (pk, sk))

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Item]:
        """Read rows of one partition in the order of their sort keys' UTF-8 bytes; `after` is exclusive.

        Each page is read when it is needed, so a change made meanwhile may be seen further on.
        """
        while limit is None or limit > 0:
            size = PAGE if limit is None else min(PAGE, limit)
            page = self._page(pk, prefix, after, size, reverse)
            yield from page
            if len(page) < size:
                return
            after = page[-1].sk
            limit = None if limit is None else limit - len(page)

    def due(self, due_pk: str, until: str, limit: int = 200, *, after: Item | None = None) -> list[Item]:
        """Read the rows of the due index up to `until` (inclusive), oldest first."""
        if after is None or after.due_at is None:
            return self._read(DUE, (due_pk, until, self._now(), limit))
        place = (after.due_at, after.due_at, after.pk, after.sk)
        return self._read(DUE_AFTER, (due_pk, until, self._now(), *place, limit))

    def sweep(self) -> int:
        """Remove the rows whose `ttl` has passed; tells how many. Done on opening; long runs repeat it."""
        sql = "DELETE FROM rows WHERE rowid IN (SELECT rowid FROM rows WHERE ttl <= ? LIMIT ?)"
        swept = 0
        while True:
            with self._using() as connection:
                count = connection.execute(sql, (self._now(), SWEEP)).rowcount
            swept += count
            if count < SWEEP:
                return swept

    def _page(self, pk: str, prefix: str, after: str | None, size: int, reverse: bool) -> list[Item]:
        # One bound on each side: of two, SQLite would search by one and step over all rows between them, page by page.
        low: tuple[str, str] | None = ("sk >= ?", prefix) if prefix else None
        high: tuple[str, str] | None = ("sk < ?", end) if (end := _end_of(prefix)) else None
        if after is not None and reverse:
            high = ("sk < ?", after if high is None else min(after, high[1]))
        elif after is not None and (low is None or after >= prefix):
            low = ("sk > ?", after)
        bounds = [bound for bound in (low, high) if bound is not None]
        where = " AND ".join(["pk = ?", LIVES, *(condition for condition, _ in bounds)])
        order = "DESC" if reverse else "ASC"
        sql = f"SELECT {COLUMNS} FROM rows WHERE {where} ORDER BY sk {order} LIMIT ?"
        return self._read(sql, (pk, self._now(), *(value for _, value in bounds), size))

    def _read(self, sql: str, values: tuple[Any, ...]) -> list[Item]:
        with self._using() as connection:
            rows = connection.execute(sql, values).fetchall()
        return [
            Item(pk, sk, msgspec.json.decode(data), rev, due_pk, due_at, ttl, blob)
            for pk, sk, data, rev, due_pk, due_at, ttl, blob in rows
        ]

    def _write(self, connection: sqlite3.Connection, item: Item) -> bool:
        data = msgspec.json.encode(item.data)
        _check(item, len(data))
        rest = (data.decode(), item.due_pk, item.due_at, item.ttl, item.blob)
        if item.rev == 0:
            return connection.execute(INSERT, (item.pk, item.sk, *rest, self._now())).rowcount > 0
        return connection.execute(UPDATE, (*rest, item.pk, item.sk, item.rev)).rowcount > 0

    def _write_data(self, connection: sqlite3.Connection, item: Item) -> bool:
        if item.rev == 0:
            return self._write(connection, item)
        data = msgspec.json.encode(item.data)
        _check(item, len(data))
        done = connection.execute(UPDATE_DATA, (data.decode(), item.pk, item.sk, item.rev)).rowcount > 0
        if done and item.due_pk is not None:
            connection.execute(UPDATE_DUE, (item.due_pk, item.due_at, item.pk, item.sk))
        return done

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._path):
            yield self._connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check(item: Item, data: int) -> None:
    """Refuse what DynamoDB refuses, so that a row that is too large is found on this machine."""
    pk, sk = len(item.pk.encode()), len(item.sk.encode())
    if not (0 < pk <= PK_BYTES and 0 < sk <= SK_BYTES):
        raise ValueError(f"The keys {item.pk[:80]!r}, {item.sk[:80]!r} are empty or longer than an item's may be.")
    size = pk + sk + data + len(item.blob or b"") + OVERHEAD
    if size > ITEM_BYTES:
        raise ValueError(f"The item {item.pk} {item.sk} has {size:,} bytes; an item takes {ITEM_BYTES:,}.")


def _end_of(prefix: str) -> str | None:
    """Give the first key after all with the prefix, so that the index ends the search; None where there is none."""
    prefix = prefix.rstrip("\U0010ffff")  # the last character there is: what follows it differs further left
    if not prefix:
        return None
    last = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if last == 0xD800 else last)  # surrogates are no characters

"""How many calls a tenant makes of a system each day, for systems that allow so many a day and do not say how many.

Counted in memory, and added to the day's row now and then: at most once a minute, and when a connection is closed. So a
process that is killed leaves out the calls of its last minute. Days are UTC.
"""

from __future__ import annotations

import threading
from collections.abc import MutableMapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.errors import Conflict, ConnectorError
from ml_connector.ports import Clock, Item, Store

EVERY = timedelta(minutes=1)
KEPT = timedelta(days=35)
TRIES = 3
Kept = MutableMapping[tuple[str, ...], tuple[datetime, Any]]
_lock = threading.Lock()


class CallCount:
    """The calls of one connection."""

    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        """`name` is the session's: tenant and system, then its scope, of which calls are not kept apart."""
        self._tenant, self._system = (*name.split("#"), "")[:2]
        self._store, self._clock = store, clock
        self._open, self._since = 0, clock.now()

    def add(self, kept: Kept) -> None:
        """Count a call; `kept` is what the process shares, from which its functions tell how many there were."""
        now, key = self._clock.now(), ("calls", self._system)
        with _lock:
            self._open += 1
            kept[key] = now, kept.get(key, (now, 0))[1] + 1
            due = now - self._since >= EVERY
        if due:
            self.flush()

    def flush(self) -> None:
        """Add what was counted to the day's row. What cannot be written now is added next time."""
        with _lock:
            count, self._open, self._since = self._open, 0, self._clock.now()
        try:
            written = not count or self._add(count)
        except ConnectorError:
            written = False
        if not written:
            with _lock:
                self._open += count

    def _add(self, count: int) -> bool:
        now = self._clock.now()
        ttl = int((now + KEPT).timestamp())
        for _ in range(TRIES):
            key = _key(self._system, now)
            item = self._store.get(f"calls#{self._tenant}", key) or Item(f"calls#{self._tenant}", key)
            try:
                self._store.put(replace(item, data={"count": item.data.get("count", 0) + count}, ttl=ttl))
            except Conflict:
                continue
            return True
        return False


def _key(system: str, moment: datetime) -> str:
    return f"{system}#{moment:%Y-%m-%d}"


def on_day(store: Store, tenant: str, system: str, moment: datetime) -> int | None:
    """Tell how many calls a tenant made of a system on a day; None where none were counted."""
    item = store.get(f"calls#{tenant}", _key(system, moment))
    return int(item.data.get("count", 0)) if item is not None else None


def taken(kept: Kept) -> dict[str, int]:
    """Tell how many calls this process made of each system since this was asked last."""
    with _lock:
        return {key[1]: kept.pop(key)[1] for key in [key for key in kept if key[0] == "calls"]}

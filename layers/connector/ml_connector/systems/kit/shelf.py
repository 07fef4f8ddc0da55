"""What a server says of itself, for all connections of a process, for a while.

A connection lives for one reading of one flow, or for minutes (`pairs`), and such a description is large and the same
for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from ml_connector.ports import Clock

T = TypeVar("T")
LASTS = timedelta(hours=1)
MOST = 512
"""Descriptions that a process keeps, of all tenants; the oldest go first."""
_all = threading.Lock()


class Shelf(Generic[T]):
    """One connection's access to them: what it took from there or learnt itself, it keeps to."""

    def __init__(self, kept: MutableMapping[tuple[str, ...], tuple[datetime, Any]], clock: Clock, *whose: str) -> None:
        """`kept`: what the process shares (`AdapterContext.kept`). `whose`: tenant, server, company."""
        self._kept, self._clock, self._whose = kept, clock, whose
        self._mine: dict[str, T] = {}
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    def get(self, key: str, learn: Callable[[], tuple[T, bool]]) -> T:
        """Give what is known. `learn` is called where nothing is, and tells whether it holds for all connections."""
        with self._lock:
            if key in self._mine:
                return self._mine[key]
            found, now = self._kept.get((*self._whose, key)), self._clock.now()
            if found is not None and now - found[0] < LASTS:
                self._mine[key] = found[1]
                self._taken.add(key)
                return self._mine[key]
            self._mine[key], common = learn()
            if common:
                self._put(key, now, self._mine[key])
            return self._mine[key]

    def outdated(self, key: str) -> bool:
        """Forget what another connection learnt, since the server may have changed; False where it is our own."""
        with self._lock:
            if key not in self._taken:
                return False
            self._taken.discard(key)
            self._mine.pop(key, None)
        with _all:
            self._kept.pop((*self._whose, key), None)
        return True

    def _put(self, key: str, now: datetime, value: T) -> None:
        with _all:
            self._kept.pop((*self._whose, key), None)
            while len(self._kept) >= MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[(*self._whose, key)] = now, value

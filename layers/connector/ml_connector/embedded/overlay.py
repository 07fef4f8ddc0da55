"""A store that reads another one and keeps every write to itself: what a dry run and a shadow tenant work on."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ml_connector.errors import Conflict
from ml_connector.ports import Item, Store, check_batch


class OverlayStore:
    """Writes stay in memory and vanish with the object; `None` marks a row as deleted."""

    def __init__(self, base: Store) -> None:
        """Lay a fresh sheet over `base`."""
        self._base = base
        self._mine: dict[tuple[str, str], Item | None] = {}
        self._lock = threading.RLock()

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one row."""
        with self._lock:
            return self._mine[pk, sk] if (pk, sk) in self._mine else self._base.get(pk, sk)

    def get_many(self, pk: str, sks: Sequence[str], *, consistent: bool = False) -> dict[str, Item]:
        """Read many rows of one partition."""
        with self._lock:
            found = self._base.get_many(pk, [s for s in sks if (pk, s) not in self._mine], consistent=consistent)
            return found | {s: item for s in sks if (item := self._mine.get((pk, s))) is not None}

    def put(self, item: Item) -> Item:
        """Write under the condition of its revision; raises `Conflict`."""
        with self._lock:
            now = self.get(item.pk, item.sk)
            if (now.rev if now else 0) != item.rev:
                raise Conflict(f"{item.pk} {item.sk}")
            stored = replace(item, rev=item.rev + 1)
            self._mine[item.pk, item.sk] = stored
            return stored

    def put_many(self, items: Sequence[Item]) -> list[bool]:
        """Write the data of many rows, each under its own condition."""
        check_batch(items)
        return [self._try(item) for item in items]

    def _try(self, item: Item) -> bool:
        with self._lock:
            now = self.get(item.pk, item.sk)
            if (now.rev if now else 0) != item.rev:
                return False
            due = {"due_pk": item.due_pk, "due_at": item.due_at} if item.due_pk is not None else {}
            self._mine[item.pk, item.sk] = replace(now or item, data=item.data, rev=item.rev + 1, **due)  # type: ignore[arg-type]
            return True

    def delete(self, pk: str, sk: str) -> None:
        """Remove a row."""
        with self._lock:
            self._mine[pk, sk] = None

    def query(
        self, pk: str, prefix: str = "", *, after: str | None = None, limit: int | None = None, reverse: bool = False
    ) -> Iterator[Item]:
        """Read rows in order, the sheet's over the base's."""
        with self._lock:
            mine = {sk: i for (p, sk), i in self._mine.items() if p == pk and sk.startswith(prefix)}
        fresh = [
            i for sk, i in sorted(mine.items(), reverse=reverse) if i and (after is None or (sk < after) == reverse)
        ]
        below = (i for i in self._base.query(pk, prefix, after=after, reverse=reverse) if i.sk not in mine)
        merged = heapq.merge(below, (i for i in fresh if i.sk != after), key=lambda i: i.sk, reverse=reverse)
        for n, item in enumerate(merged):
            if limit is not None and n >= limit:
                return
            yield item

    def due(self, due_pk: str, until: str, limit: int = 200, *, after: Item | None = None) -> list[Item]:
        """Read what is due on the sheet: the base's own work is none of its business."""
        with self._lock:
            rows = [i for i in self._mine.values() if i and i.due_pk == due_pk and (i.due_at or "~") <= until]
        return [i for i in sorted(rows, key=_place) if after is None or _place(i) > _place(after)][:limit]


def _place(item: Item) -> tuple[str, str, str]:
    return (item.due_at or "", item.pk, item.sk)

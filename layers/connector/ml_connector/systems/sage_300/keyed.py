"""Rows by the values of a field, in as few calls as the server's words allow (`docs/vendors/sage_300.md`).

Some thirty values go into one filter. A server that knows no `or` is asked for one value at a time, and of one that
does not know the field the whole list is read, once in a few minutes, and sorted out here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ml_connector.errors import Transient
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.sage_300.paging import Query, narrowed
from ml_connector.systems.sage_300.reads import Failed, NotOffered, Refused, not_understood

if TYPE_CHECKING:
    from ml_connector.systems.sage_300.client import WebApi

log = logging.getLogger("ml_connector")
W = TypeVar("W")
LASTS = timedelta(minutes=4)
"""Shorter than the first pause of what is held: what a person mended is seen by the next attempt."""
FEW, PAGE = 3, 100
"""Calls that need no second thought, and the rows of a page."""
JOINED, SINGLY, WHOLE = 0, 2, 4
"""Ways to ask: several values at once, one by one (each with the tail, and the next without it), or for all rows."""


@dataclass(frozen=True, slots=True)
class Wanted(Generic[W]):
    """Rows of `make(filter)` whose `field`, which `of` reads, has one of `values`.

    `tail` is a condition on all of them that only spares rows: without it others come too.
    """

    make: Callable[..., Query[W]]
    field: str
    values: Iterable[str]
    of: Callable[[W], Iterable[str | None]]
    tail: str = ""


class Keyed:
    """Asks one company; remembers which words its server knows, and whole lists for a while."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._ways: dict[tuple[str, str], int] = {}
        self._lists: dict[tuple[str, object], tuple[datetime, Batch[Any]]] = {}
        self._lock = threading.Lock()

    def rows(self, wanted: Wanted[W]) -> Iterator[W]:
        """Read the rows; a spoiled one raises `Transient`, since the answer would be incomplete without it."""
        for batch in self.batches(wanted):
            for bad in batch.spoiled:
                raise Transient(f"Sage 300 gave a row of {wanted.make('').name}, {bad.key}: {bad.reason}")
            yield from batch.rows

    def offered(self, wanted: Wanted[W]) -> Iterator[Batch[W]]:
        """Read a resource that a company can do without: nothing where the server does not offer it."""
        begun = False
        try:
            for batch in self.batches(wanted):
                begun = True
                yield batch
        except NotOffered as error:
            if begun:
                raise Transient(f"{wanted.make('').name} ended in the middle. {error}") from error
            self._api.left_out(wanted.make("").resource, error)

    def batches(self, wanted: Wanted[W]) -> Iterator[Batch[W]]:
        """Read the rows page by page. Raises `Transient`, `Misconfigured` or `LoginRefused`."""
        left, refusal = list(dict.fromkeys(wanted.values)), None
        first = self._ways.get(_name(wanted), JOINED)
        for way in range(first, WHOLE):
            if not left or (way >= SINGLY and self._whole_is_less(wanted, left)):
                break
            if _needless(way, first, left, wanted.tail):
                continue
            tail, most = wanted.tail if way in {JOINED, SINGLY} else "", 1 if way >= SINGLY else None
            begun = False
            try:
                for where, count in narrowed(wanted.field, list(map(self._api.text, left)), tail, most):
                    begun = False
                    for batch in self._api.pages(wanted.make(where)):
                        begun = True
                        yield batch
                    left = left[count:]
            except (Refused, Failed) as error:
                if begun or not not_understood(error):
                    raise
                refusal = refusal or error
                if isinstance(error, Failed):
                    break  # which word it fails over cannot be told, and each failure was tried for seconds
                continue
            self._learn(wanted, way, refusal)
            return
        if left:
            yield self._sorted_out(wanted, left, refusal)

    def whole(self, query: Query[W], *, anew: bool = False) -> Batch[W]:
        """Read a whole list, or give it as it was read within the last minutes."""
        with self._lock:
            name, began = (query.resource, query.row), self._api.now()
            if anew or name not in self._lists or began - self._lists[name][0] >= LASTS:
                pages = list(self._api.pages(query))
                rows = [row for page in pages for row in page.rows]
                spoiled = [bad for page in pages for bad in page.spoiled]
                self._lists[name] = began, Batch(rows, [query.key(row) for row in rows], spoiled)
            return self._lists[name][1]

    def _sorted_out(self, wanted: Wanted[W], left: list[str], refusal: Refused | Failed | None) -> Batch[W]:
        """Take what is wanted out of the whole list; a spoiled row is wanted where its key is."""
        query, values = wanted.make(""), set(left)
        try:
            batch = self.whole(query)
        except (Refused, Failed) as error:
            if refusal is not None and not_understood(error):
                raise refusal from error
            raise
        self._learn(wanted, WHOLE, refusal)
        rows = [row for row in batch.rows if not values.isdisjoint(wanted.of(row))]
        return Batch(rows, [query.key(row) for row in rows], [bad for bad in batch.spoiled if bad.key in values])

    def _whole_is_less(self, wanted: Wanted[W], left: list[str]) -> bool:
        """Tell whether the whole list is fewer calls than one for each value, or is at hand."""
        if len(left) <= FEW:
            return False
        query = wanted.make("")
        if (known := self._lists.get((query.resource, query.row))) and self._api.now() - known[0] < LASTS:
            return True
        try:
            total = self._api.count(query)
        except (Refused, Failed):
            return False  # it does not count; then it is asked for one by one
        return total is not None and total / PAGE < len(left)

    def _learn(self, wanted: Wanted[W], way: int, refusal: Refused | Failed | None) -> None:
        if refusal is None:
            return
        resource, field = _name(wanted)
        self._ways[resource, field] = way
        log.warning(
            "Sage 300 does not take a filter by %s of %s as it is asked first, so more is read than has to be: %s",
            field, resource, refusal,
        )  # fmt: skip


def _name(wanted: Wanted[Any]) -> tuple[str, str]:
    return wanted.make("").resource, wanted.field


def _needless(way: int, first: int, left: list[str], tail: str) -> bool:
    """Tell whether a way says nothing else than the ones before or the one after."""
    if way in {JOINED, SINGLY} and not tail:
        return True
    return way >= SINGLY > first and len(left) == 1

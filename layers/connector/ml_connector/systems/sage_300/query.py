"""What is asked of a resource, in filters that an address holds, and how its pages follow one another (`kit/walk`).

There is one way round a filter that is not taken (`WebApi.not_taken`): the whole list is read without it and sorted out
here. What is asked for by the values of a field is kept for a few minutes then.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from ml_connector.errors import Transient
from ml_connector.systems.kit import walk as kit
from ml_connector.systems.kit.odata import narrowed
from ml_connector.systems.kit.paging import decoder, field_names
from ml_connector.systems.kit.rows import Batch, Listing, all_rows
from ml_connector.systems.kit.walk import Pager, Place
from ml_connector.systems.sage_300.faults import VENDOR, NotOffered, Refused

if TYPE_CHECKING:
    from ml_connector.systems.sage_300.client import WebApi

W = TypeVar("W")
FULL = 100
"""The most that a page holds: one as long, with neither link nor count, does not tell whether it is the last."""
PAGER = Pager("Sage 300", full=FULL)
_FIELDS = re.compile(r"\w+(?= (?:eq|gt) )|\(")
LASTS = timedelta(minutes=4)
"""Shorter than the first pause of what is held: what a person fixed is seen by the next attempt."""


class Query(Generic[W]):
    """What to read: `AP/APVendors`, its rows' type, how a row is named, a filter.

    `row` is a struct whose fields are selected where `$metadata` tells that they are there, or None for plain objects,
    read whole.
    """

    def __init__(
        self,
        resource: str,
        row: type[W] | None,
        key: Callable[[W], str],
        where: str = "",
        top: int = 0,
        instead: str = "",
    ) -> None:
        """`instead`: what the resource was called before; asked for where `$metadata` lists only that."""
        self.resource, self.row, self.key, self.top, self.instead = resource, row, key, top, instead
        self.where, self.plainly = where, False
        self.fields: list[str] = []
        if row is not None:
            self.fields = field_names(row)
        self.decoder: msgspec.json.Decoder[Listing[W]] = decoder(
            Listing[row if row is not None else dict[str, Any]],  # type: ignore[misc]
            float_hook=Decimal,
        )

    def plain(self) -> Query[W]:
        """Give the same without filter and selection."""
        other = copy(self)
        other.where, other.plainly = "", True
        return other

    @property
    def shape(self) -> tuple[str, frozenset[str]]:
        """Name what is asked, whatever the values: the resource, the fields of its filter, and its parentheses."""
        return self.resource, frozenset(_FIELDS.findall(self.where)) if not self.plainly else frozenset({"plainly"})

    @property
    def name(self) -> str:
        """Name the resource for a person."""
        return self.resource.rpartition("/")[2]


def walk(
    fetch: Callable[[Query[W], Place], Batch[W]], query: Query[W], position: str | None = None
) -> Iterator[Batch[W]]:
    """Read page after page from `position` on, each row once. Raises `Transient` where paging does not get on."""
    return kit.walk(partial(fetch, query), position, pager=PAGER, key=query.key, size=FULL, top=query.top)


@dataclass(frozen=True, slots=True)
class KeyFilter(Generic[W]):
    """Rows of `make(filter)` whose `field`, which `of` reads, has one of `values`.

    `tail` is a condition on all of them that only spares rows: without it others come too.
    """

    make: Callable[[str], Query[W]]
    field: str
    values: Iterable[str]
    of: Callable[[W], Iterable[str | None]]
    tail: str = ""


class RowsByKey:
    """Asks one company; remembers whole lists for a while."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._lists: dict[tuple[str, object], tuple[datetime, Batch[Any]]] = {}
        self._lock = threading.Lock()

    def rows(self, wanted: KeyFilter[W]) -> Iterator[W]:
        """Read the rows; a spoiled one raises `Transient`, since the answer would be incomplete without it."""
        return all_rows(self.batches(wanted), VENDOR, wanted.make("").name)

    def offered(self, wanted: KeyFilter[W]) -> Iterator[Batch[W]]:
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

    def batches(self, wanted: KeyFilter[W]) -> Iterator[Batch[W]]:
        """Read the rows page by page. Raises `Transient`, `Misconfigured` or `LoginRefused`."""
        left = list(dict.fromkeys(wanted.values))
        for where, count in narrowed(wanted.field, list(map(self._api.text, left)), wanted.tail):
            query, begun = wanted.make(where), False
            try:
                for batch in self._api.exactly(query):
                    begun = True
                    yield batch
            except Refused as error:
                if begun:
                    raise
                self._api.not_taken(query, error)
                yield self._sorted_out(wanted, left)
                return
            left = left[count:]

    def either(self, query: Query[W], *, anew: bool = False) -> Iterable[W]:
        """Read by a filter, or the whole list where it is not taken: more than was asked for."""
        try:
            return list(self._api.rows(query, exactly=True))
        except Refused as error:
            self._api.not_taken(query, error)
            return self.whole(query, anew=anew).rows

    def whole(self, query: Query[W], *, anew: bool = False) -> Batch[W]:
        """Read a whole list, or give it as it was read within the last minutes."""
        with self._lock:
            name, began = (query.resource, query.row), self._api.now()
            if anew or name not in self._lists or began - self._lists[name][0] >= LASTS:
                pages = list(self._api.exactly(query.plain()))
                rows = [row for page in pages for row in page.rows]
                spoiled = [bad for page in pages for bad in page.spoiled]
                self._lists[name] = began, Batch(rows, [query.key(row) for row in rows], spoiled)
            return self._lists[name][1]

    def _sorted_out(self, wanted: KeyFilter[W], left: list[str]) -> Batch[W]:
        """Take what is wanted out of the whole list; a spoiled row is wanted where its key is."""
        query, values = wanted.make(""), set(left)
        batch = self.whole(query)
        rows = [row for row in batch.rows if not values.isdisjoint(wanted.of(row))]
        return Batch(rows, [query.key(row) for row in rows], [bad for bad in batch.spoiled if bad.key in values])

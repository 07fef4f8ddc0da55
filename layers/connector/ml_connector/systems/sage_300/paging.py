"""Pages of a resource, by `$skip`, so that nothing is lost between two of them.

A next link names the server's inner host and drops our filter and selection, so only its number is taken, and our
own request is made again (`docs/vendors/sage_300.md`). Rows that leave the list while it is read move the others
forward, under the page just read: so each page begins with the last row of the one before, and where that row is not
there any more, the reader steps back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ml_connector.errors import Transient
from ml_connector.systems.kit.paging import Circle, decoder, field_names
from ml_connector.systems.sage_300.names import digits

W = TypeVar("W")
FULL = 100
"""The most that a page holds: one as long, with neither link nor count, does not tell whether it is the last."""
FEW = 5
"""Pages shorter than this do not overlap: they would hardly get on."""
MOST_STEPS_BACK = 40
_FIELDS = re.compile(r"\w+(?= (?:eq|gt) )|\(")
LONGEST = 1_400
"""Characters of a filter, as encoded: IIS takes addresses of 2048 in its query by default."""


class Listing(Struct, Generic[W]):
    """The body of a list; annotations come in two spellings, counts as numbers or as text."""

    value: list[W] | UnsetType = UNSET
    link_v4: str | None = msgspec.field(name="@odata.nextLink", default=None)
    link_v3: str | None = msgspec.field(name="odata.nextLink", default=None)
    count_v4: int | str | None = msgspec.field(name="@odata.count", default=None)
    count_v3: int | str | None = msgspec.field(name="odata.count", default=None)


class Query(Generic[W]):
    """What to read: `AP/APVendors`, its rows' type, how a row is named, a filter.

    `row` is a struct whose fields are the `$select`, or None for plain objects, read whole. `where` are filters of
    which the first is asked for, and the next where the server does not know a field of it; the last should be one
    that every server knows.
    """

    def __init__(
        self,
        resource: str,
        row: type[W] | None,
        key: Callable[[W], str],
        *where: str,
        top: int = 0,
        instead: str = "",
    ) -> None:
        """`instead`: what a server calls the resource that does not know it by its name."""
        self.resource, self.row, self.key, self.top, self.instead = resource, row, key, top, instead
        self.where = where or ("",)
        self.select: list[str] = []
        if row is not None:
            self.select = field_names(row)
        self.decoder: msgspec.json.Decoder[Listing[W]] = decoder(
            Listing[row if row is not None else dict[str, Any]],  # type: ignore[misc]
            float_hook=Decimal,
        )

    @property
    def shape(self) -> tuple[str, ...]:
        """Name what is asked, whatever the values: the resource, the fields of its filters, and its parentheses."""
        return self.resource, *(word for where in self.where for word in _FIELDS.findall(where))

    @property
    def name(self) -> str:
        """Name the resource for a person."""
        return self.resource.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A row that does not parse: its key as far as known, why, and the row as text."""

    key: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Batch(Generic[W]):
    """A page of rows. `keys` are those of all rows as they came, spoiled ones too; `position` the next place.

    `mark` tells a page by what it holds, where rows have no key and are named by their place, which is always new.
    """

    rows: Sequence[W]
    keys: Sequence[str]
    spoiled: Sequence[Spoiled] = ()
    link: str | None = None
    count: int | None = None
    position: str | None = None
    mark: str | None = None

    @property
    def untold(self) -> bool:
        """Tell whether nothing says how much more there is."""
        return self.link is None and self.count is None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins. `seen` are keys of which one must be in the page, empty where there is no overlap."""

    skip: int = 0
    seen: frozenset[str] = field(default=frozenset())

    @classmethod
    def read(cls, position: str | None) -> Place:
        """Read what `text` wrote."""
        skip, _, last = (position or "0").partition(":")
        return cls(int(skip), frozenset({last} if last else ()))

    def text(self, last: str) -> str:
        """Write the place so that another process goes on from here."""
        return f"{self.skip}:{last if self.seen else ''}"

    def after(self, batch: Batch[Any]) -> Place | None:
        """Find the next place; None after the last page. Raises `Transient` where a link leads nowhere."""
        read = self.skip + len(batch.keys)
        if batch.link is None:
            if (len(batch.keys) < FULL) if batch.count is None else (batch.count <= read):
                return None
            following = read  # the link is missing, and yet there is more, or may be
        else:
            following = min(_skip_of(batch.link), read)  # a link past what came would leave rows out
        overlap = len(batch.keys) >= FEW
        if following - overlap <= self.skip:
            raise loop(f"a page leads back to row {following}")
        return Place(following - overlap, frozenset(batch.keys) if overlap else frozenset())

    def back(self, size: int) -> Place:
        """Step back by a page, to the start at most."""
        skip = max(0, self.skip - max(size, 1))
        return Place(skip, self.seen if skip else frozenset())


def _skip_of(link: str) -> int:
    try:
        skip = digits(dict(parse_qsl(urlsplit(link).query)).get("$skip", ""))
    except ValueError:  # this is no address
        skip = None
    if skip is None:
        raise loop("its next link names no place to go on from")
    return skip


def in_filters(field: str, literals: Iterable[str]) -> Iterator[str]:
    """Write `f eq a or f eq b …`, as many to a filter as an address holds."""
    return (where for where, _ in narrowed(field, literals))


def narrowed(field: str, literals: Iterable[str], tail: str = "", most: int | None = None) -> Iterator[tuple[str, int]]:
    """Write the same with `tail`, a condition on all of them; with how many each filter asks for, at most `most`."""
    for part in _parts(field, literals, len(quote(tail)) + 10 if tail else 0, most):
        said = " or ".join(part)
        if tail:
            said = f"({said}) and {tail}" if len(part) > 1 else f"{said} and {tail}"
        yield said, len(part)


def _parts(field: str, literals: Iterable[str], taken: int, most: int | None) -> Iterator[list[str]]:
    part: list[str] = []
    size = taken
    for literal in literals:
        one = f"{field} eq {literal}"
        more = len(quote(f" or {one}"))
        if part and (size + more > LONGEST or len(part) == most):
            yield part
            part, size = [], taken
        part.append(one)
        size += more
    if part:
        yield part


def loop(why: str) -> Transient:
    """Say that paging does not get on."""
    return Transient(f"Sage 300 pages in a loop: {why}. It is read again from there later.")


def walk(
    fetch: Callable[[Query[W], Place], Batch[W]], query: Query[W], position: str | None = None
) -> Iterator[Batch[W]]:
    """Read page after page from `position` on, each row once. Raises `Transient` where paging does not get on."""
    place, steps, size, back = Place.read(position), 0, 100, False
    known: frozenset[str] = place.seen
    circle = Circle()
    while True:
        batch = fetch(query, place)
        if circle.closes(batch.keys, batch.mark):
            if not batch.untold:
                raise loop("a page was given twice")
            yield replace(batch, rows=(), keys=(), spoiled=())  # a server that tells nothing gives one page for ever
            return
        if place.seen and not place.seen.intersection(batch.keys):
            circle.forget()
            steps += 1
            if steps > MOST_STEPS_BACK:
                raise loop("rows keep moving while they are read")
            place, back = place.back(size), True
            continue
        fresh = _without(batch, known, query.key)
        following = None if query.top else place.after(batch)
        if batch.untold and not _gets_on(batch.keys, known):
            yield fresh  # more was only supposed: a server that tells nothing may begin anew after the end
            return
        if not _gets_on(batch.keys, known) and (following is not None or (len(batch.keys) > 1 and not back)):
            raise loop("a page was given twice")
        if following is None:
            yield fresh
            return
        yield replace(fresh, position=following.text(batch.keys[-1]))
        place, known, size, back = following, frozenset(batch.keys), len(batch.keys), False


def _gets_on(keys: Sequence[str], known: frozenset[str]) -> bool:
    """Tell whether a page goes beyond what was read: something stands behind the last row that is known.

    A page given twice may begin a row earlier, and so have a row that the page before did not.
    """
    return bool(keys) and keys[-1] not in known


def _without(batch: Batch[W], known: frozenset[str], key: Callable[[W], str]) -> Batch[W]:
    if known.isdisjoint(batch.keys):
        return batch
    return replace(
        batch,
        rows=[row for row in batch.rows if key(row) not in known],
        keys=[name for name in batch.keys if name not in known],
        spoiled=[bad for bad in batch.spoiled if bad.key not in known],
    )

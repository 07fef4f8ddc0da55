"""Pages of an entity set, by `$skip` over live data, so that nothing is lost between two of them.

Rows that leave the list while it is read move the others forward, under the page that was just read. So each page
begins with the last row of the one before; where that row is not there any more, the reader steps back
(`docs/vendors/sap_b1.md`; a next link may have lost our filter, so only its number is taken).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ml_connector.errors import Transient
from ml_connector.systems.kit.paging import Circle, decoder, field_names

W = TypeVar("W", bound=Struct)
T = TypeVar("T")
FEW = 5
"""Pages shorter than this do not overlap: they would hardly get on."""
MOST_STEPS_BACK = 40
AT_ONCE = 20
"""Keys named in one filter: addresses have a length."""


class Listing(Struct, Generic[W]):
    """The body of a list in both dialects."""

    value: list[W] | UnsetType = UNSET
    link_v3: str | None = msgspec.field(name="odata.nextLink", default=None)
    link_v4: str | None = msgspec.field(name="@odata.nextLink", default=None)


class Query(Generic[W]):
    """What to read: an entity set, its rows' type (whose fields are the `$select`), a filter, the order's key.

    `optional`: a server that has no such set has no such rows. `lenient`: nor has one that refuses to list it.
    """

    def __init__(
        self,
        entity: str,
        row: type[W],
        key: str,
        where: str = "",
        *,
        size: int = 200,
        top: int = 0,
        optional: bool = False,
        lenient: bool = False,
    ) -> None:
        self.entity, self.row, self.where, self.size, self.top = entity, row, where, size, top
        self.optional, self.lenient = optional or lenient, lenient
        self.select = field_names(row)
        self.key = key
        self.attribute = next(f.name for f in msgspec.structs.fields(row) if f.encode_name == key)
        self.decoder: msgspec.json.Decoder[Listing[W]] = decoder(Listing[row])  # type: ignore[valid-type]


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
    position: str | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins. `seen` are keys of which one must be in the page, empty where there is no overlap."""

    skip: int = 0
    token: str | None = None
    seen: frozenset[str] = field(default=frozenset())

    @classmethod
    def read(cls, position: str | None) -> Place:
        """Read what `text` wrote."""
        if not position:
            return cls()
        kind, _, rest = position.partition(":")
        if kind == "token":
            return cls(token=rest)
        skip, _, last = rest.partition(":")
        return cls(int(skip), None, frozenset({last} if last else ()))

    def text(self, last: str) -> str:
        """Write the place so that another process goes on from here."""
        if self.token is not None:
            return f"token:{self.token}"
        return f"skip:{self.skip}:{last if self.seen else ''}"

    def after(self, link: str, keys: Sequence[str]) -> Place:
        """Follow a next link; raises `Transient` where it leads nowhere."""
        try:
            options = dict(parse_qsl(urlsplit(link).query))
        except ValueError as error:
            raise _loop(f"its next link is no address ({error})") from error
        if token := options.get("$skiptoken"):
            if token == self.token:
                raise _loop(f"its next link repeats the token {token}")
            return Place(token=token)
        if not re.fullmatch(r"\d{1,18}", options.get("$skip", ""), re.ASCII):
            raise _loop("its next link names no place to go on from")
        skip = int(options["$skip"])
        overlap = len(keys) >= FEW
        if skip - overlap <= self.skip:
            raise _loop(f"its next link leads back to row {skip}")
        return Place(skip - overlap, None, frozenset(keys) if overlap else frozenset())

    def back(self, size: int) -> Place:
        """Step back by a page, to the start at most."""
        skip = max(0, self.skip - max(size, 1))
        return Place(skip, None, self.seen if skip else frozenset())


def _loop(why: str) -> Transient:
    return Transient(f"SAP Business One pages in a loop: {why}. It is read again from there later.")


def walk(
    fetch: Callable[[Query[W], Place], Batch[W]], query: Query[W], position: str | None = None
) -> Iterator[Batch[W]]:
    """Read page after page from `position` on, each row once. Raises `Transient` where paging does not get on."""
    place, steps, size = Place.read(position), 0, query.size
    known: frozenset[str] = place.seen
    circle = Circle()
    while True:
        batch = fetch(query, place)
        if circle.closes(batch.keys, batch.mark):
            raise _loop("a page was given twice")
        if place.seen and not place.seen.intersection(batch.keys):
            circle.forget()
            steps += 1
            if steps > MOST_STEPS_BACK:
                raise _loop("rows keep moving while they are read")
            place = place.back(size)
            continue
        fresh = _without(batch, known, query.attribute)
        if batch.link is not None and not fresh.keys:
            raise _loop("a page brought nothing new and yet names a next one")
        if batch.link is None:
            yield fresh
            return
        following = place.after(batch.link, batch.keys)
        yield replace(fresh, position=following.text(batch.keys[-1]))
        place, known, size = following, frozenset(batch.keys), len(batch.keys)


def _without(batch: Batch[W], known: frozenset[str], attribute: str) -> Batch[W]:
    if known.isdisjoint(batch.keys):
        return batch
    return replace(
        batch,
        rows=[row for row in batch.rows if str(getattr(row, attribute)) not in known],
        keys=[key for key in batch.keys if key not in known],
        spoiled=[bad for bad in batch.spoiled if bad.key not in known],
    )


def in_parts(values: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def any_of(name: str, literals: Iterable[str]) -> str:
    """Write `(name eq a or name eq b)`."""
    return "(" + " or ".join(f"{name} eq {literal}" for literal in literals) + ")"

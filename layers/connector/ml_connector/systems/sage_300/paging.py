"""What is asked of a resource, in filters that an address holds, and how its pages follow one another (`kit/walk`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from ml_connector.systems.kit import walk as kit
from ml_connector.systems.kit.paging import decoder, field_names
from ml_connector.systems.kit.rows import Batch, Listing
from ml_connector.systems.kit.walk import Pager, Place

W = TypeVar("W")
FULL = 100
"""The most that a page holds: one as long, with neither link nor count, does not tell whether it is the last."""
PAGER = Pager("Sage 300", full=FULL)
_FIELDS = re.compile(r"\w+(?= (?:eq|gt) )|\(")
LONGEST = 1_400
"""Characters of a filter, as encoded: IIS takes addresses of 2048 in its query by default."""


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


def walk(
    fetch: Callable[[Query[W], Place], Batch[W]], query: Query[W], position: str | None = None
) -> Iterator[Batch[W]]:
    """Read page after page from `position` on, each row once. Raises `Transient` where paging does not get on."""
    return kit.walk(partial(fetch, query), position, pager=PAGER, key=query.key, size=FULL, top=query.top)


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

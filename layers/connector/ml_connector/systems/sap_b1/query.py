"""What is asked of an entity set, and how its pages follow one another (`kit/walk`, `docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from ml_connector.systems.kit import walk as kit
from ml_connector.systems.kit.paging import decoder, field_names
from ml_connector.systems.kit.rows import Batch, Listing
from ml_connector.systems.kit.walk import Pager, Place

W = TypeVar("W", bound=Struct)
T = TypeVar("T")
AT_ONCE = 20
"""Keys named in one filter: addresses have a length."""
PAGER = Pager("SAP Business One", tokens=True)


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
        named = next(f for f in msgspec.structs.fields(row) if f.encode_name == key)
        plain: Callable[[W], Any] = attrgetter(named.name)
        self.name: Callable[[W], str] = plain if named.type is str else lambda row: str(plain(row))
        """Gives the key of a row."""
        self.decoder: msgspec.json.Decoder[Listing[W]] = decoder(Listing[row])  # type: ignore[valid-type]


def walk(
    fetch: Callable[[Query[W], Place], Batch[W]], query: Query[W], position: str | None = None
) -> Iterator[Batch[W]]:
    """Read page after page from `position` on, each row once. Raises `Transient` where paging does not get on."""
    return kit.walk(partial(fetch, query), position, pager=PAGER, key=query.name, size=query.size, top=query.top)


def in_parts(values: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def any_of(name: str, literals: Iterable[str]) -> str:
    """Write `(name eq a or name eq b)`."""
    return "(" + " or ".join(f"{name} eq {literal}" for literal in literals) + ")"

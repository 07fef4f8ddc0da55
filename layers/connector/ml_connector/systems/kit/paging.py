"""Guards that every paged list needs, whatever its vendor's way of paging.

A server that gives the same page for ever (a cache, a proxy, a `$skip` that it ignores) must end the reading; a server
that ignores a filter must not pass its whole list off as what was asked for; and an order is given once in a pass.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import msgspec

from ml_connector.flow import Broken, Page
from ml_connector.records import Record
from ml_connector.systems.http import dumps
from ml_connector.type_cache import resolve

R = TypeVar("R", bound=Record)


def field_names(row: Any) -> list[str]:
    """Name a wire struct's fields as the server does; safe where several threads are the first to ask."""
    return list(_field_names(row))


@cache
def _field_names(row: Any) -> tuple[str, ...]:
    resolve(row)
    return tuple(field.encode_name for field in msgspec.structs.fields(row))


@cache  # looking through the types costs more than a small page, and each connection would do it again
def decoder(listing: Any, **options: Any) -> msgspec.json.Decoder[Any]:
    """Make the decoder of a list's body; safe where several threads are the first to need its types."""
    resolve(listing)
    return msgspec.json.Decoder(listing, strict=False, **options)


def row_number(text: str) -> int | None:
    """Read a number of rows, as counts and links give it; None where this is none."""
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else None


def content_of(rows: Sequence[Any]) -> str:
    """Tell a page by what it holds: rows without a key are named by their place, which is always new."""
    return digest(dumps(rows).encode())


def digest(body: bytes) -> str:
    """Tell a body by what it holds."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


class Circle:
    """Remembers the pages of one reading, to notice one that comes again: at once, or after others."""

    def __init__(self) -> None:
        self._given = set[str]()

    def closes(self, keys: Sequence[str], mark: str | None = None) -> bool:
        """Tell whether this page was given before; `mark` tells one by its content, where rows have no key.

        A page without rows is none: who reads on after it has other guards.
        """
        name = mark or digest("\0".join(keys).encode("utf-8", "replace"))  # of a million keys little is kept
        if not keys or name not in self._given:
            self._given.add(name)
            return False
        return True

    def forget(self) -> None:
        """Begin again: after stepping back, pages are read once more on purpose."""
        self._given.clear()


def only_asked_for(pages: Iterable[Page[R]], keys: Iterable[str]) -> Iterator[Page[R]]:
    """Drop records and spoiled rows that nobody asked for, and give each record once.

    A server that ignores a filter by key would have its whole list taken for what was read again. A spoiled row whose
    key is not told is kept: it may be one of them.
    """
    wanted, given = set(keys), set[str]()
    for page in pages:
        records = [one for one in _once(page.records, given) if one.key in wanted]
        broken = [one for one in page.broken if one.key in wanted or _unnamed(one)]
        yield replace(page, records=records, broken=broken, position=None, stamp=None)


def once(page: Page[R], given: set[str]) -> Page[R]:
    """Give a page without the records that its pass gave before; adds its own to `given`."""
    return replace(page, records=list(_once(page.records, given)))


def _once(records: Iterable[R], given: set[str]) -> Iterator[R]:
    for record in records:
        if record.key not in given:
            given.add(record.key)
            yield record


def _unnamed(one: Broken) -> bool:
    return "?" in one.key or "~" in one.key


def without_known(keys: Iterable[Any], given: Set[str], name: Callable[[Any], str] = str) -> list[Any]:
    """Leave out the keys of what was given before, so that it is not even read again."""
    return [key for key in keys if name(key) not in given]

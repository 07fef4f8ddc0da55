"""The rows of a page as a server gave them: those that parse, and those that do not, each with its text kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ml_connector.errors import Transient
from ml_connector.flow import Broken
from ml_connector.systems.decode_errors import decode_error
from ml_connector.systems.http import UNREADABLE, Reply, dumps, is_amount
from ml_connector.systems.kit.paging import content_of, row_number

W = TypeVar("W")
RAW_LIMIT = 4_000
"""Characters of a row's text that are kept for a person."""


class Listing(Struct, Generic[W]):
    """The body of an OData list; annotations come in two spellings, counts as numbers or as text."""

    value: list[W] | UnsetType = UNSET
    link_v4: str | None = msgspec.field(name="@odata.nextLink", default=None)
    link_v3: str | None = msgspec.field(name="odata.nextLink", default=None)
    count_v4: int | str | None = msgspec.field(name="@odata.count", default=None)
    count_v3: int | str | None = msgspec.field(name="odata.count", default=None)

    @property
    def link(self) -> str | None:
        """Give the link to the next page."""
        return self.link_v4 or self.link_v3

    @property
    def count(self) -> int | None:
        """Tell how many rows the whole list has."""
        return number_of(self.count_v4 if self.count_v4 is not None else self.count_v3)


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

    @property
    def broken(self) -> list[Broken]:
        """Give the spoiled rows as a source reports them."""
        return [Broken(bad.key, bad.reason, bad.raw) for bad in self.spoiled]

    @property
    def row_keys(self) -> list[str]:
        """Give the keys of the rows that parsed."""
        bad = {spoiled.key for spoiled in self.spoiled}
        return [key for key in self.keys if key not in bad] if bad else list(self.keys)

    def named(self, name: Callable[[str], str]) -> Batch[W]:
        """Give the same rows under other keys."""
        spoiled = [replace(bad, key=name(bad.key)) for bad in self.spoiled]
        return replace(self, keys=[name(key) for key in self.keys], spoiled=spoiled)

    def without(self, known: frozenset[str], key: Callable[[W], str]) -> Batch[W]:
        """Leave out the rows that the page before had; `key` names a row."""
        if known.isdisjoint(self.keys):
            return self
        if not self.spoiled and known.isdisjoint(self.keys[1:]):
            return replace(
                self, rows=self.rows[1:], keys=self.keys[1:]
            )  # pages begin with the last row of the one before
        return replace(
            self,
            rows=[row for row in self.rows if key(row) not in known],
            keys=[name for name in self.keys if name not in known],
            spoiled=[bad for bad in self.spoiled if bad.key not in known],
        )


def all_rows(batches: Iterable[Batch[W]], vendor: str, what: str) -> Iterator[W]:
    """Give the rows of all pages; a spoiled one raises `Transient`: the answer would be incomplete without it."""
    for batch in batches:
        for bad in batch.spoiled:
            raise Transient(f"{vendor} gave a record of {what}, {bad.key}: {bad.reason}")
        yield from batch.rows


def page_of(
    reply: Reply,
    vendor: str,
    what: str,
    *,
    decoder: msgspec.json.Decoder[Listing[W]] | None,
    read: Callable[[Any], W],
    key: Callable[[W], str],
    named: Callable[[Any], object],
    unnamed: Callable[[int], str],
) -> Batch[W]:
    """Read a page: all rows together by `decoder`; where something does not fit, or without one, each by itself.

    So one bad row costs only itself. `read` parses one, `key` names it; of one that does not parse `named` tells the
    key, None where it cannot, and then `unnamed` calls it by its number in the page. What is shown is masked: a debug
    page may say back what it was sent. Raises `Transient` where there are no rows to read, `ValueError` where this is
    not JSON.
    """
    if decoder is not None:
        try:
            listing = decoder.decode(reply.body)
            if listing.value is not UNSET:
                keys = list(map(key, listing.value))
                return Batch(listing.value, keys, link=listing.link, count=listing.count)
        except UNREADABLE:
            pass  # read again below: one bad row is enough for it
    body = reply.json()
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        raise Transient(
            f"{vendor} answered a list of {what} without 'value': {reply.text(200)}. This is no empty list; it is read "
            "again later."
        )
    rows, keys, spoiled = [], [], []
    for number, raw in enumerate(body["value"]):
        try:
            row = read(raw)
            keys.append(key(row))
            rows.append(row)
        except (*UNREADABLE, TypeError, AttributeError) as error:
            known = named(raw)
            keys.append(str(known) if known is not None else unnamed(number))
            reason = f"It cannot be read: {decode_error(error)}. Correct it in {vendor}."
            spoiled.append(Spoiled(keys[-1], reply.clean(reason), reply.clean(dumps(raw))[:RAW_LIMIT]))
    link = body.get("@odata.nextLink") or body.get("odata.nextLink")
    count = body.get("@odata.count", body.get("odata.count"))
    mark = content_of(body["value"]) if any(bad.key.startswith("?") for bad in spoiled) else None
    return Batch(rows, keys, spoiled, str(link) if link else None, number_of(count), mark=mark)


def number_of(count: object) -> int | None:
    """Read a count, which comes as a number or as text."""
    return row_number(str(count or ""))


def raw_of(row: Any) -> str:
    """Show a row in full, for a person to see what is wrong with it."""
    shown = {n: getattr(row, n) for n in row.__struct_fields__} if isinstance(row, Struct) else row
    return dumps(shown)[:RAW_LIMIT]


def plain(number: str) -> str:
    """Write a number without point and leading zeros; any other key stays as it is."""
    try:
        value = Decimal(number)
    except InvalidOperation:
        return number
    return str(int(value)) if is_amount(value) and value == value.to_integral_value() else number


def day_of(value: Any) -> date | None:
    """Read a date of an answer, with or without time and zone."""
    if value is None or value == "":
        return None
    try:
        found = date.fromisoformat(str(value).strip()[:10])
    except ValueError as error:
        raise ValueError(f"'{value}' is not a valid date.") from error
    return found if found.year > 1900 else None


def amount_of(told: str | None) -> Decimal | None:
    """Read an amount of an answer; None where there is none. Raises `ValueError` where it is no amount of money."""
    if told is None:
        return None
    try:
        value = Decimal(told)
    except ArithmeticError as error:
        raise ValueError(f"'{told[:40]}' is not an amount.") from error
    if not is_amount(value):
        raise ValueError(f"'{told[:40]}' is not an amount.")
    return value


@contextmanager
def readable(title: str) -> Iterator[None]:
    """Conclude nothing from a row in which a number or a date is none: `Transient`."""
    try:
        yield
    except ValueError as error:
        raise Transient(f"{title} shows a value that cannot be read, and is asked again: {error}") from error

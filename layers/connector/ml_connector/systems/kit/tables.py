"""Tables that are read by columns and conditions: what is asked, and rows of texts as they come.

How a question is put, by OData (`odata_tables`) or in an interface of the vendor's own, is the reader's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from ml_connector.systems.kit.rows import Batch, Spoiled, day_of, raw_of

Row = dict[str, str]
"""Texts as they stand in the database, spaces too; an empty or null column is ""."""
Value = str | date | Decimal
Condition = tuple[str, str, Value]
"""Column, EQ NE GT GE LT or LE, and what it is compared with."""
MOST_ROWS = 500
"""Rows of a page."""


class Reader(Protocol):
    """Reads a table page by page."""

    def pages(self, asked: Query, position: str | None) -> Iterator[Batch[Row]]:
        """Read from a position on. Raises the classes of `errors`."""

    def room(self, alternative: tuple[Condition, ...]) -> float:
        """Tell which part of a question's room an alternative takes."""


def text(row: Row, column: str) -> str | None:
    """Give a text without the spaces around it; None where there is none."""
    return row.get(column, "").strip() or None


def amount(row: Row, column: str) -> Decimal | None:
    """Read a number, padded or edited; raises `ValueError` where it is none, or may be read in two ways."""
    told = text(row, column)
    if told is None:
        return None
    plain = told.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+\.\d+-?", told) else told
    if not re.fullmatch(r"[+-]?\d*\.?\d+(?:E[+-]?\d{1,3})?|\d*\.?\d+-", plain, re.IGNORECASE):
        raise ValueError(f"{column} '{told}' is not a number.")
    return -Decimal(plain[:-1]) if plain.endswith("-") else Decimal(plain)


def day(row: Row, column: str) -> date | None:
    """Read a date; none for the zero date, which stands for it."""
    told = text(row, column)
    return None if told is None or told.startswith("0000") else day_of(told)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a table: rows for which all of `where` holds, in the order of `key`.

    `columns`: none for all of them. `key` names those that tell a row from the others. `either`: alternatives, of which
    one must hold as well. `company` names the database, where it is another one. `whole`: `key` may not tell each row,
    so nothing is paged by it alone; a reader without any other way gives all rows in one page.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    either: tuple[tuple[Condition, ...], ...] = ()
    company: str = ""
    limit: int = 0
    whole: bool = False

    def name(self, row: Row) -> str:
        """Name a row, by all its columns where the key is not enough. Raises `ValueError` where it has no key."""
        parts = [row[column] for column in (self.columns if self.whole else self.key)]
        if parts and not self.whole and not parts[0].strip():
            raise ValueError(f"An entry of {self.table} has no {self.key[0]}.")
        return "~".join(parts)

    def alternatives(self) -> list[tuple[Condition, ...]]:
        """List the conditions of which one must hold whole."""
        return [(*self.where, *one) for one in self.either] or ([self.where] if self.where else [])


def among(asked: Query, column: str, keys: Iterable[str], reader: Reader) -> Iterator[Query]:
    """Ask for rows that have one of several values in a column, as many to a question as fit."""
    part, taken = list[tuple[Condition, ...]](), 0.0
    for key in dict.fromkeys(keys):
        one = ((column, "EQ", key),)
        more = reader.room((*asked.where, *one))
        if part and taken + more > 1:
            yield replace(asked, either=tuple(part))
            part, taken = [], 0.0
        part.append(one)
        taken += more
    if part:
        yield replace(asked, either=tuple(part))


def behind(asked: Query, last: str | None) -> Query:
    """Ask for the rows behind the one that `Query.name` calls `last`: equal in its first parts, greater in the next."""
    if last is None:
        return asked
    after = last.rsplit("~", len(asked.key) - 1)
    steps = [
        (
            *((column, "EQ", told) for column, told in zip(asked.key[:n], after, strict=False)),
            (asked.key[n], "GT", after[n]),
        )
        for n in reversed(range(len(asked.key)))
    ]
    either = [(*one, *step) for one in asked.either or ((),) for step in steps]
    return replace(asked, either=tuple(either))


def batch_of(raws: Iterable[Mapping[str, str]], asked: Query, last: str | None) -> Batch[Row]:
    """Make a page of rows behind `last`; one without a key costs only itself."""
    rows, spoiled, names = list[Row](), list[Spoiled](), list[str]()
    for number, raw in enumerate(raws):
        row = row_of(raw, asked.columns)
        try:
            names.append(asked.name(row))
            rows.append(row)
        except ValueError as error:
            names.append(f"?{last or ''}+{number}")
            spoiled.append(Spoiled(names[-1], str(error), raw_of(raw)))
    return Batch(rows, names, spoiled)


def row_of(raw: Mapping[str, Any], columns: Iterable[str]) -> Row:
    """Take a row's columns under the names that were asked for, whatever their case; null is empty."""
    there = {str(name).lower(): value for name, value in raw.items()}
    found = {}
    for column in columns or [str(name) for name in raw]:
        value = there.get(column.lower())
        if isinstance(value, (dict, list)):
            raise ValueError(f"{column} is neither a text nor a number.")  # noqa: TRY004 - of the row
        found[column] = "" if value is None or value is False else "Y" if value is True else str(value)
    return found

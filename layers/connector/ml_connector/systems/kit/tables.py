"""Tables that are read by columns and conditions: what is asked, and rows of texts as they come.

How a question is put, by OData (`odata_tables`) or in an interface of the vendor's own, is the reader's.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from ml_connector.errors import Misconfigured, Transient
from ml_connector.flow import Broken
from ml_connector.folding import fold
from ml_connector.systems.kit.rows import Batch, Spoiled, day_of, raw_of

log = logging.getLogger("ml_connector")
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


def latest(row: Row, *columns: str) -> str | None:
    """Give the latest day in some columns; what is no day is told of where the row is converted."""
    try:
        days = [day(row, column) for column in columns]
    except ValueError:
        return None
    return max((one.isoformat() for one in days if one), default=None)


def short(quantity: Decimal | None) -> Decimal:
    """Leave out the zeros behind the point that a column of quantities has; nothing is 0."""
    if quantity is None or quantity == quantity.to_integral_value():
        return (quantity or Decimal(0)).quantize(Decimal(1))
    return quantity.normalize()


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a table: rows for which all of `where` holds, in the order of `key`.

    `columns`: none for all of them. `key` names those that tell a row from the others; where they do not, `names` are
    the columns that do. `either`: alternatives, of which one must hold as well. `company` names the database, where it
    is another one. `whole`: a reader that pages by the key alone gives all rows at once, as it must where there are
    `names`.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    either: tuple[tuple[Condition, ...], ...] = ()
    company: str = ""
    limit: int = 0
    whole: bool = False
    names: tuple[str, ...] = ()

    def name(self, row: Row) -> str:
        """Name a row; raises `ValueError` where it has no key."""
        parts = [row[column] for column in self.names or self.key]
        if self.key and not row[self.key[0]].strip():
            raise ValueError(f"An entry of {self.table} has no {self.key[0]}.")
        return "~".join(parts)

    def is_met_by(self, row: Row) -> bool:
        """Tell whether a row has the values that are asked for; only equality is judged, of columns that it has."""
        return all(_equals(row, one) for one in self.where) and (
            not self.either or any(all(_equals(row, one) for one in some) for some in self.either)
        )

    def alternatives(self) -> list[tuple[Condition, ...]]:
        """List the conditions of which one must hold whole."""
        return [(*self.where, *one) for one in self.either] or ([self.where] if self.where else [])


def query(table: str, columns: str, key: str, **more: Any) -> Query:
    """Write a query with its columns in one text, with spaces between them."""
    return Query(table, tuple(columns.split()), tuple(key.split()), **more)


def _equals(row: Row, condition: Condition) -> bool:
    column, comparison, value = condition
    if comparison != "EQ" or column not in row:
        return True
    try:
        if isinstance(value, str):
            return fold(row[column].strip()) == fold(value.strip())
        return (day(row, column) if isinstance(value, date) else amount(row, column)) == value
    except ValueError:
        return True  # whoever converts it says so


class Tables:
    """Tables as their users want them: whole answers, by some keys or by conditions."""

    def __init__(self, reader: Reader, vendor: str) -> None:
        self._reader, self._vendor = reader, vendor

    def pages(self, asked: Query, position: str | None = None) -> Iterator[Batch[Row]]:
        """Read a table page by page. Raises `Transient`, `Misconfigured` or `LoginRefused`."""
        return self._reader.pages(asked, position)

    def by_keys(self, asked: Query, keys: Iterable[str]) -> Iterator[Batch[Row]]:
        """Read these very rows page by page, by the first column of their key."""
        return (batch for one in self.among(asked, asked.key[0], keys) for batch in self.pages(one))

    def rows(
        self, table: str, columns: Sequence[str], *where: Condition, order: Sequence[str] = (), limit: int = 0
    ) -> list[Row]:
        """Read all rows for which all conditions hold."""
        some, key = tuple(columns), tuple(order or columns[:1])
        return self.all(Query(table, some, key, where, limit=limit, whole=not limit, names=some))

    def rows_by(
        self,
        table: str,
        columns: Sequence[str],
        column: str,
        keys: Iterable[str],
        *where: Condition,
        order: Sequence[str] = (),
        company: str = "",
    ) -> list[Row]:
        """Read all rows that have one of several values in a column, as many of these to a call as fit."""
        some, key = tuple(columns), tuple(order or (column,))
        asked = Query(table, some, key, where, company=company, names=some)
        return [row for one in self.among(asked, column, keys) for row in self.all(one)]

    def among(self, asked: Query, column: str, keys: Iterable[str]) -> Iterator[Query]:
        """Ask for rows that have one of several values in a column, as many of these to a question as fit."""
        return among(replace(asked, whole=True), column, keys, self._reader)

    def columns(self, table: str) -> list[str]:
        """Name the columns of a table as its first row has them; none where it has no row."""
        return [name for row in self.all(Query(table, (), (), limit=1)) for name in row]

    def there(self, asked: Query) -> Query | None:
        """Ask for those columns that a table has; None where it has none or cannot be read, as the log says."""
        try:
            columns = {name.lower() for name in self.columns(asked.table)}
        except Misconfigured as error:
            log.warning("Table %s is left out: %s", asked.table, error)
            return None
        some = tuple(one for one in asked.columns if one.lower() in columns)
        return replace(asked, columns=some) if some else None

    def some(self, asked: Query, position: str | None, none: str) -> Iterator[Batch[Row]]:
        """Read a table that is never empty; raises `Misconfigured` with `none` where it seems so."""
        empty = position is None
        for batch in self.pages(asked, position):
            empty = empty and not batch.keys
            if empty and batch.position is None:
                raise Misconfigured(none)
            yield batch

    def all(self, asked: Query) -> list[Row]:
        """Read all rows; one that cannot be read raises `Transient`: without it the answer would be incomplete."""
        rows = list[Row]()
        for batch in self._answers(asked):
            for bad in batch.spoiled:
                raise Transient(f"{self._vendor} gave an entry of {asked.table}, {bad.key}: {bad.reason}")
            rows += batch.rows
        return rows

    def _answers(self, asked: Query) -> Iterator[Batch[Row]]:
        """Read page by page; raises `Transient` for a row that was not asked for.

        That is the answer to another question, or a filter that was not understood: nothing follows from it, neither
        what stands there nor that something does not.
        """
        for batch in self.pages(asked):
            for row in batch.rows:
                if not asked.is_met_by(row):
                    raise Transient(
                        f"{self._vendor} gave an entry of {asked.table} that was not asked for, {asked.name(row)}. It "
                        "is asked again; if this stays, see what stands between, and whether it passes filters on."
                    )
            yield batch

    def joined(
        self, batches: Iterable[Batch[Row]], another: Callable[[], Query | None], *, ranged: bool
    ) -> Iterator[Batch[Row]]:
        """Add the columns of another table that has the same key; without one the rows stay as they are.

        `ranged`: pages are in the order of the key, so that one question from the first to the last of it will do.
        """
        for batch in batches:
            found = dict[str, Row]()
            if batch.rows and (other := another()) is not None:
                (key,) = other.key
                names = [row[key] for row in batch.rows]
                range_ = replace(other, where=((key, "GE", names[0]), (key, "LE", names[-1])))
                asked = [range_] if ranged else self.among(other, key, names)
                found = {row[key]: row for one in asked for row in self.all(one)}
                batch = replace(batch, rows=[row | found.get(row[key], {}) for row in batch.rows])  # noqa: PLW2901
            yield batch

    def grouped(
        self, asked: Query, column: str, keys: Sequence[str], broken: dict[str, Broken]
    ) -> dict[str, list[Row]]:
        """Read what belongs to some keys, by key. What cannot be read goes into `broken`, under the key it belongs to.

        Where that cannot be told it may be any of them.
        """
        found = defaultdict[str, list[Row]](list)
        for batch in (batch for one in self.among(asked, column, keys) for batch in self._answers(one)):
            for row in batch.rows:
                found[row[column]].append(row)
            for bad in batch.spoiled:
                for key in [key for key in keys if key in bad.raw] or keys:
                    broken[key] = Broken(key, f"{asked.table} {bad.key}: {bad.reason}", bad.raw)
        return found

    def example(self, asked: Query) -> str:
        """Show the key of a first row, for `ping`."""
        rows = self.rows(asked.table, asked.columns, order=asked.key, limit=1)
        return f"for example {'~'.join(rows[0][column].strip() for column in asked.key)}" if rows else "none there yet"


def spellings(code: str, widths: Sequence[int]) -> list[str]:
    """List how a code may stand in a database: as it is, bare, padded with zeros or spaces; in capitals too.

    For databases that compare letter by letter: there `inv-1` does not find `INV-1`.
    """
    bare = code.strip()
    plain = (bare.lstrip("0") or "0") if bare.isdecimal() else bare
    padded = [plain.rjust(width, fill) for fill in "0 " for width in widths] if plain.isdecimal() else []
    spelt = [code, bare, plain, *padded]
    return list(dict.fromkeys([*(one.upper() for one in spelt), *spelt]))


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

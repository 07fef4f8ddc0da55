"""Files that an ERP imports by a template: records of fields, each beginning with the letter of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ml_connector.errors import Rejected

UNFIT = ';|"\r\n'
"""What no field can hold: it separates fields or records, or begins a quoted text in some templates."""
_SPACED = str.maketrans(dict.fromkeys(UNFIT, " "))


@dataclass(frozen=True)
class Layout:
    """One kind of record: its letter, its columns in their order, and the records that stand below it, by their field.

    `CODES.2` is the third of a field's list. `least`: so many columns are always written; empty ones behind them are
    left out, since a template may have no more.
    """

    letter: str
    columns: Sequence[str]
    least: int
    below: Mapping[str, Layout] = field(default_factory=dict)


def layout(letter: str, columns: str, least: int = 0, **below: Layout) -> Layout:
    """Declare a kind of record with its columns in one text; all of them are written where `least` is not given."""
    names = columns.split()
    return Layout(letter, names, least or len(names), below)


def fitting(text: str) -> str:
    """Put a space for what no field can hold; for texts only, never for a code or a number."""
    return " ".join(text.translate(_SPACED).split())


def written(what: Layout, body: Mapping[str, Any], keys: Sequence[str], title: str) -> str:
    """Write a document: days as YYYYMMDD, `END` behind the last record. Records below have its `keys`.

    Raises `Rejected` for a value that would break the file.
    """
    return "|".join([*_records(what, body, keys, title), "END"])


def _records(what: Layout, body: Mapping[str, Any], keys: Sequence[str], title: str) -> Iterator[str]:
    values = [_value(body, name, title) for name in what.columns]
    while len(values) > what.least and not values[-1]:
        values.pop()
    yield ";".join([what.letter, *values])
    for name, inner in what.below.items():
        for one in body.get(name, ()):
            yield from _records(inner, {**{key: body.get(key) for key in keys}, **one}, keys, title)


def _value(body: Mapping[str, Any], column: str, title: str) -> str:
    name, _, place = column.partition(".")
    value = body.get(name)
    if place:
        value = value[int(place)] if value is not None and int(place) < len(value) else None
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%Y%m%d}"
    told = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if bad := "".join(dict.fromkeys(one for one in told if one in UNFIT)):
        raise Rejected(
            f"'{told[:60]}' cannot be imported as {column}: an import file of {title} cannot keep {bad!r}. Correct it "
            "and transfer the invoice again, or set 'write_via' to another way."
        )
    return told

"""Values of rows that come as JSON objects: texts padded with spaces, numbers as such or as text, days with times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.systems.http import is_amount
from ml_connector.systems.kit.rows import day_of, plain

ZERO = Decimal(0)
_NO = frozenset({"", "no", "false", "0", "notcompleted", "notcomplete", "incomplete", "open"})
_YES = frozenset({"yes", "true", "1", "completed", "complete", "closed"})


def tell(row: Mapping[str, Any], name: str) -> Any:
    """Give a field; None where it is not there or says nothing."""
    value = row.get(name)
    return value if value != "" else None


def text(row: Mapping[str, Any], name: str) -> str | None:
    """Give a text without the blanks that old tables pad it with."""
    value = tell(row, name)
    return (str(value).strip() or None) if value is not None else None


def whole(row: Mapping[str, Any], name: str) -> str | None:
    """Give a key: numbers come as 58, 58.0 or "000058"."""
    told = text(row, name)
    return plain(told) if told else None


def amount(row: Mapping[str, Any], name: str) -> Decimal | None:
    """Give a number exactly; raises `ValueError` where it is none."""
    value = tell(row, name)
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
        return None
    try:
        found = Decimal(value) if isinstance(value, (int, Decimal)) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{name} is '{value}', which is no number.") from error
    if not is_amount(found):
        raise ValueError(f"{name} is '{value}', which no ledger can hold.")
    return found


def day(row: Mapping[str, Any], name: str) -> date | None:
    """Give a day; raises `ValueError` where it is none. Empty dates come as null, or as years nobody bought in."""
    told = text(row, name)
    return None if told is None or told.startswith("0000") else day_of(told)


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Read a yes or no, whatever the list of values is called; None where it says neither."""
    value = tell(row, name)
    if value is None:
        return None
    word = "".join(c for c in str(value).lower() if c.isalnum())
    return True if word in _YES else False if word in _NO else None


def children(row: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Give the lines of a document, which come inline. Raises `ValueError` where they are no list of objects."""
    found = tell(row, name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{name} is no list of lines.")
    return found

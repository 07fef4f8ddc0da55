"""A request body against the model: unknown properties, wrong kinds, long texts are InvalidPayload."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from .errors import invalid_payload
from .fields import ENUMS, TYPES, Field, Record

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")
LARGEST = Decimal(10) ** 15
"""Amounts are kept in 10 bytes with 3 decimals; more digits do not fit (inferred)."""


def coerce(type_name: str, body: Any) -> Record:
    """Return the body with its values in their stored form, in the order in which it states them."""
    if not isinstance(body, dict):
        raise invalid_payload(f"An object of type '{type_name}' is expected")
    fields = TYPES[type_name]
    found: Record = {}
    for name, value in body.items():
        if name not in fields:
            raise invalid_payload(f"The property '{name}' does not exist on type '{type_name}'")
        found[name] = _value(fields[name], value)
    return found


def _value(field: Field, value: Any) -> Any:
    if field.kind == "l":
        if not isinstance(value, list):
            raise invalid_payload(f"The property '{field.name}' is a collection")
        return [coerce(field.of, line) for line in value]
    if value is None and field.kind in "sd":
        return None if field.kind == "d" else ""
    return {"s": _text, "n": _number, "d": _day, "e": _name}[field.kind](field, value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise invalid_payload(f"The property '{field.name}' is a text")
    if field.length and len(value) > field.length:
        raise invalid_payload(f"The property '{field.name}' has more than {field.length} characters")
    return value


def _number(field: Field, value: Any) -> Decimal | int:
    if type(value) not in (int, Decimal):
        raise invalid_payload(f"The property '{field.name}' is a number")
    number: Decimal | int = value
    if abs(Decimal(number)) >= LARGEST:
        raise invalid_payload(f"The number of property '{field.name}' is too large")
    return number


def _day(field: Field, value: Any) -> str:
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(match[1] if match else "").isoformat()
    except ValueError:
        raise invalid_payload(f"The property '{field.name}' is a date, not {value!r}") from None


def _name(field: Field, value: Any) -> str:
    if not isinstance(value, str) or value not in ENUMS[field.of]:
        raise invalid_payload(f"{value!r} is not a value of '{field.name}': {', '.join(ENUMS[field.of])}")
    return value

"""From a request body to a record: unknown properties, kinds, enumerations, lengths, digits."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import bad_request, invalid_property, rule_broken
from .fields import ENUMS, STORED_VALUES, TYPES, Field, Record

# NumAtCard is documented; the other lengths are those of the columns behind them (inferred).
LENGTHS = {
    "NumAtCard": 100,
    "CardCode": 15,
    "Comments": 254,
    "JournalMemo": 50,
    "ItemDescription": 200,
    "FreeText": 100,
    "Reference1": 11,
    "Reference2": 11,
    "TransferReference": 27,
    "CounterReference": 8,
}
USER_FIELD_LENGTH = 254
MAX_WHOLE_DIGITS = 14
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(\.\d+)?Z?)?")
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?")


def coerce(type_name: str, body: Any, fields: dict[str, Field], line_fields: dict[str, Field]) -> Record:
    """Check a body against its type and return it with the kinds that records hold.

    Raises `Refusal` (400): a property the type lacks, a value of another kind, a text that is too long, a number of
    more than 14 digits before the point. A null stays a null.
    """
    if not isinstance(body, dict):
        raise bad_request("The request body is not a JSON object")
    record = {}
    for name, value in body.items():
        if name.startswith(("odata.", "@odata.")):
            continue
        field = fields.get(name)
        if field is None:
            raise invalid_property(name, type_name)
        record[name] = None if value is None else _value(type_name, field, value, line_fields)
    return record


def _value(type_name: str, field: Field, value: Any, line_fields: dict[str, Field]) -> Any:
    if field.kind == "l":
        if not isinstance(value, list):
            raise bad_request(f"Property '{field.name}' of '{type_name}' is a collection")
        nested = line_fields if field.of == "DocumentLine" else TYPES[field.of]
        return [coerce(field.of, line, nested, line_fields) for line in value]
    if field.kind in "in":
        return _number(field, value)
    if field.kind in "ye":
        return _enum(field, value)
    if not isinstance(value, str):
        raise bad_request(f"Value of property '{field.name}' of '{type_name}' is not a text")
    return _text(type_name, field, value)


def _number(field: Field, value: Any) -> int | Decimal:
    # The API reference shows numbers as texts, clients send numbers: both are accepted (`docs/vendors/sap_b1.md`).
    try:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
            raise bad_request(f"Value of property '{field.name}' is not a number")
        number = Decimal(value)
    except InvalidOperation:
        raise bad_request(f"Value '{value}' of property '{field.name}' is not a number") from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** MAX_WHOLE_DIGITS:
        raise rule_broken(f"Value too long in property '{field.name}'")
    if field.kind == "n":
        return number
    if number != number.to_integral_value():
        raise bad_request(f"Value '{value}' of property '{field.name}' is not a whole number")
    return int(number)


def _enum(field: Field, value: Any) -> str:
    enum = field.of or "BoYesNoEnum"
    name = STORED_VALUES.get(enum, {}).get(str(value), value)
    if name not in ENUMS[enum]:
        raise bad_request(f"Invalid enumeration value '{value}' of property '{field.name}'")
    return str(name)


def _text(type_name: str, field: Field, value: str) -> str:
    if field.kind == "d":
        match = _DATE.fullmatch(value)
        if match is None or not _is_date(match.group(1)):
            raise bad_request(f"Value '{value}' of property '{field.name}' is not a date")
        return match.group(1)
    if field.kind == "t":
        if _TIME.fullmatch(value) is None:
            raise bad_request(f"Value '{value}' of property '{field.name}' is not a time")
        return value
    limit = LENGTHS.get(field.name, USER_FIELD_LENGTH if field.name.startswith("U_") else 0)
    if limit and len(value) > limit:
        raise rule_broken(f"Value too long in property '{field.name}' of '{type_name}'", -1)
    return value


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True

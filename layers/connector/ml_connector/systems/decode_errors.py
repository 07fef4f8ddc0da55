"""Says in words what does not fit in a record that a system gave: which field, and what is wrong with it.

msgspec's own words never reach a person. Fields keep their path, with entries of lists counted from 1.
"""

from __future__ import annotations

import re

_AT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_LENGTH = re.compile(r"Expected `(?P<kind>\w+)[^`]*` of length (?P<sign><=|>=) (?P<size>\d+)")
_BOUND = re.compile(r"Expected `[^`]+` (?P<sign><=|>=|<|>) (?P<size>\S+)")
_TYPE = re.compile(r"Expected `(?P<kind>[^`]+)`, got `(?P<found>\w+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_VALUE = re.compile(r"Invalid enum value (?P<value>.+)")
_NO_SUCH = re.compile(r"Invalid (?P<kind>decimal|number|integer|date|datetime|time|UUID)\b.*")
_TAKES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "date": "a date",
    "datetime": "a date and time",
    "null": "nothing (null)",
}
_BOUNDS = {"<=": "more than", ">=": "less than", "<": "not less than", ">": "not more than"}


def decode_error(error: Exception) -> str:
    """Say an error of decoding as the part of a sentence; what was worded by ourselves is given back as it is."""
    text = str(error) or type(error).__name__
    parts = _AT.fullmatch(text)
    assert parts is not None  # it fits every text
    what, path = parts["what"], _counted(parts["path"] or "")
    if (missing := _MISSING.fullmatch(what)) is not None:
        return f"the field {f'{path}.' if path else ''}{missing['name']} is missing"
    said = _said(what)
    if said is None:
        return text.rstrip(".")
    return f"the field {path} {said}" if path else f"it {said}"


def _counted(path: str) -> str:
    """Write `.codingRows[0].netTotal` as people count: codingRows[1].netTotal."""
    return re.sub(r"\[(\d+)\]", lambda found: f"[{int(found[1]) + 1}]", path).removeprefix(".")


def _said(what: str) -> str | None:
    if (length := _LENGTH.fullmatch(what)) is not None:
        many = "entries" if length["kind"] == "array" else "characters"
        return f"has {'more' if length['sign'] == '<=' else 'fewer'} than {length['size']} {many}"
    if (bound := _BOUND.fullmatch(what)) is not None:
        return f"is {_BOUNDS[bound['sign']]} {bound['size']}"
    if (kind := _TYPE.fullmatch(what)) is not None:
        return f"holds {_takes(kind['found'])} where {_takes(kind['kind'].split(' | ')[0])} is expected"
    if (value := _VALUE.fullmatch(what)) is not None:
        return f"holds {value['value']}, which is none of the values that are known"
    if (odd := _NO_SUCH.fullmatch(what)) is not None:
        return f"holds a string that is not a {'number' if odd['kind'] in {'decimal', 'integer'} else odd['kind']}"
    return None


def _takes(kind: str) -> str:
    return _TAKES.get(kind, f"a {kind}")

"""Says in a sentence what is wrong with a field of a secret: its name, what was found there, and what it takes.

pydantic's own words never reach a person. Text that was found is described and not shown: somebody may have put a
password into the wrong field.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import BaseModel

LONGEST = 100
"""Characters of a name that a message shows."""
LARGEST = 1e12
"""Numbers beyond this are not shown."""
_BOUNDS = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
_TAKES: tuple[tuple[str, str], ...] = (
    ("bool", "true or false"),
    ("int", "an integer"),
    ("float", "a number"),
    ("decimal", "a number"),
    ("finite", "a number"),
    ("string", "a string in quotes"),
    ("date", 'a date such as "2026-01-31"'),
    ("list", "a list in square brackets"),
    ("tuple", "a list in square brackets"),
    ("dict", "an object in braces"),
    ("model", "an object in braces"),
    ("url", "a web address"),
)
"""By the beginning of pydantic's name of an error."""


def explain(model: type[BaseModel], where: str, error: Mapping[str, Any]) -> str:
    """Explain one of pydantic's errors; `where` names the secret."""
    path = _path(error["loc"])
    match error["type"]:
        case "missing":
            return f"{where}: the field '{path}' is missing; add it"
        case "extra_forbidden":
            return f"{where}: the field '{path}' is unknown; {_nearest(model, error['loc'])}"
        case "json_invalid":
            said = error.get("ctx", {}).get("error", "it ends too early")
            return f"{where}: invalid JSON ({said}); correct the file"
        case "value_error" | "assertion_error":
            return f"{where}: {_field(path)} cannot be used: {error.get('ctx', {}).get('error', 'see its description')}"
        case _:
            return f"{where}: {_field(path)} cannot be used: {_found(error)}; it takes {_takes(model, error)}"


def _path(loc: tuple[Any, ...]) -> str:
    """Name a field, entries of lists counted from 1."""
    path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")
    return path if len(path) <= LONGEST else f"{path[:LONGEST]}…"


def _field(path: str) -> str:
    return f"the field '{path}'" if path else "the secret"


def _nearest(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    names = [field.alias or name for name, field in _inside(model, loc).model_fields.items()]
    near = difflib.get_close_matches(str(loc[-1]), names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(names)}"


def _inside(model: type[BaseModel], loc: tuple[Any, ...]) -> type[BaseModel]:
    """Find the object that the last part of a path belongs to."""
    for part in loc[:-1]:
        named = (field for name, field in model.model_fields.items() if part in {name, field.alias})
        field = next(named, None)  # None: a key or a place in a list, of whose kind the model is already
        model = (_model_in(field.annotation) if field else None) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


# ── found ────────────────────────────────────────────────────────────────────────────────────────────────────


def _found(error: Mapping[str, Any]) -> str:
    """Describe the value; a number out of its bounds is shown, text never."""
    value = error.get("input")
    out_of_bounds = error["type"].startswith(("greater_than", "less_than"))
    if out_of_bounds and isinstance(value, (int, float)) and abs(value) < LARGEST:
        return f"found {value}"
    for kinds, words in _KINDS:
        if isinstance(value, kinds):
            return f"found {words(value)}"
    return "found something else"


def _text(value: str) -> str:
    if not value.strip():
        return "an empty string"
    return f"a string of {len(value)} character{'s' if len(value) > 1 else ''}"


_KINDS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (type(None), lambda _: "null"),
    (bool, lambda value: "true" if value else "false"),
    (str, _text),
    ((int, float), lambda _: "a number"),
    ((list, tuple), lambda value: "a list" if value else "an empty list"),
    (dict, lambda _: "an object"),
)


# ── allowed ──────────────────────────────────────────────────────────────────────────────────────────────────


def _takes(model: type[BaseModel], error: Mapping[str, Any]) -> str:
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind in {"literal_error", "enum"}:
        return _one_of(str(context.get("expected", "")), error.get("input"))
    if kind.startswith("string_too"):
        return _length(context, "character")
    if kind in {"too_short", "too_long"}:
        return _length(context, "entry", "entries")
    if kind.startswith(("greater_than", "less_than")):
        return f"a number{_bounds(model, error['loc']) or _bound(context)}"
    for beginning, words in _TAKES:
        if kind.startswith(beginning):
            return words + (_bounds(model, error["loc"]) if words in {"a number", "an integer"} else "")
    return "something else: docs/configuration.md describes each field"


def _one_of(expected: str, value: Any) -> str:
    names = re.findall(r"'([^']*)'", expected)
    near = difflib.get_close_matches(value.strip(), names, n=1, cutoff=0.5) if isinstance(value, str) else []
    return (f"one of {', '.join(names)}" if names else expected) + (f" (did you mean {near[0]}?)" if near else "")


def _length(context: Mapping[str, Any], one: str, many: str | None = None) -> str:
    name, words = ("min_length", "at least") if "min_length" in context else ("max_length", "at most")
    number = context.get(name, 1)
    return f"{words} {number} {one if number == 1 else many or f'{one}s'}"


def _bound(context: Mapping[str, Any]) -> str:
    return "".join(f" of {words} {context[name]}" for name, words in _BOUNDS if name in context)


def _bounds(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    """Give both bounds of a numeric field, which pydantic names one at a time."""
    field = model.model_fields.get(str(loc[0])) if loc else None
    if field is None:
        return ""
    inner = [m for part in get_args(field.annotation) for m in getattr(part, "__metadata__", ())]
    found = {name: getattr(m, name) for m in (*field.metadata, *inner) for name, _ in _BOUNDS if hasattr(m, name)}
    said = [f"{words} {found[name]}" for name, words in _BOUNDS if found.get(name) is not None]
    return f", {' and '.join(said)}" if said else ""

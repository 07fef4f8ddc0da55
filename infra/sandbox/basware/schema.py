"""The vendor's schemas, enforced: `problems` and `check` (`docs/vendors/basware.md` appendix A)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from .codec import parse_stamp

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_stamp(value: object) -> bool:
    """Accept a date, or a date-time with or without a zone: the vendor's examples show all three."""
    return not isinstance(value, str) or bool(parse_stamp(value))


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    """Accept http and https addresses only (inferred)."""
    return not isinstance(value, str) or value.startswith(("https://", "http://"))


@cache
def schemas() -> dict[str, Any]:
    """Return `{name: JSON schema}` as committed in `schemas.json`."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("schemas.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _validator(name: str, partial: bool) -> Draft202012Validator:
    body = dict(schemas()[name])
    if partial:
        body.pop("required", None)
    return Draft202012Validator({**body, "$defs": schemas()}, format_checker=_FORMATS)


def problems(name: str, record: object, *, partial: bool = False) -> list[str]:
    """Return what is wrong with `record` by schema `name`, one sentence each; `partial` drops top-level required."""
    errors = sorted(_validator(name, partial).iter_errors(record), key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]

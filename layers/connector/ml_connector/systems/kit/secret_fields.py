"""How values of a secret are taken as people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def words(value: Any) -> Any:
    """Take several values as a list, or as one text with spaces between them."""
    return tuple(value.split()) if isinstance(value, str) else value


def none_if_blank(value: Any) -> Any:
    """Take a blank secret for none: as a key it could be guessed."""
    return None if isinstance(value, str) and not value.strip() else value


def upper(value: Any) -> Any:
    """Take a code in any case."""
    return value.upper() if isinstance(value, str) else value


def only_fields_of(found: M, switch: str, fields: Mapping[str, Sequence[str]]) -> M:
    """Check an object of a secret whose field `switch` says which of the others it has; those in brackets are optional.

    Raises `ValueError` that names a field which is missing, or which belongs to another choice.
    """
    chosen = getattr(found, switch)
    mine = fields[chosen]
    for name in mine:
        if name[0] != "[" and getattr(found, name) is None:
            raise ValueError(f"the field '{name}' is missing: '{switch}' is {chosen}; add it")
    allowed = {switch, *(name.strip("[]") for name in mine)}
    named = {name.strip("[]") for names in fields.values() for name in names}
    for name in type(found).model_fields:
        if name in found.model_fields_set and name in named and name not in allowed:
            raise ValueError(f"the field '{name}' is none of those that go with '{switch}' {chosen}; remove it")
    return found

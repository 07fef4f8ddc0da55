"""The options of a read and the page that they give (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kit.filters import Predicate
from .errors import invalid_parameters
from .fields import TYPES, Record
from .filters import Grammar, compile_filter

_LIST = ("$filter", "$select", "$skip", "$top", "$count")
_ENTRY = ("$select",)


@dataclass(frozen=True)
class Query:
    """A parsed query; `top` None means as many as there are."""

    matches: Predicate = lambda _row: True
    select: Sequence[str] | None = None
    skip: int = 0
    top: int | None = None
    counted: bool = False


def parse_query(options: list[tuple[str, str]], type_name: str, grammar: Grammar, *, entry: bool = False) -> Query:
    """Read the options of one request; raises `Refusal` (InvalidParameters) for what is not documented.

    $orderby and $expand are not documented, so they are refused (inferred). An entry takes $select only (inferred).
    """
    found: dict[str, str] = {}
    for name, value in options:
        if name in found:
            raise invalid_parameters(f"The query option '{name}' can be specified at most once")
        if name not in (_ENTRY if entry else _LIST):
            raise invalid_parameters(f"The query option '{name}' is not supported")
        found[name] = value
    return Query(
        matches=compile_filter(found["$filter"], type_name, grammar) if "$filter" in found else Query.matches,
        select=_selected(found["$select"], type_name) if "$select" in found else None,
        skip=_whole(found, "$skip") or 0,
        top=_whole(found, "$top"),
        counted=_flag(found),
    )


def _selected(text: str, type_name: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in TYPES[type_name]:
            raise invalid_parameters(f"'{name}' in $select is no property of '{type_name}'")
    return names


def _whole(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise invalid_parameters(f"{name} takes a whole number, not '{text}'")
    return int(text)


def _flag(options: dict[str, str]) -> bool:
    value = options.get("$count", "false")
    if value not in ("true", "false"):
        raise invalid_parameters(f"$count takes true or false, not '{value}'")
    return value == "true"


def paged(rows: Sequence[Record], query: Query, size: int) -> tuple[Sequence[Record], int | None]:
    """One page of at most `size` rows, whatever $top says, and the $skip of the next, None at the end."""
    end = len(rows) if query.top is None else min(len(rows), query.skip + query.top)
    stop = min(end, query.skip + size)
    return rows[query.skip : stop], (stop if stop < end else None)

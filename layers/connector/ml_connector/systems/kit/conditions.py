"""Conditions on records: asked of a server that answers with JSON objects, and checked on what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from ml_connector.errors import Transient
from ml_connector.systems.kit.changes import ChangeField
from ml_connector.systems.kit.values import text

Value = str | int | Decimal | date | datetime | Sequence[str]
Condition = tuple[str, Literal["eq", "ne", "gt", "ge", "lt", "le", "in"], Value]
"""A field, the comparison, and what it is compared with."""


def changed_since(field: ChangeField | None, stamp: str | None) -> list[Condition]:
    """Ask for what changed since a stamp, with an overlap; for everything where nothing shows a change."""
    return [(field.name, "ge", field.begin(stamp))] if field and stamp else []


def among(
    key: Sequence[str], wanted: Iterable[str], size: Callable[[str], int] = len, most: int = 1_000
) -> Iterator[list[Condition]]:
    """Ask for records by their keys (parts joined by `~`), as many to a question as it holds.

    Those with the same first parts stand together; what is no key of theirs is left out.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in dict.fromkeys(wanted):
        *first, last = one.split("~", len(key) - 1)
        if len(first) == len(key) - 1:
            groups.setdefault(tuple(first), []).append(last)
    for parts, lasts in groups.items():
        fixed: list[Condition] = [(name, "eq", part) for name, part in zip(key, parts, strict=False)]
        for some in in_lists(lasts, size, most):
            yield [*fixed, (key[-1], "in", some)]


def in_lists(values: Iterable[str], size: Callable[[str], int] = len, most: int = 1_000) -> Iterator[list[str]]:
    """Cut values into lists that a question holds."""
    some, taken = list[str](), 0
    for value in values:
        if some and taken + size(value) > most:
            yield some
            some, taken = [], 0
        some, taken = [*some, value], taken + size(value)
    if some:
        yield some


def is_met_by(record: Mapping[str, Any], where: Iterable[Condition]) -> bool:
    """Tell whether a record has the values that are asked for; only equality is judged, of fields that it has."""
    for name, operator, value in where:
        told = text(record, name)
        if told is None or operator not in {"eq", "in"} or not isinstance(value, (str, list, tuple)):
            continue
        if told not in {one.strip() for one in ([value] if isinstance(value, str) else value)}:
            return False
    return True


def only_met(
    records: Iterable[Mapping[str, Any]], where: Sequence[Condition], vendor: str, what: str, key: Sequence[str]
) -> None:
    """Raise `Transient` for a record that was not asked for: it is the answer to another question, or to none."""
    for record in records:
        if not is_met_by(record, where):
            name = "~".join(text(record, part) or "?" for part in key)
            raise Transient(
                f"{vendor} gave the {what} {name}, which was not asked for. It is asked again; if this stays, see what "
                "stands in between, and whether it passes conditions on."
            )

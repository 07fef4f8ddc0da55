"""The $filter grammar of OData 4.0: comparisons, and, or, not, parentheses. No function is simulated."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .errors import ODataRefusal
from .tables import Column, Record, Table

Predicate = Callable[[Record], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))(?![\w-])"
    r"|(?P<day>\d{4}-\d\d-\d\d)(?![\w:-])|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<mark>[()]))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


def bad(text: str) -> ODataRefusal:
    """400: the query is not right."""
    return ODataRefusal(400, f"The query specified in the URI is not valid. {text}")


@dataclass(frozen=True)
class Dialect:
    """How this installation compares: `fold` prepares texts, `dates` is "both", "datetime" or "date"."""

    fold: Callable[[str], str]
    dates: str = "both"


def column_of(table: Table, name: str) -> Column:
    """The column of this name; raises `ODataRefusal` (400)."""
    if name not in table.columns:
        raise bad(f"Could not find a property named '{name}' on type 'SYSPROOData.{table.name}'.")
    return table.columns[name]


def compile_filter(text: str, table: Table, dialect: Dialect) -> Predicate:
    """Turn a $filter into a predicate over rows; raises `ODataRefusal` (400)."""
    try:
        return _Parser(text, table, dialect).parse()
    except RecursionError:
        raise bad("The $filter is nested too deeply.") from None


class _Parser:
    """One pass over the tokens; `or` binds loosest, then `and`, then `not`."""

    def __init__(self, text: str, table: Table, dialect: Dialect) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.table, self.dialect, self.at = table, dialect, 0
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise bad(f"Syntax error at position {position} in '{text}'.")
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()

    def parse(self) -> Predicate:
        found = self._either()
        if self.at < len(self.tokens):
            raise bad(f"'{self._peek()}' is not expected in $filter.")
        return found

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _take(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise bad("The $filter ends too early.")
        self.at += 1
        return self.tokens[self.at - 1]

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._peek() == "or":
            self._take()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._single()]
        while self._peek() == "and":
            self._take()
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _single(self) -> Predicate:
        if self._peek() == "not":
            self._take()
            denied = self._single()
            return lambda row: not denied(row)
        if self._peek() == "(":
            self._take()
            inner = self._either()
            if self._take()[1] != ")":
                raise bad("')' is expected in $filter.")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        kind, name = self._take()
        if kind != "name":
            raise bad(f"'{name}' is no property of '{self.table.name}'.")
        column = column_of(self.table, name)
        word = self._take()[1]
        if word not in _COMPARE:
            raise bad(f"'{word}' is not an operator that this service knows.")
        if column.kind == "b":
            raise bad(f"A binary operator with incompatible types was detected: '{name}' is Edm.Binary.")
        compare, literal = _COMPARE[word], self._literal(column, *self._take())
        if literal is None:
            if word not in ("eq", "ne"):
                raise bad(f"null cannot be compared with '{word}'.")
            return lambda row: compare(row[name], None)
        if column.kind == "c":
            fold = self.dialect.fold
            text = fold(literal)
            return lambda row: compare(fold(row[name]), text)
        return lambda row: (word == "ne") if row[name] is None else compare(row[name], literal)

    def _literal(self, column: Column, kind: str, text: str) -> Any:
        if text == "null" and kind == "name":
            return None
        if column.kind == "n" and kind == "number":
            return Decimal(text)
        if column.kind == "c" and kind == "string":
            return text[1:-1].replace("''", "'")
        if column.kind == "d" and kind in ("moment", "day") and self.dialect.dates in ("both", _SPELT[kind]):
            return text if kind == "day" else _day(text)
        raise bad(f"A binary operator with incompatible types was detected: '{column.name}' and {text}.")


_SPELT = {"moment": "datetime", "day": "date"}


def _day(text: str) -> str:
    """A day as rows hold it; a later moment of that day sorts after it."""
    return text[:10] if re.match(r"T00:00(:00(\.0+)?)?(Z|[+-])", text[10:]) else f"{text[:10]}T"

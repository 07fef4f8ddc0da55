"""The $filter grammar of OData 4.0: comparisons, and, or, not, parentheses. No function is simulated."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..kit.filters import COMPARE, Equals, FilterParser, Predicate, unquote
from .errors import ODataRefusal
from .tables import Column, Table

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))(?![\w-])"
    r"|(?P<day>\d{4}-\d\d-\d\d)(?![\w:-])|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<mark>[()]))"
)


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
    return _Parser(text, table, dialect).parse()


class _Parser(FilterParser):
    """The dialect of SYSPRO's OData service."""

    pattern = _TOKEN

    def __init__(self, text: str, table: Table, dialect: Dialect) -> None:
        super().__init__(text)
        self.table, self.dialect = table, dialect

    def wrong(self, what: str) -> ODataRefusal:
        """Refuse the filter with status 400."""
        return bad(f"{what}.")

    def term(self) -> Predicate:
        """Read a comparison."""
        kind, name = self._next()
        if kind != "name":
            raise bad(f"'{name}' is no property of '{self.table.name}'.")
        column = column_of(self.table, name)
        word = self.take().text
        if word not in COMPARE:
            raise bad(f"'{word}' is not an operator that this service knows.")
        if column.kind == "b":
            raise bad(f"A binary operator with incompatible types was detected: '{name}' is Edm.Binary.")
        compare, literal = COMPARE[word], self._literal(column, *self._next())
        if literal is None:
            if word not in ("eq", "ne"):
                raise bad(f"null cannot be compared with '{word}'.")
            return lambda row: compare(row[name], None)
        if column.kind == "c":
            fold = self.dialect.fold
            text = fold(literal)
            if word == "eq":
                return Equals(name, lambda row: fold(row[name]), text)
            return lambda row: compare(fold(row[name]), text)
        return lambda row: (word == "ne") if row[name] is None else compare(row[name], literal)

    def _next(self) -> tuple[str, str]:
        token = self.take()
        return token.kind, token.text

    def _literal(self, column: Column, kind: str, text: str) -> Any:
        if text == "null" and kind == "name":
            return None
        if column.kind == "n" and kind == "number":
            return Decimal(text)
        if column.kind == "c" and kind == "string":
            return unquote(text)
        if column.kind == "d" and kind in ("moment", "day") and self.dialect.dates in ("both", _SPELT[kind]):
            return text if kind == "day" else _day(text)
        raise bad(f"A binary operator with incompatible types was detected: '{column.name}' and {text}.")


_SPELT = {"moment": "datetime", "day": "date"}


def _day(text: str) -> str:
    """A day as rows hold it; a later moment of that day sorts after it."""
    return text[:10] if re.match(r"T00:00(:00(\.0+)?)?(Z|[+-])", text[10:]) else f"{text[:10]}T"

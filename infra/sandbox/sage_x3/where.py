"""The `where` of api1: SData predicates over the properties of a representation (dossier 1.3)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ..kit.filters import COMPARE, Equals, FilterParser, Predicate
from .errors import Refusal
from .tables import Column, Record

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "mod": operator.mod,
}
_KINDS = {"a": "text", "l": "text", "m": "number", "i": "number", "n": "number", "d": "date", "t": "datetime"}
_WORDS = {"and", "or", "between", "in", "like", *COMPARE, "mul", "div", "mod"}


@dataclass(frozen=True)
class Term:
    """A value of a row, or a literal, with its kind: text, number, date or datetime; `name` of a bare property."""

    kind: str
    value: Callable[[Record], Any]
    name: str = ""


class Where(FilterParser):
    """Reads one predicate; a property that the representation lacks is refused, and so is a literal of another kind."""

    joins = frozenset({"and", "or"})
    pattern = re.compile(
        r"""\s*(?:(?P<moment>@\d{4}-\d\d-\d\dT[^@]*@)|(?P<day>@\d{4}-\d\d-\d\d@)|(?P<text>'[^']*'|"[^"]*")"""
        r"""|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]\w*)|(?P<sign>[()+,-]))"""
    )

    def __init__(self, text: str, columns: dict[str, Column]) -> None:
        self._columns = columns
        super().__init__(text)

    def wrong(self, what: str) -> Refusal:
        """Refuse: X3 answers 500 to what it cannot read in a `where`."""
        return Refusal(500, what.replace("$filter", "where"))

    def term(self) -> Predicate:
        """Read a comparison, `between`, `in` or `like`."""
        left = self._sum()
        word = self.take().text
        if word in COMPARE:
            return self._compared(left, word)
        if word == "between":
            low = self._alike(left, self._sum())
            self.take("and")
            high = self._alike(left, self._sum())
            return lambda row: (
                left.value(row) is not None and bool(low.value(row) <= left.value(row) <= high.value(row))
            )
        if word == "in":
            wanted = {term.value({}) for term in self._list(left)}
            return lambda row: left.value(row) in wanted
        if word == "like" and left.kind == "text":
            mask = self._alike(left, self._sum()).value({})
            shape = re.compile("".join(".*" if sign == "%" else re.escape(sign) for sign in mask), re.DOTALL)
            return lambda row: shape.fullmatch(left.value(row)) is not None
        raise self.wrong(f"'{word}' is no operator of a $filter")

    def _compared(self, left: Term, word: str) -> Predicate:
        right, test = self._alike(left, self._sum()), COMPARE[word]
        if word == "eq" and left.name and not right.name:
            return Equals(left.name, left.value, right.value({}))
        return lambda row: _both(test, left.value(row), right.value(row))

    def _list(self, left: Term) -> list[Term]:
        """The values of `in`, between parentheses or bare (the help shows both)."""
        inside = self.peek() == "("
        if inside:
            self.take()
        found = [self._alike(left, self._sum())]
        while self.peek() == ",":
            self.take()
            found.append(self._alike(left, self._sum()))
        if inside:
            self.take(")")
        return found

    def _alike(self, left: Term, right: Term) -> Term:
        if left.kind != right.kind:
            raise self.wrong(f"{left.name or 'A value'} is a {left.kind} and cannot be compared with a {right.kind}")
        return right

    def _sum(self) -> Term:
        found = self._single_term()
        while self.peek() in _ARITHMETIC:
            act = _ARITHMETIC[self.take().text]
            left, right = found, self._single_term()
            if {left.kind, right.kind} != {"number"}:
                raise self.wrong("Only numbers can be calculated with in the $filter")
            found = Term("number", lambda row, act=act, a=left, b=right: act(a.value(row), b.value(row)))  # type: ignore[misc]
        return found

    def _single_term(self) -> Term:
        token = self.take()
        if token.kind == "text":
            return _literal("text", token.text[1:-1].rstrip(" "))
        if token.kind == "number":
            return _literal("number", Decimal(token.text))
        if token.kind == "day":
            return _literal("date", self._moment(date.fromisoformat, token.text[1:-1]))
        if token.kind == "moment":
            if not token.text.endswith("Z@"):
                raise self.wrong(f"{token.text} is no datetime: it ends with Z")
            return _literal("datetime", self._moment(datetime.fromisoformat, token.text[1:-1]).astimezone(UTC))
        if token.text == "-":
            return _literal("number", -Decimal(self.take().text))
        if token.kind == "word" and token.text not in _WORDS:
            return self._call(token.text) if self.peek() == "(" else self._property(token.text)
        raise self.wrong(f"'{token.text}' is not expected in the $filter")

    def _moment(self, read: Callable[[str], Any], text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            raise self.wrong(f"@{text}@ is no date") from None

    def _property(self, name: str) -> Term:
        column = self._columns.get(name)
        if column is None:
            raise self.wrong(f"Unknown property {name} in the $filter")
        kind = _KINDS[column.kind]
        if kind == "text":
            return Term(kind, lambda row: _text(row[column.name]), name)
        return Term(kind, lambda row: row[column.name], name)

    def _call(self, name: str) -> Term:
        self.take("(")
        first = self._sum()
        if name in ("left", "right") and first.kind == "text":
            self.take(",")
            size = int(self._sum().value({}))
            self.take(")")
            return Term("text", lambda row: first.value(row)[:size] if name == "left" else first.value(row)[-size:])
        self.take(")")
        if name == "abs" and first.kind == "number":
            return Term("number", lambda row: abs(first.value(row)))
        raise self.wrong(f"Unknown function {name} in the $filter")


def _text(value: Any) -> str:
    return str(value[0] if isinstance(value, list) and value else value or "").rstrip(" ")


def _literal(kind: str, value: Any) -> Term:
    return Term(kind, lambda _row: value)


def _both(test: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Compare; a date that is none lies before every other, as in the database."""
    if left is None or right is None:
        return test(left is not None, right is not None)
    return test(left, right)

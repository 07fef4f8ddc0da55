"""The $filter grammar of the Service Layer: a tokenizer, a recursive descent parser, predicates.

Supported (`docs/vendors/sap_b1.md`): eq ne gt ge lt le, and or not, parentheses, and the functions startswith,
endswith, contains, substringof. Everything else is refused with 400. A property compares with a literal of its
own kind only (inferred), UpdateTime and other times cannot be compared at all (inferred: only dates are dependable).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .errors import Refusal, bad_request, invalid_property
from .fields import ENUMS, Field, Record

Predicate = Callable[[Record], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<datetime>datetime'[^']*')|(?P<string>'(?:[^']|'')*')|(?P<date>\d{4}-\d\d-\d\d)(?![\w-])"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d:\d\d)?Z?")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TEXT_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda value, part: part in value,
    "substringof": lambda value, part: part in value,
}
_LITERALS = frozenset({"string", "date", "datetime", "number"})


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise bad_request(f"Invalid filter expression at position {position}")
        found.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


def _unquote(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _date(text: str) -> str:
    match = _DATE.fullmatch(text)
    if match is None:
        raise bad_request(f"Invalid date value '{text}'")
    return match.group(1)


def _literal(field: Field, token: _Token) -> Any:
    if token.kind == "name" and token.text == "null":
        return None
    if token.kind not in _LITERALS:
        raise bad_request(f"Literal expected, found '{token.text}'")
    if field.kind in "in" and token.kind == "number":
        return Decimal(token.text)
    if field.kind == "d" and token.kind != "number":
        bare = token.text.removeprefix("datetime")
        return _date(_unquote(bare) if bare.startswith("'") else bare)
    if token.kind == "string" and field.kind in "ye":
        name = _unquote(token.text)
        if name not in ENUMS[field.of or "BoYesNoEnum"]:
            raise bad_request(f"Invalid enumeration value '{name}' of property '{field.name}'")
        return name
    if token.kind == "string" and field.kind == "s":
        return _unquote(token.text)
    raise bad_request(f"Value {token.text} does not fit property '{field.name}'")


class _Parser:
    """One pass over the tokens; `or` binds loosest, then `and`, then `not`."""

    def __init__(self, text: str, type_name: str, fields: dict[str, Field], fold: bool) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.type_name = type_name
        self.fields = fields
        self.fold = fold

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> _Token:
        if self.at >= len(self.tokens):
            raise bad_request("Unexpected end of filter expression")
        token = self.tokens[self.at]
        if expected and token.text != expected:
            raise bad_request(f"'{expected}' expected, found '{token.text}'")
        self.at += 1
        return token

    def parse(self) -> Predicate:
        predicate = self.either()
        if self.at < len(self.tokens):
            raise bad_request(f"Unexpected '{self.peek()}' in filter expression")
        return predicate

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.peek() == "or":
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def both(self) -> Predicate:
        parts = [self.single()]
        while self.peek() == "and":
            self.take()
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def single(self) -> Predicate:
        if self.peek() == "not":
            self.take()
            inner = self.single()
            return lambda row: not inner(row)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        return self.function() if self.peek() in _TEXT_FUNCTIONS else self.comparison()

    def field(self) -> Field:
        token = self.take()
        if token.kind != "name":
            raise bad_request(f"Property name expected, found '{token.text}'")
        field = self.fields.get(token.text)
        if field is None or field.kind in "lt":
            raise invalid_property(token.text, self.type_name)
        return field

    def comparison(self) -> Predicate:
        field = self.field()
        word = self.take().text
        if word not in _COMPARE:
            raise bad_request(f"Operator expected after '{field.name}', found '{word}'")
        literal = self.folded(_literal(field, self.take()))
        compare, name = _COMPARE[word], field.name
        if literal is None or word in ("eq", "ne"):
            return lambda row: compare(self.folded(row.get(name)), literal)
        return lambda row: row.get(name) is not None and compare(self.folded(row[name]), literal)

    def function(self) -> Predicate:
        name = self.take().text
        self.take("(")
        if name == "substringof":
            part = self.take()
            self.take(",")
            field = self.field()
        else:
            field = self.field()
            self.take(",")
            part = self.take()
        self.take(")")
        if field.kind != "s" or part.kind != "string":
            raise bad_request(f"Function '{name}' takes a text property and a text")
        test, text, key = _TEXT_FUNCTIONS[name], self.folded(_unquote(part.text)), field.name
        return lambda row: test(self.folded(row.get(key) or ""), text)

    def folded(self, value: Any) -> Any:
        return value.casefold() if self.fold and isinstance(value, str) else value


def compile_filter(text: str, type_name: str, fields: dict[str, Field], fold: bool = False) -> Predicate:
    """Turn a $filter text into a predicate over records; `fold` ignores case (`B1S-CaseInsensitive`).

    Raises `Refusal` (400) for anything outside the grammar.
    """
    try:
        return _Parser(text, type_name, fields, fold).parse()
    except RecursionError:
        raise Refusal(400, -1000, "Filter expression is nested too deeply") from None

"""The $filter grammar: a tokenizer, a recursive descent parser, predicates (`docs/vendors/sage_300.md`).

Documented: eq ne gt lt le, and or, substringof startswith endswith length. `ge` is taken too unless the switch says
otherwise (inferred), parentheses as everywhere in OData (inferred). contains, not, any and everything else is refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .errors import invalid_parameters
from .fields import ENUMS, TYPES, Field, Record

Predicate = Callable[[Record], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<datetime>datetime'[^']*')|(?P<string>'(?:[^']|'')*')"
    r"|(?P<date>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))(?![\w-])"
    r"|(?P<number>-?\d+(?:\.\d+)?m?)(?![\w-])|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "substringof": lambda value, part: part in value,
}


@dataclass(frozen=True)
class Grammar:
    """Which spelling of a date the installation takes ("iso" or "datetime"), whether it knows `ge` and `or`.

    `unknown` are fields that it takes in no filter.
    """

    dates: str = "iso"
    ge: bool = True
    either: bool = True
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise invalid_parameters(f"The $filter cannot be read at position {position}: {text[position:]}")
        found.append(_Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


def _unquote(text: str) -> str:
    return text[1:-1].replace("''", "'")


class _Parser:
    """One pass over the tokens; `or` binds loosest, then `and`."""

    def __init__(self, text: str, type_name: str, grammar: Grammar) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.type_name = type_name
        self.grammar = grammar

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> _Token:
        if self.at >= len(self.tokens):
            raise invalid_parameters("The $filter ends too early")
        token = self.tokens[self.at]
        if expected and token.text != expected:
            raise invalid_parameters(f"'{expected}' is expected in the $filter, not '{token.text}'")
        self.at += 1
        return token

    def parse(self) -> Predicate:
        predicate = self.either()
        if self.at < len(self.tokens):
            raise invalid_parameters(f"'{self.peek()}' is not expected in the $filter")
        return predicate

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.peek() == "or":
            if not self.grammar.either:
                raise invalid_parameters("'or' is not expected in the $filter")
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
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        if self.peek() in _TESTS:
            return self.test()
        return self.length() if self.peek() == "length" else self.comparison()

    def field(self) -> Field:
        token = self.take()
        field = TYPES[self.type_name].get(token.text) if token.kind == "name" else None
        if field is None or field.kind == "l" or field.name in self.grammar.unknown:
            raise invalid_parameters(f"'{token.text}' is no property of '{self.type_name}' that can be filtered")
        return field

    def operator(self) -> str:
        word = self.take().text
        if word not in _COMPARE or (word == "ge" and not self.grammar.ge):
            raise invalid_parameters(f"'{word}' is not an operator of $filter")
        return word

    def comparison(self) -> Predicate:
        field = self.field()
        word = self.operator()
        literal = self.literal(field, self.take())
        compare, name = _COMPARE[word], field.name
        if field.kind == "e" and word not in ("eq", "ne"):
            raise invalid_parameters(f"The enumeration '{name}' cannot be compared with {word}")
        default = {"s": "", "n": 0, "d": None}[field.kind] if field.kind != "e" else ENUMS[field.of][0]
        if word in ("eq", "ne"):
            return lambda row: compare(_of(row, name, default), literal)
        if literal is None:
            raise invalid_parameters(f"null cannot be compared with {word}")
        return lambda row: _of(row, name, default) is not None and compare(_of(row, name, default), literal)

    def literal(self, field: Field, token: _Token) -> Any:
        if token.text == "null":
            return None
        if field.kind == "n" and token.kind == "number":
            return Decimal(token.text.removesuffix("m"))
        if field.kind == "d" and token.kind == ("date" if self.grammar.dates == "iso" else "datetime"):
            return self.day(token)
        if field.kind == "s" and token.kind == "string":
            return _unquote(token.text)
        if field.kind == "e" and token.kind == "string" and _unquote(token.text) in ENUMS[field.of]:
            return _unquote(token.text)
        raise invalid_parameters(f"The value {token.text} does not fit the property '{field.name}'")

    def day(self, token: _Token) -> str:
        match = _MOMENT.fullmatch(token.text.removeprefix("datetime").strip("'"))
        if match is None:
            raise invalid_parameters(f"{token.text} is not a date")
        return match[1]

    def test(self) -> Predicate:
        name = self.take().text
        self.take("(")
        first = self.take() if name == "substringof" else None
        if first is not None:
            self.take(",")
        field = self.field()
        if first is None:
            self.take(",")
            first = self.take()
        self.take(")")
        if field.kind != "s" or first.kind != "string":
            raise invalid_parameters(f"The function '{name}' takes a text property and a text")
        test, text, key = _TESTS[name], _unquote(first.text), field.name
        return lambda row: test(row.get(key) or "", text)

    def length(self) -> Predicate:
        self.take("length")
        self.take("(")
        field = self.field()
        self.take(")")
        compare, number = _COMPARE[self.operator()], self.take()
        if field.kind != "s" or number.kind != "number":
            raise invalid_parameters("length takes a text property and compares with a number")
        return lambda row: compare(len(row.get(field.name) or ""), Decimal(number.text))


def _of(row: Record, name: str, default: Any) -> Any:
    value = row.get(name)
    return default if value is None else value


def compile_filter(text: str, type_name: str, grammar: Grammar) -> Predicate:
    """Turn a $filter text into a predicate over records; raises `Refusal` (InvalidParameters)."""
    try:
        return _Parser(text, type_name, grammar).parse()
    except RecursionError:
        raise invalid_parameters("The $filter is nested too deeply") from None

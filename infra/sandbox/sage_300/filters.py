"""The $filter grammar: a tokenizer, a recursive descent parser, predicates (`docs/vendors/sage_300.md`).

Documented: eq ne gt lt le, and or, substringof startswith endswith length. `ge` is taken too unless the switch says
otherwise (inferred), parentheses as everywhere in OData (inferred). contains, not, any and everything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..kit.filters import COMPARE, Equals, FilterParser, Predicate, Token, unquote
from .errors import Refusal, invalid_parameters
from .fields import ENUMS, TYPES, Field, Record

_TOKEN = re.compile(
    r"\s*(?:(?P<datetime>datetime'[^']*')|(?P<string>'(?:[^']|'')*')"
    r"|(?P<date>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))(?![\w-])"
    r"|(?P<number>-?\d+(?:\.\d+)?m?)(?![\w-])|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")
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


class _Parser(FilterParser):
    """The dialect of the Web API."""

    pattern = _TOKEN

    def __init__(self, text: str, type_name: str, grammar: Grammar) -> None:
        super().__init__(text)
        self.type_name = type_name
        self.grammar = grammar
        self.joins = frozenset({"or", "and"} if grammar.either else {"and"})

    def wrong(self, what: str) -> Refusal:
        """Refuse the filter as InvalidParameters."""
        return invalid_parameters(what)

    def term(self) -> Predicate:
        """Read a function over a text, the length of one, or a comparison."""
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
        if word not in COMPARE or (word == "ge" and not self.grammar.ge):
            raise invalid_parameters(f"'{word}' is not an operator of $filter")
        return word

    def comparison(self) -> Predicate:
        field = self.field()
        word = self.operator()
        literal = self.literal(field, self.take())
        compare, name = COMPARE[word], field.name
        if field.kind == "e" and word not in ("eq", "ne"):
            raise invalid_parameters(f"The enumeration '{name}' cannot be compared with {word}")
        default = {"s": "", "n": 0, "d": None}[field.kind] if field.kind != "e" else ENUMS[field.of][0]
        if word == "eq":
            return Equals(name, lambda row: _of(row, name, default), literal)
        if word == "ne":
            return lambda row: compare(_of(row, name, default), literal)
        if literal is None:
            raise invalid_parameters(f"null cannot be compared with {word}")
        return lambda row: _of(row, name, default) is not None and compare(_of(row, name, default), literal)

    def literal(self, field: Field, token: Token) -> Any:
        if token.text == "null":
            return None
        if field.kind == "n" and token.kind == "number":
            return Decimal(token.text.removesuffix("m"))
        if field.kind == "d" and token.kind == ("date" if self.grammar.dates == "iso" else "datetime"):
            return self.day(token)
        if field.kind == "s" and token.kind == "string":
            return unquote(token.text)
        if field.kind == "e" and token.kind == "string" and unquote(token.text) in ENUMS[field.of]:
            return unquote(token.text)
        raise invalid_parameters(f"The value {token.text} does not fit the property '{field.name}'")

    def day(self, token: Token) -> str:
        match = _MOMENT.fullmatch(token.text.removeprefix("datetime").strip("'"))
        if match is None:
            raise invalid_parameters(f"{token.text} is not a date")
        return match[1]

    def test(self) -> Predicate:
        name = self.take().text
        field, part = self.call_with_text(name, self.field)
        if field.kind != "s" or part.kind != "string":
            raise invalid_parameters(f"The function '{name}' takes a text property and a text")
        test, text, key = _TESTS[name], unquote(part.text), field.name
        return lambda row: test(row.get(key) or "", text)

    def length(self) -> Predicate:
        self.take("length")
        self.take("(")
        field = self.field()
        self.take(")")
        compare, number = COMPARE[self.operator()], self.take()
        if field.kind != "s" or number.kind != "number":
            raise invalid_parameters("length takes a text property and compares with a number")
        return lambda row: compare(len(row.get(field.name) or ""), Decimal(number.text))


def _of(row: Record, name: str, default: Any) -> Any:
    value = row.get(name)
    return default if value is None else value


def compile_filter(text: str, type_name: str, grammar: Grammar) -> Predicate:
    """Turn a $filter text into a predicate over records; raises `Refusal` (InvalidParameters)."""
    return _Parser(text, type_name, grammar).parse()

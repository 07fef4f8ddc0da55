"""The $filter grammar of the Service Layer: a tokenizer, a recursive descent parser, predicates.

Supported (`docs/vendors/sap_b1.md`): eq ne gt ge lt le, and or not, parentheses, and the functions startswith,
endswith, contains, substringof. Everything else is refused with 400. A property compares with a literal of its
own kind only (inferred), UpdateTime and other times cannot be compared at all (inferred: only dates are dependable).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..kit.filters import COMPARE, Equals, FilterParser, Predicate, Token, unquote
from .errors import Refusal, bad_request, invalid_property
from .fields import ENUMS, Field

_TOKEN = re.compile(
    r"\s*(?:(?P<datetime>datetime'[^']*')|(?P<string>'(?:[^']|'')*')|(?P<date>\d{4}-\d\d-\d\d)(?![\w-])"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d:\d\d)?Z?")
_TEXT_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda value, part: part in value,
    "substringof": lambda value, part: part in value,
}
_LITERALS = frozenset({"string", "date", "datetime", "number"})


def _date(text: str) -> str:
    match = _DATE.fullmatch(text)
    if match is None:
        raise bad_request(f"Invalid date value '{text}'")
    return match.group(1)


def _literal(field: Field, token: Token) -> Any:
    if token.kind == "name" and token.text == "null":
        return None
    if token.kind not in _LITERALS:
        raise bad_request(f"Literal expected, found '{token.text}'")
    if field.kind in "in" and token.kind == "number":
        return Decimal(token.text)
    if field.kind == "d" and token.kind != "number":
        bare = token.text.removeprefix("datetime")
        return _date(unquote(bare) if bare.startswith("'") else bare)
    if token.kind == "string" and field.kind in "ye":
        name = unquote(token.text)
        if name not in ENUMS[field.of or "BoYesNoEnum"]:
            raise bad_request(f"Invalid enumeration value '{name}' of property '{field.name}'")
        return name
    if token.kind == "string" and field.kind == "s":
        return unquote(token.text)
    raise bad_request(f"Value {token.text} does not fit property '{field.name}'")


class _Parser(FilterParser):
    """The dialect of the Service Layer."""

    pattern = _TOKEN

    def __init__(self, text: str, type_name: str, fields: dict[str, Field], fold: bool) -> None:
        super().__init__(text)
        self.type_name = type_name
        self.fields = fields
        self.fold = fold

    def wrong(self, what: str) -> Refusal:
        """Refuse the filter with status 400."""
        return bad_request(what)

    def term(self) -> Predicate:
        """Read a function over a text, or a comparison."""
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
        if word not in COMPARE:
            raise bad_request(f"Operator expected after '{field.name}', found '{word}'")
        literal = self.folded(_literal(field, self.take()))
        compare, name = COMPARE[word], field.name
        if word == "eq":
            return Equals(name, lambda row: self.folded(row.get(name)), literal)
        if literal is None or word == "ne":
            return lambda row: compare(self.folded(row.get(name)), literal)
        return lambda row: row.get(name) is not None and compare(self.folded(row[name]), literal)

    def function(self) -> Predicate:
        name = self.take().text
        field, part = self.call_with_text(name, self.field)
        if field.kind != "s" or part.kind != "string":
            raise bad_request(f"Function '{name}' takes a text property and a text")
        test, text, key = _TEXT_FUNCTIONS[name], self.folded(unquote(part.text)), field.name
        return lambda row: test(self.folded(row.get(key) or ""), text)

    def folded(self, value: Any) -> Any:
        return value.casefold() if self.fold and isinstance(value, str) else value


def compile_filter(text: str, type_name: str, fields: dict[str, Field], fold: bool = False) -> Predicate:
    """Turn a $filter text into a predicate over records; `fold` ignores case (`B1S-CaseInsensitive`).

    Raises `Refusal` (400) for anything outside the grammar.
    """
    return _Parser(text, type_name, fields, fold).parse()

"""Reads a GraphQL document: operations, variables, arguments, aliases and fragments; nothing of directives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

_TOKEN = re.compile(
    r"(?:[\s,\ufeff]|\#[^\n]*)*(?:(?P<block>\"\"\"[\s\S]*?\"\"\")|(?P<text>\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[_A-Za-z]\w*)|(?P<sign>\.\.\.|[{}()\[\]:!$=|@&]))"
)
_SPACE = re.compile(r"(?:[\s,\ufeff]|\#[^\n]*)*")
_WORDS = {"true": True, "false": False, "null": None}


class Unreadable(Exception):
    """A document cannot be read, or a variable that it needs was not given."""


@dataclass(frozen=True)
class Variable:
    """A variable where a value stands."""

    name: str


class Enum(str):
    """A bare word where a value stands."""


@dataclass
class Selected:
    """A field that is asked for; `args` are values, with variables put in when the operation is chosen."""

    name: str
    key: str
    args: dict[str, Any] = field(default_factory=dict)
    fields: list[Selected] = field(default_factory=list)
    spread: str = ""


@dataclass
class Operation:
    """One operation; `declared`: variable to its type, e.g. "JournalEntry_Input!"."""

    kind: str
    name: str
    declared: dict[str, str]
    defaults: dict[str, Any]
    fields: list[Selected]


def chosen(text: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
    """Read a document and give the operation to run, its fragments and variables put in; raises `Unreadable`."""
    reader = _Reader(text)
    operations, fragments = reader.document()
    found = [one for one in operations if name in (None, "", one.name)]
    if len(found) != 1:
        raise Unreadable(f'Unknown operation named "{name}".' if name else "Must provide operation name.")
    operation = found[0]
    given = operation.defaults | dict(variables)
    for variable, kind in operation.declared.items():
        if kind.endswith("!") and given.get(variable) is None:
            raise Unreadable(f'Variable "${variable}" of required type "{kind}" was not provided.')
    operation.fields = _whole(operation.fields, fragments, operation.declared, given)
    return operation


def _whole(
    fields: list[Selected],
    fragments: Mapping[str, list[Selected]],
    declared: Mapping[str, str],
    given: Mapping[str, Any],
) -> list[Selected]:
    found: list[Selected] = []
    for one in fields:
        if one.spread and one.spread not in fragments:
            raise Unreadable(f'Unknown fragment "{one.spread}".')
        if one.spread or not one.name:
            found += _whole(fragments[one.spread] if one.spread else one.fields, fragments, declared, given)
            continue
        args = {name: _put_in(value, declared, given) for name, value in one.args.items()}
        args = {name: value for name, value in args.items() if value is not _MISSING}
        found.append(Selected(one.name, one.key, args, _whole(one.fields, fragments, declared, given)))
    return found


_MISSING = object()


def _put_in(value: Any, declared: Mapping[str, str], given: Mapping[str, Any]) -> Any:
    if isinstance(value, Variable):
        if value.name not in declared:
            raise Unreadable(f'Variable "${value.name}" is not defined.')
        return given.get(value.name, _MISSING)
    if isinstance(value, list):
        return [_put_in(one, declared, given) for one in value]
    if isinstance(value, dict):
        return {name: _put_in(one, declared, given) for name, one in value.items()}
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at, position = 0, 0
        while (match := _TOKEN.match(text, position)) is not None and match.lastgroup:
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        rest = _SPACE.match(text, position)
        if rest is None or rest.end() < len(text):
            raise Unreadable(f"Syntax Error: Unexpected character: {text[position : position + 10]!r}.")

    def document(self) -> tuple[list[Operation], dict[str, list[Selected]]]:
        operations: list[Operation] = []
        fragments: dict[str, list[Selected]] = {}
        while self._at < len(self._tokens):
            if self._peek() == "fragment":
                self._take("fragment")
                name = self._name()
                self._take("on")
                self._name()
                fragments[name] = self._fields()
            else:
                operations.append(self._operation())
        return operations, fragments

    def _operation(self) -> Operation:
        if self._peek() == "{":
            return Operation("query", "", {}, {}, self._fields())
        kind = self._name()
        if kind not in ("query", "mutation"):
            raise Unreadable(f'Syntax Error: Unexpected Name "{kind}".')
        name = self._name() if self._peek() not in ("(", "{") else ""
        declared: dict[str, str] = {}
        defaults: dict[str, Any] = {}
        if self._peek() == "(":
            self._take("(")
            while self._peek() != ")":
                self._take("$")
                variable = self._name()
                self._take(":")
                declared[variable] = self._type()
                if self._peek() == "=":
                    self._take("=")
                    defaults[variable] = self._value()
            self._take(")")
        return Operation(kind, name, declared, defaults, self._fields())

    def _type(self) -> str:
        if self._peek() == "[":
            self._take("[")
            found = f"[{self._type()}]"
            self._take("]")
        else:
            found = self._name()
        if self._peek() == "!":
            found += self._take("!")
        return found

    def _fields(self) -> list[Selected]:
        self._take("{")
        found = [self._field()]
        while self._peek() != "}":
            found.append(self._field())
        self._take("}")
        return found

    def _field(self) -> Selected:
        if self._peek() == "...":
            self._take("...")
            if self._peek() == "on":
                self._take("on")
                self._name()
                return Selected("", "", fields=self._fields())
            name = self._name()
            return Selected("", "", spread=name)
        key = name = self._name()
        if self._peek() == ":":
            self._take(":")
            name = self._name()
        args: dict[str, Any] = {}
        if self._peek() == "(":
            self._take("(")
            while self._peek() != ")":
                arg = self._name()
                self._take(":")
                args[arg] = self._value()
            self._take(")")
        return Selected(name, key, args, self._fields() if self._peek() == "{" else [])

    def _value(self) -> Any:
        kind, text = self._next()
        if kind == "sign":
            return self._compound(text)
        if kind == "number":
            return int(text) if re.fullmatch(r"-?\d+", text) else Decimal(text)
        if kind == "name":
            return _WORDS[text] if text in _WORDS else Enum(text)
        return text[3:-3] if kind == "block" else json.loads(text)

    def _compound(self, sign: str) -> Any:
        if sign == "$":
            return Variable(self._name())
        if sign == "[":
            items = []
            while self._peek() != "]":
                items.append(self._value())
            self._take("]")
            return items
        if sign != "{":
            raise Unreadable(f'Syntax Error: Unexpected "{sign}".')
        found = {}
        while self._peek() != "}":
            name = self._name()
            self._take(":")
            found[name] = self._value()
        self._take("}")
        return found

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise Unreadable("Syntax Error: Unexpected <EOF>.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, expected: str) -> str:
        _, text = self._next()
        if text != expected:
            raise Unreadable(f'Syntax Error: Expected "{expected}", found "{text}".')
        return text

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise Unreadable(f'Syntax Error: Expected Name, found "{text}".')
        return text

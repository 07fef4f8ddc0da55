"""`filter` and `orderBy`: strings with relaxed JSON, read against the fields of a node (dossier 3.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .nodes import CODES, NODES, Node, Prop
from .tables import TABLES, Record

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>[+-]?\d+(?:\.\d+)?)|(?P<name>[_A-Za-z]\w*)"
    r"|(?P<sign>[{}\[\]:,]))"
)
_WORDS = {"true": True, "false": False, "null": None}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "_eq": lambda a, b: a == b,
    "_ne": lambda a, b: a != b,
    "_gt": lambda a, b: a is not None and b is not None and a > b,
    "_gte": lambda a, b: a is not None and b is not None and a >= b,
    "_lt": lambda a, b: a is not None and b is not None and a < b,
    "_lte": lambda a, b: a is not None and b is not None and a <= b,
}
Fits = Callable[[Record], bool]


class Unfit(Exception):
    """A filter, an order or a cursor cannot be used; an error beside data that is null."""


def relaxed(text: str) -> Any:
    """Read relaxed JSON: keys may stand without quotes, texts in single ones."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise Unfit(f"Invalid JSON at position {position}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    found, rest = _value(tokens, 0)
    if rest != len(tokens):
        raise Unfit("Invalid JSON: more than one value")
    return found


def _value(tokens: list[tuple[str, str]], at: int) -> tuple[Any, int]:
    kind, text = tokens[at] if at < len(tokens) else ("", "")
    if kind == "text":
        return _unquoted(text), at + 1
    if kind == "number":
        return (Decimal(text) if "." in text else int(text)), at + 1
    if kind == "name" and text in _WORDS:
        return _WORDS[text], at + 1
    if text not in ("{", "["):
        raise Unfit(f"Invalid JSON: unexpected {text or 'end'}")
    closing, items, named = "}" if text == "{" else "]", [], {}
    at += 1
    while at < len(tokens) and tokens[at][1] != closing:
        if text == "{":
            kind, name = tokens[at]
            if kind not in ("name", "text") or at + 1 >= len(tokens) or tokens[at + 1][1] != ":":
                raise Unfit(f"Invalid JSON: a key is expected, not {name}")
            named[name if kind == "name" else _unquoted(name)], at = _value(tokens, at + 2)
        else:
            item, at = _value(tokens, at)
            items.append(item)
        if at < len(tokens) and tokens[at][1] == ",":
            at += 1
        elif at >= len(tokens) or tokens[at][1] != closing:
            raise Unfit("Invalid JSON: , is expected")
    if at >= len(tokens):
        raise Unfit("Invalid JSON: it ends too early")
    return (named if text == "{" else items), at + 1


def _unquoted(text: str) -> str:
    if text[0] == "'":
        text = '"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    try:
        return str(json.loads(text))
    except ValueError:
        raise Unfit(f"Invalid JSON: {text}") from None


class Values:
    """Gives the values of a node's fields; `lines` and `referred` lead to other rows."""

    def __init__(
        self, lines: Callable[[Node, Prop, Record], list[Record]], referred: Callable[[str, Any], Record | None]
    ) -> None:
        self.lines, self.referred = lines, referred

    # ── filters ─────────────────────────────────────────────────────────────────────────────────────────────

    def filter(self, node: Node, given: Any) -> Fits:
        """Give what a row must fulfil; a list means all of its parts."""
        if isinstance(given, list):
            parts = [self.filter(node, one) for one in given]
            return lambda row: all(part(row) for part in parts)
        if not isinstance(given, dict):
            raise Unfit("A filter is an object")
        tests = [self._one(node, name, wanted) for name, wanted in given.items()]
        return lambda row: all(test(row) for test in tests)

    def _one(self, node: Node, name: str, wanted: Any) -> Fits:
        if name in ("_and", "_or"):
            parts = [self.filter(node, one) for one in wanted]
            join = all if name == "_and" else any
            return lambda row: join(part(row) for part in parts)
        if name == "_id":
            return self._compared(lambda row: id_of(node, row), Prop("text", ()), wanted)
        prop = node.props.get(name)
        if prop is None:
            raise Unfit(f"{node.type}: unknown property {name}")
        if prop.kind == "collection":
            return self._counted(node, prop, wanted)
        if prop.kind == "ref":
            return self._referring(prop, wanted)
        return self._compared(lambda row: plain(prop, row), prop, wanted)

    def _counted(self, node: Node, prop: Prop, wanted: Any) -> Fits:
        if not isinstance(wanted, dict):
            raise Unfit("A collection is filtered by _atLeast, _atMost, _every or _none")
        rest = {name: value for name, value in wanted.items() if name not in ("_atLeast", "_atMost", "_every", "_none")}
        fits = self.filter(NODES[prop.node], rest)
        least, most = wanted.get("_atLeast", 0), wanted.get("_atMost")

        def test(row: Record) -> bool:
            lines = self.lines(node, prop, row)
            count = sum(fits(line) for line in lines)
            fine = count >= least and (most is None or count <= most)
            return fine and (not wanted.get("_every") or count == len(lines)) and (not wanted.get("_none") or not count)

        return test

    def _referring(self, prop: Prop, wanted: Any) -> Fits:
        """A reference is compared by its `_id`, or by fields of what it leads to."""
        operators = isinstance(wanted, dict) and all(name.startswith("_") and name != "_id" for name in wanted)
        if not isinstance(wanted, dict) or operators:
            return self._compared(lambda row: reference(prop, row), Prop("text", ()), wanted)
        if prop.node in CODES:
            if wanted.keys() - {"_id", "code"}:
                raise Unfit(f"{prop.node}: unknown property {min(wanted.keys() - {'_id', 'code'})}")
            parts = [self._compared(lambda row: reference(prop, row), Prop("text", ()), one) for one in wanted.values()]
            return lambda row: all(part(row) for part in parts)
        fits = self.filter(NODES[prop.node], wanted)

        def test(row: Record) -> bool:
            target = self.referred(prop.node, reference(prop, row))
            return target is not None and fits(target)

        return test

    def _compared(self, value: Callable[[Record], Any], prop: Prop, wanted: Any) -> Fits:
        if not isinstance(wanted, dict):
            right = read(prop, wanted)
            return lambda row: value(row) == right
        tests: list[Fits] = []
        for operator, given in wanted.items():
            if operator in _COMPARE:
                tests.append(_test(_COMPARE[operator], value, read(prop, given)))
            elif operator in ("_in", "_nin") and isinstance(given, list):
                many = [read(prop, one) for one in given]
                tests.append(_test(lambda a, b, inside=operator == "_in": (a in b) == inside, value, many))  # type: ignore[misc]
            elif operator == "_regex" and prop.kind == "text":
                tests.append(_test(lambda a, b: re.search(b, str(a)) is not None, value, str(given)))
            else:
                raise Unfit(f"Unknown operator {operator}")
        return lambda row: all(test(row) for test in tests)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def order(self, node: Node, given: Any) -> list[tuple[Callable[[Record], Any], bool]]:
        """Give sort keys with whether each goes downwards; `_id` decides in the end."""
        found: list[tuple[Callable[[Record], Any], bool]] = []
        for part in given if isinstance(given, list) else [given]:
            for name, way in part.items():
                found += self._ordered(node, name, way)
        return [*found, (TABLES[node.table].key_of, False)]

    def _ordered(self, node: Node, name: str, way: Any) -> list[tuple[Callable[[Record], Any], bool]]:
        prop = node.props.get(name)
        if isinstance(way, dict) and prop is not None and prop.kind == "ref":
            inner: Any = way
            while isinstance(inner, dict):
                inner = next(iter(inner.values()), None)
            return [(lambda row: reference(prop, row) or "", inner == -1)]
        if way not in (1, -1):
            raise Unfit(f"{name}: 1 or -1 expected")
        if name == "_id":
            return [(TABLES[node.table].key_of, way == -1)]
        if prop is None or prop.kind in ("collection", "codes"):
            raise Unfit(f"{node.type}: cannot be ordered by {name}")
        if prop.kind == "ref":
            return [(lambda row: reference(prop, row) or "", way == -1)]
        return [(lambda row: plain(prop, row), way == -1)]


def _test(act: Callable[[Any, Any], bool], value: Callable[[Record], Any], right: Any) -> Fits:
    return lambda row: act(value(row), right)


def id_of(node: Node, row: Record) -> str:
    """The `_id` of a row."""
    return "|".join(str(part) for part in TABLES[node.table].key_of(row))


def reference(prop: Prop, row: Record) -> str | None:
    """The `_id` of what a reference leads to, None where it leads nowhere."""
    parts = [str(row[column]) for column in prop.columns]
    return "|".join(parts) if all(parts) else None


def plain(prop: Prop, row: Record) -> Any:
    """The value of a field that is no reference, as it is compared."""
    found = row[prop.columns[0]]
    if prop.kind in ("debit", "credit"):
        return found if (row["SNS"] > 0) == (prop.kind == "debit") else Decimal(0)
    if prop.kind == "enum":
        return prop.menu[found - 1] if 0 < found <= len(prop.menu) else None
    return found


def read(prop: Prop, given: Any) -> Any:
    """Read a value of a filter in the type of its field; raises `Unfit`."""
    if given is None:
        return None
    bad = Unfit(f"{given!r} is no value of a field of type {prop.kind}")
    if prop.kind == "enum":
        if given not in prop.menu:
            raise bad
        return given
    if prop.kind in ("date", "datetime"):
        if not isinstance(given, str):
            raise bad
        try:
            if prop.kind == "date":
                return date.fromisoformat(given)
            found = datetime.fromisoformat(given)
        except ValueError:
            raise bad from None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    if prop.kind in ("decimal", "debit", "credit", "int"):
        try:
            return Decimal(str(given)) if isinstance(given, (int, Decimal, str)) else None
        except InvalidOperation:
            raise bad from None
    if not isinstance(given, str):
        raise bad
    return given

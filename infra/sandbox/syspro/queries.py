"""COMFND and COMFCH: rows of any table, by conditions or by key."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from .errors import Refusal
from .markup import Node, document, element, parse
from .tables import TABLES, Column, Record, Table, shown
from .world import World

Predicate = Callable[[Record], bool]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}


def find(world: World, company: str, xml: str) -> str:
    """COMFND: the rows of a table that meet the conditions. ReturnRows 0, or none, gives all (none: inferred)."""
    query = parse(xml, "XmlIn")
    if query.name != "Query":
        raise Refusal(f"COMFND expects the root 'Query', not '{query.name}'")
    table = _table(query)
    columns = [_column(table, node.text.strip()) for node in _columns(query, "Columns")] or list(table.columns.values())
    order = [_column(table, node.text.strip()) for node in _columns(query, "OrderBy")]
    rows = [row for row in _rows(world, company, table) if _where(world, table, query.first("Where"))(row)]
    for column in reversed(order):
        rows.sort(key=_sorting(world, column))
    most = _count(query.get("ReturnRows", "0"))
    rows = rows[:most] if most else rows
    header = element(
        "HeaderDetails",
        element("TableName", text=table.name),
        element("Columns", [element("Column", text=one.name) for one in columns]),
        element("OrderBy", [element("Column", text=one.name) for one in order]),
    )
    body = [element("Row", [element(c.name, text=shown(c, row[c.name])) for c in columns]) for row in rows]
    return document(table.name, world.version, header, body, element("RowsReturned", text=f"{len(rows):>7}"))


def fetch(world: World, company: str, xml: str) -> str:
    """COMFCH: one row by its key; where the key is not full, the first whose key begins with it (inferred)."""
    query = parse(xml, "XmlIn")
    if query.name != "Fetch":
        raise Refusal(f"COMFCH expects the root 'Fetch', not '{query.name}'")
    table = _table(query)
    parts = [query.raw("Key"), *(query.raw(f"OptionalKey{n}") for n in range(1, len(table.key)))]
    key = [_value(table.columns[name], part) for name, part in zip(table.key, parts, strict=True)]
    wanted = [world.fold(part) if isinstance(part, str) else part for part in key]
    full = query.get("FullKeyProvided", "Y") == "Y"
    for row in sorted(_rows(world, company, table), key=lambda row: [world.fold(str(row[name])) for name in table.key]):
        found = [world.fold(row[name]) if isinstance(row[name], str) else row[name] for name in table.key]
        if found == wanted or (not full and str(found[0]).startswith(str(wanted[0]))):
            return document(
                table.name, world.version, [element(c.name, text=shown(c, row[c.name])) for c in table.columns.values()]
            )
    raise Refusal(f"Key '{parts[0]}' not found in {table.name}")


def _rows(world: World, company: str, table: Table) -> list[Record]:
    """The rows of the session's company, in no order that holds; none where the session is gone meanwhile."""
    return world.mixed(world.rows(table.name, company)) if company else []


def _table(query: Node) -> Table:
    name = query.get("TableName")
    if name not in TABLES:
        raise Refusal(f"Table '{name}' not found")
    return TABLES[name]


def _columns(query: Node, name: str) -> list[Node]:
    holder = query.first(name)
    return holder.all("Column") if holder is not None else []


def _column(table: Table, name: str) -> Column:
    if name not in table.columns:
        raise Refusal(f"Column '{name}' not found in table '{table.name}'")
    return table.columns[name]


def _count(text: str) -> int:
    if not re.fullmatch(r"\s*\d{1,9}\s*", text, re.ASCII):
        raise Refusal(f"ReturnRows '{text}' is not a number")
    return int(text)


def _sorting(world: World, column: Column) -> Callable[[Record], Any]:
    if column.kind == "c":
        return lambda row: world.fold(row[column.name])
    return lambda row: (row[column.name] is not None, row[column.name])


def _where(world: World, table: Table, where: Node | None) -> Predicate:
    """Conditions, each in an Expression of its own, joined by its AndOr; And binds closer than Or."""
    if where is None:
        return lambda _: True
    expressions = where.all("Expression")
    if where.text.strip() or not expressions:
        raise Refusal("The Where of COMFND holds Expression elements, not SQL")
    return _Conditions(world, table, expressions).parse()


class _Conditions:
    """One pass over the expressions; brackets stand inside of them."""

    def __init__(self, world: World, table: Table, expressions: list[Node]) -> None:
        self.tokens: list[str | Predicate] = []
        for number, node in enumerate(expressions):
            if node.text.strip() or any(len(node.all(n)) != 1 for n in ("AndOr", "Column", "Condition", "Value")):
                raise Refusal("Each Expression holds one AndOr, Column, Condition and Value")
            joint = node.get("AndOr").capitalize()
            if joint not in ("And", "Or"):
                raise Refusal(f"AndOr '{node.get('AndOr')}' is neither And nor Or")
            self.tokens += [joint] if number else []
            self.tokens += ["("] * len(node.get("OpenBracket"))
            self.tokens.append(_condition(world, table, node))
            self.tokens += [")"] * len(node.get("CloseBracket"))
        self.at = 0

    def parse(self) -> Predicate:
        """The whole; raises `Refusal` where brackets do not match."""
        found = self._either()
        if self.at < len(self.tokens):
            raise Refusal("The brackets of the Where do not match")
        return found

    def _next(self, token: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == token:
            self.at += 1
            return True
        return False

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._next("Or"):
            parts.append(self._both())
        return lambda row: any(part(row) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._single()]
        while self._next("And"):
            parts.append(self._single())
        return lambda row: all(part(row) for part in parts)

    def _single(self) -> Predicate:
        if self._next("("):
            inner = self._either()
            if not self._next(")"):
                raise Refusal("The brackets of the Where do not match")
            return inner
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if isinstance(token, str):
            raise Refusal("The brackets of the Where do not match")
        self.at += 1
        return token


def _condition(world: World, table: Table, node: Node) -> Predicate:
    column, word = _column(table, node.get("Column")), node.get("Condition")
    if word not in _COMPARE or (word == "NE" and not world.not_equal):
        raise Refusal(f"Condition '{word}' is not one of EQ, GT, GE, LT, LE")
    if column.kind == "b":
        raise Refusal(f"Column '{column.name}' cannot be compared")
    compare, name, wanted = _COMPARE[word], column.name, _value(column, node.raw("Value"))
    if column.kind == "c":
        text = world.fold(wanted)
        return lambda row: compare(world.fold(row[name]), text)
    return lambda row: row[name] is not None and compare(row[name], wanted)


def _value(column: Column, text: str) -> Any:
    if column.kind == "c":
        return text
    if column.kind == "n":
        try:
            return Decimal(text.strip())
        except InvalidOperation:
            raise Refusal(f"Value '{text}' of column '{column.name}' is not a number") from None
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()) or text.strip() == "0000-00-00":
        raise Refusal(f"Value '{text}' of column '{column.name}' is not a date CCYY-MM-DD")
    return text.strip()

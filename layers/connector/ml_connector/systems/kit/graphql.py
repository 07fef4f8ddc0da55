"""GraphQL with relay pages: queries built from declared fields, and answers taken apart, whose part may be missing.

A field is declared as our name and its path (`BPSNUM` is `code.code`). Releases name things differently, so that a path
may have alternatives (`isClosed|closed`). What a schema refuses is learnt once (`Learnt`): the next alternative is
asked for, and a field without one is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_connector.errors import Transient
from ml_connector.systems.http import listed

MOST_LINES = 500
"""Rows of a collection below a node that are asked for; the rest is read page by page."""
_CULPRIT = re.compile(r"Cannot query field \"(\w+)\"|Field \"(\w+)\" (?:of type|must)", re.IGNORECASE)
_TYPE = "type { name kind ofType { name } }"
Answer = Mapping[str, Any]
Ask = Callable[[str], Answer]
"""Sends a query, and gives the body of the answer: `data`, `errors` or both. Raises `NotInSchema`."""


@dataclass(frozen=True)
class Fields:
    """What is read of a node: our names with their paths, and the collections below it with theirs."""

    paths: Mapping[str, str]
    nested: Mapping[str, tuple[str, Fields]] = field(default_factory=dict)


def entered(fields: Fields, values: Mapping[str, Any]) -> dict[str, Any]:
    """Say a new record in a schema's own names: a reference is given by its `_id`; what is not declared is left out."""
    made: dict[str, Any] = {}
    for code, value in values.items():
        if code in fields.nested:
            name, inner = fields.nested[code]
            made[name] = [entered(inner, one) for one in value]
        elif code in fields.paths:
            made[re.split(r"[.|]", fields.paths[code])[0]] = value
    return made


class NotInSchema(Exception):
    """The schema does not have a field: nothing was read. `names` are those that it does not know."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = names


class Incomplete(ValueError):
    """A part of a record is missing in an answer, so that it cannot be taken for the whole record."""


@dataclass(frozen=True, slots=True)
class Node:
    """A row of a page: its values by our names, none where nothing of it came; `trouble` says what is lacking."""

    values: dict[str, Any]
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Nodes:
    """A page: its rows, and the cursor behind them, None after the last page."""

    rows: Sequence[Node]
    cursor: str | None


def literal(value: Any) -> str:
    """Write a value of a filter in relaxed JSON, between single quotes, else double ones.

    Raises `ValueError` for a text that has both.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(literal, value))}]"
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\")
    if "'" in text and '"' in text:
        raise ValueError(f"The value {value} has both kinds of quotes")
    return f'"{text}"' if "'" in text else f"'{text}'"


def filtered(path: str, operator: str, value: Any) -> str:
    """Write a condition on a path: `{orderDate:{_gte:'2026-01-31'}}`; equality without an operator."""
    said = f"{{{operator}:{literal(value)}}}" if operator else literal(value)
    for name in reversed(path.split(".")):
        said = f"{{{name}:{said}}}"
    return said


class Learnt:
    """Which alternatives a schema has; `kept` holds it for other connections too."""

    def __init__(self, kept: MutableMapping[str, int] | None = None) -> None:
        """Begin with what is known already."""
        self._at: MutableMapping[str, int] = {} if kept is None else kept

    def path(self, where: str, paths: str) -> str | None:
        """Give the path to ask for; None where the schema has none of them."""
        return dict(enumerate(paths.split("|"))).get(self._at.get(f"{where}:{paths}", 0))

    def refuse(self, where: str, paths: str) -> None:
        """Go on to the next alternative."""
        self._at[f"{where}:{paths}"] = self._at.get(f"{where}:{paths}", 0) + 1


class Relay:
    """Reads nodes of one server, page by page."""

    def __init__(self, ask: Ask, vendor: str, learnt: Learnt) -> None:
        """`vendor` is the server's name in messages."""
        self._ask, self._vendor, self._learnt = ask, vendor, learnt

    def page(self, node: str, fields: Fields, first: int, **options: str) -> Nodes:
        """Read a page of a node such as `x3Purchasing.purchaseOrder`; `options` are `after`, `filter`, `orderBy`.

        Raises `NotInSchema` where the node itself is not there, and `Transient`.
        """
        given = {name: value for name, value in options.items() if value}
        more = "".join(f", {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
        while True:
            lines = self._selection(node, fields)
            try:
                answer = self._ask(wrapped(node, f"query(first: {first}{more}) {_edges(lines)}"))
                break
            except NotInSchema as error:
                if lines == self._selection(node, fields) and not self._refuse(node, fields, set(error.names)):
                    raise  # and where they differ, another thread has learnt it meanwhile
        return self._read(node, fields, answer, options.get("after"))

    def _read(self, node: str, fields: Fields, answer: Answer, after: str | None) -> Nodes:
        found, troubles = _at(answer.get("data"), f"{node}.query"), _troubles(answer)
        if not isinstance(found, dict) or not isinstance(found.get("edges"), list) or None in troubles:
            said = "; ".join(messages(answer)) or "no list, and no reason"
            raise Transient(f"{self._vendor} gave no whole page of {node}: {said}. It is read again later.")
        rows = [self._node(edge, node, fields, troubles.get(at)) for at, edge in enumerate(found["edges"])]
        same = rows[0].trouble if len(rows) > 1 else None
        if same and all(row.trouble == same for row in rows):
            raise Transient(f"{self._vendor} gives no {node} whole: {same}. Check the rights of the user there.")
        return Nodes(rows, self._cursor(found.get("pageInfo"), node, after, rows))

    def _cursor(self, info: Any, node: str, after: str | None, rows: Sequence[Node]) -> str | None:
        if not isinstance(info, dict) or not isinstance(info.get("hasNextPage"), bool):
            raise Transient(
                f"{self._vendor} does not say whether a page of {node} is the last. It is read again later."
            )
        if not info["hasNextPage"]:
            return None
        cursor = info.get("endCursor")
        if not isinstance(cursor, str) or not cursor or cursor == after or not rows:
            raise Transient(
                f"{self._vendor} pages in a loop: a page of {node} leads nowhere ({cursor}). It is read again later."
            )
        return cursor

    # ── what the schema has ─────────────────────────────────────────────────────────────────────────────────

    def _refuse(self, node: str, fields: Fields, names: set[str]) -> bool:
        """Go on to the next alternative of what is not known; of several with such a name each is tried."""
        suspects = [
            one for one in _declared(node, fields) if names & set((self._learnt.path(*one[:2]) or "").split("."))
        ]
        bad = suspects if len(suspects) == 1 else [one for one in suspects if not self._knows(node, one)]
        for where, paths, _ in bad:
            self._learnt.refuse(where, paths)
        return bool(bad)

    def _knows(self, node: str, declared: Declared) -> bool:
        where, paths, alone = declared
        try:
            only = alone(self._learnt.path(where, paths) or "_id")
            self._ask(wrapped(node, f"query(first: 1) {_edges(self._selection(node, only))}"))
        except NotInSchema:
            return False
        return True

    def create_type(self, node: str, operation: str = "create") -> str | None:
        """Tell the type of what a mutation of a node takes, such as `PurchaseReceipt_Input!`; None: there is none."""
        known = self._ask(f"{{ __schema {{ mutationType {{ fields {{ name {_TYPE} }} }} }} }}")
        fields = _at(known.get("data"), "__schema.mutationType.fields")
        for name in node.split("."):
            found = _named(fields, name)
            if found is None:
                return None
            asked = f"fields {{ name {_TYPE} args {{ name {_TYPE} }} }}"
            below = self._ask(f"{{ __type(name: {json.dumps(_type_of(found))}) {{ {asked} }} }}")
            fields = _at(below.get("data"), "__type.fields")
        made = _named(fields, operation)
        data = _named(made.get("args"), "data") if made else None
        if data is None:
            return None
        return f"{_type_of(data)}{'!' if _at(data, 'type.kind') == 'NON_NULL' else ''}"

    # ── queries ─────────────────────────────────────────────────────────────────────────────────────────────

    def _selection(self, where: str, fields: Fields) -> str:
        tree: dict[str, Any] = {"_id": {}}
        for paths in fields.paths.values():
            _plant(tree, self._learnt.path(where, paths))
        for paths, inner in fields.nested.values():
            lines = _edges(self._selection(f"{where}.{paths}", inner))
            _plant(tree, self._learnt.path(where, paths), f"query(first: {MOST_LINES}) {lines}")
        return _written(tree)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def _node(self, edge: Any, node: str, fields: Fields, trouble: str | None) -> Node:
        found = edge.get("node") if isinstance(edge, dict) else None
        if not isinstance(found, dict):
            return Node({}, trouble or "nothing of it was given")
        try:
            return Node(self._values(found, node, fields, found.get("_id")), trouble)
        except Incomplete as error:
            return Node(self._flat(found, node, fields), trouble or str(error))

    def _flat(self, found: Answer, where: str, fields: Fields) -> dict[str, Any]:
        paths = ((name, self._learnt.path(where, some)) for name, some in fields.paths.items())
        return {name: _at(found, path) for name, path in paths if path is not None}

    def _values(self, found: Answer, where: str, fields: Fields, key: Any = None) -> dict[str, Any]:
        values = self._flat(found, where, fields)
        for name, (paths, inner) in fields.nested.items():
            if (path := self._learnt.path(where, paths)) is not None:
                listing = _at(found, f"{path}.query")
                values[name] = list(self._rows(listing, (where, paths, path), inner, key))
        return values

    def _rows(self, listing: Any, of: tuple[str, str, str], fields: Fields, key: Any) -> Iterator[dict[str, Any]]:
        """Give the rows of a collection below a node, the rest of a long one page by page."""
        node, paths, path = of
        where, seen = f"{node}.{paths}", set[Any]()
        while True:
            if not isinstance(listing, dict) or not isinstance(listing.get("edges"), list):
                raise Incomplete(f"its {path} were not given")
            for edge in listing["edges"]:
                row = edge.get("node") if isinstance(edge, dict) else None
                if not isinstance(row, dict):
                    raise Incomplete(f"one of its {path} was not given")
                yield self._values(row, where, fields)
            info = listing.get("pageInfo")
            if not isinstance(info, dict) or not isinstance(info.get("hasNextPage"), bool):
                raise Incomplete(f"nothing says whether all of its {path} were given")
            if not info["hasNextPage"]:
                return
            cursor = info.get("endCursor")
            if not isinstance(key, str) or not isinstance(cursor, str) or cursor in seen:
                raise Incomplete(f"it has more {path} than were given, and these cannot be read")
            seen.add(cursor)
            lines = f"query(first: {MOST_LINES}, after: {json.dumps(cursor)}) {_edges(self._selection(where, fields))}"
            answer = self._ask(wrapped(node, f"read(_id: {json.dumps(key)}) {{ {path} {{ {lines} }} }}"))
            if said := "; ".join(messages(answer)):
                raise Incomplete(f"more of its {path} cannot be read: {said}")
            listing = _at(answer.get("data"), f"{node}.read.{path}.query")


def messages(answer: Answer) -> list[str]:
    """Give the texts of an answer's errors, each once."""
    said = (one.get("message") if isinstance(one, dict) else one for one in listed(answer.get("errors")))
    return list(dict.fromkeys(str(one or "no text") for one in said))


def unknown_names(said: Sequence[str]) -> list[str]:
    """List the fields that a schema does not know, or knows in another shape, as its errors name them."""
    return [one or other for text in said for one, other in _CULPRIT.findall(text)]


def wrapped(node: str, said: str) -> str:
    """Write what is asked of a node within its package: `{ x3Purchasing { purchaseOrder { … } } }`."""
    for name in reversed(node.split(".")):
        said = f"{name} {{ {said} }}"
    return f"{{ {said} }}"


def _edges(selection: str) -> str:
    return f"{{ edges {{ node {{ {selection} }} }} pageInfo {{ endCursor hasNextPage }} }}"


def _plant(tree: dict[str, Any], path: str | None, below: str | None = None) -> None:
    for name in path.split(".") if path else ():
        tree = tree.setdefault(name, {})
    if path and below:
        tree[below] = {}


def _written(tree: Mapping[str, Any]) -> str:
    return " ".join(f"{name} {{ {_written(below)} }}" if below else name for name, below in tree.items())


def _at(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _named(fields: Any, name: str) -> dict[str, Any] | None:
    return next((one for one in listed(fields) if isinstance(one, dict) and one.get("name") == name), None)


def _type_of(one: Answer) -> str:
    return str(_at(one, "type.name") or _at(one, "type.ofType.name") or "")


def _troubles(answer: Answer) -> dict[int | None, str]:
    """Tell what an answer's errors are about: rows of the page by their number, None for the page itself."""
    found: dict[int | None, str] = {}
    for one in listed(answer.get("errors")):
        path = listed(one.get("path")) if isinstance(one, dict) else []
        at = next((path[place + 1] for place, name in enumerate(path[:-1]) if name == "edges"), None)
        row = at if isinstance(at, int) else None
        said = str(one.get("message") if isinstance(one, dict) else one)
        found[row] = f"{found[row]}; {said}" if row in found else said
    return found


Declared = tuple[str, str, Callable[[str], Fields]]
"""Where a path belongs, its alternatives, and how one of them is asked for alone."""


def _declared(where: str, fields: Fields) -> Iterator[Declared]:
    for paths in fields.paths.values():
        yield where, paths, lambda path: Fields({"it": path})
    for paths, inner in fields.nested.values():
        yield where, paths, lambda path: Fields({}, {"it": (path, Fields({}))})
        for below, some, alone in _declared(f"{where}.{paths}", inner):
            yield below, some, _within(paths, alone)


def _within(paths: str, alone: Callable[[str], Fields]) -> Callable[[str], Fields]:
    return lambda path: Fields({}, {"it": (paths, alone(path))})

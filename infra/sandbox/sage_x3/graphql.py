"""GraphQL at `/xtrem/api` and behind the gateway: checks a document, runs it, and answers as X3 does (dossier 3)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Response

from ..kit.codec import decode
from ..kit.graphql_text import Selected, Unreadable, chosen
from . import api1, graphql_types, writes
from .call import Call
from .errors import Refusal, Schema, Wrong
from .graphql_filters import Unfit, Values, id_of, plain, reference, relaxed
from .logins import opened
from .nodes import CODES, NODES, Node, Prop
from .tables import TABLES, Record
from .world import World

EXTENSIONS = {"diagnoses": []}  # type: ignore[var-annotated]


def serve(world: World, call: Call) -> Response:
    """Answer a call to a direct server: a signed token or Basic, and the endpoint in a header."""
    if call.method != "POST":
        raise Refusal(405, "Method Not Allowed", plain=True)
    if call.authorization.startswith("Basic ") or "azp" in opened(call.authorization.partition(" ")[2])[1]:
        api1.log_in(world, call.authorization)
    else:
        world.logins.signed(call.authorization)
    endpoint = call.headers.get("x-xtrem-endpoint", "")
    if endpoint != world.endpoint:
        raise Schema(f"Endpoint '{endpoint}' not found")  # how a direct server words it is inferred
    return run(world, call)


def refused(text: str, status: int = 400) -> Response:
    """Word a refusal of a whole document."""
    return api1.answer({"errors": [{"message": text}], "extensions": {}}, status)


def run(world: World, call: Call) -> Response:
    """Run the document in the body; raises `Schema`."""
    try:
        body = decode(call.body)
    except ValueError:
        raise Schema("The body is not JSON") from None
    if not call.headers.get("Content-Type", "").startswith("application/json"):
        raise Schema("Content-Type must be application/json")
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Schema("Must provide query string.")
    try:
        operation = chosen(body["query"], body.get("operationName"), body.get("variables") or {})
    except Unreadable as error:
        raise Schema(str(error)) from None
    known = graphql_types.types(world.prefix, world.operations)
    for kind in operation.declared.values():
        if kind.strip("[]!") not in known:
            raise Schema(f'Unknown type "{kind.strip("[]!")}".')
    graphql_types.check(known, operation)
    found = _Run(world, known)
    data = found.root(operation.kind, operation.fields)
    answer: dict[str, Any] = {"data": data, "extensions": EXTENSIONS}
    return api1.answer(({"errors": found.errors} if found.errors else {}) | answer)


class _Run:
    """One document on its way; `errors` gathers what stands beside the data."""

    def __init__(self, world: World, known: dict[str, graphql_types.Type]) -> None:
        self._world, self._known = world, known
        self.errors: list[dict[str, Any]] = []
        self._values = Values(self._lines, self._referred)

    # ── levels ──────────────────────────────────────────────────────────────────────────────────────────────

    def root(self, kind: str, fields: list[Selected]) -> Record:
        """Packages, then nodes, then what is done with them."""
        found: Record = {}
        for one in fields:
            if one.name in ("__schema", "__type"):
                found[one.key] = graphql_types.told(self._known, one)
            elif one.name == "__typename":
                found[one.key] = graphql_types.QUERY if kind == "query" else graphql_types.MUTATION
            else:
                found[one.key] = {
                    node.key: {act.key: self._act(NODES[node.name], act, [one.key, node.key]) for act in node.fields}
                    for node in one.fields
                }
        return found

    def _act(self, node: Node, act: Selected, path: list[str]) -> Any:
        acts: dict[str, Callable[[Node, Selected, list[str]], Any]] = {
            "query": lambda n, a, p: self._connection(n, self._rows(n), a, p),
            "read": self._read,
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
        }
        where = [*path, act.key]
        try:
            return acts[act.name](node, act, where)
        except (Unfit, Wrong) as error:
            return self._failed(str(error), where)
        except Refusal as error:
            return self._failed(error.text, where)

    def _failed(self, text: str, path: list[str]) -> Any:
        self.errors.append({"message": text, "path": path, "extensions": {"code": "business-rule-error"}})

    def _read(self, node: Node, act: Selected, path: list[str]) -> Any:
        row = self._by_id(node, str(act.args["_id"]))
        return None if row is None else self._node(node, row, act.fields, path)

    def _connection(self, node: Node, rows: list[Record], act: Selected, path: list[str]) -> Record:
        if (text := act.args.get("filter")) is not None:
            fits = self._values.filter(node, relaxed(text))
            rows = [row for row in rows if fits(row)]
        order = self._values.order(node, relaxed(act.args.get("orderBy") or "{}"))
        for value, down in reversed(order):
            rows = sorted(rows, key=lambda row, v=value: _rank(v(row)), reverse=down)  # type: ignore[misc]
        ids = [id_of(node, row) for row in rows]
        start = 0
        if (after := act.args.get("after")) is not None:
            start = self._after(order, rows, after)
        size = act.args.get("first", self._world.first)
        page = rows[start : start + size]
        cursors = [_cursor(order, row) for row in page]
        info = {
            "startCursor": cursors[0] if page else None,
            "endCursor": cursors[-1] if page else None,
            "hasNextPage": start + size < len(ids),
            "hasPreviousPage": start > 0,
        }
        parts: dict[str, Callable[[Selected], Any]] = {
            "totalCount": lambda _one: len(ids),
            "pageInfo": lambda one: {field.key: info.get(field.name, "PageInfo") for field in one.fields},
            "edges": lambda one: [
                self._edge(node, row, cursor, one, [*path, one.key]) for row, cursor in zip(page, cursors, strict=True)
            ],
            "__typename": lambda _one: f"{node.type}Connection",
        }
        return {one.key: parts[one.name](one) for one in act.fields}

    def _after(self, order: list[tuple[Callable[[Record], Any], bool]], rows: list[Record], cursor: str) -> int:
        """How many rows lie before what follows a cursor, whose own row may be gone or elsewhere by now."""
        try:
            wanted = json.loads(base64.b64decode(cursor, validate=True))
        except ValueError:
            raise Unfit(f"Invalid cursor {cursor}") from None
        for number, row in enumerate(rows):
            for (value, down), text in zip(order, wanted, strict=True):
                mine, given = _rank(value(row)), _ranked(value(row), text)
                if mine != given:
                    if (mine > given) != down:
                        return number
                    break
        return len(rows)

    def _edge(self, node: Node, row: Record, cursor: str, edge: Selected, path: list[str]) -> Record:
        parts: dict[str, Callable[[Selected], Any]] = {
            "cursor": lambda _one: cursor,
            "node": lambda one: self._node(node, row, one.fields, [*path, one.key]),
            "__typename": lambda _one: f"{node.type}Edge",
        }
        return {one.key: parts[one.name](one) for one in edge.fields}

    def _node(self, node: Node, row: Record, fields: list[Selected], path: list[str]) -> Record:
        found: Record = {}
        for one in fields:
            where = [*path, one.key]
            if f"{node.name}.{one.name}" in self._world.unreadable:
                found[one.key] = self._failed(f"You cannot read {node.name}.{one.name}", where)
            elif one.name == "_id":
                found[one.key] = id_of(node, row)
            elif one.name == "__typename":
                found[one.key] = node.type
            else:
                found[one.key] = self._value(node, node.props[one.name], row, one, where)
        return found

    def _value(self, node: Node, prop: Prop, row: Record, one: Selected, path: list[str]) -> Any:
        if prop.kind == "collection":
            lines = self._lines(node, prop, row)
            return {act.key: self._connection(NODES[prop.node], lines, act, [*path, act.key]) for act in one.fields}
        if prop.kind == "ref":
            target = reference(prop, row)
            if target is None:
                return None
            if prop.node in CODES:
                text = self._text(prop.node, target)
                return {inner.key: target if inner.name in ("_id", "code") else text for inner in one.fields}
            found = self._referred(prop.node, target)
            return None if found is None else self._node(NODES[prop.node], found, one.fields, path)
        return _shown(plain(prop, row))

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

    def _rows(self, node: Node) -> list[Record]:
        rows = self._world.rows(node.table)
        return [self._priced(row) for row in rows] if node.table == "PORDERQ" else rows

    def _lines(self, node: Node, prop: Prop, row: Record) -> list[Record]:
        rows = self._world.lines(prop.columns[0], node.table, row)
        return [self._priced(line) for line in rows] if prop.columns[0] == "PORDERQ" else rows

    def _priced(self, row: Record) -> Record:
        price = self._world.get("PORDERP", row["POHNUM"], row["POPLIN"], row["POPLIN"])
        return row if price is None else price | row

    def _referred(self, name: str, target: Any) -> Record | None:
        return None if target is None else self._by_id(NODES[name], str(target))

    def _by_id(self, node: Node, text: str) -> Record | None:
        parts, table = text.split("|"), TABLES[node.table]
        if len(parts) != len(table.key):
            return None
        try:
            key = [api1.part_of(table.columns[name], part) for name, part in zip(table.key, parts, strict=True)]
        except Refusal:
            return None
        row = self._world.get(node.table, *key)
        return self._priced(row) if row is not None and node.table == "PORDERQ" else row

    def _text(self, node: str, code: str) -> str:
        if node == "product":
            rows = self._world.tables["PORDERP"].values()
            return next((row["ITMDES1"] for row in rows if row["ITMREF"] == code), code)
        return code

    # ── mutations ───────────────────────────────────────────────────────────────────────────────────────────

    def _create(self, node: Node, act: Selected, path: list[str]) -> Any:
        row = writes.create(self._world, node.table, self._entered(node, act.args["data"]))
        return self._node(node, row, act.fields, path)

    def _update(self, node: Node, act: Selected, path: list[str]) -> Any:
        data = dict(act.args["data"])
        row = self._by_id(node, str(data.pop("_id", "")))
        if row is None:
            raise Unfit("Record not found")
        values = self._entered(node, data)
        return self._node(node, writes.change(self._world, node.table, row, values), act.fields, path)

    def _delete(self, node: Node, act: Selected, _path: list[str]) -> bool:
        row = self._by_id(node, str(act.args["_id"]))
        if row is None:
            raise Unfit("Record not found")
        writes.delete(self._world, node.table, row)
        return True

    def _entered(self, node: Node, data: Record) -> Record:
        """Give what a mutation says by X3's codes; raises `Unfit`, or what `writes` raises."""
        found: Record = {}
        columns = TABLES[node.table].columns
        for name, value in data.items():
            prop = node.props.get(name)
            if prop is None or value is None:
                continue
            if prop.kind == "collection":
                found[prop.columns[0]] = [self._entered(NODES[prop.node], line) for line in value]
            elif prop.kind == "ref":
                parts = str(value).split("|")
                if len(parts) != len(prop.columns):
                    raise Unfit(f"{name}: {value} is no _id")
                found |= dict(zip(prop.columns, parts, strict=True))
            elif prop.kind == "enum":
                if value not in prop.menu:
                    raise Unfit(f"{name}: {value} is not in {', '.join(prop.menu)}")
                found[prop.columns[0]] = prop.menu.index(value) + 1
            elif prop.kind in ("debit", "credit"):
                found |= _signed(prop, name, value)
            else:
                given = _number(name, value) if prop.kind == "decimal" else value
                found[prop.columns[0]] = writes.one(columns[prop.columns[0]], given)
        return found


def _signed(prop: Prop, name: str, value: Any) -> Record:
    amount = _number(name, value)
    if not amount or prop.columns[0] != "AMTCUR":
        return {}
    return {"AMTCUR": amount, "SNS": 1 if prop.kind == "debit" else -1}


def _number(name: str, value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise Unfit(f"{name}: {value} is no number") from None


def _shown(value: Any) -> Any:
    """Numbers that are exact come as texts; a date that is none as null."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if isinstance(value, date):
        return value.isoformat()
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


def _rank(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _cursor(order: list[tuple[Callable[[Record], Any], bool]], row: Record) -> str:
    values = [_written(value(row)) for value, _ in order]
    return base64.b64encode(json.dumps(values).encode()).decode()


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_written(part) for part in value]
    return value if value is None or isinstance(value, int) else str(value)


def _ranked(like: Any, text: Any) -> tuple[bool, Any]:
    """A value of a cursor as it is compared with one of the same field."""
    if text is None or like is None:
        return _rank(text if like is not None or text is None else str(text))
    if isinstance(like, tuple):
        return _rank(tuple(_ranked(part, one)[1] for part, one in zip(like, text, strict=True)))
    if isinstance(like, datetime):
        return _rank(datetime.fromisoformat(text))
    if isinstance(like, date):
        return _rank(date.fromisoformat(text))
    return _rank(Decimal(text) if isinstance(like, Decimal) else text)

"""The types of the GraphQL schema, made from the nodes: for checking documents, and for introspection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..kit.graphql_text import Operation, Selected
from .errors import Schema
from .nodes import CODES, NODES, Node, Prop

_SCALARS = {"text": "String", "int": "Int", "date": "Date", "datetime": "Datetime", "codes": "String"}
_SCALARS |= dict.fromkeys(("decimal", "debit", "credit"), "Decimal")
_QUERY = {"first": "Int", "after": "String", "last": "Int", "before": "String", "filter": "String", "orderBy": "String"}
QUERY, MUTATION = "RootQueryType", "RootMutationType"


@dataclass
class Field:
    """A field: the name of its type, whether it is a list, and its arguments with their types."""

    type: str
    args: dict[str, str] = field(default_factory=dict)
    many: bool = False


@dataclass
class Type:
    """A type of objects, of input (`given`), of an enum (`words`), or a scalar that has neither."""

    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    given: bool = False
    words: tuple[str, ...] = ()


def package(prefix: str, name: str) -> str:
    """The name of a package in this release: x3Purchasing, or xtremX3Purchasing."""
    return prefix + name.removeprefix("x3")


def types(prefix: str, operations: set[str]) -> dict[str, Type]:
    """All types; `operations` names the nodes that can be written, such as x3Finance.journalEntry."""
    found = {name: Type(name) for name in {*_SCALARS.values(), "ID", "Boolean"}}
    found["PageInfo"] = Type(
        "PageInfo",
        {"startCursor": Field("String"), "endCursor": Field("String")}
        | {"hasNextPage": Field("Boolean"), "hasPreviousPage": Field("Boolean")},
    )
    for code in CODES:
        fields = {name: Field("String") for name in ("code", "name", "description1", "localizedDescription")}
        found[_titled(code)] = Type(_titled(code), {"_id": Field("ID")} | fields)
    for node in NODES.values():
        _add_node(found, node)
    found[QUERY], mutation = Type(QUERY), Type(MUTATION)
    for node in NODES.values():
        name = package(prefix, node.package)
        queries = f"{_titled(name)}Package"
        found.setdefault(queries, Type(queries)).fields[node.name] = Field(f"{node.type}Queries")
        found[QUERY].fields[name] = Field(queries)
        if f"{node.package}.{node.name}" in operations:
            writes = f"{_titled(name)}Mutations"
            found.setdefault(writes, Type(writes)).fields[node.name] = Field(f"{node.type}Mutations")
            mutation.fields[name] = Field(writes)
    return found | ({MUTATION: mutation} if mutation.fields else {})


def _titled(name: str) -> str:
    return name[0].upper() + name[1:]


def _add_node(found: dict[str, Type], node: Node) -> None:
    fields = {"_id": Field("ID")} | {name: _field(found, prop) for name, prop in node.props.items()}
    connection, edge = f"{node.type}Connection", f"{node.type}Edge"
    found[node.type] = Type(node.type, fields)
    found[edge] = Type(edge, {"cursor": Field("String"), "node": Field(node.type)})
    found[connection] = Type(
        connection,
        {"totalCount": Field("Int"), "pageInfo": Field("PageInfo"), "edges": Field(edge, many=True)},
    )
    query = {"query": Field(connection, dict(_QUERY))}
    found[f"{node.type}Collection"] = Type(f"{node.type}Collection", query)
    found[f"{node.type}Queries"] = Type(f"{node.type}Queries", query | {"read": Field(node.type, {"_id": "ID!"})})
    entered = f"{node.type}_Input"
    found[entered] = Type(entered, {name: _given(one) for name, one in fields.items()}, given=True)
    writes = {"create": Field(node.type, {"data": f"{entered}!"}), "update": Field(node.type, {"data": f"{entered}!"})}
    found[f"{node.type}Mutations"] = Type(
        f"{node.type}Mutations", writes | {"delete": Field("Boolean", {"_id": "ID!"})}
    )


def _field(found: dict[str, Type], prop: Prop) -> Field:
    if prop.kind == "ref":
        return Field(_titled(prop.node))
    if prop.kind == "collection":
        return Field(f"{_titled(prop.node)}Collection")
    if prop.kind == "enum":
        found[f"{_titled(prop.node)}_Enum"] = Type(f"{_titled(prop.node)}_Enum", words=prop.menu)
        return Field(f"{_titled(prop.node)}_Enum")
    return Field(_SCALARS[prop.kind], many=prop.kind == "codes")


def _given(one: Field) -> Field:
    """The type of a field in a mutation: references are given by their `_id`, lines as a list."""
    if one.type.endswith("Collection"):
        return Field(f"{one.type.removesuffix('Collection')}_Input", many=True)
    leaf = one.type in _SCALARS.values() or one.type in ("ID", "Boolean") or one.type.endswith("_Enum")
    return one if leaf else Field("ID")


def check(known: dict[str, Type], operation: Operation) -> None:
    """Check what a document asks for against the types; raises `Schema`, which is 400."""
    root = known.get(QUERY if operation.kind == "query" else MUTATION)
    if root is None:
        raise Schema("Schema is not configured to execute mutation operation.")
    _fields(known, root, operation.fields)


def _fields(known: dict[str, Type], kind: Type, asked: list[Selected]) -> None:
    for one in asked:
        if one.name == "__typename" or (kind.name == QUERY and one.name in ("__schema", "__type")):
            continue
        target = kind.fields.get(one.name)
        if target is None:
            raise Schema(f'Cannot query field "{one.name}" on type "{kind.name}".')
        for name in one.args.keys() - target.args.keys():
            raise Schema(f'Unknown argument "{name}" on field "{kind.name}.{one.name}".')
        for name, wanted in target.args.items():
            _argument(known, one, name, wanted)
        inner = known[target.type]
        if bool(inner.fields) != bool(one.fields):
            what = "must have a selection of subfields" if inner.fields else "must not have a selection"
            raise Schema(f'Field "{one.name}" of type "{inner.name}" {what}.')
        _fields(known, inner, one.fields)


def _argument(known: dict[str, Type], one: Selected, name: str, wanted: str) -> None:
    value = one.args.get(name)
    if value is None:
        if wanted.endswith("!"):
            raise Schema(f'Field "{one.name}" argument "{name}" of type "{wanted}" is required.')
        return
    kind = wanted.removesuffix("!")
    fine = {"Int": isinstance(value, int) and not isinstance(value, bool), "String": type(value) is str}
    fine["ID"] = isinstance(value, (str, int))
    if kind in fine and not fine[kind]:
        raise Schema(f'Argument "{name}" has invalid value: {kind} cannot represent {value!r}.')
    if kind not in fine:
        _entered(known, known[kind], value)


def _entered(known: dict[str, Type], kind: Type, value: Any) -> None:
    """Check an object of input, and those in it."""
    if not isinstance(value, dict):
        raise Schema(f'Expected type "{kind.name}" to be an object.')
    for name, inner in value.items():
        if name not in kind.fields:
            raise Schema(f'Field "{name}" is not defined by type "{kind.name}".')
        target = kind.fields[name]
        if known[target.type].given:
            for line in inner if isinstance(inner, list) else [inner]:
                _entered(known, known[target.type], line)


# ── introspection ───────────────────────────────────────────────────────────────────────────────────────────────


def told(known: dict[str, Type], one: Selected) -> Any:
    """Answer `__schema` or `__type`; raises `Schema` for what introspection does not have."""
    if one.name == "__type":
        kind = known.get(str(one.args.get("name")))
        return None if kind is None else _picked(_type(known, kind), one.fields)
    whole = {
        "queryType": lambda: _type(known, known[QUERY]),
        "mutationType": lambda: _type(known, known[MUTATION]) if MUTATION in known else None,
        "subscriptionType": lambda: None,
        "types": lambda: [_type(known, kind) for kind in known.values()],
        "directives": list,
    }
    return _picked(whole, one.fields)


def _picked(value: Any, asked: list[Selected]) -> Any:
    if isinstance(value, list):
        return [_picked(one, asked) for one in value]
    if value is None or not isinstance(value, dict):
        return value
    found = {}
    for one in asked:
        if one.name not in value:
            raise Schema(f'Cannot query field "{one.name}" in an introspection.')
        inner = value[one.name]
        found[one.key] = _picked(inner() if callable(inner) else inner, one.fields)
    return found


def _type(known: dict[str, Type], kind: Type) -> dict[str, Any]:
    shape = "ENUM" if kind.words else "SCALAR" if not kind.fields else "INPUT_OBJECT" if kind.given else "OBJECT"
    fields = lambda: [_shown(known, name, one) for name, one in kind.fields.items()]  # noqa: E731
    words = [{"name": word, "description": "", "isDeprecated": False, "deprecationReason": None} for word in kind.words]
    return {
        "kind": shape,
        "name": kind.name,
        "description": "",
        "ofType": None,
        "fields": fields if shape == "OBJECT" else None,
        "inputFields": fields if shape == "INPUT_OBJECT" else None,
        "enumValues": words or None,
        "interfaces": [],
        "possibleTypes": None,
    }


def _shown(known: dict[str, Type], name: str, one: Field) -> dict[str, Any]:
    def kind() -> dict[str, Any]:
        inner = _type(known, known[one.type])
        return _wrapped("LIST", inner) if one.many else inner

    def args() -> list[dict[str, Any]]:
        return [_arg(known, arg, text) for arg, text in one.args.items()]

    common = {"name": name, "description": "", "type": kind, "defaultValue": None}
    return common | {"args": args, "isDeprecated": False, "deprecationReason": None}


def _arg(known: dict[str, Type], name: str, text: str) -> dict[str, Any]:
    inner = _type(known, known[text.removesuffix("!")])
    kind = _wrapped("NON_NULL", inner) if text.endswith("!") else inner
    return {"name": name, "description": "", "type": kind, "defaultValue": None}


def _wrapped(shape: str, inner: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(("fields", "inputFields", "enumValues", "interfaces", "possibleTypes"))
    return {"kind": shape, "name": None, "description": "", "ofType": inner} | empty

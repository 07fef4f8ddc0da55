"""Declared entities by GraphQL: nodes read page by page, handed out under the vendor's own codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ml_connector.errors import ConnectorError, Misconfigured, Rejected, Transient
from ml_connector.systems.http import dumps
from ml_connector.systems.kit.changes import ChangeField, change_field
from ml_connector.systems.kit.conditions import Condition, among, only_met
from ml_connector.systems.kit.declared import WHOLE, Created, Entity, Record
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.graphql import Fields, Learnt, Nodes, NotInSchema, Relay, filtered
from ml_connector.systems.kit.graphql_calls import GraphCalls
from ml_connector.systems.kit.paging import Circle
from ml_connector.systems.kit.rows import RAW_LIMIT, Batch, Spoiled
from ml_connector.systems.kit.values import text

FIRST = 100
"""Nodes of a page; 20 where none is asked for."""
WITH_LINES = 25
OPERATORS = {"eq": "", "ne": "_ne", "gt": "_gt", "ge": "_gte", "lt": "_lt", "le": "_lte", "in": "_in"}
_PREFIX = "prefix"


@dataclass(frozen=True)
class GraphDialect:
    """What one vendor's schema is like. `older` replaces the beginning of a package's name in older releases.

    `stamp` is the code of the time of the last change, `changed` those that may show a change; `translate` says a node
    in the vendor's codes; `missing` says what it means that a node is not in the schema.
    """

    vendor: str
    older: tuple[str, str]
    stamp: str
    changed: Iterable[str]
    translate: Callable[[Entity, Mapping[str, Any]], Record]
    missing: Callable[[Entity, str, Exception], ConnectorError]


class Graph:
    """The `Reader` and `Writer` of one endpoint."""

    def __init__(self, calls: GraphCalls, dialect: GraphDialect, kept: MutableMapping[str, int] | None = None) -> None:
        """`kept` is what other connections learnt of the schema."""
        self._calls, self._dialect, self._vendor = calls, dialect, dialect.vendor
        self._kept: MutableMapping[str, int] = {} if kept is None else kept
        self._learnt = Learnt(self._kept)
        self._relay = Relay(calls.ask, dialect.vendor, self._learnt)
        self._samples: dict[str, Record | None] = {}

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def pages(
        self, entity: Entity, where: Sequence[Condition], position: str | None, order: str | None = None
    ) -> Iterator[Batch[Record]]:
        """Read page after page; a position is a cursor."""
        circle = Circle()
        asked = self._filter(entity, where)
        sort = filtered(self._path_of(entity, order), "", 1) if order else ""
        first = WITH_LINES if entity.fields.nested else FIRST
        while True:
            found = self._page(entity, entity.fields, first, after=position or "", filter=asked, orderBy=sort)
            self._has_lines(entity)
            batch = self._batch(entity, found, position)
            only_met(batch.rows, where, self._dialect.vendor, entity.title, entity.key)
            if circle.closes(batch.keys):
                raise Transient(f"{self._vendor} pages in a loop: a page of {entity.node} was given twice.")
            yield replace(batch, position=found.cursor)
            if found.cursor is None:
                return
            position = found.cursor

    def by_keys(self, entity: Entity, keys: Sequence[str]) -> Iterator[Batch[Record]]:
        """Read these very records, as many to a question as it holds."""
        for conditions in among(entity.key, keys):
            for batch in self.pages(entity, conditions, None):
                yield replace(batch, position=None)

    def one(self, entity: Entity, key: str) -> Record | None:
        """Read a record with its lines; None where there is none. Raises `ValueError` where a part of it is missing."""
        for batch in self.by_keys(entity, [key]):
            for bad in batch.spoiled:
                raise ValueError(bad.reason)
            for record in batch.rows:
                return record
        if not self._finds(replace(entity, fields=Fields(entity.fields.paths))):
            raise Transient(
                f"{self._vendor}'s GraphQL does not show {entity.title} {key}, nor any other one that must be there. "
                "Nothing follows from it. It is asked again later; if it stays so, check the rights of the user there."
            )
        return None

    def _finds(self, entity: Entity) -> bool:
        """Tell whether a listed record is found by its key: where a right was lost, lists are empty without a word."""
        first = self._batch(entity, self._page(entity, entity.fields, 1), None).keys[:1]
        return any(key in batch.keys for key in first for batch in self.by_keys(entity, first))

    def changed_field(self, entity: Entity) -> ChangeField | None:
        """Find the field that shows a change: the stamp that each node has, or another one that the secret names."""
        record = self._sample(entity)
        if entity.changed is None and record is not None and not text(record, self._dialect.stamp):
            return None
        return change_field(record, entity.changed, self._dialect.changed, entity.setting("changed_field"))

    def properties(self, entity: Entity) -> frozenset[str]:
        """Name the fields of a list's records; none where there is no record."""
        return frozenset(self._sample(entity) or ())

    def _sample(self, entity: Entity) -> Record | None:
        if entity.name not in self._samples:
            found = self._page(entity, Fields(entity.fields.paths), 1)
            rows = self._batch(entity, found, None).rows
            self._samples[entity.name] = rows[0] if rows else None
        return self._samples[entity.name]

    def _has_lines(self, entity: Entity) -> None:
        """Raise `Misconfigured` where the schema has none of an entity's collections: it would seem to have none."""
        names = [names for names, _ in entity.fields.nested.values()]
        if names and all(self._learnt.path(self._node(entity), one) is None for one in names):
            raise Misconfigured(
                f"{self._vendor}'s GraphQL has no {' or '.join(names)} of a {entity.title}, so that its lines cannot "
                "be read. Let the administrator publish them."
            )

    def _page(self, entity: Entity, fields: Fields, first: int, **options: str) -> Nodes:
        node = self._node(entity)
        try:
            return self._relay.page(node, fields, first, **options)
        except NotInSchema as error:
            if node == self._node(entity) and node == entity.node and node.partition(".")[0] in error.names:
                self._kept[_PREFIX] = 1
            if node != self._node(entity):
                return self._page(entity, fields, first, **options)
            raise self._dialect.missing(entity, node, error) from error

    def _node(self, entity: Entity) -> str:
        return entity.node.replace(*self._dialect.older, 1) if _PREFIX in self._kept else entity.node

    def _batch(self, entity: Entity, found: Nodes, position: str | None) -> Batch[Record]:
        rows, keys, spoiled = list[Record](), list[str](), list[Spoiled]()
        for number, node in enumerate(found.rows):
            record = self._dialect.translate(entity, node.values)
            key = f"?{position or ''}+{number}"
            try:
                key = entity.key_of(record)
                if node.trouble:
                    raise ValueError(f"{self._vendor} did not give all of it: {node.trouble}")
                rows.append(record | {WHOLE: True})
            except ValueError as error:
                spoiled.append(Spoiled(key, str(error), dumps(node.values)[:RAW_LIMIT]))
            keys.append(key)
        return Batch(rows, keys, spoiled)

    # ── questions ───────────────────────────────────────────────────────────────────────────────────────────

    def _path_of(self, entity: Entity, code: str) -> str:
        """Give the path by which a field is asked for: a reference is, by its `_id`."""
        declared = entity.fields.paths.get(code)
        path = self._learnt.path(self._node(entity), declared) if declared else None
        if path is None:
            raise Misconfigured(
                f"{self._vendor}'s GraphQL has no {code} of the {entity.title}, by which it is looked for."
            )
        head, _, below = path.partition(".")
        return f"{head}._id" if below else path

    def _filter(self, entity: Entity, where: Sequence[Condition]) -> str:
        try:
            said = [
                filtered(self._path_of(entity, code), OPERATORS[operator], self._said(entity, code, value))
                for code, operator, value in where
            ]
        except ValueError as error:
            raise Rejected(
                f"{self._vendor} cannot be asked for it: {error}. Correct it where it was entered."
            ) from error
        return said[0] if len(said) == 1 else f"[{','.join(said)}]" if said else ""

    def _said(self, entity: Entity, code: str, value: Any) -> Any:
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        if isinstance(value, (date, Decimal)):
            return str(value)
        words = entity.menus.get(code, {})
        return next((word for word, number in words.items() if number == value), value)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def takes(self, entity: Entity, operation: str = "create") -> str:
        """Tell the type of what a mutation takes. Raises `Misconfigured` where the node has none: it is read only."""
        found = self._relay.create_type(self._node(entity), operation)
        if found is None and _PREFIX not in self._kept:
            found = self._relay.create_type(entity.node.replace(*self._dialect.older, 1), operation)
            if found is not None:
                self._kept[_PREFIX] = 1
        if found is None:
            raise Misconfigured(
                f"{self._vendor}'s GraphQL has no operation to {operation} a {entity.title} ({entity.node}): "
                "it is read only there. Let the administrator add that operation to the node, or set another "
                "'write_via'."
            )
        return found

    def create(self, entity: Entity, body: Mapping[str, Any]) -> Created | Fault:
        """Create a record, in one call that is never repeated. The body is in GraphQL's own names."""
        made = self._mutate(entity, "create", body)
        return made if isinstance(made, Fault) else Created(str(made.get("_id") or "").replace("|", "~") or None, {})

    def update(self, entity: Entity, key: str, changed: Mapping[str, Any]) -> Fault | None:
        """Change some fields of a record, which is named by its `_id`."""
        made = self._mutate(entity, "update", {"_id": key.replace("~", "|"), **changed})
        return made if isinstance(made, Fault) else None

    def _mutate(self, entity: Entity, operation: str, data: Mapping[str, Any]) -> Mapping[str, Any] | Fault:
        kind = self.takes(entity, operation)
        return self._calls.mutate(self._node(entity), operation, kind, data)

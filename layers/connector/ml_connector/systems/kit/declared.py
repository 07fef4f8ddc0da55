"""Entities that are declared: what a record is called, its key, its fields, and how it is read in each dialect.

A record is a dict in the vendor's own codes, whatever dialect it came by; readers translate it where it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ml_connector.errors import Transient
from ml_connector.systems.kit.changes import ChangeField
from ml_connector.systems.kit.conditions import Condition
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.graphql import Fields
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.values import text

Record = dict[str, Any]
WHOLE = "$whole"
"""Marks a record whose lines were all read."""


@dataclass(frozen=True)
class Entity:
    """One kind of record. `menus` are the numbers of lists of values, by the field's code and GraphQL's word.

    `lines` names the header's number of lines, and the field by which one line is told from another; `complete` tells
    whether lines can only be all of them, where nothing says their number. REST reads it by
    class and representation, GraphQL by the node, and the secret's `classes` may name others.
    """

    name: str
    title: str
    class_name: str
    key: tuple[str, ...]
    node: str
    fields: Fields
    menus: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    lines: tuple[str, str] = ("LINNBR", "")
    complete: Callable[[Sequence[Record]], bool] = lambda _: False
    representation: str = ""
    changed: str | None = None

    def as_configured(self, classes: Mapping[Any, Any]) -> Entity:
        """Take what the secret's `classes` say of it."""
        mine = classes.get(self.name)
        name = (mine and mine.name) or self.class_name
        rep = (mine and mine.representation) or name
        return replace(self, class_name=name, representation=rep, changed=mine.changed_field if mine else None)

    def key_of(self, record: Record) -> str:
        """Name a record by its key, parts joined by `~`. Raises `ValueError` where a part is missing."""
        parts = [text(record, name) for name in self.key]
        if missing := [name for name, part in zip(self.key, parts, strict=True) if part is None]:
            raise ValueError(f"The {self.title} has no {' and no '.join(missing)}.")
        return "~".join(part or "" for part in parts)

    def setting(self, name: str) -> str:
        """Name a field of the secret that says how this entity is read."""
        return f"'classes.{self.name}.{name}'"


@dataclass(frozen=True, slots=True)
class Created:
    """What became of a new record: its key, None where the answer does not say it, and the record as it was told."""

    key: str | None
    record: Record


class Reader(Protocol):
    """Reads entities in the vendor's codes, whatever the dialect. Raises the classes of `errors`."""

    def pages(
        self, entity: Entity, where: Sequence[Condition], position: str | None, order: str | None = None
    ) -> Iterator[Batch[Record]]:
        """Read all for which each condition holds, from a position on."""

    def by_keys(self, entity: Entity, keys: Sequence[str]) -> Iterator[Batch[Record]]:
        """Read these very records, with all of their lines or as spoiled; what is not there is left out."""

    def one(self, entity: Entity, key: str) -> Record | None:
        """Read a record with its lines; None only where the server itself says that there is none.

        Raises `ValueError` where lines are missing.
        """

    def changed_field(self, entity: Entity) -> ChangeField | None:
        """Find the field that shows a change; None where records have none."""

    def properties(self, entity: Entity) -> frozenset[str]:
        """Name the fields of a list's records; none where there is no record."""


class Writer(Protocol):
    """Writes one document in one call, which is never repeated."""

    def takes(self, entity: Entity, operation: str = "create") -> str:
        """Prove that records can be created, and write nothing; gives what shows it. Raises `Misconfigured`."""

    def create(self, entity: Entity, body: Mapping[str, Any]) -> Created | Fault:
        """Create a record. Raises `OutcomeUnknown` where its fate is in doubt."""

    def update(self, entity: Entity, key: str, changed: Mapping[str, Any]) -> Fault | None:
        """Change some fields of a record. Raises `OutcomeUnknown`."""


def there(
    reader: Reader, entity: Entity, keys: Sequence[str], counts: Callable[[Record], bool], vendor: str
) -> set[str]:
    """Tell which of some keys there are, of records that count. Raises `Transient` where one cannot be read."""
    found = set[str]()
    for batch in reader.by_keys(entity, sorted(set(keys))) if keys else ():
        for bad in batch.spoiled:
            raise Transient(f"{vendor} gave the {entity.title} {bad.key}, which cannot be read: {bad.reason}")
        found |= {entity.key_of(record) for record in batch.rows if counts(record)}
    return found & set(keys)

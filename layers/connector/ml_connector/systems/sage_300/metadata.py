"""What a server says that it has: `{MODULE}/$metadata`, and how its names meet the documented ones.

It is EDMX, of OData 4 or of the 3 that came before it (`docs/vendors/sage_300.md`); children are properties whose type
is a collection. It is read as it comes in, nothing of it is expanded, and a document type is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any
from xml.parsers import expat

from ml_connector.systems.sage_300.fields import ALIASES

_TYPES = frozenset({"EntityType", "ComplexType"})
_READ = {form.casefold() for name in (*ALIASES, "APVendors", "GLAccounts") for form in (name, name[2:])}
"""Of all other sets, of which a module has hundreds, only the names are kept."""
_WORD = re.compile(r"(?:datetime)?'(?:[^']|'')*'|(?P<field>\w+)(?P<how> (?:eq|gt) )(?P<day>\d{4}-\d\d-\d\dT[\d:]+Z)?")
"""A text, which is left alone, or a field that a filter compares, with the day that it is compared with."""


@dataclass(slots=True)
class Shape:
    """A type: its properties with the names of their types, the type of its rows' children stripped to its name."""

    properties: dict[str, str] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)


class Model:
    """The sets of one module, and the types behind them."""

    def __init__(self, sets: Mapping[str, str], shapes: Mapping[str, Shape]) -> None:
        """`sets`: name -> type; `shapes`: type -> what it has."""
        self._sets = {name.casefold(): name for name in sets}
        self._types, self._shapes = sets, shapes
        self._known: dict[tuple[str, tuple[str, ...]], Kind] = {}

    def offers(self, name: str) -> bool:
        """Tell whether there is a set of this name."""
        return name.casefold() in self._sets

    def kind(self, name: str, fields: tuple[str, ...] = ()) -> Kind | None:
        """Give what is known of a set's rows; None where it is not listed. `fields` are read besides `ALIASES`.

        Very old installations list their sets without the module's letters.
        """
        told = self._sets.get(name.casefold()) or self._sets.get(name[2:].casefold())
        shape = self._shapes.get(self._types[told]) if told else None
        if shape is None:
            return None
        if (name, fields) not in self._known:
            wanted = dict.fromkeys(fields, ()) | dict(ALIASES.get(name, {}))
            self._known[name, fields] = Kind(shape, self._shapes, wanted)
        return self._known[name, fields]


class Kind:
    """The rows of a set, children and all: which server's name stands for which documented one."""

    def __init__(self, shape: Shape, shapes: Mapping[str, Shape], wanted: Mapping[str, tuple[str, ...]]) -> None:
        self._shape, self._shapes, self.key = shape, shapes, tuple(shape.key)
        self._head = _renamed(shape, wanted)
        self._ours = {name: _renamed(shapes[name], wanted) for name in _held(shape, shapes)}
        self._theirs = {ours: theirs for theirs, ours in self._head.items()}
        self.renames = any((self._head, *self._ours.values()))

    def has(self, name: str) -> bool:
        """Tell whether rows have a field, whatever the server calls it."""
        return name in self._shape.properties or name in self._theirs

    def type_of(self, name: str) -> str:
        """Name a field's type, such as `String` or `Decimal`; empty where there is no such field."""
        return self._shape.properties.get(self.theirs(name), "")

    @property
    def quotes_key(self) -> bool:
        """Tell whether a record is named by a text and not by a number."""
        return len(self.key) == 1 and self._shape.properties.get(self.key[0]) == "String"

    def theirs(self, name: str) -> str:
        """Give the server's name of a field."""
        return self._theirs.get(name, name)

    def ours(self, row: Any) -> Any:
        """Give a row under the documented names, its children too."""
        return self._translated(row, self._shape, self._head) if self.renames else row

    def _translated(self, row: Any, shape: Shape, names: Mapping[str, str]) -> Any:
        if not isinstance(row, dict):
            return row
        found = {}
        for name, value in row.items():
            kind = shape.properties.get(name, "")
            lines = isinstance(value, list) and kind in self._shapes
            found[names.get(name, name)] = (
                [self._translated(one, self._shapes[kind], self._ours[kind]) for one in value] if lines else value
            )
        return found

    def where(self, said: str) -> str:
        """Write a filter in the server's names, and its days as the older type of dates wants them."""
        return _WORD.sub(self._written, said)

    def _written(self, word: re.Match[str]) -> str:
        if word["field"] is None:
            return word[0]
        day = word["day"] or ""
        if day and self.type_of(word["field"]) == "DateTime":
            day = f"datetime'{day.removesuffix('Z')}'"
        return f"{self.theirs(word['field'])}{word['how']}{day}"

    def lacks(self, said: str) -> bool:
        """Tell whether a filter names a field that rows do not have."""
        return any(word["field"] and not self.has(word["field"]) for word in _WORD.finditer(said))


def _held(shape: Shape, shapes: Mapping[str, Shape]) -> set[str]:
    """Name all types of children that rows hold, and their children in turn."""
    found: set[str] = set()
    left = [shape]
    while left:
        kinds = {kind for kind in left.pop().properties.values() if kind in shapes} - found
        found |= kinds
        left += [shapes[kind] for kind in kinds]
    return found


def _renamed(shape: Shape, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Find the server's names for documented ones that a type has not: in other letters, or an alias of it."""
    there, found = {name.casefold(): name for name in shape.properties}, {}
    for name, aliases in wanted.items():
        if name not in shape.properties:
            known = next((there[one.casefold()] for one in (name, *aliases) if one.casefold() in there), None)
            if known is not None and known not in wanted:
                found[known] = name
    return found


def parse(body: bytes) -> Model:
    """Read the document; raises `ValueError` where it is none, or lists no sets."""
    sets: dict[str, str] = {}
    shapes: dict[str, Shape] = {}
    inside: list[Shape] = []

    def start(tag: str, told: dict[str, str]) -> None:
        element, name = _local(tag), told.get("Name", "")
        if element in _TYPES:
            inside[:] = [shapes.setdefault(name, Shape())]
        elif element == "EntitySet":
            sets[name] = _local(told.get("EntityType", ""), ".")
        elif inside and element in {"Property", "NavigationProperty"}:
            kind = told.get("Type", "")
            inside[0].properties[intern(name)] = _local(kind.removeprefix("Collection(").removesuffix(")"), ".")
        elif inside and element == "PropertyRef":
            inside[0].key.append(name)

    def end(tag: str) -> None:
        if _local(tag) in _TYPES:
            inside.clear()

    def refuse(*_: Any) -> None:
        raise ValueError("It has a document type, which no description of sets needs.")

    reader = expat.ParserCreate()
    reader.StartElementHandler, reader.EndElementHandler, reader.StartDoctypeDeclHandler = start, end, refuse
    try:
        reader.Parse(body, True)
    except expat.ExpatError as error:
        raise ValueError(f"It is no XML ({error}).") from error
    if not sets:
        raise ValueError("It lists no sets.")
    kept = {kind for name, kind in sets.items() if name.casefold() in _READ and kind in shapes}
    kept = kept.union(*(_held(shapes[kind], shapes) for kind in kept))
    return Model(sets, {kind: shapes[kind] for kind in kept})


def _local(name: str, mark: str = ":") -> str:
    return name.rpartition(mark)[2]

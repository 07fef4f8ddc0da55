"""Objects read and written under names that a profile gives: a dot leads into an object, or a list's first entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_connector.systems.kit.results import named


class NamedFields:
    """Our names of fields, `kind.field`, and theirs; None for what they do not have."""

    def __init__(self, names: Mapping[str, str | None]) -> None:
        self._names = names

    def value(self, row: Mapping[str, Any], field: str) -> Any:
        """Give what a field has in a row; None where it has none, or no name. Names count in any case."""
        name = self._names.get(field)
        found: Any = row if name else None
        for part in (name or "").split("."):
            found = found[0] if isinstance(found, list) and found else found
            found = named(found).get(part.lower())
        return found

    def text(self, row: Mapping[str, Any], field: str) -> str | None:
        """Give a text as it stands there; a number is written out, and nothing or the word `none` is None."""
        found = self.value(row, field)
        if found is None or isinstance(found, (bool, dict, list)):
            return None
        told = str(found)
        return told if told.strip() and told.strip().lower() != "none" else None

    def of(self, kind: str, row: Mapping[str, Any], field: str) -> str | None:
        """Give a text of one kind of object."""
        return self.text(row, f"{kind}.{field}")

    def body(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Write an object of ours under their names; what has no value or no name is left out."""
        made: dict[str, Any] = {}
        for field, value in values.items():
            name = self._names.get(f"{kind}.{field}")
            if name is None or value is None:
                continue
            *inside, last = name.split(".")
            place = made
            for part in inside:
                place = place.setdefault(part, {})
            place[last] = value
        return made

    def params(self, kind: str, asked: Mapping[str, str]) -> dict[str, str]:
        """Name what a list is filtered by as they do."""
        return {str(self._names[f"{kind}.{field}"]): value for field, value in asked.items()}

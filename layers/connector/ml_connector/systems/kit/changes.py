"""Which field of a server's records shows a change, and from when on changes are read again.

The field is found by reading one record, never by trying a filter: a server may answer an unknown field with an error
that looks like any other, or ignore the filter and give everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ml_connector.connection import Check
from ml_connector.errors import Misconfigured
from ml_connector.systems.kit.connection import dispensable, judged

DAYS = timedelta(days=1)
"""How far a day is read back: what was changed later on the day of the last reading shows the same day."""
HOURS = timedelta(hours=2)
"""How far a time is read back: a clock may be another zone's, and what is written late has an early time."""


@dataclass(frozen=True, slots=True)
class ChangeField:
    """A field that shows when a record was changed: `dated` where it has no time."""

    name: str
    dated: bool

    def begin(self, stamp: str) -> date | datetime:
        """Give the moment from which on, itself included, changes since a stamp are read."""
        if self.dated:
            return date.fromisoformat(stamp[:10]) - DAYS
        return moment(stamp) - HOURS

    def stamp(self, record: Mapping[str, Any]) -> str | None:
        """Tell a record's stamp, so that stamps compare as texts; None where it has none that can be read."""
        told = str(record.get(self.name) or "").strip()
        try:
            return date.fromisoformat(told[:10]).isoformat() if self.dated else f"{moment(told):%Y-%m-%dT%H:%M:%SZ}"
        except ValueError:
            return None


def moment(stamp: str) -> datetime:
    """Read a time; one without a zone is taken for UTC. Raises `ValueError`."""
    found = datetime.fromisoformat(stamp)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def change_field(
    record: Mapping[str, Any] | None, named: str | None, candidates: Iterable[str], setting: str
) -> ChangeField | None:
    """Find the field in a record: the one that the secret names, else the first candidate that it has; else None.

    Raises `Misconfigured` where the record does not have the field of the secret's `setting`.
    """
    if record is None:
        return None
    if named is not None and named not in record:
        raise Misconfigured(
            f"Records do not have the field {named} that {setting} names; they have {', '.join(sorted(record))}. "
            "Correct it, or add the field to the representation."
        )
    name = named or next((one for one in candidates if one in record), None)
    return None if name is None else ChangeField(name, len(str(record.get(name) or "").strip()) == len("2026-01-31"))


def sampled(reader: Any, entity: Any) -> str:
    """Read a record, for `ping`, and tell by which field changes are found; `reader` has `pages`, `changed_field`."""
    first = next(iter(reader.pages(entity, (), None)), None)
    if first is None or not first.keys:
        return "none there yet"
    field = reader.changed_field(entity)
    how = f"changes are found by {field.name}" if field else "no field shows a change, so all are compared"
    return f"for example {first.keys[0]}; {how}"


def unseen(reader: Any, entity: Any, field: str, value: str | None) -> bool:
    """Tell whether no record has a value in a field; of no value nothing is asked."""
    if not value:
        return False
    first = next(iter(reader.pages(entity, [(field, "eq", value)], None)), None)
    return first is None or not first.keys


def unshown(reader: Any, entity: Any, named: Mapping[str, tuple[str, str | None]], vendor: str) -> Check:
    """Warn of settings whose value no record shows, for `ping`: a new company has none yet, and a slip never will."""

    def look() -> tuple[bool, str]:
        new = [f"'{one}' {value}" for one, (field, value) in named.items() if unseen(reader, entity, field, value)]
        hint = f"no {entity.title} shows {', '.join(new)}: correct that, unless it is new in {vendor}"
        return not new, hint if new else f"each of them is shown by a {entity.title}"

    return dispensable(judged("names in the secret", look), "perhaps wrong")

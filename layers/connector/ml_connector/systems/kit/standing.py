"""What stands at a server of records that people edit there too: read in bulk, told field by field, changed in part."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ml_connector.ports import Clock
from ml_connector.systems.http import listed
from ml_connector.systems.kit.compare import bare

FEW = 5
"""Records that are read one by one; more are looked for in the list."""
KEPT = timedelta(minutes=15)
"""How long a list tells what is not there: only we make records under keys of ours."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """Which fields of an entity are told, by their names for people.

    `texts`: field to name. `lists`: a field that is a list of objects to (name, what tells one from another, its
    value), so that `[{"language": "en-US", "translation": "Sales"}]` is `name.en-US`: Sales.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)

    def fields(self, entity: Row) -> dict[str, str]:
        """Tell an entity field by field, as texts."""
        told = {name: _text(entity.get(here)) for here, name in self.texts.items()}
        for here, (name, key, value) in self.lists.items():
            told |= {f"{name}.{one.get(key)}": _text(one.get(value)) for one in _objects(entity.get(here))}
        return told

    def changed(self, entity: Row, present: Row, leave: Collection[str]) -> dict[str, Any]:
        """Make what changes `present` into `entity`, but for the fields to leave, and nothing else.

        A list goes whole: what stands in it, with ours in its place.
        """
        now, ours = self.fields(present), self.fields(entity)
        changes = {name for name, value in ours.items() if now.get(name, "") != value and name not in leave}
        made = {here: entity[here] for here, name in self.texts.items() if name in changes}
        for here, (name, key, value) in self.lists.items():
            wanted = {
                _text(one.get(key)): one for one in _objects(entity.get(here)) if f"{name}.{one.get(key)}" in changes
            }
            if not wanted:
                continue
            stand = [bare(one) for one in _objects(present.get(here))]
            known = {_text(one.get(key)) for one in stand}
            made[here] = [
                {**one, value: wanted[found][value]} if (found := _text(one.get(key))) in wanted else one
                for one in stand
            ] + [one for found, one in wanted.items() if found not in known]
        return made


class Standing:
    """Which of some records a server has now, by our keys: few calls for many, and none for those that are new.

    `pages` lists all records, `one` reads one (None where the server says that there is none), `key` names a row.
    """

    def __init__(
        self,
        pages: Callable[[], Iterator[Sequence[Any]]],
        one: Callable[[str], Row | None],
        key: Callable[[Row], str],
        clock: Clock,
    ) -> None:
        """Know nothing yet."""
        self._pages, self._one, self._key, self._clock = pages, one, key, clock
        self._listed: tuple[datetime, array[int]] | None = None

    def read(self, keys: Sequence[str], known: Collection[str] = ()) -> dict[str, Row]:
        """Read records as they stand now; those that the server does not have are left out.

        That it lacks one of the `known` is believed only when it is asked for that very one: a row may have moved from
        one page to another while the list was read.
        """
        asked = [key for key in keys if key in known or not self._is_absent(key)]
        found = self._in_list(asked) if len(asked) > FEW else {}
        sure = len(asked) > FEW and self._listed is not None
        for key in asked:
            if key not in found and (key in known or not (sure and self._is_absent(key))):
                row = self._one(key)
                found |= {key: row} if row is not None else {}
        return found

    def _in_list(self, keys: Sequence[str]) -> dict[str, Row]:
        """Look for records in the list, as long as that takes fewer calls than to ask for each of them."""
        wanted, found, hashes = set(keys), dict[str, Row](), array("Q")
        for number, rows in enumerate(self._pages(), 1):
            for row in (row for row in rows if isinstance(row, dict)):
                key = self._key(row)
                hashes.append(_hashed(key))
                if key in wanted:
                    found[key] = row
            if len(found) == len(wanted) or number >= len(wanted):
                return found
        self._listed = (self._clock.now(), array("Q", sorted(hashes)))
        return found

    def _is_absent(self, key: str) -> bool:
        if self._listed is None or self._clock.now() - self._listed[0] > KEPT:
            return False
        value, hashes = _hashed(key), self._listed[1]
        place = bisect_left(hashes, value)
        return place >= len(hashes) or hashes[place] != value


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in listed(value) if isinstance(one, dict)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _hashed(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(errors="replace"), digest_size=8).digest(), "big")

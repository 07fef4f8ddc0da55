"""Whether a server holds what we sent: its own fields, defaults and spellings do not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


def codes_in(entity: Any) -> Iterator[str]:
    """List the external codes of an entity and of all that is nested in it."""
    if isinstance(entity, Mapping):
        if "externalCode" in entity:
            yield str(entity["externalCode"])
        for value in entity.values():
            yield from codes_in(value)
    elif isinstance(entity, list):
        for value in entity:
            yield from codes_in(value)


def bare(value: Any) -> Any:
    """Leave out what a server adds to an entity by itself, and nulls: it takes back what it takes."""
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items() if v is not None and k != "lastUpdated"}
    return [bare(v) for v in value] if isinstance(value, list) else value


def overlay(
    made: Mapping[str, Any], present: Mapping[str, Any], lists: Set[str], *, cleared: Set[str], unsent: Set[str]
) -> tuple[bool, dict[str, Any]]:
    """Lay an entity over what stands there; tells whether changing some fields is enough, or it is to be written whole.

    `lists` are fields whose contents only a whole writing changes, `cleared` those of them that are emptied where the
    entity has none, `unsent` what a server does not take back. A name that only repeats the entity's own is no change.
    """
    full = {name for name in lists if present.get(name)}
    gone = (full & cleared) - made.keys()
    named = made.get("name")
    for name in full & made.keys():
        ours = made[name]
        if isinstance(ours, list):
            ours = [{k: v for k, v in one.items() if (k, v) != ("name", named)} for one in ours]
        if difference(ours, present[name]) is not None:
            gone.add(name)
    if not gone:
        return True, {name: value for name, value in made.items() if name not in full}
    return False, {**bare({name: value for name, value in present.items() if name not in gone | unsent}), **made}


def difference(sent: Any, got: Any, path: str = "") -> str | None:
    """Name the first field of `sent` that `got` has otherwise; None where all agree."""
    if isinstance(sent, Mapping):
        return _objects(sent, got, path)
    if isinstance(sent, list):
        return _lists(sent, got, path)
    return None if _equal(sent, got) else path


def _objects(sent: Mapping[str, Any], got: Any, path: str) -> str | None:
    if not isinstance(got, Mapping):
        return path or "the whole"
    for name, value in sent.items():
        where = difference(value, got.get(name), f"{path}.{name}" if path else name)
        if where is not None:
            return where
    return None


def _lists(sent: list[Any], got: Any, path: str) -> str | None:
    others = list(got) if isinstance(got, list) else []
    if len(sent) != len(others):
        return path
    for one in sent:
        match = next((other for other in others if difference(one, other) is None), None)
        if match is None:
            return path
        others.remove(match)
    return None


def _equal(sent: Any, got: Any) -> bool:
    if isinstance(sent, bool) or isinstance(got, bool):
        return sent is got
    if isinstance(sent, (int, Decimal)) and isinstance(got, (int, Decimal)):
        return Decimal(sent) == Decimal(got)
    if isinstance(sent, str) and isinstance(got, str):
        return sent == got or (_is_stamp(sent) and sent[:10] == got[:10])
    return bool(sent == got)


def _is_stamp(text: str) -> bool:
    return len(text) == 19 and text.endswith("T00:00:00")


_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?\s*(Z|[+-]\d\d:?\d\d)?)?", re.IGNORECASE)
PLACES = 9
"""Digits of a second: more than any server keeps."""


def comparable(stamp: str | None) -> str | None:
    """Spell a stamp so that a later one is the greater text; without a zone it is taken for UTC.

    A text that is no date-time stays as it is.
    """
    found = _STAMP.fullmatch(stamp.strip()) if stamp else None
    whole = moment(stamp)
    if found is None or whole is None:
        return stamp
    return f"{whole.isoformat()[:19]}.{(found[3] or '')[:PLACES].ljust(PLACES, '0')}Z"


def moment(stamp: Any) -> datetime | None:
    """Read a stamp, to the second; without a zone it is taken for UTC. None where it is no date-time."""
    found = _STAMP.fullmatch(stamp.strip()) if isinstance(stamp, str) else None
    if found is None:
        return None
    day, time, _, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time or '00:00:00'}{zone.upper() if zone else 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None

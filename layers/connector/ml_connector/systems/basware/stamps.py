"""Basware's date-times as texts that can be compared: one precision, one zone (`docs/vendors/basware.md`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?\s*(Z|[+-]\d\d:?\d\d)?)?", re.IGNORECASE)
PLACES = 9
"""Digits of a second: more than any server keeps."""


def comparable(stamp: str | None) -> str | None:
    """Spell a stamp so that a later one is the greater text; without a zone it is taken for UTC.

    A text that is no date-time stays as it is.
    """
    found = _STAMP.fullmatch(stamp.strip()) if stamp else None
    if found is None:
        return stamp
    day, time, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time or '00:00:00'}{zone.upper() if zone else 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return stamp
    return f"{moment.isoformat()[:19]}.{(fraction or '')[:PLACES].ljust(PLACES, '0')}Z"

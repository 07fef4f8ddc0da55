"""The vendor's records and time stamps."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]

_STAMP = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?)?")


def stamp(moment: datetime) -> str:
    """Return the vendor's form with milliseconds, e.g. 2026-03-01T07:36:13.053Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_stamp(text: str) -> datetime:
    """Read a date or date-time (UTC when no zone is given: inferred); ValueError if it is neither."""
    if not _STAMP.fullmatch(text):
        raise ValueError(f"{text!r} is no date-time")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

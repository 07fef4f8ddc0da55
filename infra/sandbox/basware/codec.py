"""JSON with exact decimals, and the vendor's time stamps."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

Record = dict[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?)?")


def encode(value: Any) -> bytes:
    """Return `value` as UTF-8 JSON; a Decimal becomes a number with all its digits."""
    return _ENCODER.encode(value)


def decode(body: bytes) -> Any:
    """Parse UTF-8 JSON with Decimal for every number that is no integer; ValueError if it is not JSON."""
    return json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python would take."""
    raise ValueError(f"{name} is not JSON")


def stamp(moment: datetime) -> str:
    """Return the vendor's form with milliseconds, e.g. 2026-03-01T07:36:13.053Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_stamp(text: str) -> datetime:
    """Read a date or date-time (UTC when no zone is given: inferred); ValueError if it is neither."""
    if not _STAMP.fullmatch(text):
        raise ValueError(f"{text!r} is no date-time")
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

"""JSON with exact decimals."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Give UTF-8 JSON with each Decimal as the number it is, digit by digit."""
    return _ENCODER.encode(value)


def decode(data: bytes, *, unique: bool = False) -> Any:
    """Read UTF-8 JSON with every fraction as Decimal.

    Raises ValueError for anything else, for NaN and the infinities, which Python would take, and where `unique` for a
    property that comes twice.
    """
    hook = _unique if unique else None
    return json.loads(data.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=hook)


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a property comes twice")
    return found

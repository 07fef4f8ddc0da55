"""Bodies as they are written: every number with its own digits, and no minus before a zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")


def written(body: Any) -> bytes:
    """Write a body as JSON. Where a zero has a sign, as -1 times nothing has, it is left out: no ledger knows -0.00."""
    content = _encoder.encode(body)
    return _encoder.encode(_unsigned(body)) if b"-0" in content else content


def _unsigned(value: Any) -> Any:
    if isinstance(value, Decimal):
        return abs(value) if value.is_zero() else value
    if isinstance(value, dict):
        return {name: _unsigned(one) for name, one in value.items()}
    return [_unsigned(one) for one in value] if isinstance(value, (list, tuple)) else value

"""Records as the server writes them: exact numbers, dates at midnight, every property of a type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from werkzeug.wrappers import Response

from ..kit.codec import encode
from .fields import ENUMS, TYPES, Field, Record


def reply(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    kind = "application/json; odata.metadata=minimal; odata.streaming=true"
    response = Response(encode(body), status, content_type=kind)
    response.headers["OData-Version"] = "4.0"
    return response


def shown(type_name: str, record: Record, date_tail: str, names: Sequence[str] | None = None) -> Record:
    """A record as the server writes it; absent texts are "", numbers 0, dates null, enumerations their first value.

    date_tail: what follows the day of a date, "T00:00:00Z" or "T00:00:00".
    """
    fields = TYPES[type_name]
    return {name: _shown(fields[name], record.get(name), date_tail) for name in (fields if names is None else names)}


def _shown(field: Field, value: Any, tail: str) -> Any:
    if field.kind == "l":
        return [shown(field.of, line, tail) for line in value or []]
    if field.kind == "d":
        return f"{value}{tail}" if value else None
    if value is not None:
        return value
    return {"s": "", "n": 0}.get(field.kind) if field.kind in "sn" else ENUMS[field.of][0]

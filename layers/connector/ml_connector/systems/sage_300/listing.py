"""A list's rows, where something in it does not fit: each by itself, so that one bad row costs only itself."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any, TypeVar

from ml_connector.errors import Transient
from ml_connector.systems.http import UNREADABLE, Reply, decode, dumps
from ml_connector.systems.misfit import misfit
from ml_connector.systems.sage_300.names import digits
from ml_connector.systems.sage_300.paging import Batch, Query, Spoiled

W = TypeVar("W")
RAW_LIMIT = 4_000


def row_by_row(query: Query[W], reply: Reply) -> Batch[W]:
    """Read a page of which something does not fit: each row by itself, so that one bad row costs only itself."""
    body = reply.json()
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        raise Transient(
            f"Sage 300 answered a list of {query.name} without 'value': {reply.text(200)}. This is no empty list; "
            "it is read again later."
        )
    rows: list[W] = []
    keys, spoiled = [], dict[str, Spoiled]()
    for raw in body["value"]:
        try:
            row: W = decode(query.row, _texts(raw)) if query.row is not None else raw
            name = query.key(row)
            rows.append(row)
        except (*UNREADABLE, TypeError, AttributeError) as error:
            text = dumps(raw)
            name = _name(query, raw, text)
            reason = f"It cannot be read: {misfit(error)}. Correct it in Sage 300."
            spoiled.setdefault(name, Spoiled(name, reason, text[:RAW_LIMIT]))
        keys.append(name)
    link = body.get("@odata.nextLink") or body.get("odata.nextLink")
    count = body.get("@odata.count", body.get("odata.count"))
    return Batch(rows, keys, list(spoiled.values()), str(link) if link else None, number_of(count))


def _texts(raw: Any) -> Any:
    """Write numbers as the texts that they are: codes and phone numbers, which a server may give as numbers."""
    if not isinstance(raw, dict):
        return raw
    return {k: str(v) if isinstance(v, (int, Decimal)) and not isinstance(v, bool) else v for k, v in raw.items()}


def _name(query: Query[Any], raw: Any, text: str) -> str:
    """Name a spoiled row by the first selected field, which is its key, or by what it holds.

    Not by its place: then no page would be known again, and a server that gives one for ever be read for ever.
    """
    known = raw.get(query.select[0]) if isinstance(raw, dict) and query.select else None
    return str(known) if known is not None else f"?{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


def number_of(count: object) -> int | None:
    """Read a count, which comes as a number or as text."""
    return digits(str(count or ""))

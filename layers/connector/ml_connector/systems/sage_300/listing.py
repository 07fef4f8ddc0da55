"""A list's rows, where something in it does not fit: each by itself, so that one bad row costs only itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from ml_connector.errors import Transient
from ml_connector.systems.http import UNREADABLE, Reply, decode, dumps
from ml_connector.systems.kit.paging import content_of
from ml_connector.systems.misfit import misfit
from ml_connector.systems.sage_300.names import digits
from ml_connector.systems.sage_300.paging import Batch, Place, Query, Spoiled

W = TypeVar("W")
RAW_LIMIT = 4_000


def row_by_row(query: Query[W], place: Place, reply: Reply) -> Batch[W]:
    """Read a page of which something does not fit: each row by itself, so that one bad row costs only itself."""
    body = reply.json()
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        raise Transient(
            f"Sage 300 answered a list of {query.name} without 'value': {reply.text(200)}. This is no empty list; "
            "it is read again later."
        )
    rows, keys, spoiled = [], [], []
    for number, raw in enumerate(body["value"]):
        name = f"?{place.skip + number}"
        try:
            row: W = decode(query.row, _texts(raw)) if query.row is not None else raw
            name = query.key(row)
            rows.append(row)
        except (*UNREADABLE, TypeError, AttributeError) as error:
            name = _name(query, raw, name)
            reason = f"It cannot be read: {misfit(error)}. Correct it in Sage 300."
            spoiled.append(Spoiled(name, reply.clean(reason), reply.clean(dumps(raw))[:RAW_LIMIT]))
        keys.append(name)
    link = body.get("@odata.nextLink") or body.get("odata.nextLink")
    count = body.get("@odata.count", body.get("odata.count"))
    unnamed = any(bad.key.startswith("?") for bad in spoiled)
    mark = content_of(body["value"]) if unnamed else None
    return Batch(rows, keys, spoiled, str(link) if link else None, number_of(count), mark=mark)


def _texts(raw: Any) -> Any:
    """Write numbers as the texts that they are: codes and phone numbers, which a server may give as numbers."""
    if not isinstance(raw, dict):
        return raw
    return {k: str(v) if isinstance(v, (int, Decimal)) and not isinstance(v, bool) else v for k, v in raw.items()}


def _name(query: Query[Any], raw: Any, unnamed: str) -> str:
    """Name a spoiled row by the first selected field, which is its key."""
    known = raw.get(query.select[0]) if isinstance(raw, dict) and query.select else None
    return str(known) if known is not None else unnamed


def number_of(count: object) -> int | None:
    """Read a count, which comes as a number or as text."""
    return digits(str(count or ""))

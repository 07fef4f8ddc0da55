"""What a body holds: rows wrapped or bare, one entity in any wrapper, and what there is of a success."""

from __future__ import annotations

from typing import Any

from ml_connector.errors import OutcomeUnknown, Transient
from ml_connector.systems.http import Reply


def rows_in(body: Any, key: str) -> list[Any] | None:
    """Take the rows out of a list, bare or under `key` in any case; None where there is no list.

    The only list that there is counts whatever its name, unless it is empty: that may be anybody's.
    """
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        return None
    named = {name.lower(): value for name, value in body.items()}
    if key.lower() in named:
        rows = named[key.lower()]
        if rows is None or isinstance(rows, list):
            return rows or []
    lists = [value for value in body.values() if isinstance(value, list)]
    if len(lists) == 1 and lists[0] and "errors" not in named and "errormessages" not in named:
        return lists[0]
    return None


def one_of(body: Any, key: str) -> dict[str, Any] | None:
    """Take one entity out of an answer: bare, in an array of one, or in the list's wrapper."""
    if isinstance(body, dict) and isinstance(body.get(key), (list, dict)):
        body = body[key]
    elif isinstance(body, dict) and len(body) == 1 and isinstance(inner := next(iter(body.values())), list):
        body = inner
    if isinstance(body, list):
        body = body[0] if body else None
    return body if isinstance(body, dict) else None


def success_of(vendor: str, reply: Reply, safe: bool) -> Any:
    """Read the body of a success: JSON, a bare word, or nothing; a page or half a body is none.

    Raises `Transient` where the call was `safe`, else `OutcomeUnknown`.
    """
    if not reply.body.strip():
        return None
    try:
        return reply.json()
    except ValueError as error:
        if reply.body.lstrip()[:1] in {b"<", b"{", b"["}:
            message = f"{vendor} answered {reply.status} with something else than whole JSON: {reply.text(120)}"
            raise (Transient if safe else OutcomeUnknown)(message) from error
        return reply.text()

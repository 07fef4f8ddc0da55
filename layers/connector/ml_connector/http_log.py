"""What went over the wire in one attempt, redacted: the raw material of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from msgspec import Struct

from ml_connector.redact import Redactor

BODY_LIMIT = 200_000
"""Characters of a body that are kept; a longer one is cut and says so."""


class Exchange(Struct, kw_only=True, omit_defaults=True):
    """One request and what came back. `at` is ISO 8601 UTC, `seconds` as decimal text; bodies are redacted."""

    at: str
    method: str
    url: str
    request_headers: dict[str, str]
    request_body: str = ""
    status: int | None = None
    response_headers: dict[str, str] = {}
    response_body: str = ""
    seconds: str = ""
    error: str = ""


_current: ContextVar[list[Exchange] | None] = ContextVar("exchanges", default=None)


@contextmanager
def recording() -> Iterator[list[Exchange]]:
    """Collect every exchange of this attempt (of this thread of work)."""
    exchanges: list[Exchange] = []
    token = _current.set(exchanges)
    try:
        yield exchanges
    finally:
        _current.reset(token)


def wanted() -> bool:
    """Tell whether somebody collects: page reads are not kept, so they need not be copied."""
    return _current.get() is not None


def note(exchange: Exchange) -> None:
    """Add an exchange to the attempt under way, if there is one."""
    exchanges = _current.get()
    if exchanges is not None:
        exchanges.append(exchange)


def clip(text: str, redactor: Redactor) -> str:
    """Mask a body and cut it to what is kept; what is not kept costs nothing."""
    if len(text) <= BODY_LIMIT:
        return redactor.text(text)
    return f"{redactor.beginning(text, BODY_LIMIT)}… [{len(text)} characters, cut]"


def as_rows(exchanges: list[Exchange]) -> list[dict[str, Any]]:
    """Give plain rows for JSON."""
    return [{f: getattr(e, f) for f in e.__struct_fields__} for e in exchanges]

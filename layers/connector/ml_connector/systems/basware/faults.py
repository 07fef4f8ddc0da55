"""What Basware says when it refuses, in its several dialects (`docs/vendors/basware.md`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ml_connector.systems.http import Reply, listed

WORDS = 1_000
"""Characters of one complaint that are kept."""
OWN = frozenset({"UNEXPECTED_ERROR", "SNS_PUBLISH_ERROR", "SQS_PUBLISH_ERROR"})
"""Codes of Basware's own troubles, of those that its schema lists (`ErrorEntity`)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One complaint. `external_code` names the record that it is about, where the server tells."""

    external_code: str | None
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} ({self.code})" if self.code else self.message


def read(reply: Reply) -> list[Fault]:
    """Read the complaints of a refused call; at least one, made of the raw text where nothing else is there."""
    try:
        found = [_shown(fault, reply) for fault in _faults(reply.json())]
    except (ValueError, RecursionError):
        found = []
    return found or [Fault(None, "", reply.text(250) or f"status {reply.status} without a text")]


def _shown(fault: Fault, reply: Reply) -> Fault:
    """Mask what a server echoes of our secrets, and cut what is no sentence any more."""
    return replace(fault, code=reply.clean(fault.code)[:100], message=reply.clean(fault.message)[:WORDS])


def words(faults: list[Fault], most: int = 3) -> str:
    """Say the first complaints in one line."""
    more = f" and {len(faults) - most} more" if len(faults) > most else ""
    return "; ".join(str(fault) for fault in faults[:most]) + more


def hidden_in(body: Any) -> bool:
    """Tell whether a body that came with 200 is an error all the same."""
    if not isinstance(body, dict):
        return False
    if any(body.get(flag) is True for flag in ("hasErrors", "hasError")):
        return True
    return bool(body.get("error")) and "externalCode" not in body


def _faults(body: Any) -> Iterator[Fault]:
    if isinstance(body, list):
        for entry in body:
            yield from _faults(entry)
    elif isinstance(body, dict):
        inner = body.get("errors") or body.get("errorMessages") or body.get("detail")
        if isinstance(inner, list):
            for entry in inner:
                yield _entry(entry)
        elif isinstance(inner, dict):
            yield from _network(inner)
        elif text := body.get("message") or inner or body.get("error_description") or body.get("error"):
            yield Fault(_text(body.get("externalCode")), _text(body.get("code")) or "", str(text))


def _entry(entry: Any) -> Fault:
    if not isinstance(entry, dict):
        return Fault(None, "", str(entry))
    parts = [_text(entry.get(name)) for name in ("message", "msg", "info")]
    message = ": ".join(dict.fromkeys(part for part in parts if part)) or "no message"
    return Fault(_text(entry.get("externalCode")), _text(entry.get("code")) or "", message)


def _network(errors: dict[str, Any]) -> Iterator[Fault]:
    """The Network's dialect: one object with a list of fields."""
    for entry in listed(errors.get("validationErrors")):
        if isinstance(entry, dict):
            yield Fault(None, str(errors.get("code") or ""), f"{entry.get('fieldId')}: {entry.get('fieldMessage')}")
    if errors.get("message"):
        yield Fault(None, str(errors.get("code") or ""), str(errors["message"]))


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None

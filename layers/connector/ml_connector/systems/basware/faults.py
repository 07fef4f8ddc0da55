"""What Basware says when it refuses, in its several dialects (`docs/vendors/basware.md`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ml_connector.systems.http import Reply, listed

WORDS = 1_000
"""Characters of one complaint that are kept."""
OWN = frozenset({"UNEXPECTED_ERROR", "SNS_PUBLISH_ERROR", "SQS_PUBLISH_ERROR"})
"""Codes of Basware's own troubles, of those that its schema lists (`ErrorEntity`)."""
NOT_FOUND = "ENTITY_NOT_FOUND"
CODES = OWN | {
    NOT_FOUND,
    "EXTERNAL_CODE_MISMATCH",
    "SCHEMA_VALIDATION_ERROR",
    "CONFLICT_IN_POST",
    "DATA_ORIGIN_VALIDATION_ERROR",
    "ACCESS_TOKEN_VALIDATION_ERROR",
    "CREDENTIAL_VALIDATION_ERROR",
    "PARAMETER_VALIDATION_ERROR",
    "METHOD_NOT_ALLOWED",
    "DATA_VALIDATION_FAILED",
}
"""All codes of the schema."""
SETUP = frozenset({"ACCESS_TOKEN_VALIDATION_ERROR", "CREDENTIAL_VALIDATION_ERROR"})
"""Codes that speak of the client and not of a record."""
_ABSENT = re.compile(r"no records? (?:was|were) found|record to \w+ (?:was )?not found", re.IGNORECASE)
"""The words of the description of a 404, for an empty list and for an entity."""
_PUSH = ("/v1/subscriptions", "/v1/tasks", "/v1/dataExtracts")


@dataclass(frozen=True, slots=True)
class Fault:
    """One complaint. `external_code` names the record that it is about, where the server tells."""

    external_code: str | None
    code: str
    message: str

    @property
    def blames_no_record(self) -> bool:
        """Tell whether it speaks of a trouble of Basware's own, or of one that its schema does not know."""
        return self.code in OWN or (self.code != "" and self.code not in CODES)

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


def is_own(body: Any) -> bool:
    """Tell whether a body is an error in one of Basware's documented dialects, and not a gateway's.

    `hasErrors` with `errors`, `hasError` with `errorMessages`, an array of either, or a `detail` that names places.
    """
    if isinstance(body, list):
        return bool(body) and all(is_own(one) for one in body)
    if not isinstance(body, dict):
        return False
    if any(isinstance(body.get(flag), bool) for flag in ("hasErrors", "hasError")):
        return True
    entries = [e for name in ("errors", "errorMessages") for e in listed(body.get(name)) if isinstance(e, dict)]
    places = [e for e in listed(body.get("detail")) if isinstance(e, dict) and "loc" in e]
    return bool(places) or any(str(entry.get("code")) in CODES or "externalCode" in entry for entry in entries)


def speaks(reply: Reply) -> bool:
    """Tell whether an answer is an error in one of Basware's dialects."""
    try:
        return is_own(reply.json())
    except ValueError:
        return False


def is_json(reply: Reply) -> bool:
    """Tell whether an answer is JSON at all, and not a page or a line of a proxy."""
    try:
        reply.json()
    except ValueError:
        return False
    return True


def says_absent(reply: Reply, path: str) -> bool:
    """Tell whether Basware says itself, in the body of a 404, that there is no such thing.

    By its own error with the code for it, or by the words of its description; the notification API has a dialect of
    its own. A body without content is Basware's too, and judged by who signed it (`client`).
    """
    try:
        body = reply.json()
    except ValueError:
        return _ABSENT.search(reply.text()) is not None and reply.body.lstrip()[:1] != b"<"
    if path.startswith(_PUSH) and body == {"detail": "Not Found"}:
        return True
    found = list(_faults(body)) if is_own(body) else []
    said = body.get("message") if isinstance(body, dict) else body
    return any(f.code == NOT_FOUND or _ABSENT.search(f.message) for f in found) or (
        isinstance(said, str) and _ABSENT.search(said) is not None
    )


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

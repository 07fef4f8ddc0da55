"""Refusals in the API's error dialects (`docs/vendors/basware.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..kit.codec import encode
from .codec import Record


@dataclass(frozen=True)
class Entry:
    """One entry of the `errors` array."""

    code: str
    message: str
    external_code: str | None = None
    type: str = "VALIDATION"

    def record(self) -> Record:
        """Return the entry as on the wire."""
        return {
            "externalCode": self.external_code,
            "type": self.type,
            "code": self.code,
            "message": self.message,
            "info": None,
        }


class Refused(Exception):
    """Ends a request with `status`; `reason` goes to the log for whoever debugs a client."""

    def __init__(self, status: int, reason: str, body: Any = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.body = status, reason, body

    def payload(self, _request_id: str) -> bytes:
        """Return the body: empty for 401, 404 and 405, which the vendor documents without content."""
        return b"" if self.body is None else encode(self.body)


class Invalid(Refused):
    """A 400 or 409 with the `hasErrors` body."""

    def __init__(self, entries: list[Entry], status: int = 400) -> None:
        super().__init__(status, "; ".join(entry.message for entry in entries[:5]))
        self.entries = entries

    def payload(self, request_id: str) -> bytes:
        """Return `{requestId, hasErrors, errors}`."""
        errors = [entry.record() for entry in self.entries]
        return encode({"requestId": request_id, "hasErrors": True, "errors": errors})


class PushInvalid(Refused):
    """A 400 of the notification API, which has a dialect of its own."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(400, "; ".join(messages))
        self.messages = messages

    def payload(self, request_id: str) -> bytes:
        """Return `{requestId, hasError, errorMessages}`."""
        entries = [{"type": "VALIDATION", "code": "SCHEMA_VALIDATION_ERROR", "message": m} for m in self.messages]
        return encode({"requestId": request_id, "hasError": True, "errorMessages": entries})


def bad_parameter(message: str) -> Invalid:
    """Return the refusal of a query parameter or header."""
    return Invalid([Entry("PARAMETER_VALIDATION_ERROR", message)])

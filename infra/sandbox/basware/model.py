"""What the simulated Basware remembers: plain records without behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from .codec import Record

Verdict = tuple[str, str | None]
"""(item status, message or None), e.g. ("Error", "Record skipped due to wrong or missing CompanyCode")."""


@dataclass
class Row:
    """The API layer's version of one master record."""

    record: Record
    updated: datetime
    request_id: str


@dataclass
class Item:
    """One record of an import or one answer to an invoice, waiting for or holding its verdict."""

    code: str
    content: Record
    parent: str | None = None
    status: str = "InProgress"
    errors: list[Record] = field(default_factory=list)


@dataclass
class RequestRecord:
    """One accepted POST or PATCH, as `requestStatus` tells of it. `judge` runs once `due` is reached."""

    request_id: str
    entity_type: str
    operation: str
    accepted: datetime
    due: datetime
    items: list[Item]
    judge: Callable[[Item], Verdict]
    list_key: str | None = None
    done: bool = False
    acknowledged: bool = False

    @property
    def status(self) -> str:
        """Tell the status of the whole request: Error if an item has one (inferred: a Warning is a success)."""
        if not self.done:
            return "InProgress"
        outcome = "Error" if any(item.status == "Error" for item in self.items) else "Success"
        return f"Acknowledged{outcome}" if self.acknowledged else outcome


@dataclass
class ForcedVerdict:
    """Overrides the next `times` verdicts of `entity_type`; status `InProgress` means: never a verdict."""

    entity_type: str
    status: str = "Error"
    message: str = "Forced by the sandbox"
    code: str = ".*"
    times: int = 1


@dataclass
class Document:
    """One invoice.

    `sent` holds every accepted answer by kind, `answers` those whose verdict let them in. `payment` holds what P2P
    knows of the payment; fields that the last answer left out are None.
    """

    record: Record
    updated: datetime
    answers: dict[str, list[Record]] = field(default_factory=dict)
    sent: dict[str, list[Item]] = field(default_factory=dict)
    payment: Record = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The processing status, e.g. WaitingForTransfer."""
        return str(self.record["processingStatus"])

    @property
    def gross(self) -> Decimal:
        """The gross sum, 0 when absent; negative for a credit note."""
        return Decimal(self.record.get("grossSum") or 0)


@dataclass
class Extract:
    """One extract of Data Access: its files by name, each with its table and packed content."""

    id: str
    kind: str
    made: datetime
    files: dict[str, tuple[str, bytes]]
    status: str = "WaitingForExport"


@dataclass(frozen=True)
class Grant:
    """What an access token allows, and until when."""

    scopes: frozenset[str]
    expires: datetime


@dataclass(frozen=True)
class Cursor:
    """What a continuation token stands for: a query, and the sort key of the last record given."""

    query: str
    after: str


@dataclass(frozen=True)
class Link:
    """A pre-signed download."""

    body: bytes
    content_type: str
    expires: datetime
    headers: dict[str, str]


@dataclass
class Notification:
    """One push notification: the exact bytes and headers to POST, and what became of it."""

    url: str
    body: bytes
    headers: dict[str, str]
    task: Record
    attempts: int = 0
    status: int | None = None


@dataclass
class Fault:
    """One rule of misbehaviour; see `faults.KINDS`. Used up after `times` requests (-1: never)."""

    kind: str
    path: str = ".*"
    method: str = ".*"
    times: int = 1
    status: int = 503
    retry_after: str | None = None
    seconds: float = 0
    skip: int = 0


@dataclass(frozen=True)
class LoggedRequest:
    """One request as received, with the status it was answered with (0: no answer)."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    reason: str = ""


Settings = dict[str, Any]

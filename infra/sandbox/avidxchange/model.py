"""What the simulated AvidXchange keeps: invoices with their lines, payments, closed batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Record = dict[str, Any]
RECEIVED, APPROVED, REJECTED, PAID = "received", "approved", "rejected", "paid"
GL_GROUP = "GL Account"
"""The group of accounting codes in which `glCode` stands."""


@dataclass
class Line:
    """One coded line of an invoice."""

    amount: Decimal
    gl_code: str = ""
    description: str = ""
    codes: list[tuple[str, str]] = field(default_factory=list)
    item: Record | None = None


@dataclass
class Invoice:
    """An invoice, submitted through the API or captured by people.

    state: received, approved, rejected or paid. visible: when look-ups find it. fails: when its validation refuses it,
    and `failure` why. captured: it came in by paper or mail. batch: the GUID of the batch in which it leaves.
    """

    id: int
    vendor: str
    number: str
    dated: date
    amount: Decimal
    lines: list[Line]
    changed: datetime
    visible: datetime
    external_id: str = ""
    due: date | None = None
    currency: str = "USD"
    order: str = ""
    company: str = ""
    description: str = ""
    state: str = RECEIVED
    errors: list[str] = field(default_factory=list)
    fails: datetime | None = None
    failure: str = ""
    captured: bool = False
    batch: str = ""
    attachments: list[Record] = field(default_factory=list)


@dataclass
class Part:
    """What a payment pays of one invoice; `invoice` is its id, or None for a document that AvidXchange never had."""

    number: str
    gross: Decimal
    discount: Decimal = Decimal(0)
    external_id: str = ""
    invoice: int | None = None
    dated: date | None = None

    @property
    def net(self) -> Decimal:
        """What is paid after the discount."""
        return self.gross - self.discount


@dataclass
class Payment:
    """One payment with all that happened to it; `check` is the number on the paper, or the trace of a transfer."""

    id: int
    vendor: str
    parts: list[Part]
    state: str
    paid_on: date
    modified: datetime
    method: str = "Check"
    check: str = ""
    external_id: str = ""
    batch: str = ""
    company: str = ""
    cleared: datetime | None = None
    image: bool = False
    exceptions: list[tuple[int, str]] = field(default_factory=list)
    history: list[Record] = field(default_factory=list)
    reissue_of: int | None = None

    @property
    def amount(self) -> Decimal:
        """What the payee gets."""
        return sum((part.net for part in self.parts), Decimal(0))


@dataclass
class Batch:
    """Approved invoices that leave together; `closed` is None while it is open."""

    guid: str
    name: str
    company: str
    closed: datetime | None = None
    invoices: list[int] = field(default_factory=list)
    exports: int = 0


@dataclass(frozen=True)
class Company:
    """A company of the customer: an "accounting system" of the older interface."""

    id: str
    name: str

    def is_called(self, text: str) -> bool:
        """Whether a text means it: its id, or its name compared trimmed and without case."""
        return text == self.id or text.strip().casefold() == self.name.strip().casefold()


STATUS_IDS: Mapping[str, int] = {
    "Pending Approval": 1,
    "Held": 3,
    "Processing": 5,
    "Debit Requested": 8,
    "Funds Received": 11,
    "Sent to Check Printer": 14,
    "Issued to Supplier": 17,
    "ACH Credit Issued": 18,
    "VCC Processing": 19,
    "Error": 22,
    "Cleared": 27,
    "Void": 30,
    "Returned": 33,
    "Reissued": 36,
}
"""Descriptions of payments; of the numbers only that of Cleared is documented."""
METHODS: Mapping[str, int] = {"Check": 2, "Direct": 3, "Virtual Credit Card": 4, "e-Payment": 5}
REASONS: Mapping[int, str] = {
    4: "Bank account missing",
    5: "Bank account under test",
    6: "Bank account inactive",
    9: "Bank account new",
}
"""Reasons of the state Error that the customer repairs, after which the payment goes on."""

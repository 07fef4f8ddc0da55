"""The state of one simulated customer of AvidXchange, and the switches that make it behave like a particular one."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from ..kit.faults import AFTER, BEFORE, Faults
from .logins import Logins
from .model import GL_GROUP, REJECTED, Batch, Company, Invoice, Payment, Record

LOG_LENGTH = 2000


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LoggedCall:
    """One call as it arrived; `query` is empty for logins, so that no password is kept."""

    method: str
    path: str
    query: str
    status: int
    at: datetime


@dataclass(frozen=True)
class Remembered:
    """What was answered under an idempotency key, and to which payload."""

    digest: str
    status: int
    body: bytes
    until: datetime


@dataclass
class World:
    """All records in memory, the logins, the switches and the counters.

    clock: aware UTC time; all days are days of UTC. prefix: what stands before every path, e.g. "/avidsuite/1.0".

    Of the gateway. fault_style: "wrapped" or "bare". quota: calls of a minute (0: any number). throttle: how a refusal
    for too many says when to come back: "seconds", "date" or "next". forbidden: first parts of paths that the
    subscription lacks, e.g. "payments". tenant: "none", "header", "query" or "path": where a call must name the
    company, under `tenant_name`.

    Of the newer interface. paging: "page", "offset", "cursor", "link" or "none". page_size, page_limit; over_limit: a
    larger page is "cut" or "refused". members: "lower" or "Pascal" (items, Items). unfiltered: lists without a filter
    are "refused" or "served". ignored_filters: parameters that are taken and not acted on. filter_days: "either",
    "date" or "datetime". renamed: our name of a field to theirs. create_answer: "201", "results", "single" (an object
    in place of the list) or "202". success: "bool" or "text". amounts_in: "either", "string" or "number"; amounts_out:
    "string" or "number". words: our state to the word for it. more_fields: fields of an invoice beyond the documented
    ones. lengths: the longest text of a field. currencies: those that are taken (none: any). credit_notes: "negative",
    "type" or "refused". lines_add_up: the lines must make the amount. orders_must_exist: a purchase order that is named
    must be known. validation: vendor and codes are checked "immediately" or "later", `validation_seconds` after.
    visible_seconds: so much later look-ups find a new invoice. duplicates: "refused" (409), "unprocessable" (422) or
    "allowed". idempotency: "honoured", "ignored" or "strict" (refuses the same key with another payload);
    idempotency_header, idempotency_hours.

    Of the older interface. pages_name: "PageCount" or "Pages" or "" (no paging at all). old_page_size. results_as:
    "list" or "object". successful: "bool" or "text". day_separator: "T" or " ". digits_as_numbers: numbers of invoices
    and orders that have digits only are JSON numbers. vendor_address: what follows the vendor's code, e.g. "|2".
    window_days: whole days that one list of payments may span, the first and the last counted.

    state_style: the state of payments is "plain", "upper" or "padded".
    offences: what a correct client never does. calls, log: what was asked.
    """

    clock: Callable[[], datetime] = _utc_now
    rng: Random = field(default_factory=lambda: Random(1))
    sleep: Callable[[float], None] = time.sleep
    prefix: str = ""
    fault_style: str = "wrapped"
    quota: int = 0
    throttle: str = "seconds"
    forbidden: set[str] = field(default_factory=set)
    tenant: str = "none"
    tenant_name: str = "X-Company-Id"
    paging: str = "page"
    page_size: int = 100
    page_limit: int = 500
    over_limit: str = "cut"
    members: str = "lower"
    unfiltered: str = "refused"
    ignored_filters: set[str] = field(default_factory=set)
    filter_days: str = "either"
    renamed: dict[str, str] = field(default_factory=dict)
    create_answer: str = "201"
    success: str = "bool"
    amounts_in: str = "either"
    amounts_out: str = "string"
    words: dict[str, str] = field(
        default_factory=lambda: {
            "received": "Submitted",
            "approved": "Approved",
            "rejected": "Rejected",
            "paid": "Paid",
        }
    )
    more_fields: set[str] = field(default_factory=set)
    lengths: dict[str, int] = field(default_factory=lambda: {"invoiceNumber": 50, "externalId": 100})
    currencies: set[str] = field(default_factory=set)
    credit_notes: str = "negative"
    lines_add_up: bool = True
    orders_must_exist: bool = False
    validation: str = "immediately"
    validation_seconds: float = 7200
    visible_seconds: float = 0
    duplicates: str = "refused"
    idempotency: str = "honoured"
    idempotency_header: str = "Idempotency-Key"
    idempotency_hours: float = 24
    attachment_limit: int = 10_000_000
    pages_name: str = "PageCount"
    old_page_size: int = 500
    results_as: str = "list"
    successful: str = "bool"
    day_separator: str = "T"
    digits_as_numbers: bool = False
    vendor_address: str = ""
    window_days: int = 30
    state_style: str = "plain"
    companies: list[Company] = field(default_factory=list)
    vendors: dict[str, Record] = field(default_factory=dict)
    codes: dict[tuple[str, str], Record] = field(default_factory=dict)
    orders: dict[str, Record] = field(default_factory=dict)
    invoices: dict[int, Invoice] = field(default_factory=dict)
    payments: dict[int, Payment] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    payment_batches: dict[str, Record] = field(default_factory=dict)
    keys: dict[str, Remembered] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    recent: deque[datetime] = field(default_factory=deque)
    log: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    offences: list[str] = field(default_factory=list)
    faults: Faults = field(
        default_factory=lambda: Faults(
            BEFORE | {"429", "429-date", "429-next", "403", "login-503"}, AFTER | {"repeated-page", "short-page"}
        )
    )
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    logins: Logins = field(init=False)

    def __post_init__(self) -> None:
        # Through the world, so that a test may replace the clock later.
        self.logins = Logins(lambda: self.clock(), self.rng)  # noqa: PLW0108

    def today(self) -> date:
        """The day in UTC."""
        return self.clock().astimezone(UTC).date()

    def forward(self, delta: timedelta) -> None:
        """Let time pass, whatever the clock is."""
        before = self.clock
        self.clock = lambda: before() + delta

    def number(self, series: str, first: int = 1) -> int:
        """The next number of a series that begins at `first`."""
        self.numbers[series] = max(self.numbers[series] + 1, first)
        return self.numbers[series]

    def guid(self) -> str:
        """A new GUID."""
        text = f"{self.rng.getrandbits(128):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def company(self, text: str) -> Company | None:
        """The company that a text means."""
        return next((one for one in self.companies if one.is_called(text)), None)

    def vendor_is_usable(self, code: str) -> bool:
        """Whether invoices of a vendor are taken; its code is compared as it stands."""
        return code in self.vendors and is_active(self.vendors[code])

    def code_is_usable(self, group: str, value: str) -> bool:
        """Whether lines may be coded to a value of a group."""
        return (group, value) in self.codes and is_active(self.codes[group, value])

    def unusable(self, vendor: str, pairs: Iterable[tuple[str, str]]) -> str:
        """Say why an invoice cannot be processed; empty where it can."""
        if vendor not in self.vendors:
            return f"Vendor '{vendor}' does not exist"
        if not self.vendor_is_usable(vendor):
            return f"Vendor '{vendor}' is not active"
        bad = next((pair for pair in pairs if not self.code_is_usable(*pair)), None)
        if bad is None:
            return ""
        what = "GL account" if bad[0] == GL_GROUP else bad[0]
        return f"{what} '{bad[1]}' is not valid"

    def settle(self) -> None:
        """Let the validations that are due by now refuse their invoices."""
        now = self.clock()
        for invoice in self.invoices.values():
            if invoice.fails is not None and invoice.fails <= now:
                invoice.state, invoice.errors, invoice.changed = REJECTED, [invoice.failure], invoice.fails
                invoice.fails = None

    def find(self, vendor: str, number: str) -> Invoice:
        """The newest invoice with a vendor's number; raises KeyError where there is none."""
        found = [one for one in self.invoices.values() if (one.vendor, one.number) == (vendor, number)]
        if not found:
            raise KeyError(f"no invoice {number!r} of vendor {vendor!r}")
        return found[-1]

    def paid(self, invoice: Invoice) -> Decimal:
        """What cleared payments have settled of an invoice, the discount included."""
        cleared = [one for one in self.payments.values() if one.state == "Cleared"]
        return sum((p.gross for one in cleared for p in one.parts if p.invoice == invoice.id), Decimal(0))


def is_active(record: Record) -> bool:
    """Whether a vendor or a code is in use, in any of the ways in which a client may say so."""
    flags = [str(record[name]).casefold() for name in ("active", "isActive") if name in record]
    status = str(record.get("status", "active")).casefold()
    return not {"false", "0", "no", "n"} & set(flags) and status not in ("inactive", "deactivated", "closed")

"""The state of one simulated company and the switches that make it behave like a particular installation."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from random import Random
from typing import Any

from ..kit.faults import AFTER, BEFORE, Faults
from .errors import record_duplicate, record_not_found
from .fields import RESOURCES, TYPES, Record, key_of
from .filters import Grammar
from .users import Users

LOG_LENGTH = 2000
PAGE = 100
STAMPS = ("DateLastMaintained", "DateLastEdited")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LoggedCall:
    """One call as it arrived: what was asked, by whom, when, and the status of the answer (0: none was given)."""

    method: str
    path: str
    query: str
    user: str
    body: bytes
    status: int
    at: datetime


@dataclass
class World:
    """All records in memory, the users, the switches and the counters.

    clock: aware UTC time; `zone` turns it into the company's dates. internal_host: what next links begin with.
    page_size: PageSize of the web.config. most_at_once: requests at the same time before 429. annotations: "@odata."
    or the older "odata." (whose count is a text). next_link: "drop" (only $skip) or "keep" (all options).
    date_literal: "iso" or "datetime"; filter_ge: whether `ge` is known. date_tail: "T00:00:00Z" or "T00:00:00".
    windows_login: IIS asks for Windows authentication itself, with a page of its own.
    ready_to_post: Sage 300 2021 or later; an older one refuses that status. duplicates: where a vendor's document
    number that exists is refused: "insert" or "posting". locked_period: the same for a closed period.
    failed_entries: entries that a posting refuses are "moved" into the error batch, or "copied" (and stay in the posted
    one too). error_names: whether posting errors name vendor and document. not_offered: resources that this release
    lacks. metadata: whether $metadata is served. unfiltered: fields that no filter may name; filter_or: whether filters
    know `or`.
    rates: functional currency for one unit of another. closed_periods: months such as "2026-01" locked for A/P.
    tax_rates: authority to rates in percent by tax class; tax_groups: code to authorities.
    optional_fields: codes that invoices may carry. locked_batches: batches that somebody has open on the desktop.
    items: item numbers with their descriptions; empty: any is known.
    created_status, process_status: 201 or 200, 204 or 200 (no source fixes them).
    """

    clock: Callable[[], datetime] = _utc_now
    rng: Random = field(default_factory=lambda: Random(1))
    zone: tzinfo = UTC
    sleep: Callable[[float], None] = time.sleep
    company: str = "SAMLTD"
    currency: str = "EUR"
    internal_host: str = "http://localhost/Sage300WebApi"
    page_size: int = PAGE
    most_at_once: int = 3
    annotations: str = "@odata."
    next_link: str = "drop"
    date_literal: str = "iso"
    filter_ge: bool = True
    date_tail: str = "T00:00:00Z"
    windows_login: bool = False
    ready_to_post: bool = True
    duplicates: str = "insert"
    locked_period: str = "insert"
    failed_entries: str = "moved"
    error_names: bool = True
    not_offered: set[str] = field(default_factory=set)
    metadata: bool = True
    unfiltered: set[str] = field(default_factory=set)
    filter_or: bool = True
    created_status: int = 201
    process_status: int = 204
    users: Users = field(default_factory=Users)
    rates: dict[str, Decimal] = field(default_factory=dict)
    closed_periods: set[str] = field(default_factory=set)
    tax_rates: dict[str, dict[int, Decimal]] = field(default_factory=dict)
    tax_groups: dict[str, list[str]] = field(default_factory=dict)
    optional_fields: set[str] = field(default_factory=set)
    locked_batches: set[int] = field(default_factory=set)
    items: dict[str, str] = field(default_factory=dict)
    tables: dict[str, dict[Any, Record]] = field(default_factory=lambda: {name: {} for name in RESOURCES})
    numbers: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    log: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    faults: Faults = field(default_factory=lambda: Faults(BEFORE | {"429", "session"}, AFTER | {"repeated-page"}))
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    at_once: int = 0

    def __post_init__(self) -> None:
        # Receipts are posted under one name and read under another; they are the same rows.
        self.tables["POReceipts"] = self.tables["POGetReceipts"]

    @property
    def grammar(self) -> Grammar:
        """The $filter dialect of this installation."""
        return Grammar(self.date_literal, self.filter_ge, self.filter_or, frozenset(self.unfiltered))

    def today(self) -> date:
        """The company's calendar date."""
        return self.clock().astimezone(self.zone).date()

    def rows(self, name: str) -> list[Record]:
        """The records of a resource in the order of their keys, as the views read them."""
        return [record for _, record in sorted(self.tables[name].items())]

    def get(self, name: str, key: Any) -> Record | None:
        """The record with this key, if there is one."""
        return self.tables[name].get(key)

    def find(self, name: str, key: Any) -> Record:
        """The record with this key; raises `Refusal` (RecordNotFound)."""
        record = self.tables[name].get(key)
        if record is None:
            raise record_not_found()
        return record

    def number(self, series: str, first: int = 1) -> int:
        """The next number of a series that begins at `first`."""
        self.numbers[series] = max(self.numbers[series] + 1, first)
        return self.numbers[series]

    def stamp(self, name: str, record: Record) -> None:
        """Set the day of the last change, where the type keeps one (only the day)."""
        for stamp in STAMPS:
            if stamp in TYPES[RESOURCES[name].type]:
                record[stamp] = self.today().isoformat()

    def put(self, name: str, record: Record) -> Record:
        """Keep a record under its key as it is, without validation or stamp."""
        self.tables[name][key_of(RESOURCES[name], record)] = record
        return record

    def insert(self, name: str, record: Record) -> Record:
        """Keep a new record and stamp it; raises `Refusal` (RecordDuplicate)."""
        if key_of(RESOURCES[name], record) in self.tables[name]:
            raise record_duplicate(f"A record with this key exists in {name}")
        self.stamp(name, record)
        return self.put(name, record)

    def upsert(self, name: str, values: Record) -> Record:
        """Merge `values` into a record, or make it, and stamp it as a user's change does."""
        with self.lock:
            known = self.tables[name].get(key_of(RESOURCES[name], values))
            if known is None:
                return self.insert(name, dict(values))
            known |= values
            self.stamp(name, known)
            return known

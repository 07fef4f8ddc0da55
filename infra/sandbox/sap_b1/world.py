"""The state of one simulated company and the switches that make it behave like a particular installation."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from random import Random
from typing import Any

from ..kit.faults import Faults
from .errors import not_found
from .fields import DOCUMENT_SETS, SETS, TYPES, Field, Record
from .sessions import Sessions

LOG_LENGTH = 2000


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LoggedCall:
    """One call as it arrived: what was asked, when, and the status of the answer (0: none was given).

    `body` is empty for Login, so that no password is kept.
    """

    method: str
    path: str
    query: str
    body: bytes
    status: int
    at: datetime


@dataclass
class World:
    """All records in memory, the sessions, the switches and the counters.

    clock: aware UTC time; `zone` turns it into the company's dates and times.
    dead_session_style: "401" or "-5002". next_link_style: "drop" (the link keeps only $skip), "path" or "relative"
    (both keep the query). flat_errors_on_v1: v1 answers with the flat envelope, as some builds do.
    closed_periods: months such as "2026-01". rates: local currency for one unit of a foreign one.
    user_fields: entity set, or "DocumentLines", to the names of its user fields.
    branches: id to name; when not empty each document must name one. approval_for: suppliers whose invoices wait for
    approval; approval_reply: "empty" (204 without Location) or "-2028" (404), both inferred. withholding: suppliers to
    the percentage of the net that is withheld from them.
    items: known item numbers; empty: any is known. stamp_base_documents: drawing from an order changes its UpdateDate
    (not documented, so off). shuffle_ties: rows without a complete order come in another order at each request.
    """

    clock: Callable[[], datetime] = _utc_now
    rng: Random = field(default_factory=lambda: Random(1))
    zone: tzinfo = UTC
    sleep: Callable[[float], None] = time.sleep
    company: str = "SBODEMO"
    local_currency: str = "EUR"
    version_text: str = "1000280"
    next_link_style: str = "drop"
    flat_errors_on_v1: bool = False
    shuffle_ties: bool = False
    tax_field: str = "VatGroup"
    block_duplicate_reference: bool = False
    approval_reply: str = "empty"
    closed_periods: set[str] = field(default_factory=set)
    approval_for: set[str] = field(default_factory=set)
    withholding: dict[str, Decimal] = field(default_factory=dict)
    rates: dict[str, Decimal] = field(default_factory=dict)
    user_fields: dict[str, list[str]] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)
    stamp_base_documents: bool = False
    branches: dict[int, str] = field(default_factory=dict)
    tables: dict[str, dict[Any, Record]] = field(default_factory=lambda: {name: {} for name in SETS})
    numbers: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    log: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    faults: Faults = field(default_factory=Faults)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        # Through the world, so that a test may replace the clock later.
        self.sessions = Sessions(lambda: self.clock(), self.rng, self.company)  # noqa: PLW0108

    @property
    def dead_session_style(self) -> str:
        """How a call without a live session is answered: "401" (error 301) or "-5002" (400)."""
        return self.sessions.dead_style

    @dead_session_style.setter
    def dead_session_style(self, style: str) -> None:
        if style not in ("401", "-5002"):
            raise ValueError(style)
        self.sessions.dead_style = style

    @property
    def logins(self) -> int:
        """How many logins succeeded."""
        return self.sessions.logins

    @property
    def login_failures(self) -> int:
        """How many logins were refused."""
        return self.sessions.failures.total()

    def unlock(self, user: str) -> None:
        """Lift the lock of a user, as an administrator does."""
        self.sessions.consecutive[user] = 0

    def expire_sessions(self) -> None:
        """End every session at once, as a restart of the server does."""
        with self.lock:
            self.sessions.open.clear()

    def now(self) -> datetime:
        """The company's local time."""
        return self.clock().astimezone(self.zone)

    def today(self) -> str:
        """The company's calendar date."""
        return self.now().date().isoformat()

    def fields(self, set_name: str) -> dict[str, Field]:
        """The properties of a set, with the user fields; those of one document are those of all (inferred)."""
        sets = DOCUMENT_SETS if set_name in DOCUMENT_SETS else {set_name}
        own = sorted({name for one in sets for name in self.user_fields.get(one, [])})
        return TYPES[SETS[set_name].type] | {name: Field(name, "s") for name in own}

    def rows(self, set_name: str) -> list[Record]:
        """The records of a set in the order in which they were made."""
        if set_name == "BusinessPlaces" and self.branches:
            return [{"BPLID": n, "BPLName": name, "Disabled": "tNO"} for n, name in self.branches.items()]
        return list(self.tables[set_name].values())

    def find(self, set_name: str, key: Any) -> Record:
        """The record with this key; raises `Refusal` (404) when there is none."""
        name = SETS[set_name].key
        if set_name == "BusinessPlaces":
            record = next((row for row in self.rows(set_name) if row[name] == key), None)
        else:
            record = self.tables[set_name].get(key)
        if record is None:
            raise not_found()
        return record

    def number(self, series: str, first: int) -> int:
        """The next number of a series that begins at `first`."""
        self.numbers[series] = max(self.numbers[series] + 1, first)
        return self.numbers[series]

    def stamp(self, record: Record, type_name: str, created: bool = False) -> None:
        """Set the modification stamp, and the creation stamp, of the types that have one."""
        now, names = self.now(), TYPES[type_name]
        date, clock = now.date().isoformat(), now.strftime("%H:%M:%S")
        if "UpdateDate" in names:
            record |= {"UpdateDate": date, "UpdateTime": clock}
        if created:
            born = {"CreationDate": date, "CreateDate": date, "CreateTime": clock, "DocTime": clock}
            record |= {name: value for name, value in born.items() if name in names}

    def put(self, set_name: str, record: Record) -> Record:
        """Keep a record under its key as it is, without validation or stamp."""
        self.tables[set_name][record[SETS[set_name].key]] = record
        return record

    def upsert(self, set_name: str, values: Record) -> Record:
        """Merge `values` into a record, or make it, and stamp it as a user's change does."""
        with self.lock:
            key = values[SETS[set_name].key]
            record = self.tables[set_name].get(key)
            fresh = record is None
            record = self.put(set_name, (record or {}) | values)
            self.stamp(record, SETS[set_name].type, created=fresh)
            return record

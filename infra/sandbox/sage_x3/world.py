"""The state of one simulated folder and the switches that make it behave like a particular installation."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from ..kit.faults import AFTER, BEFORE, Faults
from .errors import Absent
from .logins import Logins
from .representations import Representation, shipped
from .tables import TABLES, Key, Record, uid
from .templates import Template, templates

LOG_LENGTH = 2000


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LoggedCall:
    """One call as it arrived, and the status of the answer (0: none was given); bodies are not kept."""

    method: str
    path: str
    query: str
    status: int
    at: datetime


@dataclass
class World:
    """All records in memory, the logins, the switches and the counters.

    clock: aware UTC time; `zone_hours` makes the company's day of it. Months are written "2026-03".

    Of the folder. endpoint: its name in addresses, with case; folder, company, site: what people see. ledgers: ledger
    type to chart (the first one is what people enter, the others follow). sites: site to company. entry_types: type to
    STA (1 temporary, 2 final). payment_types: type to whether it needs approval. mandatory: account to the dimension
    types that it must have. closed_periods: months that nobody posts into. strict_source_document: whether BPR with
    BPRVCR may come only once. pay_approval: FLGPAZ of a new open item. user_pay_level: the highest that our user may
    set. reversal_copies: what a reversal takes over from its entry.

    Of api1. representations: (class, name) to what it shows and may do. stamp: "UPDDATTIM", "UPDDAT", "none", or the
    customer's own name, such as updatedDate: the last-modified property that representations show. page_limit: the
    highest `count`. next_link: "absolute" or "relative". next_count: whether it has the count. nested_limit: lines of
    a record that are shown (0: all). collections: another property name for the lines of a table, such as POHPOP.
    invoice_lines: the tables whose lines invoices show. arrays: whether dimensions are shown as a "list" or as the
    first one. absent_status: of 721. refusal_status: of a creation that a rule forbids, with `$diagnoses`. auth: what
    the server takes, of basic, bearer. forbidden: classes that our user's profile has no right to. blank, no_day: how
    nothing is written.

    Of GraphQL. prefix: "x3" or "xtremX3". operations: nodes that can be written. unreadable: fields (Node.field) that
    our user has no right to: null, with an error beside the data. first: the default page.

    Of SOAP. children: web-service processes. pools: pool aliases. templates: import templates by code. import_status:
    O_STATUS after a record was refused. import_messages: whether O_MESSA tells why. not_entered: columns that an import
    drops in silence. multi_ref: whether messages stand beside the answer.

    violations: what a correct client never does. calls, log: what was asked.
    """

    clock: Callable[[], datetime] = _utc_now
    rng: Random = field(default_factory=lambda: Random(1))
    sleep: Callable[[float], None] = time.sleep
    zone_hours: int = 0
    endpoint: str = "SEED"
    folder: str = "SEED"
    company: str = "FR10"
    site: str = "FR011"
    currency: str = "EUR"
    ledgers: dict[int, str] = field(default_factory=lambda: {1: "FRA"})
    sites: dict[str, str] = field(default_factory=lambda: {"FR011": "FR10", "FR012": "FR10", "US011": "US10"})
    journals: set[str] = field(default_factory=lambda: {"ACH", "OD", "BAN"})
    entry_types: dict[str, int] = field(
        default_factory=lambda: {"PIINV": 2, "PITMP": 1, "STDJE": 2, "PAYMT": 2, "RVSJE": 2}
    )
    payment_types: dict[str, bool] = field(default_factory=lambda: {"VIRMT": False, "VIRAP": True})
    banks: set[str] = field(default_factory=lambda: {"BNK01"})
    rates: dict[str, Decimal] = field(default_factory=lambda: {"EUR": Decimal(1)})
    tax_rates: dict[str, Decimal] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    mandatory: dict[str, list[str]] = field(default_factory=dict)
    closed_periods: set[str] = field(default_factory=set)
    closed_period: str = "refuse"
    strict_source_document: bool = False
    pay_approval: int = 4
    user_pay_level: int = 4
    reversal_copies: set[str] = field(default_factory=lambda: {"BPRVCR", "REF"})
    representations: dict[tuple[str, str], Representation] = field(default_factory=shipped)
    stamp: str = "UPDDATTIM"
    page_limit: int = 500
    next_link: str = "absolute"
    next_count: bool = True
    nested_limit: int = 0
    collections: dict[str, str] = field(default_factory=dict)
    invoice_lines: set[str] = field(default_factory=lambda: {"BPSINVLIG", "PINVOICED"})
    arrays: str = "list"
    absent_status: int = 200
    refusal_status: int = 200
    auth: set[str] = field(default_factory=lambda: {"basic", "bearer"})
    forbidden: set[str] = field(default_factory=set)
    blank: str = " "
    no_day: str = "1753-01-01"
    prefix: str = "x3"
    operations: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    first: int = 20
    children: int = 2
    pools: set[str] = field(default_factory=lambda: {"WSPOOL"})
    templates: dict[str, Template] = field(default_factory=templates)
    import_status: int = 1
    import_messages: bool = True
    not_entered: set[str] = field(default_factory=set)
    multi_ref: bool = False
    tables: dict[str, dict[Key, Record]] = field(default_factory=lambda: {name: {} for name in TABLES})
    numbers: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    log: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    violations: list[str] = field(default_factory=list)
    faults: Faults = field(
        default_factory=lambda: Faults(BEFORE | {"slow-pool"}, AFTER | {"repeated-page", "diagnoses", "no-next"})
    )
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    logins: Logins = field(init=False)

    def __post_init__(self) -> None:
        # Through the world, so that a test may replace the clock later.
        self.logins = Logins(lambda: self.clock(), self.rng)  # noqa: PLW0108

    # ── time and numbers ────────────────────────────────────────────────────────────────────────────────────

    def today(self) -> date:
        """The company's calendar date."""
        return (self.clock() + timedelta(hours=self.zone_hours)).date()

    def number(self, series: str, first: int = 1) -> int:
        """The next number of a series that begins at `first`."""
        self.numbers[series] = max(self.numbers[series] + 1, first)
        return self.numbers[series]

    def counter(self, prefix: str) -> str:
        """The next number of a document, such as PIINV2602-0001."""
        series = f"{prefix}{self.today():%y%m}"
        return f"{series}-{self.number(series):04d}"

    # ── records ─────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self, name: str) -> list[Record]:
        """The rows of a table in the order in which they were made."""
        return list(self.tables[name].values())

    def get(self, name: str, *key: Any) -> Record | None:
        """The row with exactly this key: the collation is binary."""
        return self.tables[name].get(key)

    def find(self, name: str, *key: Any) -> Record:
        """The row with this key; raises `Absent`."""
        row = self.get(name, *key)
        if row is None:
            raise Absent
        return row

    def lines(self, name: str, parent: str, row: Record) -> list[Record]:
        """The lines in one table of a record of another, by key."""
        key = TABLES[parent].key_of(row)
        found = [(k, line) for k, line in self.tables[name].items() if k[: len(key)] == key]
        return [line for _, line in sorted(found, key=lambda pair: pair[0])]

    def put(self, name: str, values: Record) -> Record:
        """Make a row, or replace it, with defaults for what is not given; raises `KeyError` for an unknown column."""
        table, now = TABLES[name], self.clock().replace(microsecond=0)
        row = {column.name: values.get(column.name, column.default()) for column in table.columns.values()}
        self._check(name, values)
        known = self.tables[name].get(table.key_of(row))
        row |= {"CREUSR": "ADMIN", "CREDATTIM": now, "CREDAT": self.today()} if known is None else {}
        row["AUUID"] = row["AUUID"] or uid(f"{name}/{table.key_of(row)}")
        self.tables[name][table.key_of(row)] = row
        return self.stamped(row)

    def change(self, name: str, row: Record, values: Record) -> Record:
        """Change a row, as a user does; raises `KeyError` for an unknown column."""
        self._check(name, values)
        row |= values
        return self.stamped(row)

    def _check(self, name: str, values: Record) -> None:
        columns = TABLES[name].columns
        for column, value in values.items():
            if column not in columns:
                raise KeyError(f"{name} has no column {column}")
            if not columns[column].fits(value):
                raise ValueError(f"{name}.{column} cannot hold {value!r}")

    def stamped(self, row: Record) -> Record:
        """Give a row the present moment as that of its last change."""
        row |= {"UPDUSR": "ADMIN", "UPDDATTIM": self.clock().replace(microsecond=0), "UPDDAT": self.today()}
        return row

    def drop(self, name: str, row: Record) -> None:
        """Delete a row with its lines."""
        for child in TABLES[name].children:
            for line in self.lines(child, name, row):
                self.drop(child, line)
        del self.tables[name][TABLES[name].key_of(row)]

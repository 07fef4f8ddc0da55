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
from . import periods
from .errors import Refusal
from .odata_users import ODataUsers
from .sessions import Sessions
from .tables import TABLES, Record

LOG_LENGTH = 2000


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _empty() -> dict[str, dict[Any, Record]]:
    return {name: {} for name in TABLES}


@dataclass(frozen=True)
class LoggedCall:
    """One call as it arrived: what was asked, when, and the status of the answer (0: none was given).

    `query` is empty for Logon, so that no password is kept.
    """

    method: str
    path: str
    query: str
    status: int
    at: datetime


@dataclass
class World:
    """All records in memory, operators and sessions, the switches and the counters.

    clock: aware UTC time; `zone` turns it into the company's dates. Months are written "2026-03".

    Of the company. local_currency and all currency codes are the customer's own, such as "$". ledger_company: where
    GenMaster lies (empty: in the company's own database). others: further companies of the server, each with its
    tables. ap_period: the current month of the payables (empty: the calendar's). closed_periods: months that nobody
    posts into. terms: code to days until due, days of discount, percent of discount. tax_rates: letter to percent.
    rates: local currency for one unit of a foreign one. foreign_tax: suppliers of EC acquisitions. protected: accounts
    to their passwords. analysed: accounts that demand analysis. grn_system: receipts make GRNs, else a receipt history.
    receipts_complete_orders: an order is complete once all of it was received (not documented, so off).
    untick_grn: the operator may post without the matching that a supplier demands. supplier_warnings: supplier to what
    its maintenance warns of. unlicensed: business objects that this license lacks.

    Of e.net. wrapping: "raw", "json" (a quoted string) or "string" (an XML element around it). digits: of the counts,
    5 or 6. status_of_items: "always", "refused" (absent where all went well) or "never". error_case: "lower" or "own".
    journal_in_answer: whether a posted invoice says its journal. not_equal: COMFND knows NE. blanks_omitted:
    Setup/Update empties what is not sent. ignores_setup_warnings: its default of IgnoreWarnings. longest_address: what
    HTTP.sys takes. tail: what follows an XML answer.

    Of OData. page_limit: rows of a request. over_limit: a larger $top is "cut" or "refused". next_link: "", "absolute"
    or "relative". date_style: what follows the day, e.g. "T00:00:00Z" or "". date_literal: "both", "datetime" or
    "date". longest_query: what IIS takes.

    binary_collation: texts compare with case. shuffle: rows without a complete order come in another one each time.
    violations: what a correct client never does. calls, log: what was asked.
    """

    clock: Callable[[], datetime] = _utc_now
    rng: Random = field(default_factory=lambda: Random(1))
    zone: tzinfo = UTC
    sleep: Callable[[float], None] = time.sleep
    company: str = "A"
    company_name: str = "Sandbox Manufacturing"
    version: str = "8.0.021"
    local_currency: str = "EUR"
    ledger_company: str = ""
    ap_period: str = ""
    closed_periods: set[str] = field(default_factory=set)
    terms: dict[str, tuple[int, int, Decimal]] = field(default_factory=dict)
    tax_rates: dict[str, Decimal] = field(default_factory=dict)
    rates: dict[str, Decimal] = field(default_factory=dict)
    branches: set[str] = field(default_factory=set)
    foreign_tax: set[str] = field(default_factory=set)
    protected: dict[str, str] = field(default_factory=dict)
    analysed: set[str] = field(default_factory=set)
    grn_system: bool = True
    untick_grn: bool = False
    receipts_complete_orders: bool = False
    supplier_warnings: dict[str, str] = field(default_factory=dict)
    unlicensed: set[str] = field(default_factory=set)
    wrapping: str = "raw"
    digits: int = 5
    status_of_items: str = "always"
    error_case: str = "lower"
    journal_in_answer: bool = True
    not_equal: bool = False
    blanks_omitted: bool = False
    ignores_setup_warnings: bool = True
    longest_address: int = 16384
    tail: str = "\n "
    page_limit: int = 5000
    over_limit: str = "cut"
    next_link: str = ""
    date_style: str = "T00:00:00Z"
    date_literal: str = "both"
    longest_query: int = 2048
    binary_collation: bool = True
    shuffle: bool = True
    tables: dict[str, dict[Any, Record]] = field(default_factory=_empty)
    others: dict[str, dict[str, dict[Any, Record]]] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    log: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    violations: list[str] = field(default_factory=list)
    faults: Faults = field(
        default_factory=lambda: Faults(BEFORE | {"session", "evict"}, AFTER | {"repeated-page", "evict-after"})
    )
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    odata: ODataUsers = field(default_factory=ODataUsers)
    sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        # Through the world, so that a test may replace the clock later.
        self.sessions = Sessions(lambda: self.clock(), self.rng, companies={self.company: ""})  # noqa: PLW0108

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────

    def today(self) -> date:
        """The company's calendar date."""
        return self.clock().astimezone(self.zone).date()

    @property
    def current_period(self) -> str:
        """The current month of the payables and of the general ledger."""
        return self.ap_period or periods.month_of(self.today())

    # ── records ─────────────────────────────────────────────────────────────────────────────────────────────

    def fold(self, text: str) -> str:
        """A text as this database compares it: spaces at its end never count."""
        return text.rstrip(" ") if self.binary_collation else text.rstrip(" ").casefold()

    def database(self, company: str) -> dict[str, dict[Any, Record]] | None:
        """The tables of a company; None for one that the server does not have."""
        return self.tables if company == self.company else self.others.get(company)

    def rows(self, name: str, company: str = "") -> list[Record]:
        """The rows of a table in the order in which they were made."""
        tables = self.database(company or self.company)
        return [] if tables is None else list(tables[name].values())

    def accounts(self) -> dict[Any, Record]:
        """GenMaster where it lies; it holds the accounts of several companies."""
        tables = self.database(self.ledger_company or self.company)
        return {} if tables is None else tables["GenMaster"]

    def get(self, name: str, *key: Any) -> Record | None:
        """The row with this key, as the database compares keys."""
        table = self.accounts() if name == "GenMaster" else self.tables[name]
        found = table.get(key[0] if len(key) == 1 else key)
        if found is not None or all(not isinstance(part, str) for part in key):
            return found
        wanted = [self.fold(part) if isinstance(part, str) else part for part in key]
        columns = TABLES[name].key
        for row in table.values():
            if [self.fold(row[c]) if isinstance(row[c], str) else row[c] for c in columns] == wanted:
                return row
        return None

    def find(self, name: str, *key: Any) -> Record:
        """The row with this key; raises `Refusal` where there is none."""
        row = self.get(name, *key)
        if row is None:
            raise Refusal(f"There is no {name} {' '.join(map(str, key))}")
        return row

    def put(self, name: str, values: Record, company: str = "") -> Record:
        """Make a row, or replace it, with defaults for what is not given; raises `KeyError` for an unknown column."""
        table = TABLES[name]
        unknown = values.keys() - table.columns.keys()
        if unknown:
            raise KeyError(f"{name} has no column {', '.join(sorted(unknown))}")
        row = {column.name: values.get(column.name, column.default()) for column in table.columns.values()}
        if company:
            tables = self.others.setdefault(company, _empty()) if company != self.company else self.tables
        else:
            tables = self.tables if name != "GenMaster" else self._ledger()
        tables[name][table.key_of(row)] = row
        return self.stamp(row)

    def _ledger(self) -> dict[str, dict[Any, Record]]:
        company = self.ledger_company or self.company
        return self.tables if company == self.company else self.others.setdefault(company, _empty())

    def upsert(self, name: str, values: Record) -> Record:
        """Merge values into a row, or make it, as a user's change does."""
        with self.lock:
            known = self.get(name, *(values[part] for part in TABLES[name].key))
            if known is None:
                return self.put(name, values)
            unknown = values.keys() - known.keys()
            if unknown:
                raise KeyError(f"{name} has no column {', '.join(sorted(unknown))}")
            known |= values
            return self.stamp(known)

    def stamp(self, row: Record) -> Record:
        """Give a row the next rowversion."""
        row["TimeStamp"] = self.number("rowversion", 2001)
        return row

    def number(self, series: str, first: int = 1) -> int:
        """The next number of a series that begins at `first`."""
        self.numbers[series] = max(self.numbers[series] + 1, first)
        return self.numbers[series]

    def mixed(self, rows: list[Record]) -> list[Record]:
        """Rows as a database gives them whom nobody asked for an order: in another one each time."""
        if not self.shuffle:
            return rows
        found = list(rows)
        Random(self.calls.total()).shuffle(found)
        return found

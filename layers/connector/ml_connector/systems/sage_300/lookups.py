"""What an invoice must know of its vendor and of its day, read once and remembered for a while.

A calendar tells its years, whether each is active, and the days of its periods. That a period is locked for a module
stands elsewhere, and shows when a posting is refused (`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from ml_connector.errors import Misconfigured
from ml_connector.folding import same
from ml_connector.systems.kit.values import day, flag
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.masters import is_active, said
from ml_connector.systems.sage_300.query import KeyFilter, Query

MOST = 13
LASTS = timedelta(minutes=15)


class VendorFacts(Struct, rename="pascal"):
    """A vendor has one currency and one tax group (`docs/vendors/sage_300.md`)."""

    vendor_number: str
    currency_code: str | None = None
    tax_group: str | None = None
    status: str | None = None

    @property
    def currency(self) -> str | None:
        """Give the currency; None where the company has only one."""
        return said(self.currency_code)

    @property
    def taxed(self) -> bool:
        """Tell whether tax is worked out for the vendor."""
        return said(self.tax_group) is not None

    @property
    def active(self) -> bool:
        """Tell whether the vendor may be invoiced; being on hold is no bar."""
        return is_active(self.status)


def vendors_query(where: str = "") -> Query[VendorFacts]:
    """Vendors."""
    return Query("AP/APVendors", VendorFacts, lambda row: row.vendor_number.strip(), where)


class Vendors:
    """Vendors by number. One that is not there is asked for again."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._known: dict[str, VendorFacts] = {}

    def forget(self, number: str) -> None:
        """Read a vendor again the next time: a person fixes it."""
        self._known.pop(number, None)

    def get(self, number: str) -> VendorFacts | None:
        """Read a vendor, whatever its letters' case: Sage 300 keeps capitals. None where there is none."""
        if number not in self._known:
            asked = dict.fromkeys((number, number.upper()))
            wanted = KeyFilter(vendors_query, "VendorNumber", asked, lambda row: (row.vendor_number.strip(),))
            rows = {row.vendor_number.strip(): row for row in self._api.keyed.rows(wanted)}
            found = rows.get(number) or next((row for code, row in rows.items() if same(code, number)), None)
            if found is None:
                return None
            self._known[number] = found
        return self._known[number]


@dataclass(frozen=True, slots=True)
class Period:
    """A fiscal period, both days within it."""

    start: date
    end: date
    closed: bool


class Calendar:
    """Read now and then, and before a day is called closed; none of it where it cannot be seen."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._periods: list[Period] = []
        self._read_at: datetime | None = None

    def is_open(self, day: date) -> bool | None:
        """Tell whether a day can be posted to; None where nothing is known of it."""
        fresh = self._refresh()
        known = _open_on(day, self._periods)
        if known is False and not fresh:
            self._load()  # somebody may have opened it
            known = _open_on(day, self._periods)
        return known

    def next_open(self, day: date) -> date | None:
        """Give the first day of the next open period; None where there is none."""
        self._refresh()
        return next((p.start for p in self._periods if p.start > day and not p.closed), None)

    def _refresh(self) -> bool:
        """Read what has grown old; tell whether it had."""
        old = self._read_at is None or self._api.now() - self._read_at >= LASTS
        if old:
            self._load()
        return old

    def _load(self) -> None:
        query: Query[dict[str, Any]] = Query("CS/CSFiscalCalendars", None, lambda row: str(row.get("FiscalYear")))
        try:
            rows = list(self._api.rows(query, needed=False))
        except Misconfigured:
            rows = []  # the module's right is missing; then the posting itself tells
        self._periods = sorted((p for row in rows for p in _periods(row)), key=lambda p: p.start)
        self._read_at = self._api.now()


def _open_on(day: date, periods: list[Period]) -> bool | None:
    return any(p.start <= day <= p.end and not p.closed for p in periods) if periods else None


def _periods(row: Mapping[str, Any]) -> Iterator[Period]:
    closed = flag(row, "Active") is False
    for number in range(1, MOST + 1):
        try:
            start, end = (day(row, f"FiscalPeriod{number}{name}") for name in ("StartDate", "EndDate"))
        except ValueError:
            continue
        if start and end:
            yield Period(start, end, closed)

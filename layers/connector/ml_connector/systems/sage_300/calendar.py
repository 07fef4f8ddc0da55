"""The company's fiscal calendar: whether a day can be posted to, and which is the next one that can.

Periods and their dates are documented by use (`FiscalPeriod1StartDate`); how a closed one shows is not, and may differ
by module, so whatever looks like a status is heeded, and where nothing does the refusal of the posting tells
(`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ml_connector.errors import Misconfigured
from ml_connector.systems.http import listed
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.names import day_of
from ml_connector.systems.sage_300.paging import Query

MOST = 13
LASTS = timedelta(minutes=15)
_LISTS = ("FiscalPeriods", "Periods", "FiscalCalendarPeriods", "FiscalPeriodStatuses")
_STARTS, _ENDS = ("StartDate", "BeginDate", "BeginningDate"), ("EndDate", "EndingDate")
_STATES = ("Status", "PeriodStatus", "LockStatus", "State")
_YEAR_STATES = ("Status", "YearStatus", "FiscalYearStatus")
_CLOSED = frozenset({"closed", "locked", "inactive", "lock", "close", "notactive"})
_TRUE, _FALSE = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})


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
    shut = _closed(row, _YEAR_STATES)
    for name in _LISTS:
        for one in listed(row.get(name)):
            if isinstance(one, dict):
                yield from _period(one, "", shut=shut)
    for number in range(1, MOST + 1):
        for prefix in (f"FiscalPeriod{number}", f"Period{number}"):
            yield from _period(row, prefix, shut=shut)


def _period(row: Mapping[str, Any], prefix: str, *, shut: bool) -> Iterator[Period]:
    start, end = _first(row, prefix, _STARTS), _first(row, prefix, _ENDS)
    try:
        begins, ends = day_of(start), day_of(end)
    except ValueError:
        return
    if begins and ends:
        yield Period(begins, ends, shut or _closed(row, _STATES, prefix))


def _first(row: Mapping[str, Any], prefix: str, names: tuple[str, ...]) -> Any:
    return next((row[prefix + name] for name in names if row.get(prefix + name)), None)


def _closed(row: Mapping[str, Any], states: tuple[str, ...], prefix: str = "") -> bool:
    if any(_word(row, prefix + name) in _CLOSED for name in states):
        return True
    if any(_word(row, f"{prefix}{name}") in _TRUE for name in ("Closed", "Locked", "IsClosed", "IsLocked")):
        return True
    return _word(row, f"{prefix}Active") in _FALSE | _CLOSED


def _word(row: Mapping[str, Any], name: str) -> str:
    return "".join(c for c in str(row.get(name, "")).lower() if c.isalnum())

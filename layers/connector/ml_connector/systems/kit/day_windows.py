"""Whole days from and to, for a server that lists by the day of a change, and never very many days at once.

The last day that was seen and the day before are read again: changes of one day come all day long, and nothing says in
which zone a server's day begins. Two windows that follow each other share a day, so that none is lost at the seam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from ml_connector.flow import DocumentPage

DAY = timedelta(days=1)
FARTHEST = timedelta(days=366)
"""How far back a first reading goes at most, whatever the start date."""


def windows(first: date, today: date, most: int) -> Iterator[tuple[date, date]]:
    """Cut the days from `first` to today into windows of at most `most` days; each begins with the last one's end."""
    first = min(first, today)
    while True:
        last = min(first + (most - 1) * DAY, today)
        yield first, last
        if last == today:
            return
        first = last


def begin(since: str | None, position: str | None, start: date | None, today: date, most: int) -> date:
    """Tell from which day on to read: where a reading broke off, or for the stamp of the last one.

    The first time it is the start date, and without one as many days as are read at once.
    """
    if position:
        return date.fromisoformat(position)
    if since is not None:
        return date.fromisoformat(since[:10]) - DAY
    return max(start, today - FARTHEST) if start is not None else today - (most - 1) * DAY


def listed(
    first: date,
    today: date,
    most: int,
    read: Callable[[date, date], Iterator[DocumentPage]],
    server_day: Callable[[], date | None],
) -> Iterator[DocumentPage]:
    """Read window after window. The mark moves behind the last one only, never past the server's own day.

    A reading that broke off begins its window again, whose first day is the position: pages may have moved meanwhile.
    """
    for start, last in windows(first, today, most):
        for page in read(start, last):
            yield replace(page, position=start.isoformat())
        if last != today:
            yield DocumentPage([], position=last.isoformat())
    yield DocumentPage([], stamp=min(today, server_day() or today).isoformat())

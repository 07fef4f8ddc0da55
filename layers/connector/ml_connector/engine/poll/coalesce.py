"""Gathers small pages of a source into large ones, so that chunks are full whatever the source's page size is.

A server may cap its pages at 20 rows where a target takes 200 in a call: chunk by page would mean ten times the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from ml_connector.flow import Page
from ml_connector.ports import Clock

WEIGHT = 1000
"""Weight of a gathered page: a multiple of what the targets' calls take (200 vendors, 500 accounts, 100 lines)."""
LONGEST = timedelta(seconds=15)
"""A slow source is not waited for any longer: the position must move, and a slice must end in time."""


def coalesced(pages: Iterator[Page[Any]], weigh: Callable[[Any], int], clock: Clock) -> Iterator[Page[Any]]:
    """Yield pages of at least `WEIGHT`, the last one excepted; nothing that was read is lost to an error."""
    held: list[Page[Any]] = []
    weight, began = 0, clock.now()
    try:
        for page in pages:
            held.append(page)
            weight += sum(map(weigh, page.records)) + len(page.broken)
            if weight >= WEIGHT or _is_late(began, clock):
                yield _joined(held)
                held, weight, began = [], 0, clock.now()
    except Exception:
        if held:
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _is_late(began: datetime, clock: Clock) -> bool:
    return clock.now() - began > LONGEST


def _joined(pages: Sequence[Page[Any]]) -> Page[Any]:
    """Make one page, with the position behind the last one and the highest stamp of all."""
    return Page(
        [record for page in pages for record in page.records],
        [broken for page in pages for broken in page.broken],
        pages[-1].position,
        max((page.stamp for page in pages if page.stamp is not None), default=None),
    )

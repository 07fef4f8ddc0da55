"""What a run says while it is under way: figures on a terminal; everywhere what is waited for, and what went wrong."""

from __future__ import annotations

import queue
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ml_connector.engine.ledger.control_totals import totals

from ..ops import advice
from . import plain

if TYPE_CHECKING:
    from .runner import Runner

QUIET = timedelta(seconds=4)
"""For how long nothing may move before it is said what is waited for."""
LOOK = timedelta(seconds=1)
"""How often figures are added up."""
MOST = 3
"""Systems that one line names."""


class Progress:
    """Told of a run a few times a second. `write` puts text on the screen; `live`: a line there can be replaced."""

    def __init__(self, write: Callable[[str], None], *, live: bool) -> None:
        """Nothing was said yet."""
        self._write, self._live = write, live
        self._figures = ""
        self._looked = self._moved = self._next = datetime.min.replace(tzinfo=UTC)
        self._pause = QUIET

    def __call__(self, runner: Runner) -> None:
        """Say what is new."""
        now = runner.runtime.clock.now()
        while (line := _news(runner)) is not None:
            self._line(advice.pasteable(line))
        if now - self._looked < LOOK:
            return
        self._looked = now
        if (figures := _figures(runner)) != self._figures:
            self._figures, self._moved, self._next, self._pause = figures, now, now + QUIET, QUIET
        waits = _waits(runner, now - self._moved) if now - self._moved >= QUIET else ""
        if self._live:
            self._replace("; ".join(filter(None, (figures, waits))))
        elif waits and now >= self._next:
            self._line(waits)
            self._pause *= 2
            self._next = now + self._pause

    def _line(self, text: str) -> None:
        text = plain.line(text)
        self._write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def _replace(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1  # a line that wraps could not be replaced
        self._write(f"\r\x1b[K{plain.line(text)[:width]}")


def _news(runner: Runner) -> str | None:
    try:
        return runner.news.get_nowait()
    except queue.Empty:
        return None


def _figures(runner: Runner) -> str:
    sums = totals(runner.sheets().values())
    return ", ".join(f"{count} {place}" for place, count in sums.items() if count or place == "read")


def _waits(runner: Runner, quiet: timedelta) -> str:
    found = runner.awaited()
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    what = "; ".join(advice.pasteable(one) for one in found[:MOST])
    return f"waiting for {what}{more}, for {quiet.total_seconds():.0f} s now" if found else ""

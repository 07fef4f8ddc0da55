"""Until when this process may work: a function on AWS is killed at its timeout, whatever it is in the middle of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ml_connector.errors import OutOfTime

MARGIN = 15.0
"""Seconds kept from the vendors at the end: what came of the work is written in them."""
LEAST = 10.0
"""Seconds that a vendor must at least have been given before its silence says anything of it."""
GONE = timedelta(seconds=10)
"""After its end a process is surely gone, also by another machine's clock."""
LONGEST_TIMEOUT = 50.0
"""Seconds that `timeout_seconds` may be: a call that hangs is tried twice, within the writer's 120 s and the margin."""


@dataclass
class Deadline:
    """The end of the invocation under way; None where nothing ends it, as in a local run."""

    at: datetime | None = None
    margin: float = MARGIN
    least: float = LEAST

    def begin(self, now: datetime, seconds: float) -> None:
        """Begin an invocation that has some seconds; a short one keeps less of them for itself."""
        self.at = now + timedelta(seconds=seconds)
        self.margin, self.least = min(MARGIN, seconds / 8), max(1.0, min(LEAST, seconds / 12))

    def lease_ends(self, now: datetime, lease: timedelta) -> datetime:
        """Tell when a row that is taken now is free again: after `lease`, or once this process is surely gone."""
        return now + lease if self.at is None else min(now + lease, self.at + GONE)

    def cut(self, moment: datetime) -> datetime:
        """Give a moment, or the last one that is left to a vendor where that is earlier."""
        return moment if self.at is None else min(moment, self.at - timedelta(seconds=self.margin))

    def allowed(self, now: datetime, timeout: float, *, safe: bool, who: str) -> float:
        """Give the seconds that a call may wait for its server, at most `timeout`. Raises `OutOfTime`.

        A call that may not be repeated is sent only where its whole timeout is left: cut short, it would be in doubt.
        """
        if self.at is None:
            return timeout
        left = (self.at - now).total_seconds() - self.margin
        if left < (min(timeout, self.least) if safe else timeout):
            raise OutOfTime(f"The function's time is nearly over, so {who} was not called; the work is continued soon.")
        return min(timeout, left)

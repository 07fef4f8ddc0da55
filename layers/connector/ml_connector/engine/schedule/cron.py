"""When a flow is due: `rate(15 minutes)`, `cron(…)` in the ERP's zone, or `off`.

Schedules of many tenants are spread by a fixed jitter, so that the minute does not begin with everybody at once.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ml_connector.errors import Misconfigured
from ml_connector.flow import Flow

if TYPE_CHECKING:
    from ml_connector.context import TenantSettings

DEFAULTS = {"masters": "rate(1 hour)", "orders": "rate(15 minutes)", "documents": "rate(5 minutes)"}
FULL_FROM, FULL_HOURS = 1, 4
"""Full comparisons begin at an hour of the night, spread over the hours that follow."""
LONGEST = 366 * 86_400
"""Seconds between two runs at most; who wants none writes `off`."""
_RATE = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)", re.ASCII)
_CRON = re.compile(r"cron\(([^)]*)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_DAYS = {str(n + 1): name for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}


def expression(options: TenantSettings, integration: str, flow: Flow, tenant: str = "") -> str:
    """Give a flow's schedule: the tenant's own (the one that names the integration first), else the default."""
    own = options.schedules
    chosen = own.get(f"{integration}/{flow.name}") or own.get(flow.name)
    return chosen or (nightly(f"{tenant}{flow.name}") if flow.cadence == "daily" else DEFAULTS[flow.cadence])


def full_expression(options: TenantSettings, integration: str, flow: Flow, tenant: str) -> str:
    """Give the schedule of a flow's full comparisons: the tenant's own `flow.full`, else nightly."""
    own = options.schedules
    chosen = own.get(f"{integration}/{flow.name}.full") or own.get(f"{flow.name}.full")
    return chosen or nightly(f"{tenant}{flow.name}.full")


def nightly(name: str) -> str:
    """Give a schedule of once a night, at a minute that is fixed by a name."""
    minute = jitter(name, FULL_HOURS * 60)
    return f"cron({minute % 60} {FULL_FROM + minute // 60} * * ? *)"


def next_due(
    text: str, after: datetime, zone: str, *, spread: str = "", planned: datetime | None = None
) -> datetime | None:
    """Tell when a schedule falls due next after a time; None for `off`.

    `spread` names what the jitter is fixed by. A rate counts from when the run was `planned`, else from `after`.
    Raises `Misconfigured` for an expression that cannot be read.
    """
    text = text.strip()
    if text == "off":
        return None
    if (rate := _RATE.fullmatch(text)) is not None:
        return _next_of(timedelta(seconds=max(60, min(int(rate[1][:9]) * _UNITS[rate[2]], LONGEST))), after, planned)
    if (cron := _CRON.fullmatch(text)) is not None:
        return _next_cron(cron[1], after, zone) + timedelta(seconds=jitter(spread, 30))
    raise Misconfigured(f"The schedule '{text}' cannot be read; write rate(15 minutes), cron(0 6 * * ? *) or off.")


def _next_of(every: timedelta, after: datetime, planned: datetime | None) -> datetime:
    """Step from the planned time to the first one that is still to come."""
    if planned is None or planned > after:
        return after + every
    return planned + ((after - planned) // every + 1) * every


def jitter(name: str, most: int) -> int:
    """Draw a fixed number of seconds below `most` from a name; none for an empty one."""
    if not name:
        return 0
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big") % most


def _next_cron(fields: str, after: datetime, zone: str) -> datetime:
    """Read five fields, or the six of EventBridge (with a year, and weekdays that begin with Sunday = 1)."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - few tenants write a cron expression

    parts = fields.split()
    try:
        if len(parts) == 6:
            if parts.pop() not in {"*", "?"}:
                raise CronSimError("a year cannot be given")
            parts[4] = re.sub(r"(?<![#\d])[1-7](?!\d)", lambda m: _DAYS[m[0]], parts[4])
        text = " ".join(p.replace("?", "*") for p in parts)
        return next(CronSim(text, after.astimezone(ZoneInfo(zone)))).astimezone(after.tzinfo)
    except (CronSimError, StopIteration) as error:
        raise Misconfigured(
            f"The schedule 'cron({fields})' cannot be read ({str(error) or 'it never falls due'}); write minute, hour, "
            "day, month and weekday, as in cron(0 6 * * ? *)."
        ) from error


def check(options: TenantSettings, where: str) -> None:
    """Raise `Misconfigured` for the first expression that cannot be read, and its field; `where` names the secret."""
    for name, text in options.schedules.items():
        try:
            next_due(text, datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), "UTC")
        except Misconfigured as error:
            raise Misconfigured(f"{where}: the field 'schedules.{name}' cannot be used: {error}") from error

"""What the connections of all vendors share: the server as its secret describes it, and `ping` as a list of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ml_connector.connection import Check
from ml_connector.context import AdapterContext
from ml_connector.currencies import is_currency
from ml_connector.errors import ConnectorError, Misconfigured
from ml_connector.flow import MasterSource
from ml_connector.redact import Redactor
from ml_connector.systems.http import TRIES, Http
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.settings import SystemSettings


def server(
    settings: SystemSettings,
    context: AdapterContext,
    *,
    vendor: str,
    base_url: str,
    connections: int,
    redactor: Callable[[Iterable[str]], Redactor] = Redactor,
    before: Callable[[httpx.Request], None] | None = None,
    private: bool = True,
    tries: int = TRIES,
    keeps_cookies: bool = True,
) -> Http:
    """Make the server that a secret describes; nothing is sent yet. Its `auth` is set by whoever can log in.

    `connections` are used where the secret does not name their number; the rest is as `Http` tells.
    """
    return Http(
        base_url=base_url,
        vendor=vendor,
        clock=context.clock,
        rng=context.rng,
        redactor=redactor(settings.secret_values()),
        timeout=settings.timeout_seconds,
        transport=context.transport,
        ca_bundle=settings.ca_bundle,
        connections=settings.max_concurrency or connections,
        before=before,
        insecure=context.insecure,
        deadline=context.deadline,
        private=private,
        tries=tries,
        keeps_cookies=keeps_cookies,
    )


def today(settings: SystemSettings, context: AdapterContext) -> date:
    """Tell the day where the company is."""
    return context.clock.now().astimezone(ZoneInfo(settings.timezone)).date()


def checked(log_in: Callable[[], str], checks: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Log in, and try everything else, whatever fails of it; a failed login ends it."""
    login = tried("login", log_in)
    yield login
    if login.ok:
        yield from checks()


def tried(what: str, action: Callable[[], str]) -> Check:
    """Make a check of an action that tells what it found; an error of the connector fails it."""
    return judged(what, lambda: (True, action()))


def judged(what: str, action: Callable[[], tuple[bool, str]]) -> Check:
    """Make a check of an action that tells whether all is well, and what it found."""
    try:
        well, detail = action()
    except ConnectorError as error:
        return Check(what, False, str(error))
    return Check(what, well, detail)


def example(batch: Batch[Any]) -> str:
    """Show the first row of a page, by its key."""
    return f"for example {batch.keys[0]}" if batch.keys else "none there yet"


def dispensable(check: Check, why: str) -> Check:
    """Make a warning of a check that failed, of what the tenant can do without: `why` says so."""
    return check if check.ok else Check(check.what, True, f"{why}: {check.detail}", warning=True)


def own_currency(check: Check, code: str, tenant: str) -> Check:
    """Propose the mapping of a company's own currency to a check that told it, where it is no code of ISO 4217."""
    if not check.ok or not code or is_currency(code):
        return check
    mend = f"`ml-connector mappings set {tenant} currency CODE '{code}'`, CODE being the ISO code"
    return Check(check.what, True, f"{check.detail}; '{code}' is no ISO 4217 code. To fix: {mend}", warning=True)


def first_of(source: MasterSource[Any], none: str) -> str:
    """Show the first record of a source; raises `Misconfigured` with `none` where it has none."""
    first = next((one for page in source.pages(None, None) for one in page.records), None)
    if first is None:
        raise Misconfigured(none)
    return f"for example {first.code}"


def zone(settings: SystemSettings, example: str) -> Check:
    """Warn where the secret does not state the company's time zone; `example` is one such as `Europe/Berlin`."""
    if "timezone" in settings.model_fields_set:
        return Check("time zone", True, settings.timezone)
    return Check(
        "time zone",
        True,
        f"not stated, so UTC is taken; add 'timezone' (such as {example}) to the secret, since posting dates are the "
        "company's calendar days",
        warning=True,
    )

"""Sees to it that the platform knows where to send its notifications: looked at a few times a day, fixed where needed.

It tests the address while our request to subscribe is under way, perhaps without a signature. So the tenant's row
says that a subscription is being made before that request is sent; the door for webhooks (`receive.py`) looks there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import tenant_rows
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Conflict, ConnectorError, Misconfigured
from ml_connector.ports import Item

EVERY = timedelta(hours=6)
AGAIN = timedelta(minutes=2)
WITHOUT_RIGHT = timedelta(hours=1)
"""A right that is granted later comes with a new token, and they last about as long."""
TRIES = 5


def subscribe(runtime: Runtime, pair: TenantIntegration) -> list[str]:
    """Make the subscriptions that are missing; gives a sentence for what was done or could not be."""
    system = pair.integration.platform
    item = runtime.store.get(f"subscribed#{pair.tenant}", system) or Item(f"subscribed#{pair.tenant}", system)
    now = runtime.clock.now()
    if item.data.get("next") and datetime.fromisoformat(item.data["next"]) > now:
        return []
    connection: Any = pair.connection(system)
    until = iso(now + tenant_rows.SUBSCRIBING)
    try:
        pair.check(system)
        done = [f"{pair.tenant}: {line}" for line in connection.subscribe(lambda: _mark(runtime, pair.tenant, until))]
        pause = EVERY
        _mark(runtime, pair.tenant, None)
    except ConnectorError as error:
        done = [f"{pair.tenant}: the webhook is not subscribed: {error}"]
        pause = WITHOUT_RIGHT if isinstance(error, Misconfigured) else AGAIN
    with suppress(Conflict):
        runtime.store.put(replace(item, data={"next": iso(now + pause)}))
    return done


def _mark(runtime: Runtime, tenant: str, until: str | None) -> None:
    """Say in the tenant's row until when a subscription is being made, or that none is."""
    for _ in range(TRIES):
        item = runtime.store.get(tenant_rows.PK, tenant)
        if item is None or item.data.get("subscribing_until") == until:
            return
        with suppress(Conflict):  # the tenant registry was written meanwhile
            runtime.store.put(replace(item, data={**item.data, "subscribing_until": until}))
            return

"""Sees to it that Basware knows where to send its notifications: looked at a few times a day, mended where needed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.engine import roster
from ml_connector.engine.pair import Pair, World
from ml_connector.engine.rows import iso
from ml_connector.errors import Conflict, ConnectorError
from ml_connector.ports import Item

WINDOW = timedelta(minutes=10)
"""For how long an unsigned ConnectionTest is answered, after a subscription failed: the next try then succeeds."""
EVERY = timedelta(hours=6)
AGAIN = timedelta(minutes=2)


def subscribe(world: World, pair: Pair) -> list[str]:
    """Make the subscriptions that are missing; gives a sentence for what was done or could not be."""
    item = world.store.get(f"subscribed#{pair.tenant}", "basware") or Item(f"subscribed#{pair.tenant}", "basware")
    now = world.clock.now()
    if item.data.get("next") and datetime.fromisoformat(item.data["next"]) > now:
        return []
    connection: Any = pair.connection("basware")
    try:
        pair.check("basware")
        done, pause = [f"{pair.tenant}: {line}" for line in connection.subscribe()], EVERY
    except ConnectorError as error:
        done, pause = [f"{pair.tenant}: the webhook is not subscribed: {error}"], AGAIN
        _window(world, pair.tenant)
    with suppress(Conflict):
        world.store.put(replace(item, data={"next": iso(now + pause)}))
    return done


def _window(world: World, tenant: str) -> None:
    item = world.store.get(roster.PK, tenant)
    if item is not None:
        with suppress(Conflict):
            until = iso(world.clock.now() + WINDOW)
            world.store.put(replace(item, data={**item.data, "subscribing_until": until}))

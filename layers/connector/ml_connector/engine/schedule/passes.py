"""When each flow of a tenant should have completed a pass, so that one that stops is noticed.

A row for each tenant and system, in an index of its own by the earliest of these times: the longest wait of all
tenants is one row to read. The timetable (`enroll.plan`) cannot tell it, since it plans a flow that failed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.runtime import Runtime
from ml_connector.errors import Conflict
from ml_connector.ports import Item, Store

FRESH = timedelta(minutes=20)
"""A row stays as it is where a flow is due again within this after the time that is noted: many runs need no write."""
FAILING = timedelta(minutes=30)
"""For so long a flow must have failed to count as failing."""
MOST = 1000
"""Rows that one look reads."""
TRIES = 3


def expect(store: Store, tenant: str, system: str, flows: Mapping[str, str], *, usable: bool) -> None:
    """Note the flows that a tenant has from now on, and when each is due at first.

    Where its secrets are not `usable`, flows that are missing have not ended: nobody can read them, and that is late.
    """
    for _ in range(TRIES):
        item = _item(store, tenant, system)
        due = dict(item.data["due"])
        kept = due if not usable else {flow: due[flow] for flow in flows if flow in due}
        with suppress(Conflict):  # a run has just ended: its times stand
            _write(store, item, {**flows, **kept}, item.data["failing"])
            return


def note(
    runtime: Runtime, tenant: str, system: str, outcomes: Mapping[str, bool | None], planned: Mapping[str, str]
) -> None:
    """Note what a run came to: by flow, true when through, false when its slice ended, None when it failed.

    `planned`: when each flow is due next, which counts only for those that are through.
    """
    now = runtime.clock.now()
    for _ in range(TRIES):
        item = _item(runtime.store, tenant, system)
        due, failing = dict(item.data["due"]), dict(item.data["failing"])
        for flow, done in outcomes.items():
            if done is None:
                failing.setdefault(flow, iso(now))
            else:
                failing.pop(flow, None)
            before = due.setdefault(flow, iso(now))
            if done and planned[flow] > iso(datetime.fromisoformat(before) + FRESH):
                due[flow] = planned[flow]
        with suppress(Conflict):
            _write(runtime.store, item, due, failing)
            return


def forget(store: Store, tenant: str, system: str) -> None:
    """Remove the row of a tenant that ended."""
    store.delete(f"passes#{tenant}", system)


def late(store: Store, system: str, now: datetime) -> tuple[float, int]:
    """Tell by how many seconds the latest flow of a system is overdue, and how many flows have failed for long.

    The second figure counts within the thousand rows that wait longest.
    """
    oldest = store.due(f"passes#{system}", iso(now), 1)
    seconds = (now - datetime.fromisoformat(oldest[0].due_at or iso(now))).total_seconds() if oldest else 0.0
    since = iso(now - FAILING)
    rows = store.due(f"passes#{system}", since, MOST) if seconds >= FAILING.total_seconds() else []
    return seconds, sum(at <= since for row in rows for at in row.data["failing"].values())


def _item(store: Store, tenant: str, system: str) -> Item:
    pk = f"passes#{tenant}"
    return store.get(pk, system) or Item(pk, system, {"due": {}, "failing": {}})


def _write(store: Store, item: Item, due: Mapping[str, str], failing: Mapping[str, str]) -> None:
    """Write a row where it says something new; one without flows goes."""
    if not due:
        if item.rev:
            store.delete(item.pk, item.sk)
        return
    data = {"due": dict(due), "failing": {flow: at for flow, at in failing.items() if flow in due}}
    if data != dict(item.data):
        store.put(replace(item, data=data, due_pk=f"passes#{item.sk}", due_at=min(due.values())))

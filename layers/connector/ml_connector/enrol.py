"""Enrolment: the roster and the timetable, made from the secrets.

Writing a tenant's secrets is the onboarding; `maintain` does this every five minutes, `ping` at once.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ml_connector.engine import endpoints, passes, roster, schedule
from ml_connector.engine.pair import Pair, World
from ml_connector.engine.roster import PK, SUBSCRIBING, PairRow, TenantRow, webhook_context
from ml_connector.engine.rows import dump, iso
from ml_connector.errors import Conflict, ConnectorError
from ml_connector.flow import Integration
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Item, Secrets, Store, Vault

if TYPE_CHECKING:
    from ml_connector import bootstrap

log = logging.getLogger("ml_connector")


def rebuild(world: World, secrets: Secrets, tools: bootstrap.Toolbox) -> list[TenantRow]:
    """Write the roster anew from the secrets; a tenant whose secrets are gone ends, its rows of work remain."""
    from ml_connector import bootstrap  # noqa: PLC0415 - loaded late, as it says: a tick needs the timetable alone

    present = {
        item.sk: item for item in world.store.query(PK)
    }  # first: who is enrolled from now on is not taken for gone
    found = bootstrap.tenants(world, secrets, tools)
    fresh = [
        _enrolled(world, tenant, present.pop(tenant.name, Item(PK, tenant.name)), tools.vault, bootstrap.SYSTEMS)
        for tenant in found
    ]
    for gone in present:
        world.store.delete(PK, gone)
        for system in bootstrap.SYSTEMS:
            world.store.delete(f"schedule#{gone}", system)
            passes.forget(world.store, gone, system)
    return fresh


def _enrolled(world: World, tenant: bootstrap.Tenant, item: Item, vault: Vault, systems: Iterable[str]) -> TenantRow:
    """Write one tenant's rows. What is wrong with them is this tenant's trouble: it is named, and the next one follows.

    Where a secret could not be read just now, the row stays as it was: the tenant goes on.
    """
    known = _known(item)
    if tenant.unread and known is not None:
        known.problem = tenant.problem  # for whoever asked; the row itself is not written
        return known
    try:
        row = _row(tenant, known, vault)
        for pair in tenant.pairs:
            _note_endpoint(pair, known)
        _write(world, item, row, known)
        _plan(world, row, systems)
    except ConnectorError:
        raise  # the table itself, which all of them need
    except Exception as error:
        log.exception("%s: its registry entry cannot be written", tenant.name, extra={"tenant": tenant.name})
        problem = f"{tenant.name}: its registry entry cannot be written ({type(error).__name__}); the log says more."
        return TenantRow(name=tenant.name, problem="; ".join(filter(None, (tenant.problem, problem))))
    return row


def _write(world: World, item: Item, tenant: TenantRow, known: TenantRow | None) -> None:
    """Write a tenant's row where it changed.

    A webhook that is new or changed is subscribed by one of the next runs. That is marked here already, so that the
    doors for webhooks, which look at the roster once a minute, mostly know of it before the platform tests the address.
    """
    tenant.subscribing_until = known.subscribing_until if known else None
    earnest = any(not pair.shadow for pair in tenant.pairs.values())  # else nothing is subscribed
    if earnest and tenant.webhook_url and (tenant.webhook_url, tenant.webhook_hash) != _hook(known):
        tenant.subscribing_until = iso(world.clock.now() + SUBSCRIBING)
    new = dump(tenant)
    if dict(item.data) == new:
        return
    with suppress(Conflict):  # another rebuild was first
        world.store.put(replace(item, data=new))


def _note_endpoint(pair: Pair, known: TenantRow | None) -> None:
    """Note an endpoint when it changes, and say once what is known under the one that was left."""
    before = known.pairs.get(pair.integration.name) if known is not None else None
    if before is None or before.scope != pair.scope:
        for earlier in endpoints.note(pair):
            log.warning("%s", earlier.sentence(pair), extra={"tenant": pair.tenant})


def _hook(known: TenantRow | None) -> tuple[str | None, str | None]:
    return (known.webhook_url, known.webhook_hash) if known else (None, None)


def _known(item: Item | None) -> TenantRow | None:
    """Read the row that stands there; one that is damaged counts as none, and is written again."""
    return roster.read(item) if item is not None and item.data else None


def _row(tenant: bootstrap.Tenant, known: TenantRow | None, vault: Vault) -> TenantRow:
    pairs = {
        p.integration.name: PairRow(
            scope=p.scope, epoch=p.epoch, companies=list(p.companies), erp_company=p.erp_company,
            settle_seconds=dict(p.settle_seconds), lanes=dict(p.lanes), active=sorted(p.active), shadow=p.shadow,
            zone=p.zone, endpoints={s: dict(e) for s, e in p.endpoints.items()},
        )
        for p in tenant.pairs
    }  # fmt: skip
    problem = "; ".join([*tenant.faults.values()]) or tenant.problem
    row = TenantRow(
        name=tenant.name, pairs=pairs, options=tenant.options.model_dump_json(), zones=tenant.zones,
        webhook_hash=hashlib.blake2b(b"\0".join(tenant.webhook_keys), digest_size=12).hexdigest(),
        webhook_url=tenant.webhook_url, problem=problem,
        owns=sorted(tenant.owns) if tenant.pairs and not (tenant.options.shadow or tenant.options.paused) else [],
    )  # fmt: skip
    _seal(row, tenant.webhook_keys, known, vault)
    return row


def _seal(row: TenantRow, keys: list[bytes], known: TenantRow | None, vault: Vault) -> None:
    """Seal a tenant's webhook keys, where what stands there is not the same, whole, and under the vault's key of today.

    What AWS or the disk has against it stays with this tenant: its notifications are refused, and its polls go on.
    """
    if known is not None and known.webhook_hash == row.webhook_hash and is_sealed(known, vault):
        row.webhook, row.webhook_seal = known.webhook, known.webhook_seal
        return
    try:
        row.webhook = [base64.b64encode(vault.seal(k, webhook_context(row.name))).decode() for k in keys]
    except ConnectorError as error:
        row.webhook_problem = (
            f"{row.name}: the webhook keys cannot be sealed ({error}) Until they are, notifications are refused, and "
            "the scheduled polls find what they were about."
        )
        row.problem = "; ".join(filter(None, (row.problem, row.webhook_problem)))
        return
    row.webhook_seal = roster.seal_of(vault.key_name, row.webhook)


def is_sealed(row: TenantRow, vault: Vault) -> bool:
    """Tell whether a row's webhook keys are whole, and under the key that the vault seals with today."""
    return row.webhook_seal == roster.seal_of(vault.key_name, row.webhook)


# ── schedules ────────────────────────────────────────────────────────────────────────────────────────────────


def flows_of(tenant: TenantRow, system: str) -> Iterator[tuple[Integration, Any]]:
    """Give the active flows whose source is a system."""
    for integration in INTEGRATIONS:
        if (pair := tenant.pairs.get(integration.name)) is not None:
            for flow in integration.flows:
                if flow.source == system and flow.name in pair.active:
                    yield integration, flow


def _plan(world: World, tenant: TenantRow, systems: Iterable[str]) -> None:
    """Give each system of a tenant its row in the tick's index; flows that were planned keep their time."""
    now = world.clock.now()
    for system in systems:
        names = [f"{i.name}/{f.name}" for i, f in flows_of(tenant, system)]
        item = world.store.get(f"schedule#{tenant.name}", system) or Item(f"schedule#{tenant.name}", system)
        planned = planned_of(item)
        soon = iso(now + timedelta(seconds=schedule.jitter(f"{tenant.name}{system}", 60)))
        flows = {name: planned.get(name, soon) for name in names}
        if flows != planned:
            passes.expect(world.store, tenant.name, system, flows, usable=tenant.problem is None)
            plan(world.store, item, flows)


def planned_of(item: Item) -> dict[str, str]:
    """Read when a system's flows are due; nothing where the row is damaged, and all of them are planned anew."""
    flows = item.data.get("flows")
    if not isinstance(flows, Mapping):
        return {}
    return {str(flow): due for flow, due in flows.items() if isinstance(due, str)}


def plan(store: Store, item: Item, flows: dict[str, str], hold_until: str | None = None) -> None:
    """Write when the flows of a system are due; the row stands in the index under the first of them.

    `hold_until` keeps it out until then, while a run is under way.
    """
    due = hold_until or (min(flows.values()) if flows else None)
    data = {"flows": flows, "running_until": hold_until}
    with suppress(Conflict):  # another tick was first; it has moved the time
        store.put(replace(item, data=data, due_pk=f"tick#{item.sk}" if due else None, due_at=due))


def after_run(options: Any, tenant: TenantRow, integration: Integration, flow: Any, now: datetime) -> str:
    """Tell when a flow is due next, after a run that was complete: by its own schedule, or to compare everything."""
    zone = tenant.zones.get(integration.erp, "UTC")
    own = schedule.expression(options, integration.name, flow)
    full = schedule.full_expression(options, integration.name, flow, tenant.name)
    times = (schedule.next_due(own, now, zone, spread=f"{tenant.name}{flow.name}"), schedule.next_due(full, now, zone))
    return iso(min((t for t in times if t is not None), default=now + timedelta(days=3650)))

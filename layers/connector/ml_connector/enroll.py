"""Enrolment: the tenant registry and the timetable, made from the secrets.

Writing a tenant's secrets is the onboarding; `maintain` does this every five minutes, `ping` at once.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ml_connector.engine import endpoints
from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import cron, passes, tenant_rows
from ml_connector.engine.schedule.tenant_rows import SUBSCRIBING, IntegrationRow, TenantRow, webhook_context
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Conflict, ConnectorError
from ml_connector.flow import Integration
from ml_connector.integrations import INTEGRATIONS
from ml_connector.ports import Item, Store, Vault

if TYPE_CHECKING:
    from ml_connector.tenant import Tenant

log = logging.getLogger("ml_connector")
SPREAD = 60
"""Seconds over which the first runs of new tenants are spread."""


def mark_subscribing(tenant: TenantRow, known: TenantRow | None, now: datetime) -> None:
    """Mark a row whose webhook is new or changed, since one of the next runs subscribes it.

    It is marked here already, so that the doors for webhooks, which look at the tenant registry once a minute, mostly
    know of it before the platform tests the address.
    """
    tenant.subscribing_until = known.subscribing_until if known else None
    earnest = any(not pair.shadow for pair in tenant.pairs.values())  # else nothing is subscribed
    if earnest and tenant.webhook_url and (tenant.webhook_url, tenant.webhook_hash) != _hook(known):
        tenant.subscribing_until = iso(now + SUBSCRIBING)


def note_endpoint(pair: TenantIntegration, known: TenantRow | None) -> None:
    """Note an endpoint when it changes, and say once what is known under the one that was left."""
    before = known.pairs.get(pair.integration.name) if known is not None else None
    if before is None or before.scope != pair.scope:
        for earlier in endpoints.note(pair):
            log.warning("%s", earlier.sentence(pair), extra={"tenant": pair.tenant})


def _hook(known: TenantRow | None) -> tuple[str | None, str | None]:
    return (known.webhook_url, known.webhook_hash) if known else (None, None)


def known(item: Item | None) -> TenantRow | None:
    """Read the row that stands there; one that is damaged counts as none, and is written again."""
    return tenant_rows.read(item) if item is not None and item.data else None


def row_of(tenant: Tenant, known: TenantRow | None, vault: Vault) -> TenantRow:
    """Make the row of a tenant; `known` is the one that stands there."""
    pairs = {
        p.integration.name: IntegrationRow(
            scope=p.scope,
            epoch=p.epoch,
            companies=list(p.companies),
            erp_company=p.erp_company,
            in_doubt_seconds=dict(p.in_doubt_seconds),
            lanes=dict(p.lanes),
            active=sorted(p.active),
            shadow=p.shadow,
            zone=p.zone,
            dimensions=list(p.dimensions),
            endpoints={s: dict(e) for s, e in p.endpoints.items()},
        )
        for p in tenant.pairs
    }
    problem = "; ".join([*tenant.faults.values()]) or tenant.problem
    row = TenantRow(
        name=tenant.name,
        pairs=pairs,
        options=tenant.options.model_dump_json(),
        zones=tenant.zones,
        webhook_hash=hashlib.blake2b(b"\0".join(tenant.webhook_keys), digest_size=12).hexdigest(),
        webhook_url=tenant.webhook_url,
        problem=problem,
        versions=tenant.versions,
        form=tenant_rows.FORM,
    )
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
    row.webhook_seal = tenant_rows.seal_of(vault.key_name, row.webhook)


def is_sealed(row: TenantRow, vault: Vault) -> bool:
    """Tell whether a row's webhook keys are whole, and under the key that the vault seals with today."""
    return row.webhook_seal == tenant_rows.seal_of(vault.key_name, row.webhook)


# ── schedules ────────────────────────────────────────────────────────────────────────────────────────────────


def flows_of(tenant: TenantRow, system: str) -> Iterator[tuple[Integration, Any]]:
    """Give the active flows whose source is a system."""
    for integration in INTEGRATIONS:
        if (pair := tenant.pairs.get(integration.name)) is not None:
            for flow in integration.flows:
                if flow.source == system and flow.name in pair.active:
                    yield integration, flow


def flows_differ(tenant: TenantRow, known: TenantRow) -> bool:
    """Tell whether a tenant's flows are others than they were."""
    return {n: p.active for n, p in tenant.pairs.items()} != {n: p.active for n, p in known.pairs.items()}


def plan_all(runtime: Runtime, tenants: Sequence[tuple[TenantRow, TenantRow | None]]) -> None:
    """Give each system of tenants its row in the tick's index; flows that were planned keep their time.

    Rows of tenants that are new (known as None) are written together, unread; where one is there, it is read.
    """
    from ml_connector.bootstrap import SYSTEMS  # noqa: PLC0415 - loaded late, as it says

    new = [(t, s, Item(f"schedule#{t.name}", s)) for t, known in tenants if known is None for s in SYSTEMS]
    first = [(t, s, row) for t, s, item in new if (row := _planned(runtime, t, item)) is not None]
    taken = runtime.store.put_many([row for _, _, row in first])
    again = [(t, s) for (t, s, _), ok in zip(first, taken, strict=True) if not ok]
    again += [(t, s) for t, known in tenants if known is not None for s in SYSTEMS]
    for tenant, system in again:
        item = runtime.store.get(f"schedule#{tenant.name}", system) or Item(f"schedule#{tenant.name}", system)
        if (row := _planned(runtime, tenant, item)) is not None:
            with suppress(Conflict):  # another tick was first; it has moved the time
                runtime.store.put(row)


def _planned(runtime: Runtime, tenant: TenantRow, item: Item) -> Item | None:
    """Make the row of a system's flows; None where it is right as it is."""
    planned = planned_of(item)
    soon = iso(runtime.clock.now() + timedelta(seconds=cron.jitter(f"{tenant.name}{item.sk}", SPREAD)))
    flows = {n: planned.get(n, soon) for n in (f"{i.name}/{f.name}" for i, f in flows_of(tenant, item.sk))}
    if flows == planned:
        return None
    passes.expect(runtime.store, tenant.name, item.sk, flows, usable=tenant.problem is None)
    return scheduled(item, flows)


def planned_of(item: Item) -> dict[str, str]:
    """Read when a system's flows are due; nothing where the row is damaged, and all of them are planned again."""
    flows = item.data.get("flows")
    if not isinstance(flows, Mapping):
        return {}
    return {str(flow): due for flow, due in flows.items() if isinstance(due, str)}


def plan(store: Store, item: Item, flows: dict[str, str]) -> bool:
    """Write when the flows of a system are due: see `scheduled`; false where the row was changed meanwhile."""
    try:
        store.put(scheduled(item, flows))
    except Conflict:
        return False
    return True


def scheduled(item: Item, flows: dict[str, str]) -> Item:
    """Make the row that says when the flows of a system are due; it stands in the index under the first of them."""
    due = min(flows.values()) if flows else None
    return replace(item, data={"flows": flows}, due_pk=f"tick#{item.sk}" if due else None, due_at=due)


def after_run(
    options: Any, tenant: TenantRow, integration: Integration, flow: Any, now: datetime, planned: str = ""
) -> str:
    """Tell when a flow is due next, after a run that was complete: by its own schedule, or to compare everything.

    A rate counts from when the run was `planned`, so that "every 5 minutes" is five, however late the run began; what
    was missed meanwhile is not made up for.
    """
    zone = tenant.zones.get(integration.erp, "UTC")
    own = cron.expression(options, integration.name, flow, tenant.name)
    full = cron.full_expression(options, integration.name, flow, tenant.name)
    times = (
        cron.next_due(own, now, zone, spread=f"{tenant.name}{flow.name}", planned=_moment(planned)),
        cron.next_due(full, now, zone),
    )
    return iso(min((t for t in times if t is not None), default=now + timedelta(days=3650)))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None

"""`tenants`: who is on board, and what keeps whom from running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.ops import options, table

if TYPE_CHECKING:
    from ml_connector.bootstrap import Tenant


def tenants(
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List the tenants: integrations, systems, and what is wrong with their secrets.

    Example: ml-connector tenants --secrets ./secrets
    """
    from infra.ops.desk import open_desk

    desk = open_desk(secrets, state, stack)
    systems: dict[str, list[str]] = {}
    for tenant, system in desk.secrets.names():
        systems.setdefault(tenant, []).append(system)
    rows = [_row(tenant, systems[tenant.name]) for tenant in desk.tenants()]
    columns = ("tenant", "integrations", "systems", "paused", "shadow", "problem")
    table.show(rows, columns, as_json=as_json, empty=f"No tenant yet: write TENANT/SYSTEM.json into {desk.place}.")


def _row(tenant: Tenant, systems: list[str]) -> dict[str, Any]:
    from infra.ops.desk import problem

    named = [s for s in systems if s != "settings"]
    why = problem(tenant)
    if why is None and not tenant.pairs:
        why = f"Nothing moves: beside {', '.join(named) or 'settings'} the secret of the other system is missing."
    return {
        "tenant": tenant.name,
        "integrations": sorted({p.integration.name for p in tenant.pairs} | set(tenant.faults)),
        "systems": named,
        "paused": tenant.options.paused,
        "shadow": tenant.options.shadow,
        "problem": why,
    }

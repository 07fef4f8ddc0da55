"""`tenants`: who is on board, and what keeps whom from running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import options, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml_connector.engine.access.chain import Standing
    from ml_connector.engine.schedule.tenant_rows import TenantRow
    from ml_connector.tenant import Tenant

    from .workspace import Workspace


def tenants(
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List the tenants: integrations, systems, and what keeps whom from running, with what to do about it.

    That is a secret that cannot be used, a secret that is missing, a login that was refused, and a system that
    is unavailable.

    Example: ml-connector tenants --secrets ./secrets
    """
    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    systems: dict[str, list[str]] = {}
    for tenant, system in workspace.secrets.names():
        systems.setdefault(tenant, []).append(system)
    rows = [_row(workspace, tenant, systems[tenant.name]) for tenant in workspace.tenants()]
    told = [name for name in ("calls_today", "refresh_token_ends") if any(row[name] for row in rows)]
    columns = ("tenant", "integrations", "systems", "paused", "shadow", *told, "problem")
    table.show(rows, columns, as_json=as_json, empty=f"No tenant yet: write TENANT/SYSTEM.json into {workspace.place}.")


def _row(workspace: Workspace, tenant: Tenant, systems: list[str]) -> dict[str, Any]:
    from ..local.standstill import incomplete
    from .workspace import problem

    named = [s for s in systems if s != "settings"]
    own = problem(tenant)
    whys = [
        own,
        incomplete(tenant, named),
        *_doors(workspace, tenant.name, named),
        *_pairings(workspace, tenant),
        *_registered(workspace, tenant, own),
    ]
    return {
        "tenant": tenant.name,
        "integrations": sorted({p.integration.name for p in tenant.pairs} | set(tenant.faults)),
        "systems": named,
        "paused": tenant.options.paused,
        "shadow": tenant.options.shadow,
        "calls_today": _calls(workspace, tenant.name, named),
        "refresh_token_ends": [
            f"{s}: {one.ends_at:%Y-%m-%d}" for s, one in _standings(workspace, tenant) if one.ends_at
        ],
        "problem": "; ".join(why.rstrip(".") for why in whys if why) or None,
    }


def _registered(workspace: Workspace, tenant: Tenant, known: str | None) -> Iterator[str]:
    """Say what the tenant registry knows: a damaged row, webhook keys that do not open, what only functions meet.

    `known`: what is wrong with the tenant as it is seen from here.
    """
    from ml_connector.engine.schedule import tenant_rows

    item = workspace.runtime.store.get(tenant_rows.PK, tenant.name)
    if item is None:
        return
    row = tenant_rows.read(item)
    if row is None:
        yield f"The entry of {tenant.name} in the tenant registry is damaged. {_again(tenant)}"
        return
    if workspace.registered and row.problem and known is None and row.problem != row.webhook_problem:
        yield f"The functions saw, and look again within five minutes: {row.problem}"
    if row.webhook_problem:
        yield row.webhook_problem
    elif tenant.webhook_keys and (why := _sealed(workspace, row)) is not None:
        yield f"The webhook keys of {tenant.name} cannot be opened{why}. {_again(tenant)}"


def _again(tenant: Tenant) -> str:
    return f"It is written again within minutes, or immediately by `ml-connector ping {tenant.name}`"


def _sealed(workspace: Workspace, row: TenantRow) -> str | None:
    """Try a tenant's webhook keys; says why they do not open, None where they do."""
    import base64

    from ml_connector.engine.schedule.tenant_rows import webhook_context
    from ml_connector.enroll import is_sealed
    from ml_connector.errors import ConnectorError

    if not is_sealed(row, workspace.tools.vault):
        return ""
    try:
        for sealed in row.webhook:
            workspace.tools.vault.open(base64.b64decode(sealed, validate=True), webhook_context(row.name))
    except (ValueError, ConnectorError) as error:
        return f" ({str(error).rstrip('.')})"
    return None


def _calls(workspace: Workspace, tenant: str, systems: list[str]) -> list[str]:
    """Count the calls of today (UTC) to systems that allow so many a day."""
    from ml_connector.engine.access.calls import on_day

    now = workspace.runtime.clock.now()
    counts = {s: on_day(workspace.runtime.store, tenant, s, now) for s in systems}
    return [f"{system}: {count}" for system, count in counts.items() if count is not None]


def _standings(workspace: Workspace, tenant: Tenant) -> Iterator[tuple[str, Standing]]:
    """Tell how the pairings stand by which systems are logged in to."""
    from ml_connector.engine.access.chain import standing

    for system, pairing in tenant.pairings.items():
        yield system, standing(workspace.runtime.store, tenant.name, system, pairing)


def _pairings(workspace: Workspace, tenant: Tenant) -> Iterator[str]:
    """Warn of pairings that are over, or will be soon."""
    now = workspace.runtime.clock.now()
    for system, one in _standings(workspace, tenant):
        if (why := one.warning(now, tenant.pairings[system].warn)) is not None:
            yield f"{system}: {why}"


def _doors(workspace: Workspace, tenant: str, systems: list[str]) -> Iterator[str]:
    """Say which systems nobody may log in to, and which are parked, and what opens each."""
    from ml_connector.engine.access.breaker import Breaker
    from ml_connector.errors import LoginRefused, Misconfigured, Throttled, Transient

    for system in systems:
        try:
            secret = workspace.secrets.read(tenant, system)
        except (Misconfigured, Transient):
            continue  # the problem says so already
        runtime, version = workspace.runtime, secret.version if secret else ""
        door = Breaker(
            runtime.store,
            runtime.clock,
            tenant=tenant,
            system=system,
            version=version,
            boot=runtime.boot,
            sole=runtime.sole,
        )
        try:
            door.check()
        except LoginRefused as error:
            said = str(error).partition(" Nothing logs in again")[0]
            yield (
                f"{system}: the login is suspended. {said} Correct the secret or unlock the user, then "
                f"`ml-connector ping {tenant} {system}`"
            )
        except Throttled as error:
            retry = f"It resumes automatically, or after `ml-connector ping {tenant} {system}`"
            yield f"{system} is unavailable: {error} {retry}"

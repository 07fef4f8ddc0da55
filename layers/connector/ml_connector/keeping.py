"""Keeps pairings alive that nothing uses: their refresh tokens end, whether or not a flow of the tenant is on.

The chain's row stands in the due index a week after its last refresh (`engine/access/chain`); the poll's tick asks for
a run of the tenant then, and the run refreshes it. Tenants whose flows run are never due.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from ml_connector.engine.access import chain
from ml_connector.engine.schedule import tenant_rows
from ml_connector.systems.registry import BY_NAME

if TYPE_CHECKING:
    from ml_connector.connection import Paired
    from ml_connector.engine.runtime import Runtime
    from ml_connector.engine.tenant_integration import TenantIntegration
    from ml_connector.tenant import Tenant

AGAIN = timedelta(days=1)
"""When a refresh that failed is tried again."""
MOST = 200
"""Tenants whose tokens end that one look reads."""


def paired(system: str) -> bool:
    """Tell whether a system may be logged in to by a pairing."""
    return BY_NAME[system].pairs


def idle(runtime: Runtime, system: str, now: str, most: int) -> list[tuple[str, str]]:
    """List tenants whose pairing is to be kept alive by now, with since when."""
    if not paired(system):
        return []
    return [(str(i.data["tenant"]), i.due_at or now) for i in runtime.store.due(chain.due_key(system), now, most)]


def is_idle(runtime: Runtime, tenant: str, system: str) -> bool:
    """Tell whether a tenant has a pairing that must be kept alive."""
    return paired(system) and chain.is_due(runtime.store, tenant, system, runtime.clock.now())


def keep(pair: TenantIntegration, system: str) -> None:
    """Refresh the pairing of an integration's system. Raises the classes of `errors`."""
    cast("Paired", pair.connection(system)).keep_alive()


def put_off(runtime: Runtime, tenant: str, system: str) -> None:
    """Try again tomorrow, where a refresh failed or could not be tried."""
    chain.postpone(runtime.store, tenant, system, runtime.clock.now() + AGAIN)


def expect(runtime: Runtime, tenant: Tenant, systems: Iterable[str]) -> None:
    """Note which of a tenant's systems have a pairing to be kept alive, also before its first use."""
    for system in systems:
        if system in BY_NAME and paired(system):
            if (pairing := tenant.pairings.get(system)) is not None:
                chain.expect(runtime.store, tenant.name, system, pairing, runtime.clock.now())
            elif system in tenant.usable:
                chain.rest(runtime.store, tenant.name, system)


def end(runtime: Runtime, tenant: str, system: str) -> None:
    """Leave the pairing of a tenant that ended as it is."""
    if paired(system):
        chain.rest(runtime.store, tenant, system)


def ending(runtime: Runtime, systems: Iterable[str]) -> int:
    """Count the tenants whose refresh token ends soon or is over."""
    count = 0
    for system in filter(paired, systems):
        names = chain.ending(runtime.store, system, runtime.clock.now(), MOST)
        rows = runtime.store.get_many(tenant_rows.PK, sorted(set(names))) if names else {}
        found = (tenant_rows.read(item) for item in rows.values())
        count += sum(row is not None and system in row.versions for row in found)
    return count

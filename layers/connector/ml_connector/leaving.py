"""Ends sessions that nobody uses, of systems where each takes a licence that people need too.

A writer keeps its session from one chunk to the next, so none can tell when the last use was: the session's row does
(`engine/access/seats`). The poll's tick asks for a run of the tenant, and the run ends what is idle by then.
"""

from __future__ import annotations

from typing import cast

from ml_connector.connection import Seated
from ml_connector.engine.access.seats import Seat, idle_key
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.systems.registry import BY_NAME


def seated(system: str) -> bool:
    """Tell whether a system's sessions are to be ended."""
    return BY_NAME[system].seats


def idle(runtime: Runtime, system: str, now: str, most: int) -> list[tuple[str, str]]:
    """List tenants whose session is idle by now, with since when."""
    if not seated(system):
        return []
    return [(str(item.data["tenant"]), item.due_at or now) for item in runtime.store.due(idle_key(system), now, most)]


def is_idle(runtime: Runtime, tenant: str, system: str, scope: str) -> bool:
    """Tell whether a tenant has a session that nobody used for a while."""
    return seated(system) and Seat(runtime.store, runtime.clock, f"session#{tenant}#{system}#{scope}").idle()


def leave(pair: TenantIntegration) -> None:
    """End the sessions of an integration's systems, whether idle or not, where they take a licence."""
    for system in pair.connectors:
        if seated(system):
            cast("Seated", pair.connection(system)).log_off()

"""Which secrets a tenant has, where a list of them may be minutes behind: what it leaves out is asked for by name."""

from __future__ import annotations

from ml_connector.errors import Denied, Misconfigured
from ml_connector.ports import Secrets
from ml_connector.systems import registry

KNOWN = frozenset({*registry.BY_NAME, "settings"})


def of_tenant(secrets: Secrets, tenant: str) -> list[tuple[str, str]]:
    """List (tenant, system) of one tenant's secrets: those listed, and where a list may lag, those there by name."""
    names = {name for name in secrets.names() if name[0] == tenant}
    if secrets.lags:
        names |= {(tenant, s) for s in KNOWN if (tenant, s) not in names and found(secrets, tenant, s)}
    return sorted(names)


def found(secrets: Secrets, tenant: str, system: str) -> bool:
    """Tell whether a secret is found by name, usable or not. One that AWS denies access to counts as absent.

    Raises `Transient`.
    """
    try:
        return secrets.read(tenant, system, fresh=True) is not None
    except Denied:
        return False
    except Misconfigured:
        return True


def gone(secrets: Secrets, tenant: str, system: str) -> bool:
    """Tell whether a secret that was there is surely not: one that AWS denies access to may be. Raises `Transient`."""
    try:
        return secrets.read(tenant, system, fresh=True) is None
    except Misconfigured:
        return False

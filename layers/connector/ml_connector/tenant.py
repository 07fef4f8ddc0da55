"""A tenant as its secrets make it, and what `bootstrap.py` is given to make one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ml_connector.context import TenantSettings
from ml_connector.engine.access.chain import Pairing
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.ports import Vault


@dataclass(frozen=True)
class BootstrapOptions:
    """What wiring needs beside the ports: the vault, whether http is allowed, and a transport for tests.

    `session_vault`: where tokens and sessions are sealed otherwise than webhook keys.
    `shadow_ledger`: a tenant in shadow keeps a ledger of its own, as it must where its reader and its writer are
    different processes; else it works on a sheet that ends with the process, as a dry run always does.
    """

    vault: Vault
    insecure: bool = False
    transport: Callable[[str, str], Any] | None = None
    dry_run: bool = False
    shadow_ledger: bool = False
    session_vault: Vault | None = None


@dataclass
class Tenant:
    """A tenant as its secrets make it. `faults`: by integration, why it cannot run.

    By system: `zones`, `timeouts` of a request in seconds, and the `versions` of the secrets it was made from.
    `unread`: a secret could not be read just now, which says nothing of the tenant: what was known of it stands.
    `owns`: see `conflicts.py`. `usable`: systems whose secret is; `pairings`: those of their logins that end if unused.
    """

    name: str
    pairs: list[TenantIntegration] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    options: TenantSettings = field(default_factory=TenantSettings)
    zones: dict[str, str] = field(default_factory=dict)
    timeouts: dict[str, float] = field(default_factory=dict)
    webhook_keys: list[bytes] = field(default_factory=list, repr=False)
    webhook_url: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    owns: dict[str, str] = field(default_factory=dict, repr=False)
    pairings: dict[str, Pairing] = field(default_factory=dict, repr=False)
    usable: set[str] = field(default_factory=set)
    problem: str | None = None
    unread: bool = False

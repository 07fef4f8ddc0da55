"""What the shell completes: tenants, flows, integrations and mapping kinds, from names of folders and files alone.

No file is opened and nothing is sent: a secret's content can reach no terminal from here, and a stack's tenants are not
asked for. Whatever goes wrong completes nothing, since a message would land in the line that somebody types.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import typer

DEFAULTS = (Path("secrets"), Path("sandbox-secrets"))
"""Where secrets are looked for while no place is named: the folders that the documentation and `sandbox` use."""

Completer = Callable[[typer.Context, str], list[str]]


def _offered(names: Callable[[typer.Context, str], Iterable[str]]) -> Completer:
    @wraps(names)
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return sorted({name for name in names(ctx, incomplete) if name.startswith(incomplete)})
        except Exception:  # noqa: BLE001 - see above
            return []

    return complete


@_offered
def tenants(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Offer the folders of the secrets folder whose name can be a tenant's."""
    from ml_connector.embedded.secrets import TENANT

    folder = _folder(ctx.params)
    return [] if folder is None else [name for name in _folders(folder, incomplete) if TENANT.fullmatch(name)]


@_offered
def flows(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Offer the flows of the tenant's systems; all flows where nobody can tell which systems it has."""
    from ml_connector.integrations import INTEGRATIONS

    systems = _systems(ctx.params)
    its = [one for one in INTEGRATIONS if {one.erp, one.platform} <= systems] or INTEGRATIONS
    whole = "/" in incomplete
    return [f"{one.name}/{flow.name}" if whole else flow.name for one in its for flow in one.flows]


@_offered
def integrations(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001 - what a completer is given
    """Offer the names of the integrations."""
    from ml_connector.integrations import INTEGRATIONS

    return [one.name for one in INTEGRATIONS]


@_offered
def kinds(ctx: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001 - what a completer is given
    """Offer the kinds of mappings."""
    from ml_connector.engine.ledger.mappings import KINDS

    return KINDS


def _folder(params: dict[str, Any]) -> Path | None:
    if params.get("stack") is not None:
        return None
    named = params.get("secrets")
    return Path(named).expanduser() if named is not None else next((one for one in DEFAULTS if one.is_dir()), None)


def _folders(folder: Path, begin: str) -> list[str]:
    with os.scandir(folder) as entries:  # one call, and no look into the folders of ten thousand tenants
        return [entry.name for entry in entries if entry.name.startswith(begin) and entry.is_dir()]


def _systems(params: dict[str, Any]) -> set[str]:
    from ml_connector.embedded.secrets import TENANT

    folder, tenant = _folder(params), params.get("tenant")
    if folder is None or not isinstance(tenant, str) or not TENANT.fullmatch(tenant):
        return set()
    try:
        return {file.stem for file in (folder / tenant).iterdir() if file.suffix == ".json"}
    except OSError:
        return set()

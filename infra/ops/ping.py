"""`ping`: whether each system lets us in and gives what the flows need, and how to fix what does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import advice, options, table, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml_connector.connection import Check

    from .workspace import Workspace

SystemName = Annotated[
    str | None, typer.Argument(metavar="[SYSTEM]", help="One of its systems, such as basware; default: all.")
]
MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


def ping(
    tenant: options.Tenant = None,
    system: SystemName = None,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Log in to each system and read one record of each kind: what works, what does not, how to fix it.

    Tries once even where a login was refused before; after a success work resumes. One system of an integration can be
    tried alone. Exits with 1 where something failed, with 2 where a secret cannot be used.

    Example: ml-connector ping acme sap_b1 --secrets ./secrets
    """
    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    rows: list[dict[str, Any]] = []
    for one, its in _asked(workspace, tenant, system):
        if not as_json:
            terminal.line(f"{one}  {its}")
        for row in _rows(workspace, one, its):
            rows.append(row)
            if not as_json:
                _print(row)
    _enrol(workspace, tenant)
    if as_json:
        table.dump(rows)
    raise typer.Exit(max((2 if r["check"] == "secret" else 1 for r in rows if not r["ok"]), default=0))


def _asked(workspace: Workspace, tenant: str | None, system: str | None) -> list[tuple[str, str]]:
    """List the secrets that were asked for. Raises `Misconfigured` where there is none."""
    from ml_connector.errors import Misconfigured
    from ml_connector.listing import of_tenant

    from .suggest import suggest

    names = workspace.secrets.names()
    if tenant is not None:  # by name as well: the list may not show yet what was just written
        names = sorted({*names, *of_tenant(workspace.secrets, tenant)})
    found = [(t, s) for t, s in names if tenant in {None, t} and system in {None, s}]
    if found:
        return found
    if not names:
        file = "" if workspace.registered else ".json"
        raise Misconfigured(
            f"There is no secret in {workspace.place}; write the two of a tenant first, such as acme/sap_b1{file} and "
            f"acme/basware{file}."
        )
    tenants = {t for t, _ in names}
    if tenant is not None and tenant not in tenants:
        raise Misconfigured(f"There is no tenant '{tenant}' in {workspace.place}; {suggest(tenant, tenants)}")
    here = [s for t, s in names if tenant in {None, t}]
    raise Misconfigured(f"There is no {tenant or 'TENANT'}/{system} in {workspace.place}; {suggest(str(system), here)}")


def _rows(workspace: Workspace, tenant: str, system: str) -> Iterator[dict[str, Any]]:
    from .pinging import checks

    for check in checks(workspace, tenant, system):
        yield advice.row(_row(tenant, system, check))


def _row(tenant: str, system: str, check: Check) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "system": system,
        "check": check.what,
        "ok": check.ok,
        "warning": check.warning,
        "detail": check.detail,
    }


def _print(row: dict[str, Any]) -> None:
    mark, colour = MARKS["failed" if not row["ok"] else "warning" if row["warning"] else "ok"]
    detail = f": {row['detail']}" if row["detail"] else ""
    terminal.line(f"{row['check']}{detail}", mark=mark, colour=colour)


def _enrol(workspace: Workspace, tenant: str | None) -> None:
    """Tell the functions at once of the secrets that were just tried."""
    from ml_connector.registry import rebuild

    rebuild(workspace.runtime, workspace.secrets, workspace.tools, tenant)

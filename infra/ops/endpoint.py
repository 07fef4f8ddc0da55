"""`endpoint`: the same company under another address, so that what is known of it stays known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, table, terminal
from .audit import TenantName

if TYPE_CHECKING:
    from ml_connector.engine.comparison import Compared
    from ml_connector.engine.endpoints import Earlier
    from ml_connector.engine.relocate import Moved
    from ml_connector.engine.tenant_integration import TenantIntegration

    from .workspace import Workspace

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The endpoints (server, company, region) that a tenant's systems had, and what is known under each.",
)

SystemName = Annotated[str, typer.Argument(metavar="SYSTEM", help="The system whose address changed, such as sap_b1.")]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="SERVER", help="Which earlier endpoint, where there are several: its server."),
]
COLUMNS = ("integration", "endpoint", "since", "documents", "state")


@app.command("list")
def list_(
    tenant: TenantName,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List the endpoints that a tenant's integrations have and had, with the documents that are known under each.

    Example: ml-connector endpoint list acme --secrets ./secrets
    """
    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    rows = [row for pair in workspace.pairs(tenant) for row in _rows(pair)]
    shown = rows if as_json else [{**r, "since": table.moment(r["since"])} for r in rows]
    table.show(shown, COLUMNS, as_json=as_json, empty="No endpoint is noted yet: the first run does that.")


def _rows(pair: TenantIntegration) -> list[dict[str, Any]]:
    from ml_connector.engine.endpoints import known, words

    def state(scope: str, its: Any) -> str:
        if scope == pair.scope:
            return "present"
        return "partly carried over" if its.moving else f"kept apart by {its.apart}" if its.apart else "earlier"

    return [
        {
            "integration": pair.integration.name,
            "endpoint": "; ".join(f"{system}: {words(one)}" for system, one in its.systems.items()),
            "systems": its.systems,
            "since": its.since,
            "documents": its.documents,
            "state": state(scope, its),
            "moves": its.moves,
        }
        for scope, (its, _) in known(pair).items()
    ]


@app.command()
def move(
    tenant: TenantName,
    system: SystemName,
    from_: From = None,
    renamed: Annotated[
        bool, typer.Option("--renamed", help="The company, region or environment has another name, and is the same.")
    ] = False,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Carry what is known under a system's earlier endpoint over to the present one: same company, another address.

    Some documents are read through the present endpoint first; unless number, supplier and amount agree, nothing is
    changed. A move that was interrupted is finished by running it again.

    Example: ml-connector endpoint move acme sap_b1 --secrets ./secrets
    """
    from ml_connector.engine import relocate

    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    with workspace.exclusive() as lock:
        pair, earlier = _chosen(workspace, tenant, system, from_)
        if lock is not None:  # no other process works on this state, so the leases in it are of dead ones
            pair = replace(pair, runtime=replace(pair.runtime, sole=True))
        try:
            _check_name(pair, earlier, renamed=renamed)
            relocate.refuse_busy(pair, earlier.scope)
            compared = _compared(pair, earlier)
            options.confirm(_question(pair, earlier, compared), yes=yes)
            moved = relocate.move(pair, earlier.scope, options.who(by))
        finally:
            pair.close()
    if as_json:
        table.dump({"tenant": tenant, "system": system, "compared": compared.agree, **vars(moved)})
    else:
        terminal.lines(_said(pair, compared, moved))
    raise typer.Exit(1 if moved.twice else 0)


@app.command("keep-apart")
def keep_apart(
    tenant: TenantName,
    system: SystemName,
    from_: From = None,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
) -> None:
    """Say that an earlier endpoint is another company: nothing is carried over, and runs do not mention it any more.

    Example: ml-connector endpoint keep-apart acme sap_b1 --secrets ./secrets
    """
    from ml_connector.engine import endpoints

    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    pair, earlier = _chosen(workspace, tenant, system, from_)
    was = "; ".join(f"{s}: {endpoints.words(earlier.systems[s])}" for s in earlier.changed)
    options.confirm(f"Keep what is known under {was} apart, and start from scratch?", yes=yes)
    endpoints.keep_apart(pair, earlier.scope, options.who(by))
    terminal.line(f"{tenant}: what is known under the earlier endpoint ({was}) stays there.")


def _chosen(workspace: Workspace, tenant: str, system: str, server: str | None) -> tuple[TenantIntegration, Earlier]:
    """Find the earlier endpoint that is meant. Raises `NotThere`, `Misconfigured`."""
    from ml_connector.engine.endpoints import note, words
    from ml_connector.errors import Misconfigured

    from .suggest import suggest as names
    from .workspace import NotThere

    pairs = workspace.pairs(tenant)
    systems = sorted({s for pair in pairs for s in pair.endpoints})
    if system not in systems:
        raise Misconfigured(f"{tenant} has no system '{system}'; {names(system, systems)}")
    found = [(pair, one) for pair in pairs for one in note(pair) if system in one.changed]
    if not found:
        raise NotThere(
            f"Nothing is known of {tenant} under an earlier endpoint of {system}; "
            f"`ml-connector endpoint list {tenant}` shows all."
        )
    fitting = [f for f in found if server is None or server.lower() in f[1].systems[system]["server"]]
    if len(fitting) != 1:
        each = "; ".join(f"{words(one.systems[system])} ({one.documents} documents)" for _, one in found)
        raise Misconfigured(f"{tenant} had several endpoints of {system}; add --from with the server of one: {each}.")
    return fitting[0]


def _check_name(pair: TenantIntegration, earlier: Earlier, *, renamed: bool) -> None:
    """Refuse another company: a copy of it for tests holds the same documents, and comparing would not tell."""
    from .workspace import Refused

    for system in () if renamed else earlier.changed:
        was, now = earlier.systems[system], pair.endpoints[system]
        for name, value in was.items():
            if name != "server" and now.get(name) != value:
                raise Refused(
                    f"Nothing was carried over: the {name} of {system} was {value} and is {now.get(name)}, which is "
                    "another one as far as anybody can tell from here. If it is the same under another name, add "
                    f"--renamed; else `ml-connector endpoint keep-apart {pair.tenant} {system}`."
                )


def _compared(pair: TenantIntegration, earlier: Earlier) -> Compared:
    """Compare, and refuse where anything differs, or nothing could be compared."""
    from ml_connector.engine.comparison import compare

    from .workspace import Refused

    compared = compare(pair, earlier)
    if compared.differ:
        listed = "\n".join(f"  {line}" for line in compared.differ)
        raise Refused(
            "Nothing was carried over: what is known under the earlier endpoint does not agree with the present one.\n"
            f"{listed}\nIs it the same company? Check the address in the secret."
        )
    if not compared.agree:
        raise Refused(
            "Nothing was carried over: nothing that could be compared was delivered under the earlier endpoint, so "
            "that nothing shows that it is the same company."
        )
    return compared


def _question(pair: TenantIntegration, earlier: Earlier, compared: Compared) -> str:
    from ml_connector.engine.endpoints import words

    now = "; ".join(f"{system}: {words(pair.endpoints[system])}" for system in earlier.changed)
    count = table.counted(earlier.documents, "document")
    return f"{len(compared.agree)} compared, all agree. Carry {count} of {pair.tenant} over to {now}?"


def _said(pair: TenantIntegration, compared: Compared, moved: Moved) -> str:
    lines = [
        f"{pair.tenant} ({pair.integration.name}): {table.counted(moved.documents + moved.unfinished, 'document')} "
        f"({moved.documents} delivered, {moved.unfinished} under way), {table.counted(moved.records, 'master record')} "
        f"and {moved.batches} chunks of master data under way were carried over, after {len(compared.agree)} were "
        "compared. The next run compares everything once.",
        *(f"! Check in the ERP whether this is there twice: {line}" for line in moved.twice),
    ]
    return "\n".join(lines)

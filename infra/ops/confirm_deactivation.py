"""`confirm-deactivation`: deactivate many records at once that are missing from their source system."""

from __future__ import annotations

from . import options, table, terminal
from .audit import FlowName, TenantName


def confirm_deactivation(
    tenant: TenantName,
    flow: FlowName,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Confirm that records which are missing from their source system are deactivated, where they are many.

    Each is looked up in its source system once more, right before. `held` shows which they are.

    Example: ml-connector confirm-deactivation acme vendors --secrets ./secrets
    """
    from ml_connector.engine import replay

    from .workspace import NotThere, open_workspace

    stream = open_workspace(secrets, state, stack).stream(tenant, flow)
    waiting = sum(c.count for c in stream.ledger.unfinished() if c.op == "retire" and c.guarded)
    if not waiting:
        raise NotThere(f"Nothing of {stream} waits to be deactivated; `ml-connector held {tenant}` shows what is held.")
    kind, pair = stream.flow.name.removesuffix("s").replace("_", " "), stream.pair
    there, origin = pair.title(stream.flow.target), pair.title(stream.flow.source)
    options.confirm(f"Deactivate {table.counted(waiting, kind)} of {pair.tenant} in {there}?", yes=yes)
    count = replay.approve(stream.ledger, f"Confirmed by {options.who(by)} on {stream.ledger.now()[:19]}Z.")
    if as_json:
        table.dump({**stream.name, "confirmed": count})
    else:
        are = f"{table.counted(count, kind)} of {pair.tenant} {'is' if count == 1 else 'are'}"
        terminal.line(f"{are} deactivated in {there} with the next run, unless they are back in {origin}.")

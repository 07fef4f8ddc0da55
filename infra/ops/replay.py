"""`replay`: send one record again, without posting anything twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import advice, options, table, terminal
from .audit import FlowName, Key, TenantName

if TYPE_CHECKING:
    from ml_connector.engine.replay import Replayed

    from .workspace import Stream, Workspace

SENTENCES = {
    "reopened": "it had failed and is retried now, from the step at which it failed. If it may have been posted, it "
    "is looked up first.",
    "retried": "it was waiting and is retried now.",
    "under way": "it is being worked on at this moment; nothing was changed.",
    "queued": "it is queued again. What was delivered before is never posted twice; if it is no longer available for "
    "transfer, nothing is sent.",
    "marked": "it is sent again with the next run of the flow, which compares everything: master data is not "
    "read record by record. A small real change goes with it, since an equal record would be skipped.",
}


def replay(
    tenant: TenantName,
    flow: FlowName,
    key: Key,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Retry one record. A delivered document is looked up first and never posted twice.

    Example: ml-connector replay acme invoices INV-1001 --secrets ./secrets
    """
    from ml_connector.engine import replay as by_hand

    from .find import named, record_key
    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    stream = workspace.stream(tenant, flow)
    refuse_shadow(stream)
    found = record_key(stream, key)
    name = named(stream, found, by_hand.holder(stream.ledger, found))
    options.confirm(f"Retry {name}?", yes=yes)
    done = _replay(workspace, stream, found, options.who(by))
    if as_json:
        table.dump({**stream.name, "key": found, "done": done.what, "chunk": done.chunk.id if done.chunk else None})
    else:
        when = say_when(workspace) if done.what in {"reopened", "retried", "queued"} else ""
        terminal.line(
            advice.pasteable(f"{name[0].upper()}{name[1:]}: {SENTENCES[done.what]}{when}{say_paused(stream)}")
        )


def refuse_shadow(stream: Stream) -> None:
    """Raise `Misconfigured` for a tenant of which nothing is sent."""
    from ml_connector.errors import Misconfigured

    if stream.pair.shadow:
        raise Misconfigured(
            f"{stream.pair.tenant} is in shadow: nothing is sent. Take `shadow` out of its settings first."
        )


def _replay(workspace: Workspace, stream: Stream, key: str, by: str) -> Replayed:
    from ml_connector.engine import replay as by_hand
    from ml_connector.engine.ledger.enqueue import wake_up_of

    from .workspace import NotThere

    ledger = stream.ledger
    done = by_hand.replay(stream.pair, stream.flow, key, f"Replayed by {by} on {ledger.now()[:19]}Z.")
    if done.what == "unknown":
        raise NotThere(
            f"{key} of {stream} was never completed; the next run reads it, if it is available for transfer."
        )
    if done.what == "forgotten":
        raise NotThere(
            f"The history of {key} is too old to send it again automatically; `ml-connector audit {stream.pair.tenant} "
            f"{stream.flow.name} {key}` shows what is left. "
            "Change it in the system it comes from, and the next run takes it."
        )
    if done.chunk is not None and done.what != "under way":
        workspace.runtime.queue.notify(done.chunk.lane, wake_up_of(done.chunk, ledger.scope))
    return done


def say_when(workspace: Workspace) -> str:
    """Say who carries it out in a local state, where nothing runs by itself."""
    return "" if workspace.registered else " The next `ml-connector local run` does it, or `local serve` while it runs."


def say_paused(stream: Stream) -> str:
    """Say that nothing happens yet, where a flow is off or its tenant paused."""
    if stream.flow.name in stream.pair.active:
        return ""
    return " The flow is off or the tenant paused: nothing happens before that is changed in the settings."

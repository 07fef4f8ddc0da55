"""`dlq`: what failed permanently, by cause, and how to retry it. Failed rows count; the queue is only the alarm."""

from __future__ import annotations

import shlex
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import advice, completion, options, table, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml_connector.engine.ledger.rows import Chunk

    from .workspace import Stream, Workspace

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Failed records, by cause, and how to retry them: fix the cause, redrive one, then the rest.",
)

OneTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", autocompletion=completion.tenants, help="Only this tenant.")
]
LIST = ("cause", "chunks", "records", "amounts", "oldest", "tenants")
SHOW = ("tenant", "flow", "number", "amount", "currency", "since", "times_failed", "reason")


@app.command("list")
def list_(
    tenant: OneTenant = None,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List what failed, grouped by cause.

    Example: ml-connector dlq list --secrets ./secrets
    """
    workspace = _workspace(secrets, state, stack)
    groups: dict[str, list[tuple[Stream, Chunk]]] = {}
    for stream, chunk in _dead(workspace, tenant):
        groups.setdefault(chunk.cause or "unknown", []).append((stream, chunk))
    rows = [_group(cause, found) for cause, found in sorted(groups.items())]
    shown = (
        rows
        if as_json
        else [{**r, "amounts": table.money(r["amounts"]), "oldest": table.moment(r["oldest"])} for r in rows]
    )
    table.show(shown, LIST, as_json=as_json, empty="No failed records.")
    dead_letters = workspace.dead_letters.count()
    if dead_letters and not rows:
        said = (
            f"The DLQ holds about {table.counted(dead_letters, 'message')} without a failed record: that work resumes "
            "automatically. `ml-connector dlq redrive` clears them."
        )
        terminal.line(advice.pasteable(said), err=True)


def _group(cause: str, found: Sequence[tuple[Stream, Chunk]]) -> dict[str, Any]:
    from ml_connector.engine.ledger.control_totals import countable, total

    amounts: dict[str, Decimal] = {}
    for stream, chunk in found:
        amount = countable(chunk.amount) if stream.flow.money else None
        if amount is not None and chunk.currency:
            amounts[chunk.currency] = total((amounts.get(chunk.currency, Decimal(0)), amount))
    return {
        "cause": cause,
        "chunks": len(found),
        "records": sum(chunk.count for _, chunk in found),
        "amounts": amounts,
        "oldest": min(chunk.created for _, chunk in found),
        "tenants": sorted({s.pair.tenant for s, _ in found}),
    }


@app.command()
def show(
    cause: Annotated[str, typer.Argument(metavar="CAUSE", help="A cause, as `dlq list` shows it.")],
    tenant: OneTenant = None,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List what failed for one cause, the oldest first.

    Example: ml-connector dlq show exhausted --secrets ./secrets
    """
    from .held import for_people, row

    workspace = _workspace(secrets, state, stack)
    rows = [
        {**row(s, c), "chunk": c.id, "times_failed": c.death} for s, c in _of_cause(_dead(workspace, tenant), cause)
    ]
    shown = rows if as_json else [for_people(r) for r in rows]
    table.show(shown, SHOW, as_json=as_json, empty=f"No failed records of cause '{cause}'.")


@app.command()
def redrive(
    cause: Annotated[str | None, typer.Option("--cause", metavar="CAUSE", help="Only this cause.")] = None,
    canary: Annotated[bool, typer.Option("--canary", help="Only one, the oldest: see first whether it helps.")] = False,
    tenant: OneTenant = None,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Retry failed records. Whatever may have been posted is looked up before it is sent.

    Example: ml-connector dlq redrive --cause exhausted --canary --secrets ./secrets
    """
    from .replay import say_when

    workspace = _workspace(secrets, state, stack)
    every = _of_cause(_dead(workspace, tenant), cause)
    chosen = every[:1] if canary else every
    if chosen or workspace.dead_letters.count():
        options.confirm(_question(chosen, every), yes=yes)
    opened = [
        {**s.name, "chunk": c.id, "key": c.key, "records": c.count}
        for s, c in chosen
        if _open(workspace, s, c, options.who(by))
    ]
    cleared = workspace.clear_dead_letters()
    left = len(every) - len(opened)
    if as_json:
        table.dump({"reopened": opened, "left": left, "messages_removed": cleared})
        return
    name = named(*chosen[0]) if len(chosen) == 1 else ""
    terminal.line(
        advice.pasteable(_said(opened, left, cause, tenant, name=name, canary=canary, when=say_when(workspace)))
    )
    if cleared:
        were = f"{table.counted(cleared, 'message')} {'was' if cleared == 1 else 'were'}"
        terminal.line(f"{were} removed from the DLQ.")


def named(stream: Stream, chunk: Chunk) -> str:
    """Name what stands in a failed chunk: its document, or how many records."""
    from . import find

    if chunk.key is not None:
        return find.named(stream, chunk.key, chunk)
    kind = stream.flow.name.removesuffix("s").replace("_", " ")
    return f"{table.counted(chunk.count, kind)} of {stream.pair.tenant}"


def _question(chosen: Sequence[tuple[Stream, Chunk]], every: Sequence[tuple[Stream, Chunk]]) -> str:
    of = table.counted(sum(chunk.count for _, chunk in every), "failed record")
    if len(chosen) == 1:
        return f"Retry {named(*chosen[0])}" + (f", one of {of}?" if len(every) > 1 else "?")
    return f"Retry {of}?" if chosen else "Remove messages from the DLQ that no failed record belongs to?"


def _said(
    opened: Sequence[dict[str, Any]],
    left: int,
    cause: str | None,
    tenant: str | None,
    *,
    name: str,
    canary: bool,
    when: str,
) -> str:
    if not opened:
        return "Nothing was redriven: no failed records." if not left else "Nothing was redriven; list again."
    records = sum(one["records"] for one in opened)
    words = "1 record is" if records == 1 else f"{records} records are"
    which = f" ({name})" if name else ""
    then = ""
    if canary and left:
        chosen = (("cause", cause), ("tenant", tenant))
        more = "".join(f" --{name} {shlex.quote(value)}" for name, value in chosen if value)
        then = f" See what becomes of it, then redrive the other {left}: `ml-connector dlq redrive{more}`."
    return f"{words} retried now{which}.{when}{then}"


def _open(workspace: Workspace, stream: Stream, chunk: Chunk, by: str) -> bool:
    """Open one and queue its wake-up message; what somebody else opened meanwhile is left."""
    from ml_connector.engine.ledger.enqueue import wake_up_of
    from ml_connector.engine.replay import reopen

    ledger = stream.ledger
    opened = reopen(ledger, chunk.id, f"Redriven by {by} on {ledger.now()[:19]}Z.", chunk.death)
    if opened is None:
        return False
    workspace.runtime.queue.notify(opened.lane, wake_up_of(opened, ledger.scope))
    return True


def _dead(workspace: Workspace, tenant: str | None) -> list[tuple[Stream, Chunk]]:
    """List what is dead, the oldest first."""
    from .workspace import unfinished

    found = [(s, c) for s, c in unfinished(workspace.streams(tenant)) if c.state == "failed"]
    return sorted(found, key=lambda one: one[1].created)


def _of_cause(found: Sequence[tuple[Stream, Chunk]], cause: str | None) -> list[tuple[Stream, Chunk]]:
    """Keep those of one cause. Raises `Misconfigured` where others are dead, but none of it."""
    from ml_connector.errors import Misconfigured

    fitting = [(s, c) for s, c in found if cause in {None, c.cause or "unknown"}]
    if found and not fitting:
        names = ", ".join(sorted({c.cause or "unknown" for _, c in found}))
        raise Misconfigured(f"Nothing failed because of '{cause}'; the causes are: {names}.")
    return fitting


def _workspace(secrets: Any, state: Any, stack: str | None) -> Workspace:
    from .workspace import open_workspace

    return open_workspace(secrets, state, stack)

"""`runs`: what each run read, and what became of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml_connector.engine.ledger.control_totals import FlowTotals
    from ml_connector.engine.ledger.rows import Chunk

    from .workspace import Stream

COLUMNS = (
    "run",
    "tenant",
    "flow",
    "read",
    "delivered",
    "unchanged",
    "held",
    "rejected",
    "failed",
    "pending",
    "money",
    "error",
)

EMPTY = "No run yet. A deployed stack and `local serve` run by schedule; `ml-connector local run` makes one here."


def runs(
    tenant: options.Tenant = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most this many runs.")] = 10,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List the latest runs: for each flow what was read, and what became of it. The newest comes first.

    What a run found unchanged is kept for the latest run of each flow only.

    Example: ml-connector runs acme --limit 3 --secrets ./secrets
    """
    from .workspace import open_workspace

    streams = open_workspace(secrets, state, stack).streams(tenant)
    started: dict[str, str] = {}
    sheets = {(run, n): sheet for n, s in enumerate(streams) for run, sheet in _sheets(s, limit, started).items()}
    newest = sorted({run for run, _ in sheets}, key=lambda run: (started[run], run), reverse=True)[:limit]
    rows = [
        {"run": run, "started": started[run], **streams[n].name, **sheets[run, n].as_row()}
        for run in newest
        for n in range(len(streams))
        if (run, n) in sheets
    ]
    shown = rows if as_json else [_for_people(row) for row in rows]
    table.show(shown, COLUMNS, as_json=as_json, empty=EMPTY)


def _sheets(stream: Stream, limit: int, started: dict[str, str]) -> dict[str, FlowTotals]:
    """Add up a flow's latest runs, and note when each of them began."""
    from ml_connector.engine.ledger.control_totals import FlowTotals

    ledger, sheets = stream.ledger, dict[str, FlowTotals]()
    figures = ledger.cursor()[0].figures
    if figures.run:
        sheets[figures.run] = sheet = FlowTotals(stream.flow)
        sheet.error = figures.error
        sheet.add_cursor(ledger, figures.run)
        started[figures.run] = figures.run
    for chunk in _latest(stream, limit):
        sheets.setdefault(chunk.run, FlowTotals(stream.flow)).add_chunk(chunk)
        began = chunk.run if _is_time(chunk.run) else chunk.created
        started[chunk.run] = min(began, started.get(chunk.run, began))
    return sheets


def _is_time(run: str) -> bool:
    """Tell a run of the poll, which is named by when it began, from what notifications of a day make together."""
    return run[:1].isdecimal()


def _earliest(run: str) -> str:
    """Give a time at which a run had not begun yet: `webhook 2026-01-31` are the notifications of that day."""
    return run if _is_time(run) else run.rpartition(" ")[2]


def _latest(stream: Stream, limit: int) -> Iterator[Chunk]:
    """Read the chunks of the latest runs: all that is unfinished, and what was done since the oldest of them began."""
    from ml_connector.engine.ledger.rows import Chunk, load

    runs = set[str]()
    for chunk in stream.ledger.unfinished():
        if chunk.op != "notice":  # it brings nothing to move
            runs.add(chunk.run)
            yield chunk
    for item in stream.ledger.store.query(stream.ledger.pk, "d#", reverse=True):
        chunk = load(Chunk, item.data)
        if len(runs) >= limit and (chunk.done_at or "") < sorted(map(_earliest, runs))[-limit]:
            return  # whatever was done before a run began is none of it
        if chunk.op != "notice":
            runs.add(chunk.run)
            yield chunk


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    sums = {
        place: table.money({c: s[place] for c, s in row.get("amounts", {}).items() if Decimal(s[place])})
        for place in ("delivered", "held", "rejected", "failed", "pending")
    }
    money = "; ".join(f"{place} {amounts}" for place, amounts in sums.items() if amounts)
    kind = "" if _is_time(row["run"]) else f" {row['run'].partition(' ')[0]}"
    return {**row, "run": f"{table.moment(row['started'])}{kind}", "money": money}

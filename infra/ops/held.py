"""`held`: everything that is not completed, first of all what waits for a person or for another record."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import options, table, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml_connector.engine.ledger.rows import Chunk

    from .workspace import Stream

COLUMNS = ("tenant", "flow", "number", "amount", "currency", "state", "waiting_for", "since", "next_retry", "reason")


def held(
    tenant: options.Tenant = None,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List what is not completed: its state, for what it waits, since when, and how to fix it. The oldest comes first.

    The state is on hold (for a person or another record), in doubt (sent, and no response came), retrying, awaiting the
    other system, or queued. What failed permanently is in `ml-connector dlq list`.

    Example: ml-connector held acme --secrets ./secrets
    """
    from .chunk_state import is_open
    from .workspace import open_workspace, unfinished

    streams = open_workspace(secrets, state, stack).streams(tenant)
    rows = [one for s, c in unfinished(streams) if is_open(c) for one in rows_of(s, c)]
    rows.sort(key=lambda r: r["since"])
    shown = rows if as_json else [for_people(r) for r in rows]
    table.show(shown, COLUMNS, as_json=as_json, empty="Nothing is held.")
    if rows and not as_json:
        terminal.line(_total(rows))


def _total(rows: Sequence[dict[str, Any]]) -> str:
    """Say how many records are listed, and their money by currency: what a controller accrues, or waits for."""
    from ml_connector.engine.ledger.control_totals import countable, total

    sums: dict[str, Decimal] = {}
    for row in rows:
        if row["currency"] and (amount := countable(row["amount"])) is not None:
            sums[row["currency"]] = total((sums.get(row["currency"], Decimal(0)), amount))
    money = f": {table.money(sums)}" if sums else ""
    return f"Total of {table.counted(sum(row['records'] for row in rows), 'record')}{money}."


def rows_of(stream: Stream, chunk: Chunk) -> list[dict[str, Any]]:
    """Describe a chunk; where each of its records waits for something of its own, each of them."""
    from ml_connector.engine.ledger.alignments import HOLD, told

    whole = row(stream, chunk)
    if not (chunk.waiting_for or "").startswith(HOLD):
        return [whole]
    return [{**whole, "key": key, "keys": [key], "records": 1, **told(chunk, key)} for key in whole["keys"]]


def row(stream: Stream, chunk: Chunk) -> dict[str, Any]:
    """Describe a chunk that is open or dead; `records` counts those of a bulk chunk."""
    from ml_connector.engine.replay import keys_of

    from .chunk_state import reason_of, state_of, times

    keys = keys_of(stream.ledger, chunk)
    state = state_of(chunk, stream.flow, stream.ledger.now())
    return {
        **stream.name,
        "key": keys[0] if keys else chunk.id,
        "keys": keys,
        "number": chunk.number,
        "records": len(keys) or 1,
        "amount": chunk.amount if stream.flow.money else None,
        "currency": chunk.currency if stream.flow.money else None,
        "state": state,
        "waiting_for": chunk.waiting_for,
        "cause": chunk.cause,
        "reason": reason_of(chunk, state),
        **times(chunk),
    }


def for_people(row: dict[str, Any]) -> dict[str, Any]:
    """Name the document as a person knows it, and say times short."""
    from ..local.report import short

    more = f" and {row['records'] - 1} more" if row["records"] > 1 else ""
    number = f"{short(row['number'] or row['key'])}{more}"
    times = {name: table.moment(row[name]) for name in ("since", "next_retry")}
    return {**row, "number": number, **times}

"""`deliveries`: what was settled, and under which number the target has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from . import completion, options, table, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml_connector.engine.ledger.rows import Chunk, Row

    from .desk import Stream

COLUMNS = ("at", "tenant", "flow", "key", "number", "outcome", "target_number", "amount", "currency", "reason")
FlowName = Annotated[
    str | None,
    typer.Argument(
        metavar="[FLOW]", autocompletion=completion.flows, help="A flow, such as invoices or sap_b1-basware/invoices."
    ),
]
COUNTED = 5000
"""Documents of a flow that are counted at most: the rows of years are not read for a number."""
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Since when: 2026-01-31, 2026-01-31T14:00Z, 12h or 7d.")
]


def deliveries(
    tenant: options.Tenant = None,
    flow: FlowName = None,
    outcome: Annotated[
        Literal["delivered", "unchanged", "rejected"] | None, typer.Option("--outcome", help="Only this outcome.")
    ] = None,
    since: Since = None,
    limit: options.Limit = 50,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List what was completed, with the number under which it was posted. The newest comes first.

    Of documents every attempt that ended is listed, of master data the latest outcome of each record.

    Example: ml-connector deliveries acme invoices --outcome rejected --since 7d --secrets ./secrets
    """
    from .desk import open_desk

    desk = open_desk(secrets, state, stack)
    begin = moment_of(since, desk.world.clock.now()) if since else ""
    most = max(limit, COUNTED)
    found = [_settled(stream, begin, outcome, most) for stream in desk.streams(tenant, flow)]
    rows = sorted((row for its in found for row in its), key=lambda r: r["at"], reverse=True)[:limit]
    shown = rows if as_json else [{**r, "at": table.moment(r["at"])} for r in rows]
    table.show(shown, COLUMNS, as_json=as_json, empty="Nothing that fits was completed.")
    if (total := sum(map(len, found))) > limit:
        at_least = "at least " if any(len(its) == most for its in found) else ""
        terminal.line(f"{limit} of {at_least}{total}; --limit for more.", err=True)


def moment_of(text: str, now: datetime) -> str:
    """Read a time as rows write it: ISO 8601 (UTC where no zone is given), or so many hours or days ago."""
    from ml_connector.engine.ledger.rows import iso
    from ml_connector.errors import Misconfigured

    unit = {"h": "hours", "d": "days"}.get(text[-1:])
    if unit and text[:-1].isdecimal() and len(text) < 7:
        return iso(now - timedelta(**{unit: int(text[:-1])}))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Misconfigured(f"'{text}' is no time; write 2026-01-31, 2026-01-31T14:00Z, 12h or 7d.") from None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _settled(stream: Stream, begin: str, outcome: str | None, limit: int) -> list[dict[str, Any]]:
    if stream.flow.manner == "master":
        return _masters(stream, begin, outcome)
    found = []
    for chunk in _finished(stream, begin):
        if outcome in {None, chunk.outcome} and not chunk.shadow:
            found.append(_document(stream, chunk))
        if len(found) == limit:
            break
    return found


def _finished(stream: Stream, begin: str) -> Iterator[Chunk]:
    """Read finished chunks, the latest first."""
    from ml_connector.engine.ledger.rows import Chunk, load

    for item in stream.ledger.store.query(stream.ledger.pk, "d#", reverse=True):
        chunk = load(Chunk, item.data)
        if (chunk.done_at or "") < begin:
            return
        yield chunk


def _document(stream: Stream, chunk: Chunk) -> dict[str, Any]:
    return {
        **stream.name, "key": chunk.key, "number": chunk.number, "outcome": chunk.outcome,
        "target_number": chunk.code, "target": chunk.target,
        "amount": chunk.amount if stream.flow.money else None,
        "currency": chunk.currency if stream.flow.money else None,
        "at": chunk.done_at, "reason": chunk.reason,
    }  # fmt: skip


def _masters(stream: Stream, begin: str, outcome: str | None) -> list[dict[str, Any]]:
    """Join record rows with the time of the chunk that settled them."""
    times = {chunk.id: chunk.done_at for chunk in _finished(stream, begin)}
    return [
        _master(stream, key, row, times[row.chunk])
        for key, row in stream.ledger.all_rows()
        if row.chunk in times and outcome in {None, row.outcome}
    ]


def _master(stream: Stream, key: str, row: Row, at: str | None) -> dict[str, Any]:
    return {
        **stream.name, "key": key, "number": row.number, "outcome": row.outcome, "target_number": row.code,
        "target": row.target, "amount": None, "currency": None, "at": at, "reason": row.reason,
    }  # fmt: skip

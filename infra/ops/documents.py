"""`documents`: each document once with its present state, or all its attempts, and the number it was posted as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from . import completion, options, table, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ml_connector.engine.ledger.rows import Chunk, Row

    from .workspace import Stream

COLUMNS = (
    "at",
    "tenant",
    "flow",
    "key",
    "number",
    "state",
    "posted_as",
    "posting_date",
    "amount",
    "currency",
    "reason",
)
HISTORY = tuple("outcome" if column == "state" else column for column in COLUMNS)
Outcome = Literal["delivered", "unchanged", "held", "rejected", "failed", "pending"]
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


def documents(
    tenant: options.Tenant = None,
    flow: FlowName = None,
    outcome: Annotated[
        Outcome | None, typer.Option("--outcome", help="Only this outcome, as the report's columns name it.")
    ] = None,
    since: Since = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every attempt that ended, in place of each document's present state.")
    ] = False,
    limit: options.Limit = 50,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List each document once: its present state, and the number under which it was posted. The newest comes first.

    Of master data the latest outcome of each record is listed.

    Example: ml-connector documents acme invoices --outcome rejected --since 7d --secrets ./secrets
    """
    from ..local.report import short
    from .workspace import open_workspace

    workspace = open_workspace(secrets, state, stack)
    begin = moment_of(since, workspace.runtime.clock.now()) if since else ""
    most = max(limit, COUNTED)
    kind = _history if history else _present
    found = [_listed(stream, begin, outcome, most, kind) for stream in workspace.streams(tenant, flow)]
    rows = sorted((row for its in found for row in its), key=lambda r: r["at"], reverse=True)[:limit]
    shown = (
        rows
        if as_json
        else [
            {**r, "at": table.moment(r["at"]), "number": short(r["number"] or ""), "posted_as": r["target_number"]}
            for r in rows
        ]
    )
    columns = HISTORY if history else COLUMNS
    table.show(shown, columns, as_json=as_json, empty="No documents found.")
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
        raise Misconfigured(f"'{text}' is not a valid time; write 2026-01-31, 2026-01-31T14:00Z, 12h or 7d.") from None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _listed(
    stream: Stream, begin: str, outcome: str | None, most: int, kind: Callable[[Stream, str], Iterator[dict[str, Any]]]
) -> list[dict[str, Any]]:
    if stream.flow.manner == "master":
        return _masters(stream, begin, outcome)
    return list(islice((row for row in kind(stream, begin) if outcome in {None, row["outcome"]}), most))


def _history(stream: Stream, begin: str) -> Iterator[dict[str, Any]]:
    """Give every attempt that ended, the latest first."""
    yield from (_document(stream, chunk) for chunk in _finished(stream, begin) if not chunk.shadow)


def _present(stream: Stream, begin: str) -> Iterator[dict[str, Any]]:
    """Give each document once, by what is open of it or else by what became of it last: the latest first."""
    seen: set[str | None] = set()
    for chunk in _open(stream, begin):
        seen.add(chunk.key)
        yield _document(stream, chunk)
    for chunk in _finished(stream, begin):
        if not chunk.shadow and chunk.key not in seen:
            seen.add(chunk.key)
            yield _document(stream, chunk) | _before(stream, chunk)


def _open(stream: Stream, begin: str) -> list[Chunk]:
    """List what is open of documents, or failed, the latest first; only since `begin`."""
    found = [c for c in stream.ledger.unfinished() if c.key is not None and c.op != "notice"]
    return sorted((c for c in found if _since(c) >= begin), key=_since, reverse=True)


def _since(chunk: Chunk) -> str:
    return chunk.first_try or chunk.created


def _before(stream: Stream, chunk: Chunk) -> dict[str, Any]:
    """Give what a document came to before an attempt that had nothing to do: that is still its state."""
    found = stream.ledger.rows([str(chunk.key)]) if chunk.outcome == "unchanged" else {}
    if not found:
        return {}
    row = found[str(chunk.key)][0]
    known = {"outcome": row.outcome, "state": row.outcome, "reason": row.reason} if row.outcome else {}
    return known | ({"target_number": row.code, "target": row.target} if row.code else {})


def _finished(stream: Stream, begin: str) -> Iterator[Chunk]:
    """Read finished chunks, the latest first."""
    from ml_connector.engine.ledger.rows import Chunk, load

    for item in stream.ledger.store.query(stream.ledger.pk, "d#", reverse=True):
        chunk = load(Chunk, item.data)
        if (chunk.done_at or "") < begin:
            return
        yield chunk


def _document(stream: Stream, chunk: Chunk) -> dict[str, Any]:
    from .chunk_state import reason_of, state_of

    state = str(chunk.outcome) if chunk.settled else state_of(chunk, stream.flow, stream.ledger.now())
    outcome = {"on hold": "held", "failed": "failed"}.get(state, "pending") if not chunk.settled else state
    return {
        **stream.name,
        "key": chunk.key,
        "number": chunk.number,
        "outcome": outcome,
        "state": state,
        "target_number": chunk.code,
        "target": chunk.target,
        "posting_date": chunk.posted_on if chunk.code else None,
        "amount": chunk.amount if stream.flow.money else None,
        "currency": chunk.currency if stream.flow.money else None,
        "at": chunk.done_at or _since(chunk),
        "reason": chunk.reason if chunk.settled else reason_of(chunk, state),
    }


def _masters(stream: Stream, begin: str, outcome: str | None) -> list[dict[str, Any]]:
    """Join record rows with the time of the chunk that completed them."""
    times = {chunk.id: chunk.done_at for chunk in _finished(stream, begin)}
    return [
        _master(stream, key, row, times[row.chunk])
        for key, row in stream.ledger.all_rows()
        if row.chunk in times and outcome in {None, row.outcome}
    ]


def _master(stream: Stream, key: str, row: Row, at: str | None) -> dict[str, Any]:
    return {
        **stream.name,
        "key": key,
        "number": row.number,
        "outcome": row.outcome,
        "state": row.outcome,
        "target_number": row.code,
        "target": row.target,
        "posting_date": None,
        "amount": None,
        "currency": None,
        "at": at,
        "reason": row.reason,
    }

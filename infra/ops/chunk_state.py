"""How work stands that is not completed: on hold, in doubt, retrying, awaiting an answer, or queued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ml_connector.systems import registry

if TYPE_CHECKING:
    from ml_connector.engine.ledger.ledger import Ledger
    from ml_connector.engine.ledger.rows import Chunk
    from ml_connector.flow import Flow

SENT = frozenset({"sent", "unknown"})
MOST = 1000
"""Records of a flow that are named one by one; behind them stands one line for each chunk."""


def is_open(chunk: Chunk) -> bool:
    """Tell whether a chunk moves something and is not completed; what failed is listed by `dlq list`."""
    return chunk.state not in {"done", "failed"} and chunk.op != "notice"


def state_of(chunk: Chunk, flow: Flow, now: str) -> str:
    """Say how a chunk that is not completed stands."""
    if chunk.state == "failed":
        return "failed"
    if chunk.waiting_for:
        return "on hold"
    if _in_doubt(chunk, now):
        return "in doubt"
    if chunk.state == "posted":
        asked = flow.target if flow.manner == "master" else flow.source
        return f"awaiting {registry.BY_NAME[asked].title}"
    if chunk.state == "waiting" and chunk.first_try:
        return "retrying"
    return "under way" if chunk.state == "sending" else "queued"


def _in_doubt(chunk: Chunk, now: str) -> bool:
    """Tell whether something was sent of which nobody knows whether it took effect, or twice."""
    late = chunk.step == "posted" and chunk.recheck
    return chunk.step in SENT or late or (chunk.state == "waiting" and bool(chunk.doubt and chunk.doubt > now))


def reason_of(chunk: Chunk, state: str) -> str:
    """Say why a chunk is not completed."""
    if chunk.reason:
        return chunk.reason
    if state == "in doubt":
        return "It was sent, and no response came. It is looked up before anything is sent again."
    if state.startswith("awaiting "):
        return f"{state.removeprefix('awaiting ')} took it and has not confirmed it yet."
    if state == "retrying":
        return "The last attempt failed; it is retried."
    return "It is being worked on." if state == "under way" else "It is queued."


def times(chunk: Chunk) -> dict[str, str | None]:
    """Say since when a chunk is open, and when it is looked at next."""
    return {"since": chunk.first_try or chunk.created, "next_retry": chunk.due_at}


def open_lines(ledger: Ledger, flow: Flow, listed: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Give a line of the report for each record of a flow that is not completed, but for the chunks `listed` already.

    A large load that was cut short has very many: then a line stands for a chunk, and says how many `records` it has.
    """
    from ml_connector.engine.ledger.control_totals import money_of
    from ml_connector.engine.replay import keys_of

    count, now = 0, ledger.now()
    for chunk in ledger.unfinished():
        if not is_open(chunk) or chunk.id in listed:
            continue
        state = state_of(chunk, flow, now)
        keys = keys_of(ledger, chunk) if count < MOST else []
        count += len(keys)
        more = {} if keys or chunk.count == 1 else {"records": chunk.count}
        for key in keys or [chunk.id]:
            amount, currency = money_of(chunk, flow)
            yield {
                "key": key,
                "number": chunk.number,
                "state": state,
                **times(chunk),
                "reason": reason_of(chunk, state),
                "amount": amount,
                "currency": currency,
                **more,
            }

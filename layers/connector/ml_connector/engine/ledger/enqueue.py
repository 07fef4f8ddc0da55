"""Puts a document on its way, once: the way in for the poll and for webhooks alike. Imports little on purpose."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.flow import ListedDocument

FORM = 1
"""How a wake-up message is written. It is raised where an older release could not read it."""
_NAMED = ("id", "tenant", "integration", "flow", "scope")


def lane(tenant: str, target: str, width: int, partner: str) -> str:
    """Name the queue group of a document: one writer in each, in order."""
    return f"{tenant}.{target}.documents.{zlib.crc32(partner.encode()) % max(1, width)}"


Turn = Callable[[Chunk], int | None]
"""Gives a chunk its turn in its lane (how many are out before it); None where the tick queues it."""


def enqueue(
    ledger: Ledger, offer: ListedDocument, *, run: str, in_lane: str, swept: bool = False, turn: Turn = lambda _: 0
) -> Chunk | None:
    """Write the outbox row of a document; None where it is on its way already."""
    now = ledger.clock.now()
    chunk = Chunk(
        id=offer.key,
        key=offer.key,
        tenant=ledger.tenant,
        integration=ledger.integration,
        flow=ledger.flow,
        lane=in_lane,
        run=run,
        created=ledger.now(),
        stamp=offer.stamp,
        refers=offer.refers,
        seq=int(now.timestamp() * 1000),  # later offers have higher numbers, and no cursor is touched
        amount=str(offer.amount) if offer.amount is not None else None,
        currency=offer.currency,
        swept=swept,
        number=offer.number,
    )
    return chunk if ledger.add(chunk, turn=turn(chunk)) else None


def enqueue_notification(ledger: Ledger, document: str, in_lane: str, about: str = "") -> Chunk | None:
    """Write down that the platform notified of an order, or of what `about` names; None where the same waits."""
    chunk = Chunk(
        id=f"notice~{f'{about}~' if about else ''}{document}",
        op="notice",
        about=about,
        key=document,
        refers=document,
        run="notice",
        created=ledger.now(),
        tenant=ledger.tenant,
        integration=ledger.integration,
        flow=ledger.flow,
        lane=in_lane,
    )
    return chunk if ledger.add(chunk, turn=0) else None


def wake_up_of(chunk: Chunk, scope: str) -> dict[str, object]:
    """Make the wake-up message of a chunk: no payload, only what finds it, and keys for people to read."""
    return {
        "v": FORM,
        "id": chunk.id,
        "tenant": chunk.tenant,
        "integration": chunk.integration,
        "flow": chunk.flow,
        "scope": scope,
        "lane": chunk.lane,
        "keys": [chunk.key] if chunk.key else [],
        "death": chunk.death,
    }


def read_wake_up(text: str) -> dict[str, Any] | None:
    """Read a wake-up message; None where it is of a newer form, or of none.

    Such a wake-up message (of a release that was rolled back, or sent by hand) is passed over: failing on it would
    bring it back again and again, and its group stands still meanwhile. Nothing is lost with it, since its row is
    queued again when due.
    """
    try:
        message = json.loads(text)
        readable = message["v"] <= FORM and all(isinstance(message[part], str) for part in _NAMED)
    except (ValueError, KeyError, TypeError):
        return None
    return message if readable else None

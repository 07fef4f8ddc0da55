"""Puts a document on its way, once: the way in for the poll and for webhooks alike. Imports little on purpose."""

from __future__ import annotations

import zlib

from ml_connector.engine.ledger import Ledger
from ml_connector.engine.rows import Chunk
from ml_connector.flow import Offer


def lane(tenant: str, target: str, width: int, partner: str) -> str:
    """Name the queue group of a document: one writer in each, in order."""
    return f"{tenant}.{target}.documents.{zlib.crc32(partner.encode()) % max(1, width)}"


def put_on_its_way(ledger: Ledger, offer: Offer, *, run: str, in_lane: str, swept: bool = False) -> Chunk | None:
    """Write the outbox row of a document; None where it is on its way already."""
    now = ledger.clock.now()
    chunk = Chunk(
        id=offer.key, key=offer.key, tenant=ledger.tenant, integration=ledger.integration, flow=ledger.flow,
        lane=in_lane, run=run, created=ledger.now(), stamp=offer.stamp, refers=offer.refers,
        seq=int(now.timestamp() * 1000),  # later offers have higher numbers, and no cursor is touched
        amount=str(offer.amount) if offer.amount is not None else None, currency=offer.currency, swept=swept,
    )  # fmt: skip
    return chunk if ledger.add(chunk) else None


def put_notice(ledger: Ledger, document: str, in_lane: str) -> Chunk | None:
    """Write down that the platform told of an order; None where the same waits already."""
    chunk = Chunk(
        id=f"notice~{document}", op="notice", key=document, refers=document, run="notice", created=ledger.now(),
        tenant=ledger.tenant, integration=ledger.integration, flow=ledger.flow,
        lane=in_lane,
    )  # fmt: skip
    return chunk if ledger.add(chunk) else None


def ring_of(chunk: Chunk, scope: str) -> dict[str, object]:
    """Make the message that rings a chunk: no payload, only what finds it, and keys for people to read."""
    return {
        "v": 1, "id": chunk.id, "tenant": chunk.tenant, "integration": chunk.integration, "flow": chunk.flow,
        "scope": scope, "lane": chunk.lane, "keys": [chunk.key] if chunk.key else [], "death": chunk.death,
    }  # fmt: skip

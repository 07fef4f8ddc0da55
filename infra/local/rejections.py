"""The number and the amount of what was rejected: the report names keys, and a person knows documents by number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from ml_connector.engine.balance import Sheet, money
from ml_connector.engine.pair import Pair
from ml_connector.engine.rows import Chunk, load
from ml_connector.flow import Flow

LOOK_BACK = 5000
"""Finished chunks of a flow, the latest first, among which a rejected document is looked for."""
Named = tuple[str, str, str, str]
"""Tenant, integration, flow, key."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejected document: its number at the source, and its gross amount in document currency; None: not known."""

    number: str | None = None
    amount: str | None = None
    currency: str | None = None


def rejections(sheets: Iterable[tuple[Pair, Flow, Sheet]]) -> dict[Named, Rejection]:
    """Find what is known of each rejected document; what cannot be read at all has no number."""
    found: dict[Named, Rejection] = {}
    for pair, flow, sheet in sheets:
        wanted = {line["key"] for line in sheet.rejected}
        if flow.manner == "document" and wanted:
            for key, rejection in _of(pair, flow, wanted):
                found[pair.tenant, pair.integration.name, flow.name, key] = rejection
    return found


def _of(pair: Pair, flow: Flow, wanted: set[str]) -> Iterator[tuple[str, Rejection]]:
    ledger = pair.ledger(flow.name)
    for item in islice(ledger.store.query(ledger.pk, "d#", reverse=True), LOOK_BACK):
        chunk = load(Chunk, item.data)
        if chunk.key in wanted:
            wanted.discard(chunk.key)
            yield chunk.key, _rejection(flow, chunk)
        if not wanted:
            return


def _rejection(flow: Flow, chunk: Chunk) -> Rejection:
    amount = money(Decimal(chunk.amount)) if flow.money and chunk.amount is not None else None
    return Rejection(chunk.number, amount, chunk.currency if amount else None)

"""The number and the amount of what was rejected: the rows name keys, and a person knows documents by number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.control_totals import FlowTotals, money_of
from ml_connector.engine.ledger.rows import Chunk, load
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.flow import Flow
from ml_connector.ports import Blobs

from ..ops.readable_blobs import ReadableBlobs

LOOK_BACK = 5000
"""Finished chunks of a flow, the latest first, among which a rejected document is looked for."""
_NUMBER = re.compile(r'"invoiceNumber"\s*:\s*("(?:[^"\\]|\\.)*")')
"""An invoice's number, as Basware writes it."""
Named = tuple[str, str, str, str]
"""Tenant, integration, flow, key."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejected document: its number at the source, and its gross amount in document currency; None: not known."""

    number: str | None = None
    amount: str | None = None
    currency: str | None = None


def rejections(sheets: Iterable[tuple[TenantIntegration, Flow, FlowTotals]]) -> dict[Named, Rejection]:
    """Find what is known of each rejected document.

    The row of one that could not be read has no number; it is looked for in what its source said.
    """
    found: dict[Named, Rejection] = {}
    for pair, flow, sheet in sheets:
        wanted = {line["key"] for line in sheet.rejected}
        if flow.manner == "document" and wanted:
            for key, rejection in _of(pair, flow, wanted):
                found[pair.tenant, pair.integration.name, flow.name, key] = rejection
    return found


def _of(pair: TenantIntegration, flow: Flow, wanted: set[str]) -> Iterator[tuple[str, Rejection]]:
    ledger = pair.ledger(flow.name)
    for item in islice(ledger.store.query(ledger.pk, "d#", reverse=True), LOOK_BACK):
        chunk = load(Chunk, item.data)
        if chunk.key in wanted:
            wanted.discard(chunk.key)
            yield chunk.key, _rejection(pair, flow, chunk)
        if not wanted:
            return


def _rejection(pair: TenantIntegration, flow: Flow, chunk: Chunk) -> Rejection:
    amount, currency = money_of(chunk, flow)
    number = chunk.number or _said(pair.runtime.blobs, chunk)
    return Rejection(number, amount, currency)


def _said(blobs: Blobs, chunk: Chunk) -> str | None:
    """Find the number in the latest answer that is about the document."""
    for _, body in reversed(list(audit.read(ReadableBlobs(blobs), chunk))):
        for exchange in reversed(body.get("exchanges", [])):
            text = str(exchange.get("response_body") or "")
            if str(chunk.key) in text and (found := _NUMBER.search(text)):
                return str(json.loads(found[1], strict=False))
    return None

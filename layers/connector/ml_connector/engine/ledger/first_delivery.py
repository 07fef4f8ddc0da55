"""Tells whether a master record is on its way to the platform for the first time, so that its code is not known yet."""

from __future__ import annotations

import msgspec

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk

MANY = 20
"""Bodies that are read to tell whether a record is among them; in a larger load it may be, and waiting is cheap."""


def under_way(ledger: Ledger, code: str) -> bool:
    """Tell whether nothing of a code was ever delivered, and a chunk that is neither held nor dead has its record."""
    row = ledger.rows([code], consistent=True).get(code)
    if (row is not None and row[0].code is not None) or ledger.alias(code) is not None:
        return False
    names = on_their_way(ledger)
    return names is None or code in names


def on_their_way(ledger: Ledger) -> frozenset[str] | None:
    """Name the records, by key and code, that chunks have which are neither held nor dead; None: too many to tell."""
    chunks = [c for c in ledger.unfinished() if c.op == "send" and c.in_flight]
    return None if len(chunks) > MANY else frozenset().union(*(_names(ledger, chunk) for chunk in chunks))


def _names(ledger: Ledger, chunk: Chunk) -> set[str]:
    """Give keys and codes of the records that a chunk has not decided against or moved."""
    body = msgspec.json.decode(ledger.raw_body(chunk.id), type=dict[str, msgspec.Raw])
    records = msgspec.json.decode(body.get("records", b"[]"), type=list[dict[str, object]])
    left = (r for r in records if chunk.results.get(str(r["key"]), ("",))[0] not in {"moved", "rejected"})
    return {str(name) for record in left for name in (record["key"], record.get("code")) if name}

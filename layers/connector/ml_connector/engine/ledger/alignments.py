"""What is kept of a comparison of both systems: what the ERP had, in parts, and how what stands alone is told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk

HOLD = "partner:"
"""Begins what a record waits for that stands in one of both systems alone."""
OWN_CODE, OWN_KEY = "ITS-CODE", "ITS-KEY"
"""Stand for a record's code and key in the words that several records share."""
PREFIX = "align."


def parts_of(ledger: Ledger, name: str) -> Iterator[bytes]:
    """Give the parts that were written of a comparison."""
    return (item.blob or b"" for item in ledger.store.query(ledger.pk, f"b#{PREFIX}{name}"))


def drop_parts(ledger: Ledger) -> None:
    """Delete the parts of all comparisons."""
    for item in list(ledger.store.query(ledger.pk, f"b#{PREFIX}")):
        ledger.store.delete(item.pk, item.sk)


def told(chunk: Chunk, key: str) -> dict[str, str | None]:
    """Tell for what a held record waits, and why: each of several that stand alone has its own words."""
    if not (chunk.waiting_for or "").startswith(HOLD) or key not in chunk.kept:
        return {"reason": chunk.reason, "waiting_for": chunk.waiting_for}
    title, kind, code, name = chunk.kept[key]
    what = f"{kind.capitalize()} {code} ({name})" if name and name != code else f"{kind.capitalize()} {code}"
    remedy = (
        (chunk.reason or "").replace(OWN_CODE, shlex.quote(code)).replace(OWN_KEY, shlex.quote(key.split("~", 2)[-1]))
    )
    return {"reason": f"{what} is in {title} only. {remedy}", "waiting_for": f"{HOLD}{code}"}

"""Lines that an order had in Basware and has no more in the ERP: they are closed and marked as deleted.

Basware's own DELETE works on its interface alone and never reaches P2P (`docs/vendors/basware.md`), so the line goes
once more as Basware has it, with both marks. Every line under our code of an order is ours.
"""

from __future__ import annotations

from typing import Any

from ml_connector.flow import Rendered
from ml_connector.systems.basware.client import Basware

PATH, NAME = "/v1/matchingOrderLines", "matchingOrderLines"


def leftover_lines(client: Basware, order: Rendered) -> list[dict[str, Any]]:
    """Read what Basware has of an order that it has already, and make the entities that take away the rest.

    A tenant that lists its own scopes, without the reading of lines, does without.
    """
    if not order.known or f"{NAME}.read" not in client.scopes():
        return []
    kept = {str(line["externalCode"]) for line in order.entities.get("lines", ())}
    return [
        {**_bare(line), "isClosed": True, "isDeleted": True}
        for page in client.list(PATH, NAME, {"orderExternalCode": order.target_id})
        for line in page
        if isinstance(line, dict)
        and line.get("orderExternalCode") == order.target_id
        and line.get("externalCode") not in {None, *kept}
        and line.get("isDeleted") is not True
    ]


def _bare(value: Any) -> Any:
    """Leave out what Basware adds, and nulls: it takes back what it takes."""
    if isinstance(value, dict):
        return {k: _bare(v) for k, v in value.items() if v is not None and k != "lastUpdated"}
    return [_bare(v) for v in value] if isinstance(value, list) else value

"""How many records go into one chunk: as many as one call to Basware takes (`docs/vendors/basware.md`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ml_connector.records import Account, CostCenter, PurchaseOrder, Record, Supplier

VENDORS, ACCOUNTS, COST_CENTERS, ORDERS, LINES = 200, 500, 500, 500, 100


def one(_: Record) -> int:
    """Count a record as one."""
    return 1


def lines(order: PurchaseOrder) -> int:
    """Count an order by its lines, of which a call takes the fewest."""
    return max(1, len(order.lines))


CHUNKING: dict[type[Record], tuple[int, Callable[[Any], int]]] = {
    Supplier: (VENDORS, one),
    Account: (ACCOUNTS, one),
    CostCenter: (COST_CENTERS, one),
    PurchaseOrder: (10 * LINES, lines),
}
"""For each record type the weight of a chunk, and what one record weighs."""

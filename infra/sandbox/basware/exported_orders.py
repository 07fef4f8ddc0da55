"""Exported purchase orders: read one, acknowledge one; `world.exported_orders` holds them by external code.

An acknowledged order is gone for whoever else waits for it, so the world notes who acknowledges.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from . import notify
from .call import Call, answer
from .codec import Record, stamp
from .errors import Refused
from .world import World

NEEDED = ("externalCode", "orderNumber", "requisitionNumber", "companyCode", "purchaseCurrency", "orderLines")


def export(world: World, order: Record) -> None:
    """Let P2P export an order, and tell whoever subscribed; raises `ValueError` for a field that is missing."""
    missing = [name for name in NEEDED if name not in order]
    if missing:
        raise ValueError(f"an exported order needs {', '.join(missing)}")
    whole = {"processingStatus": "WaitingForExport", "orderStatus": "Ordered", **order}
    world.exported_orders[order["externalCode"]] = {**whole, "lastUpdated": stamp(world.now())}
    notify.order_waiting(world, order["externalCode"])


def get_one(call: Call, code: str) -> Response:
    """Return an order, wrapped or bare as the world's lists are."""
    found = _find(call, code)
    return answer({"exportedPurchaseOrders": [found]} if call.world.wrapped_lists else found)


def acknowledge(call: Call, code: str) -> Response:
    """Mark an order as exported."""
    _find(call, code)["processingStatus"] = "Exported"
    return Response(status=200)


def _find(call: Call, code: str) -> Record:
    found = call.world.exported_orders.get(code)
    if found is None:
        raise Refused(404, f"no exported order {code}")
    return found

"""What people at the customer do inside Sage 300, without the Web API: post, receive, complete, correct, lock."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from . import batches, posting, purchasing
from .coerce import coerce
from .errors import record_invalid
from .fields import RESOURCES, Record, key_of
from .world import World


def change(world: World, name: str, body: object) -> Record:
    """Make or change a record as a user of the desktop does; an order may be changed there, unlike by the API.

    Raises `Refusal` for unknown properties and for a new order that is not right.
    """
    with world.lock:
        resource = RESOURCES[name]
        values = coerce(resource.type, body)
        if name == purchasing.ORDERS:
            return _order(world, values, body)
        if not all(values.get(part) not in (None, "") for part in resource.key):
            raise record_invalid(f"{', '.join(resource.key)} must be given")
        return world.upsert(name, values)


def _order(world: World, values: Record, body: object) -> Record:
    key = values.get("PurchaseOrderSequenceKey")
    known = world.get(purchasing.ORDERS, key) if key else None
    if known is None:
        return purchasing.order(world, body)
    lines = values.pop("PurchaseOrderLines", [])
    known |= values | {"LastPostingDate": world.today().isoformat()}
    _merge(known, lines)
    purchasing.total_up(known)
    return known


def _merge(order: Record, lines: list[Record]) -> None:
    known = {line["LineNumber"]: line for line in order["PurchaseOrderLines"]}
    for line in lines:
        known[line["LineNumber"]] |= line
        row = known[line["LineNumber"]]
        row["QuantityOutstanding"] = row["QuantityOrdered"] - row["QuantityReceived"] - row["QuantityCanceled"]
        row["ExtendedCost"] = (Decimal(row["QuantityOrdered"]) * row["UnitCost"]).quantize(purchasing.CENT)


def receive(world: World, order_key: int, quantities: Mapping[int, Decimal] | None = None) -> Record:
    """Receive goods for an order: LineNumber to quantity, default all that is outstanding."""
    with world.lock:
        order = world.find(purchasing.ORDERS, order_key)
        open_ = {row["LineNumber"]: row["QuantityOutstanding"] for row in order["PurchaseOrderLines"]}
        wanted = {n: quantity for n, quantity in open_.items() if quantity} if quantities is None else quantities
        lines = [
            {
                "PurchaseOrderLineSequence": row["PurchaseOrderLineSequence"],
                "QuantityReceived": wanted[row["LineNumber"]],
            }
            for row in order["PurchaseOrderLines"]
            if row["LineNumber"] in wanted
        ]
        body = {"PurchaseOrderNumber": order["PurchaseOrderNumber"], "ReceiptLine2s": lines}
        return purchasing.receive(world, body)


def give_back(world: World, receipt_key: int, quantities: Mapping[str, Decimal]) -> Record:
    """Return goods of a receipt: ItemNumber to quantity."""
    with world.lock:
        receipt = world.find(purchasing.RECEIPTS, receipt_key)
        lines = [{"ItemNumber": item, "QuantityReturned": quantity} for item, quantity in quantities.items()]
        return purchasing.give_back(world, {"ReceiptNumber": receipt["ReceiptNumber"], "ReturnLines": lines})


def complete(world: World, order_key: int) -> Record:
    """Complete an order by hand: what is outstanding is cancelled."""
    with world.lock:
        order, day = world.find(purchasing.ORDERS, order_key), world.today().isoformat()
        for line in order["PurchaseOrderLines"]:
            line["QuantityCanceled"] += line["QuantityOutstanding"]
            line |= {"QuantityOutstanding": Decimal(0), "Completed": "Yes", "DateCompleted": day}
        order |= {"Completed": "Yes", "DateCompleted": day, "LastPostingDate": day}
        purchasing.total_up(order)
        return order


def post(world: World, number: int) -> Record:
    """Post a batch from the desktop, ready or open."""
    with world.lock:
        batch = world.find(batches.NAME, number)
        if batch["BatchStatus"] not in ("Open", "ReadyToPost"):
            raise record_invalid(f"Batch {number} is {batch['BatchStatus']}")
        posting.post(world, batch)
        return batch


def delete_batch(world: World, number: int) -> Record:
    """Delete an unposted batch; its document numbers are free again."""
    with world.lock:
        batch = world.find(batches.NAME, number)
        if batch["BatchStatus"] == "Posted":
            raise record_invalid(f"Batch {number} is posted")
        batch["BatchStatus"] = "Deleted"
        world.stamp(batches.NAME, batch)
        return batch


def remove(world: World, name: str, record: Record) -> None:
    """Delete a master record for good, without a trace."""
    with world.lock:
        del world.tables[name][key_of(RESOURCES[name], record)]

"""A/P payment and adjustment batches: insert, read, PATCH of the header (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from typing import Any

from . import distributions, entry
from .coerce import coerce
from .errors import record_invalid
from .fields import Record
from .world import World

NAME = "APPaymentAndAdjustmentBatches"


def create(world: World, body: Any) -> Record:
    """Insert a batch; BatchSelector (PY or AD) is mandatory, numbers are the server's."""
    batch = coerce("PaymentBatch", body)
    if "BatchSelector" not in batch:
        raise record_invalid("BatchSelector is required: PY or AD")
    selector = batch["BatchSelector"]
    number = world.number(f"batch {selector}", 51)
    today = world.today().isoformat()
    batch = {"BatchDate": today, "BatchStatus": "Open"} | batch | {"BatchNumber": number}
    for position, one in enumerate(batch.setdefault("PaymentsAdjustments", []), 1):
        _entry(world, one, {"BatchType": selector, "BatchNumber": number, "EntryNumber": position})
    return world.insert(NAME, batch)


def _entry(world: World, one: Record, keys: Record) -> None:
    if one.get("BatchType", keys["BatchType"]) != keys["BatchType"]:
        raise record_invalid("BatchType of an entry differs from the batch's BatchSelector")
    entry.active_vendor(world, one.get("VendorNumber", ""))
    one |= keys
    for number, applied in enumerate(one.get("AppliedPayments", []), 1):
        applied.update(keys, LineNumber=20 * number)
        for position, row in enumerate(applied.get("AdjustmentGLDistributions", []), 1):
            _distribution(world, row)
            row.update(keys, LineNumber=20 * number, SequenceNumber=position)


def _distribution(world: World, row: Record) -> None:
    code = row.get("DistributionCode")
    if code and world.get("APDistributionCodes", code) is None:
        raise record_invalid(f"Distribution code '{code}' does not exist")
    if row.get("DistributionGLAccount"):
        distributions.gl_account(world, row["DistributionGLAccount"])


def change(world: World, key: tuple[str, int], body: Any) -> None:
    """PATCH of the batch header; entries stay as they are."""
    batch = world.find(NAME, key)
    values = coerce("PaymentBatch", body)
    if values.get("BatchStatus", "Open") not in ("Open", "ReadyToPost", "Deleted") or "PaymentsAdjustments" in values:
        raise record_invalid("Only status and description of a payment batch can be changed here")
    batch |= {name: values[name] for name in ("BatchStatus", "Description", "BatchDate") if name in values}
    world.stamp(NAME, batch)

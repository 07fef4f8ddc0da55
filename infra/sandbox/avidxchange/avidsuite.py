"""The older interface: accounting systems, closed batches of approved invoices, and the calls that must never come."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from . import paging, shapes
from .call import Call
from .errors import Refusal, answer
from .model import Batch, Record
from .world import World


def accounting_systems(world: World, call: Call) -> Response:
    """List the companies."""
    call.only(paging.OLD_PARAMETERS)
    rows = [{"ID": one.id, "Name": one.name} for one in world.companies]
    return answer(paging.old_envelope(world, call, rows))


def closed(world: World, call: Call) -> Response:
    """List the batches of a company that were closed within whole days and are closed still."""
    call.only(("closeDateFrom", "closeDateTo", *paging.OLD_PARAMETERS))
    company = next((one for one in world.companies if one.id == call.values["company"]), None)
    if company is None:
        raise Refusal(404, "NotFound", f"Accounting system {call.values['company']} was not found")
    first, last = paging.day(call, "closeDateFrom"), paging.day(call, "closeDateTo")
    rows = [
        one
        for one in world.batches.values()
        if one.company == company.id and one.closed is not None and first <= one.closed.date() <= last
    ]
    return answer(paging.old_envelope(world, call, [shapes.old_batch(world, one) for one in rows]))


def batch(world: World, call: Call) -> Response:
    """Give one batch."""
    return answer(shapes.old_batch(world, _batch(world, call)))


def details(world: World, call: Call) -> Response:
    """List the invoices of a batch with all that belongs to them."""
    call.only(("details", *paging.OLD_PARAMETERS))
    rows = [shapes.old_invoice(world, world.invoices[number]) for number in _batch(world, call).invoices]
    return answer(paging.old_envelope(world, call, rows))


def _batch(world: World, call: Call) -> Batch:
    found = world.batches.get(call.values["guid"])
    if found is None:
        raise Refusal(404, "NotFound", f"Batch {call.values['guid']} was not found")
    return found


# ── what is not ours to do ──────────────────────────────────────────────────────────────────────────────────────


def export(world: World, call: Call) -> Response:
    """Mark a batch as exported, as an importer of invoices does: an offence of ours, but it is done."""
    body = call.json()
    world.offences.append(f"batch {body.get('BatchId')} was marked as exported")
    found = world.batches.get(str(body.get("BatchId")))
    if found is None:
        return results(world, success=False, text=f"Batch {body.get('BatchId')} was not found")
    found.exports += 1
    return results(world, success=True)


def pay(world: World, call: Call) -> Response:
    """Refuse to pay or to void: an offence, since AvidXchange decides about payments."""
    world.offences.append(f"{call.method} {call.label} was asked for")
    return results(world, success=False, text="The user has no right to make payments")


def results(world: World, *, success: bool, text: str = "") -> Response:
    """Say under 200 what became of one item."""
    flag: Any = success if world.successful == "bool" else str(success).lower()
    error: Record = {"Code": "Error", "Message": text}
    as_object = world.results_as == "object"
    errors: Any = [] if success else error if as_object else [error]
    one = {"Successful": flag, "Errors": errors}
    return answer({"Results": one if as_object else [one]})


def payment_batches(world: World, call: Call) -> Response:
    """List payment batches by their numbers."""
    call.only(("batchIds", *paging.OLD_PARAMETERS))
    if not call.arg("batchIds"):
        raise Refusal(400, "FILTER_REQUIRED", "batchIds is required")
    wanted = call.arg("batchIds").split(",")
    rows = [row for name, row in world.payment_batches.items() if name in wanted]
    shown = [{"ExternalIdentifier": row["ExternalId"], "Status": {"Description": row["status"]}} for row in rows]
    return answer(paging.old_envelope(world, call, shown))

"""Payment batches of the newer interface: created with a result for each item, read one by one or by a filter."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from . import paging
from .answers import listed, shaped
from .call import Call
from .errors import Refusal
from .model import Record
from .shapes import iso
from .world import World

_OWNERS = ("Buyer", "Provider", "Aggregator", "AvidXchange")
_PARTS = ("Payer", "Payee", "Check", "BankAccount", "Remittance", "DeliveryMethod")
_REMITTANCE = ("Number", "Gross", "Discount", "Net", "Date")


def create(world: World, call: Call) -> Response:
    """Take batches under `Items`; each of them succeeds or fails for itself, under 200."""
    items = next((v for k, v in call.json().items() if k.lower() == "items"), None)
    if not isinstance(items, list) or not items:
        raise Refusal(400, "REQUIRED", "Items must not be empty", "Items")
    return shaped(world, {"Results": [_result(world, item) for item in items]})


def _result(world: World, item: Any) -> Record:
    external = item.get("ExternalId") if isinstance(item, dict) else None
    try:
        value = _identifier(external, "ExternalId")
        if value in world.payment_batches:
            raise Refusal(422, "DUPLICATE", f"Duplicate external id '{value}'")
        numbers = [_payment(payment) for payment in _filled(item, "Payments")]
        if len(set(numbers)) < len(numbers):
            raise Refusal(422, "DUPLICATE", "Duplicate external id within the batch")
    except Refusal as error:
        return {"ExternalId": external, "Successful": False, "Errors": [error.entry()]}
    row = {"Id": {"Value": world.guid()}, "ExternalId": external, "Payments": item["Payments"], "status": "Processing"}
    world.payment_batches[value] = row | {"modifiedAt": iso(world.clock())}
    return {"ExternalId": external, "Successful": True, "Id": row["Id"], "Errors": []}


def _identifier(found: Any, where: str) -> str:
    value = found.get("Value") if isinstance(found, dict) else None
    if not isinstance(value, str) or not 1 <= len(value) <= 100:
        raise Refusal(422, "REQUIRED", f"{where} must be an identifier with a Value of 1 to 100 characters", where)
    if found.get("SchemeOwner", _OWNERS[0]) not in _OWNERS:
        raise Refusal(422, "INVALID", f"SchemeOwner must be one of {', '.join(_OWNERS)}", where)
    return value


def _filled(item: Record, name: str) -> list[Any]:
    found = item.get(name)
    if not isinstance(found, list) or not found:
        raise Refusal(422, "REQUIRED", f"{name} must not be empty", name)
    return found


def _payment(payment: Any) -> str:
    number = _identifier(payment.get("ExternalId") if isinstance(payment, dict) else None, "ExternalId")
    for name in _PARTS:
        if not payment.get(name):
            raise Refusal(422, "REQUIRED", f"{name} is required", name)
    for row in _filled(payment, "Remittance"):
        missing = [name for name in _REMITTANCE if row.get(name) in (None, "")]
        if missing:
            raise Refusal(422, "REQUIRED", f"Remittance.{missing[0]} is required", "Remittance")
        if len(str(row["Number"])) > 50:
            raise Refusal(422, "TOO_LONG", "Remittance.Number must not have more than 50 characters", "Remittance")
    return number


def read(world: World, call: Call) -> Response:
    """List batches by external id or by when they changed."""
    paging.check(world, call, ("externalId", "modifiedSince"))
    rows = list(world.payment_batches.values())
    if call.arg("externalId"):
        rows = [row for row in rows if row["ExternalId"]["Value"] == call.arg("externalId")]
    if call.arg("modifiedSince"):
        since = iso(paging.moment(world, call, "modifiedSince"))
        rows = [row for row in rows if row["modifiedAt"] >= since]
    return listed(world, call, rows)


def get(world: World, call: Call) -> Response:
    """Give one batch, wrapped in the envelope of a list."""
    found = [row for row in world.payment_batches.values() if row["Id"]["Value"] == call.values["number"]]
    if not found:
        raise Refusal(404, "NOT_FOUND", f"Payment batch '{call.values['number']}' was not found")
    return shaped(world, {"items": found})

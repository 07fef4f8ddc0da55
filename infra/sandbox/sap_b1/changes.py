"""What may happen to a kept record: PATCH, Cancel, Close, DELETE (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from typing import Any

from . import bases
from .amounts import ZERO
from .coerce import coerce
from .documents import FIRST_ENTRY, line_fields
from .errors import Refusal, rule_broken
from .fields import DOCUMENT_SETS, SETS, Record, words
from .payments import cancel_payment
from .world import World

# What a posted document still takes; everything else is ignored without a word.
_OPEN_TO_CHANGE = words(
    "NumAtCard Comments JournalMemo DocDueDate Reference1 Reference2 PaymentBlock PaymentBlockEntry "
    "PaymentMethod OpeningRemarks ClosingRemarks Indicator ContactPersonCode"
)
_OPEN_ON_LINES = frozenset({"FreeText", "ItemDescription", "Text", "ProjectCode"})
_PAYMENT_OPEN = frozenset({"Remarks", "JournalRemarks", "Reference1", "Reference2", "CounterReference"})


def patch(world: World, set_name: str, record: Record, body: Any) -> None:
    """Merge a body into a record: unknown properties are refused, read-only ones ignored, lines merged by LineNum."""
    entity = SETS[set_name]
    values = coerce(entity.type, body, world.fields(set_name), line_fields(world))
    values.pop(entity.key, None)
    if set_name in DOCUMENT_SETS:
        _merge_lines(record, values.pop("DocumentLines", None) or [])
        values = _only(values, _OPEN_TO_CHANGE)
    elif set_name == "VendorPayments":
        values = _only(values, _PAYMENT_OPEN)
    record |= values
    world.stamp(record, entity.type)


def _only(values: Record, names: Collection[str]) -> Record:
    return {name: value for name, value in values.items() if name in names or name.startswith("U_")}


def _merge_lines(record: Record, lines: list[Record]) -> None:
    known = {line["LineNum"]: line for line in record["DocumentLines"]}
    for line in lines:
        target = known.get(line.get("LineNum"))
        if target is not None:
            target |= _only(line, _OPEN_ON_LINES)


def act(world: World, set_name: str, key: Any, action: str) -> None:
    """Run a bound action; refuses those that the entity does not have."""
    if action == "Cancel" and set_name in ("PurchaseInvoices", "PurchaseCreditNotes"):
        _cancel_document(world, set_name, world.find(set_name, key))
    elif action in ("Cancel", "CancelbyCurrentSystemDate") and set_name == "VendorPayments":
        cancel_payment(world, key)
    elif action in ("Cancel", "Close") and set_name == "PurchaseOrders":
        _end_order(world, world.find(set_name, key), action)
    else:
        raise Refusal(404, -1000, f"Unrecognized action '{action}' of {set_name}")


def _cancel_document(world: World, set_name: str, document: Record) -> None:
    """Cancel by a second document of the same reference, which is closed from the start and not Cancelled itself."""
    if document["CancelStatus"] != "csNo":
        raise rule_broken("Document is already cancelled", -5002)
    if document["PaidToDate"] > ZERO or document["DocumentStatus"] != "bost_Open":
        raise rule_broken("Document is already closed", -5002)
    if document["DocDate"][:7] in world.closed_periods:
        raise rule_broken(f"Date deviates from permissible range [DocDate] , '{document['DocDate']}'")
    bases.draw(world, document, direction=-1)
    document |= {"Cancelled": "tYES", "CancelStatus": "csYes", "DocumentStatus": "bost_Close"}
    document["CancelDate"] = world.today()
    world.stamp(document, "Document")
    entry = world.number(set_name, FIRST_ENTRY[set_name])
    twin = deepcopy(document) | {"DocEntry": entry, "DocNum": entry + 50000}
    twin |= {"Cancelled": "tNO", "CancelStatus": "csCancellation"}
    for line in (*document["DocumentLines"], *twin["DocumentLines"]):
        line["LineStatus"] = "bost_Close"
    world.stamp(twin, "Document", created=True)
    world.put(set_name, twin)


def _end_order(world: World, order: Record, action: str) -> None:
    if order["DocumentStatus"] != "bost_Open":
        raise rule_broken("Document is already closed", -5002)
    order["DocumentStatus"] = "bost_Close"
    for line in order["DocumentLines"]:
        line["LineStatus"] = "bost_Close"
    if action == "Cancel":
        order |= {"Cancelled": "tYES", "CancelStatus": "csYes"}
    world.stamp(order, "Document")


def delete(world: World, set_name: str, key: Any) -> None:
    """Remove a draft; posted documents and everything else stay (-5006)."""
    world.find(set_name, key)
    if set_name != "Drafts":
        raise rule_broken("The requested action is not supported for this object.", -5006)
    del world.tables[set_name][key]

"""Base documents: what a line may draw from, and what drawing does to the base (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from decimal import Decimal

from .amounts import ZERO
from .errors import rule_broken
from .fields import Record
from .world import World

OBJECT_TYPES = {18: "PurchaseInvoices", 20: "PurchaseDeliveryNotes", 22: "PurchaseOrders"}
ALLOWED = {
    "PurchaseInvoices": {20, 22},
    "PurchaseCreditNotes": {18},
    "PurchaseDeliveryNotes": {22},
    "PurchaseReturns": {20},
    "PurchaseOrders": set(),
}
Key = tuple[int, int, int]
CLOSED = "One of the base documents has already been closed"


def has_base(line: Record) -> bool:
    """Whether a line is drawn from another document (BaseType -1 means none)."""
    return line.get("BaseType") not in (None, -1)


def base_document(world: World, target: str, line: Record, row: int) -> Record:
    """The document that a line is drawn from; refuses types that cannot be its base."""
    kind = line["BaseType"]
    if kind not in ALLOWED[target]:
        raise rule_broken(f"Base type {kind} is not possible here [DocumentLines.BaseType][line: {row}]")
    document = world.tables[OBJECT_TYPES[kind]].get(line.get("BaseEntry"))
    if document is None:
        raise rule_broken(f"Base document {line.get('BaseEntry')} not found [DocumentLines.BaseEntry][line: {row}]")
    return document


def line_of(document: Record, number: int | None, row: int) -> Record:
    """The base line by its LineNum, which is not its position."""
    for line in document["DocumentLines"]:
        if line["LineNum"] == number:
            found: Record = line
            return found
    raise rule_broken(f"Base line {number} not found [DocumentLines.BaseLine][line: {row}]")


def check_base(document: Record, base: Record, row: int) -> None:
    """Header rules: same kind of document, same business partner, still open."""
    if base["DocType"] != document["DocType"]:
        raise rule_broken("Base document is of another type (item, service) than the document", 234103405)
    if base["CardCode"] != document["CardCode"]:
        raise rule_broken(f"Base document card and target document card do not match. [line: {row}]")
    if base["DocCurrency"] != document["DocCurrency"]:
        raise rule_broken(f"Base document currency and document currency do not match. [line: {row}]")
    if document.get("BPL_IDAssignedToInvoice") != base.get("BPL_IDAssignedToInvoice"):
        raise rule_broken(
            f"Base document and document are of different branches [BPL_IDAssignedToInvoice][line: {row}]"
        )
    if base["DocumentStatus"] != "bost_Open" or base.get("Cancelled") == "tYES":
        raise rule_broken(CLOSED)


def draw_quantity(line: Record, base_line: Record, drawn: dict[Key, Decimal], row: int) -> None:
    """Fix the quantity of an item line; refuses more than the base line has open, over all lines of the document."""
    key = (line["BaseType"], line["BaseEntry"], line["BaseLine"])
    if base_line["LineStatus"] != "bost_Open":
        raise rule_broken(CLOSED)
    if not base_line["Quantity"]:
        if line.get("Quantity"):
            raise rule_broken(f"Quantity exceeds the open quantity 0 [line: {row}]", -5002)
        line["Quantity"] = ZERO
        return
    left = base_line["RemainingOpenQuantity"] - drawn[key]
    if line.get("Quantity") is None:
        line["Quantity"] = left
    if line["Quantity"] <= 0:
        raise rule_broken(f"Quantity must be positive [DocumentLines.Quantity][line: {row}]")
    if line["Quantity"] > left:
        # A received quantity is closed on the order: only the receipt can be its base.
        touched = base_line["RemainingOpenQuantity"] < base_line["Quantity"]
        raise rule_broken(CLOSED if touched else f"Quantity exceeds the open quantity {left} [line: {row}]", -5002)
    drawn[key] += line["Quantity"]


def draw(world: World, document: Record, direction: int = 1) -> None:
    """Take the quantities (or service amounts) of a document from its bases; direction -1 gives them back."""
    for line in document["DocumentLines"]:
        if not has_base(line):
            continue
        base = world.tables[OBJECT_TYPES[line["BaseType"]]][line["BaseEntry"]]
        base_line = line_of(base, line["BaseLine"], 0)
        _move(base_line, line, direction, service=base["DocType"] == "dDocument_Service")
        base["DocumentStatus"] = _status(base)
        if world.stamp_base_documents:
            world.stamp(base, "Document")


def _move(base_line: Record, line: Record, direction: int, service: bool) -> None:
    base_line["OpenAmount"] = max(ZERO, base_line["OpenAmount"] - direction * line["LineTotal"])
    base_line["OpenAmountFC"] = max(ZERO, base_line["OpenAmountFC"] - direction * line["RowTotalFC"])
    left = base_line["OpenAmount"]
    if service:
        # A service line is open or it is not; its quantity says the same.
        base_line["RemainingOpenQuantity"] = Decimal(left > 0)
    elif base_line["Quantity"]:
        base_line["RemainingOpenQuantity"] -= direction * line["Quantity"]
        left = base_line["RemainingOpenQuantity"]
    base_line["LineStatus"] = "bost_Open" if left > 0 else "bost_Close"


def _status(document: Record) -> str:
    """Closed once every line is; an invoice also stays closed once it is paid."""
    open_lines = any(line["LineStatus"] == "bost_Open" for line in document["DocumentLines"])
    paid = bool(document.get("PaidToDate")) and document["PaidToDate"] >= document["DocTotal"]
    return "bost_Open" if open_lines and not paid else "bost_Close"

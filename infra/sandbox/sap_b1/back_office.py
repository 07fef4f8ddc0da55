"""What people at the customer do inside SAP, without the Service Layer: receive goods, pay, approve."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal

from . import bases, documents, payments
from .coerce import coerce
from .fields import DOCUMENT_SETS, SETS, Record
from .world import World

BANK_ACCOUNT = "180000"


def pay(
    world: World,
    entry: int,
    amount: Decimal | None = None,
    *,
    day: str | None = None,
    reference: str = "",
    kind: str = "it_PurchaseInvoice",
) -> Record:
    """Pay an invoice, or `amount` of it in document currency, by bank transfer; returns the payment."""
    with world.lock:
        document = world.find(payments.SETS_PAID[kind], entry)
        foreign = document["DocCurrency"] != world.local_currency
        total, paid = ("DocTotalFc", "PaidToDateFC") if foreign else ("DocTotal", "PaidToDate")
        sum_applied = document[total] - document[paid] if amount is None else amount
        line = {"DocEntry": entry, "InvoiceType": kind, "AppliedFC" if foreign else "SumApplied": sum_applied}
        local = sum_applied * document["DocRate"] if foreign else sum_applied
        body = {
            "DocType": "rSupplier",
            "CardCode": document["CardCode"],
            "DocDate": day or world.today(),
            "DocCurrency": document["DocCurrency"],
            "TransferAccount": BANK_ACCOUNT,
            "TransferSum": local,
            "TransferDate": day or world.today(),
            "TransferReference": reference or f"TRF-{entry}",
            "PaymentInvoices": [line],
        }
        return payments.post_payment(world, body)


def receive(world: World, order_entry: int, quantities: Mapping[int, Decimal] | None = None) -> Record:
    """Post a goods receipt for an item order: LineNum to quantity, default all that is open."""
    with world.lock:
        order = world.find("PurchaseOrders", order_entry)
        return _follow_up(world, "PurchaseDeliveryNotes", 22, order, quantities)


def give_back(world: World, receipt_entry: int, quantities: Mapping[int, Decimal] | None = None) -> Record:
    """Post a return of received goods; the order's lines are not opened again (inferred)."""
    with world.lock:
        receipt = world.find("PurchaseDeliveryNotes", receipt_entry)
        return _follow_up(world, "PurchaseReturns", 20, receipt, quantities)


def _follow_up(world: World, target: str, kind: int, base: Record, quantities: Mapping[int, Decimal] | None) -> Record:
    open_lines = {
        line["LineNum"]: line["RemainingOpenQuantity"]
        for line in base["DocumentLines"]
        if line["LineStatus"] == "bost_Open"
    }
    lines = [
        {"BaseType": kind, "BaseEntry": base["DocEntry"], "BaseLine": number, "Quantity": quantity}
        for number, quantity in (open_lines if quantities is None else quantities).items()
    ]
    body = {
        "CardCode": base["CardCode"],
        "DocType": base["DocType"],
        "DocCurrency": base["DocCurrency"],
        "BPL_IDAssignedToInvoice": base.get("BPL_IDAssignedToInvoice"),
        "DocumentLines": lines,
    }
    document = documents.keep(world, target, documents.build(world, target, body))
    bases.draw(world, document)
    return document


def approve(world: World, draft_entry: int) -> Record:
    """Approve a waiting draft and post it, as its approver does; the draft stays, marked as generated."""
    with world.lock:
        draft = world.find("Drafts", draft_entry)
        document = deepcopy(draft) | {"AuthorizationStatus": "dasWithout"}
        documents.keep(world, documents.OBJECT_CODES[draft["DocObjectCode"]], document)
        bases.draw(world, document)
        draft |= {"AuthorizationStatus": "dasGenerated", "DocumentStatus": "bost_Close"}
        world.stamp(draft, "Document")
        return document


def reject(world: World, draft_entry: int) -> Record:
    """Refuse a waiting draft."""
    with world.lock:
        draft = world.find("Drafts", draft_entry)
        draft["AuthorizationStatus"] = "dasRejected"
        world.stamp(draft, "Document")
        return draft


def change(world: World, set_name: str, body: object) -> Record:
    """Make or change a record as a user of SAP does; a new order is priced and numbered like any document.

    Raises `Refusal` for unknown properties. Lines of a known document are merged by LineNum as they are.
    """
    with world.lock:
        entity = SETS[set_name]
        values = coerce(entity.type, body, world.fields(set_name), documents.line_fields(world))
        known = world.tables[set_name].get(values.get(entity.key))
        if set_name not in DOCUMENT_SETS:
            return world.upsert(set_name, values)
        if known is None:
            document = documents.keep(world, set_name, documents.build(world, set_name, body))
            bases.draw(world, document)
            return document
        _merge(known, values.pop("DocumentLines", None) or [])
        return world.upsert(set_name, values)


def _merge(document: Record, lines: list[Record]) -> None:
    known = {line["LineNum"]: line for line in document["DocumentLines"]}
    for line in lines:
        known[line["LineNum"]] = known.get(line["LineNum"], {}) | line
    document["DocumentLines"] = list(known.values())

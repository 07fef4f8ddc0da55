"""Purchase orders, receipts and returns: insert and read only (`docs/vendors/sage_300.md`).

What a receipt does to its order is inferred: quantities move, the last posting date too, and an order that has nothing
outstanding is completed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from . import entry
from .coerce import coerce
from .errors import record_invalid
from .fields import Record
from .world import World

ORDERS, RECEIPTS, RETURNS = "POPurchaseOrders", "POGetReceipts", "POReturns"
CENT = Decimal("0.01")
ITEM_LEDGER = "1300"
"""The expense account of a line that names none: inventory."""
_PLACEHOLDERS = frozenset({"UpdateOperation", "PurchaseOrderSequenceKey", "ReceiptSequenceKey", "ReturnSequenceKey"})


def order(world: World, body: Any) -> Record:
    """Insert a purchase order; raises `Refusal` (InvalidPayload, RecordInvalid)."""
    values = _stated(coerce("PurchaseOrder", body))
    vendor = entry.active_vendor(world, values.get("Vendor", ""))
    today = world.today().isoformat()
    key = world.number("order", 10021001)
    record: Record = {
        "PurchaseOrderSequenceKey": key,
        "PurchaseOrderNumber": f"PO{world.number('order number', 1):06d}",
        "PurchaseOrderType": "Active",
        "PurchaseOrderDate": today,
        "VendorName": vendor.get("VendorName", ""),
        "Currency": vendor.get("CurrencyCode") or world.currency,
        "TermsCode": vendor.get("Terms", ""),
        "TaxGroup": vendor.get("TaxGroup", ""),
        "TaxClass1": 1,
        "OnHold": "No",
        "Completed": "No",
        "ExchangeRate": 1,
    }
    record |= values
    record["LastPostingDate"] = record["PurchaseOrderDate"]
    lines = values.get("PurchaseOrderLines") or []
    if not lines:
        raise record_invalid("A purchase order needs at least one line")
    record["PurchaseOrderLines"] = [_order_line(world, record, n, line) for n, line in enumerate(lines, 1)]
    total_up(record)
    return world.insert(ORDERS, record)


def _stated(values: Record) -> Record:
    return {name: value for name, value in values.items() if name not in _PLACEHOLDERS}


def _order_line(world: World, order_: Record, number: int, values: Record) -> Record:
    item = _item(world, values)
    line: Record = {
        "PurchaseOrderSequenceKey": order_["PurchaseOrderSequenceKey"],
        "LineNumber": 1000 * number,
        "PurchaseOrderLineSequence": number,
        "ItemDescription": item,
        "QuantityReceived": Decimal(0),
        "QuantityCanceled": Decimal(0),
        "TaxClass1": order_.get("TaxClass1", 1),
        "Completed": "No",
        "ExpenseAccount": ITEM_LEDGER,
        "UnitOfMeasure": "Ea.",
        "UnitCost": Decimal(0),
    } | _stated(values)
    quantity = Decimal(line.get("QuantityOrdered") or 0)
    if quantity <= 0:
        raise record_invalid("QuantityOrdered must be greater than zero")
    line["QuantityOutstanding"] = quantity
    line["ExtendedCost"] = (quantity * line["UnitCost"]).quantize(CENT, ROUND_HALF_UP)
    authorities = world.tax_groups.get(order_["TaxGroup"], [])
    rate = world.tax_rates[authorities[0]].get(int(line["TaxClass1"]), Decimal(0)) if authorities else Decimal(0)
    line["TaxRate1"] = rate
    line["TaxAmount1"] = (line["ExtendedCost"] * rate / 100).quantize(CENT, ROUND_HALF_UP)
    return line


def _item(world: World, values: Record) -> str:
    number = values.get("ItemNumber", "")
    if world.items and number not in world.items:
        raise record_invalid(f"Item '{number}' does not exist")
    return world.items.get(number) or str(number)


def total_up(order_: Record) -> None:
    """Write the sums of an order from its lines, and complete it when nothing is outstanding."""
    lines = order_["PurchaseOrderLines"]
    order_["Lines"] = len(lines)
    order_["LinesComplete"] = sum(line["Completed"] == "Yes" for line in lines)
    order_["TotalTaxAmount"] = sum((line["TaxAmount1"] for line in lines), Decimal(0))
    order_["DocumentTotal"] = sum((line["ExtendedCost"] for line in lines), order_["TotalTaxAmount"])


def receive(world: World, body: Any) -> Record:
    """Insert a receipt, for an order or without one; raises `Refusal` (InvalidPayload, RecordInvalid)."""
    values = _stated(coerce("Receipt", body))
    lines = values.get("ReceiptLine2s") or []
    if not lines:
        raise record_invalid("A receipt needs at least one line")
    number = values.get("PurchaseOrderNumber", "")
    order_ = find_order(world, number) if number else None
    vendor = order_["Vendor"] if order_ else values.get("Vendor", "")
    if values.get("Vendor", vendor) != vendor:
        raise record_invalid(f"Purchase order '{number}' is not one of vendor '{values['Vendor']}'")
    entry.active_vendor(world, vendor)
    key, day = world.number("receipt", 20001), world.today().isoformat()
    record: Record = {"ReceiptSequenceKey": key, "ReceiptNumber": f"RC{key - 20000:06d}", "ReceiptDate": day}
    record |= values | {"Vendor": vendor, "Completed": "No"}
    record["LastPostingDate"] = record["ReceiptDate"]
    record["PurchaseOrderSequenceKey"] = order_["PurchaseOrderSequenceKey"] if order_ else 0
    pairs = [(_order_line_of(order_, line) if order_ else None, line) for line in lines]
    record["ReceiptLine2s"] = [_receipt_line(world, record, n, *pair) for n, pair in enumerate(pairs, 1)]
    if order_:
        _move(order_, record["ReceiptDate"])
    return world.insert(RECEIPTS, record)


def find_order(world: World, number: str) -> Record:
    """Return the order with this visible number; raises `Refusal` (RecordInvalid)."""
    for record in world.tables[ORDERS].values():
        if record["PurchaseOrderNumber"] == number:
            return record
    raise record_invalid(f"Purchase order '{number}' does not exist")


def _order_line_of(order_: Record, values: Record) -> Record:
    """The order line that a receipt line means: by its sequence, else the first open one of the item."""
    sequence, item = values.get("PurchaseOrderLineSequence"), values.get("ItemNumber")
    for line in order_["PurchaseOrderLines"]:
        if line["PurchaseOrderLineSequence"] == sequence or (sequence is None and line["ItemNumber"] == item):
            found: Record = line
            return found
    raise record_invalid(f"Purchase order '{order_['PurchaseOrderNumber']}' has no such line of item '{item}'")


def _receipt_line(world: World, receipt: Record, number: int, ordered: Record | None, values: Record) -> Record:
    item = _item(world, {"ItemNumber": (ordered or values)["ItemNumber"]})
    line: Record = {
        "ReceiptSequenceKey": receipt["ReceiptSequenceKey"],
        "LineNumber": 1000 * number,
        "ItemDescription": item,
        "ReceiptLineSequence": number,
        "QuantityReturned": Decimal(0),
        "UnitCost": Decimal(0),
    }
    if ordered is not None:
        same = ("PurchaseOrderSequenceKey", "PurchaseOrderLineSequence", "ItemNumber", "UnitOfMeasure", "UnitCost")
        line |= {name: ordered[name] for name in same}
        line["PurchaseOrderNumber"] = receipt["PurchaseOrderNumber"]
    line |= _stated(values)
    quantity = Decimal(line.get("QuantityReceived") or 0)
    if quantity <= 0:
        raise record_invalid("QuantityReceived must be greater than zero")
    line["ExtendedCost"] = (quantity * line["UnitCost"]).quantize(CENT, ROUND_HALF_UP)
    if ordered is not None:
        ordered["QuantityReceived"] += quantity
        ordered["QuantityOutstanding"] = max(Decimal(0), ordered["QuantityOutstanding"] - quantity)
    return line


def _move(order_: Record, day: str) -> None:
    """Stamp an order that goods came for, and complete it and its lines where nothing is outstanding."""
    order_["LastPostingDate"] = max(order_["LastPostingDate"], day)
    for line in order_["PurchaseOrderLines"]:
        if line["QuantityOutstanding"] == 0 and line["Completed"] == "No":
            line |= {"Completed": "Yes", "DateCompleted": day}
    total_up(order_)
    if order_["LinesComplete"] == order_["Lines"]:
        order_ |= {"Completed": "Yes", "DateCompleted": day}


def give_back(world: World, body: Any) -> Record:
    """Insert a return of goods, against a receipt or without one; the order is not opened again (inferred)."""
    values = _stated(coerce("Return", body))
    lines = values.get("ReturnLines") or []
    if not lines:
        raise record_invalid("A return needs at least one line")
    receipt = _receipt(world, values["ReceiptNumber"]) if values.get("ReceiptNumber") else None
    vendor = receipt["Vendor"] if receipt else values.get("Vendor", "")
    entry.active_vendor(world, vendor)
    key = world.number("return", 30001)
    record: Record = {"ReturnSequenceKey": key, "ReturnNumber": f"RT{key - 30000:06d}"}
    record |= {"ReturnDate": world.today().isoformat()} | values | {"Vendor": vendor}
    record["LastPostingDate"] = record["ReturnDate"]
    if receipt:
        record["PurchaseOrderNumber"] = receipt.get("PurchaseOrderNumber", "")
        record["PurchaseOrderSequenceKey"] = receipt["PurchaseOrderSequenceKey"]
    record["ReturnLines"] = [_return_line(world, record, n, line, receipt) for n, line in enumerate(lines, 1)]
    return world.insert(RETURNS, record)


def _receipt(world: World, number: str) -> Record:
    for record in world.tables[RECEIPTS].values():
        if record["ReceiptNumber"] == number:
            return record
    raise record_invalid(f"Receipt '{number}' does not exist")


def _return_line(world: World, record: Record, number: int, values: Record, receipt: Record | None) -> Record:
    item, quantity = values.get("ItemNumber"), Decimal(values.get("QuantityReturned") or 0)
    if quantity <= 0:
        raise record_invalid("QuantityReturned must be greater than zero")
    line: Record = {"ReturnSequenceKey": record["ReturnSequenceKey"], "LineNumber": 1000 * number}
    line |= {"ReturnLineSequence": number, "UnitCost": Decimal(0)} | _stated(values)
    if receipt is not None:
        got = next((row for row in receipt["ReceiptLine2s"] if row["ItemNumber"] == item), None)
        if got is None or got["QuantityReceived"] - got["QuantityReturned"] < quantity:
            raise record_invalid(f"{quantity} of item '{item}' were not received with '{receipt['ReceiptNumber']}'")
        got["QuantityReturned"] += quantity
        same = ("PurchaseOrderSequenceKey", "PurchaseOrderLineSequence", "PurchaseOrderNumber", "UnitCost")
        line |= {name: got[name] for name in same if name in got}
    line["ItemDescription"] = _item(world, line)
    line["ExtendedCost"] = (quantity * line["UnitCost"]).quantize(CENT, ROUND_HALF_UP)
    return line

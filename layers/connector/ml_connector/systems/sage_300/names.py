"""One table of the spellings that fields may have, for resources of which no description is public.

The first spelling of each is the likeliest; which are inferred is said in `docs/vendors/sage_300.md`
(`docs/vendors/sage_300.md`: only what is sent to these resources is documented, not what comes back).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.systems.http import is_amount

ZERO = Decimal(0)
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    # orders
    "order_key": ("PurchaseOrderSequenceKey", "PurchaseOrderSequence", "SequenceKey"),
    "order_number": ("PurchaseOrderNumber", "PONumber"),
    "order_date": ("PurchaseOrderDate", "PODate", "OrderDate"),
    "order_type": ("PurchaseOrderType", "OrderType"),
    "order_status": ("PurchaseOrderStatus", "OrderStatus", "DocumentStatus", "Status"),
    "complete": ("Completed", "Complete", "IsComplete", "CompletionStatus", "OrderCompleted"),
    "completed_on": ("DateCompleted", "CompletionDate", "CompletedDate"),
    "posted_on": ("LastPostingDate", "PostingDate", "DateLastMaintained"),
    "vendor": ("Vendor", "VendorNumber"),
    "currency": ("Currency", "CurrencyCode", "VendorCurrency", "SourceCurrency"),
    "terms": ("TermsCode", "Terms"),
    "description": ("Description",),
    "order_lines": ("PurchaseOrderLines", "PurchaseOrderDetails", "Lines"),
    # lines of all three documents
    "line_number": ("LineNumber", "DetailLineNumber", "DetailNumber"),
    "order_line_key": ("PurchaseOrderLineSequence", "PurchaseOrderLineSequenceKey", "PurchaseOrderLineKey"),
    "order_line_number": ("PurchaseOrderLineNumber", "PurchaseOrderDetailNumber"),
    "item": ("ItemNumber",),
    "item_text": ("ItemDescription", "Description"),
    "unit": ("UnitOfMeasure", "OrderUnitOfMeasure", "OrderUnit", "ReceiptUnitOfMeasure", "ORDERUNIT"),
    "ordered": ("QuantityOrdered", "OrderedQuantity"),
    "canceled": ("QuantityCanceled", "QuantityCancelled", "OrderedQuantityCanceled"),
    "unit_cost": ("UnitCost",),
    "net_cost": ("NetExtendedCost", "DiscountedExtendedCost"),
    "cost": ("ExtendedCost", "ExtendedAmount"),
    "discount": ("DiscountAmount", "Discount"),
    "account": ("GLAccount", "ExpenseAccount", "GLExpenseAccount", "NonstockClearingAccount",
                "NonStockClearingAccount"),
    "line_complete": ("Completed", "CompletionStatus", "Complete", "LineCompleted"),
    # receipts and returns
    "receipt_number": ("ReceiptNumber",),
    "receipt_date": ("ReceiptDate",),
    "receipt_lines": ("ReceiptLine2s", "ReceiptLines", "ReceiptDetails", "Lines"),
    "receipt_line_key": ("ReceiptLineSequence", "ReceiptLineSequenceKey"),
    "receipt_line_number": ("ReceiptLineNumber",),
    "received": ("OrderedQuantityReceived", "QuantityReceived"),
    "return_number": ("ReturnNumber",),
    "return_date": ("ReturnDate",),
    "return_lines": ("ReturnLines", "ReturnDetails", "Lines"),
    "return_line_key": ("ReturnLineSequence", "ReturnLineSequenceKey"),
    "returned": ("OrderedQuantityReturned", "QuantityReturned"),
    # segments of accounts
    "segment": ("SegmentNumber", "SegmentID", "SegmentId", "Segment"),
    "segment_code": ("SegmentCode", "SegmentCodeKey", "SegmentValue", "Code"),
    "segment_text": ("Description", "SegmentCodeDescription", "SegmentDescription"),
    # invoices
    "account_key": ("UnformattedAccount",),
    "year": ("FiscalYear", "Year"),
    "batch": ("BatchNumber",),
    "batch_status": ("BatchStatus",),
    "errors": ("NumberOfErrors",),
    "invoices": ("Invoices", "APInvoices"),
    "details": ("InvoiceDetails", "APInvoiceDetails"),
    "distributed": ("DistributedAmount",),
    "entry_date": ("PostingDate", "DocumentDate"),
    "entry": ("EntryNumber",),
    "document": ("DocumentNumber", "InvoiceNumber"),
    "kind": ("DocumentType",),
    "total": ("DocumentTotalIncludingTax", "OriginalDocumentAmount", "OriginalAmountInVendorCurrency",
              "OriginalAmount", "DocumentTotal", "DocumentAmount", "InvoiceAmount"),
    "error_text": ("ErrorMessage", "Message", "MessageText", "ErrorDescription", "Description", "ErrorText"),
    "posting": ("PostingSequenceNumber", "PostingSequence"),
}  # fmt: skip
_NO = frozenset({"", "no", "false", "0", "n", "open", "notcompleted", "incomplete", "notcomplete", "outstanding",
                 "active", "new", "partial", "partiallyreceived"})  # fmt: skip
_YES = frozenset({"yes", "true", "1", "y", "completed", "complete", "closed", "posted", "finished"})


def tell(row: Mapping[str, Any], name: str) -> Any:
    """Give a field under whichever spelling the server uses; None where it has none of them or says nothing."""
    for spelling in SPELLINGS[name]:
        if (value := row.get(spelling)) is not None and value != "":
            return value
    return None


def text(row: Mapping[str, Any], name: str) -> str | None:
    """Give a text without the blanks that old tables pad it with."""
    value = tell(row, name)
    return (str(value).strip() or None) if value is not None else None


def whole(row: Mapping[str, Any], name: str) -> str | None:
    """Give a key: numbers come as 58, 58.0 or "000058"."""
    told = text(row, name)
    return plain(told) if told else None


def plain(number: str) -> str:
    """Write a number without point and leading zeros; any other key stays as it is."""
    try:
        value = Decimal(number)
    except InvalidOperation:
        return number
    return str(int(value)) if is_amount(value) and value == value.to_integral_value() else number


def amount(row: Mapping[str, Any], name: str) -> Decimal | None:
    """Give a number exactly; raises `ValueError` where it is none."""
    value = tell(row, name)
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(value) if isinstance(value, (int, Decimal)) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{SPELLINGS[name][0]} is '{value}', which is no number.") from error
    if not is_amount(found):
        raise ValueError(f"{SPELLINGS[name][0]} is '{value}', which no ledger can hold.")
    return found


def day(row: Mapping[str, Any], name: str) -> date | None:
    """Give a day; raises `ValueError` where it is none. Empty dates come as null, or as years nobody bought in."""
    return day_of(tell(row, name))


def day_of(value: Any) -> date | None:
    """Read a date of an answer, with or without time and zone (`docs/vendors/sage_300.md`)."""
    if value is None or value == "":
        return None
    try:
        found = date.fromisoformat(str(value).strip()[:10])
    except ValueError as error:
        raise ValueError(f"'{value}' is no date.") from error
    return found if found.year > 1900 else None


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Read a yes or no, whatever the list of values is called; None where it says neither."""
    value = tell(row, name)
    if value is None:
        return None
    word = "".join(c for c in str(value).lower() if c.isalnum())
    return True if word in _YES else False if word in _NO else None


def children(row: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Give the lines of a document, which come inline. Raises `ValueError` where they are no list of objects."""
    found = tell(row, name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{SPELLINGS[name][0]} is no list of lines.")
    return found

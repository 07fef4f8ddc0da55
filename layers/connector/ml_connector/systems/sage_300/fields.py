"""The documented names of fields, what else a server may call them, and how values are read.

Rows are read by the documented names alone. Where `$metadata` lists an alias in place of one, rows are handed out under
the documented name (`metadata.Kind`); without `$metadata` there are no aliases. Which names are inferred is said in
`docs/vendors/sage_300.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.systems.http import is_amount
from ml_connector.systems.kit.rows import day_of, plain

ZERO = Decimal(0)


def _named(alone: str, **others: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """List fields: those that have one name `alone`, and what the `others` may be called too."""
    return {**dict.fromkeys(alone.split(), ()), **others}


_PURCHASING = _named(
    "PurchaseOrderDate PurchaseOrderType LastPostingDate DateCompleted Description ItemNumber ItemDescription "
    "UnitCost ExtendedCost DiscountAmount ReceiptNumber ReceiptDate QuantityReceived OrderedQuantityReceived "
    "ReturnNumber ReturnDate QuantityReturned OrderedQuantityReturned",
    PurchaseOrderNumber=("PONumber",),
    Completed=("CompletionStatus",),
    Vendor=("VendorNumber",),
    Currency=("CurrencyCode", "VendorCurrency"),
    TermsCode=("Terms",),
    PurchaseOrderLines=("PurchaseOrderDetails",),
    LineNumber=("DetailLineNumber",),
    PurchaseOrderLineSequence=("PurchaseOrderLineSequenceKey",),
    UnitOfMeasure=("OrderUnit", "OrderUnitOfMeasure"),
    QuantityOrdered=("OrderedQuantity",),
    QuantityCanceled=("OrderedQuantityCanceled",),
    NetExtendedCost=("DiscountedExtendedCost",),
    ExpenseAccount=("GLAccount", "GLExpenseAccount", "NonstockClearingAccount"),
    ReceiptLine2s=("ReceiptLines", "ReceiptDetails"),
    ReceiptLineSequence=("ReceiptLineSequenceKey",),
    ReturnLines=("ReturnDetails",),
    ReturnLineSequence=("ReturnLineSequenceKey",),
)
_DOCUMENTS = _named(
    "BatchNumber BatchStatus Description NumberOfErrors EntryNumber VendorNumber DocumentNumber DocumentType "
    "DocumentDate PostingDate CurrencyCode GLAccount DistributedAmount",
    Invoices=("APInvoices",),
    InvoiceDetails=("APInvoiceDetails",),
    PostingSequenceNumber=("PostingSequence",),
    DocumentTotalIncludingTax=("VendorCurrencyInvoiceAmount", "OriginalDocumentAmount", "DocumentTotal"),
)
_COMPLAINTS = _named(
    "BatchNumber EntryNumber VendorNumber DocumentNumber",
    PostingSequenceNumber=("PostingSequence",),
    ErrorMessage=("Message", "MessageText", "ErrorDescription", "ErrorText", "Description"),
)
ALIASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "POPurchaseOrders": _PURCHASING,
    "POGetReceipts": _PURCHASING,
    "POReceipts": _PURCHASING,
    "POReturns": _PURCHASING,
    "APInvoiceBatches": _DOCUMENTS,
    "APPostedDocuments": _DOCUMENTS,
    "APPostingErrorMessages": _COMPLAINTS,
    "GLSegmentCodes": {"SegmentNumber": (), "SegmentCodeKey": ("SegmentCode",), "Description": ()},
    "CSFiscalCalendars": {"FiscalYear": (), "Active": ()},
}
"""By set: the documented name of each field that is read whole, with what it may be called in `$metadata`."""
_NO = frozenset({"", "no", "false", "0", "notcompleted", "notcomplete", "incomplete", "open"})
_YES = frozenset({"yes", "true", "1", "completed", "complete", "closed"})


def tell(row: Mapping[str, Any], name: str) -> Any:
    """Give a field; None where it is not there or says nothing."""
    value = row.get(name)
    return value if value != "" else None


def text(row: Mapping[str, Any], name: str) -> str | None:
    """Give a text without the blanks that old tables pad it with."""
    value = tell(row, name)
    return (str(value).strip() or None) if value is not None else None


def whole(row: Mapping[str, Any], name: str) -> str | None:
    """Give a key: numbers come as 58, 58.0 or "000058"."""
    told = text(row, name)
    return plain(told) if told else None


def amount(row: Mapping[str, Any], name: str) -> Decimal | None:
    """Give a number exactly; raises `ValueError` where it is none."""
    value = tell(row, name)
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(value) if isinstance(value, (int, Decimal)) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{name} is '{value}', which is no number.") from error
    if not is_amount(found):
        raise ValueError(f"{name} is '{value}', which no ledger can hold.")
    return found


def day(row: Mapping[str, Any], name: str) -> date | None:
    """Give a day; raises `ValueError` where it is none. Empty dates come as null, or as years nobody bought in."""
    return day_of(tell(row, name))


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
        raise ValueError(f"{name} is no list of lines.")
    return found

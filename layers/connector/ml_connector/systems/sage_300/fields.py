"""The documented names of fields, and what else a server may call them.

Rows are read by the documented names alone. Where `$metadata` lists an alias in place of one, rows are handed out under
the documented name (`metadata.Kind`); without `$metadata` there are no aliases. Which names are inferred is said in
`docs/vendors/sage_300.md`.
"""

from __future__ import annotations

from collections.abc import Mapping


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

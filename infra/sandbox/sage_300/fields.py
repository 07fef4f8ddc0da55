"""The model of the API: types and their properties, resources, keys and verbs (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .field_lists import ENUM_LISTS, TYPE_LISTS

Record = dict[str, Any]
_WORD = re.compile(r"(?P<name>\w+)(?P<series>[#%]\d+)?:(?P<kind>[sndel])(?P<length>\d*)(?:\.(?P<of>\w+))?")


@dataclass(frozen=True)
class Field:
    """One property: its kind letter, the greatest length of a text, and the enumeration or type behind it."""

    name: str
    kind: str
    length: int = 0
    of: str = ""


@dataclass(frozen=True)
class Resource:
    """One resource: the type of its rows, its key properties in order, and the verbs that it supports."""

    module: str
    name: str
    type: str
    key: tuple[str, ...]
    verbs: frozenset[str]


def _names(name: str, series: str | None) -> list[str]:
    """TaxClass#5 is TaxClass1 to 5; FiscalPeriodStartDate%12 is FiscalPeriod1StartDate to 12."""
    if series is None:
        return [name]
    numbers = range(1, int(series[1:]) + 1)
    if series[0] == "#":
        return [f"{name}{number}" for number in numbers]
    head, tail = re.fullmatch(r"(FiscalPeriod)(\w+)", name).groups()  # type: ignore[union-attr]
    return [f"{head}{number}{tail}" for number in numbers]


def _parse(text: str) -> dict[str, Field]:
    fields = {}
    for word in text.split():
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(word)
        for name in _names(match["name"], match["series"]):
            fields[name] = Field(name, match["kind"], int(match["length"] or 0), match["of"] or "")
    return fields


TYPES: dict[str, dict[str, Field]] = {name: _parse(text) for name, text in TYPE_LISTS.items()}
ENUMS: dict[str, tuple[str, ...]] = {name: tuple(text.split()) for name, text in ENUM_LISTS.items()}

_ALL = "GET POST PUT DELETE PATCH"
_BATCH = "GET POST PATCH"
RESOURCES: dict[str, Resource] = {
    name: Resource(module, name, type_name, tuple(key.split()), frozenset(verbs.split()))
    for module, name, type_name, key, verbs in (
        ("AP", "APVendors", "Vendor", "VendorNumber", _ALL),
        ("AP", "APVendorGroups", "VendorGroup", "GroupCode", _ALL),
        ("AP", "APTerms", "Terms", "TermsCode", _ALL),
        ("AP", "APAccountSets", "AccountSet", "AccountSetCode", _ALL),
        ("AP", "APDistributionCodes", "DistributionCode", "DistributionCodeKey", _ALL),
        ("AP", "APRecurringPayables", "RecurringPayable", "VendorNumber RecurringPayableCode", _ALL),
        ("AP", "APInvoiceBatches", "InvoiceBatch", "BatchNumber", _BATCH),
        ("AP", "APPaymentAndAdjustmentBatches", "PaymentBatch", "BatchSelector BatchNumber", _BATCH),
        ("AP", "APPostInvoices", "PostInvoices", "", "POST"),
        ("AP", "APPostedDocuments", "PostedDocument", "VendorNumber DocumentNumber", "GET"),
        ("AP", "APPostingErrorMessages", "PostingError", "PostingSequenceNumber SequenceNumber", "GET"),
        ("GL", "GLAccounts", "GLAccount", "UnformattedAccount", _ALL),
        ("GL", "GLSegmentCodes", "SegmentCode", "SegmentNumber SegmentCodeKey", _ALL),
        ("PO", "POPurchaseOrders", "PurchaseOrder", "PurchaseOrderSequenceKey", "GET POST"),
        ("PO", "POReceipts", "Receipt", "ReceiptSequenceKey", "POST"),
        ("PO", "POGetReceipts", "Receipt", "ReceiptSequenceKey", "GET"),
        ("PO", "POReturns", "Return", "ReturnSequenceKey", "GET POST"),
        ("PO", "POInvoices", "POInvoice", "InvoiceSequenceKey", "GET"),
        ("TX", "TXTaxGroups", "TaxGroup", "TaxGroupKey TransactionType", "GET"),
        ("TX", "TXTaxRates", "TaxRate", "TaxAuthority TransactionType BuyerClass", "GET"),
        ("CS", "CSFiscalCalendars", "FiscalCalendar", "FiscalYear", "GET"),
    )
}
MODULES = tuple(dict.fromkeys(resource.module for resource in RESOURCES.values()))


def words(text: str) -> tuple[str, ...]:
    """A long list of names, written as one text."""
    return tuple(text.split())


def key_of(resource: Resource, record: Record) -> Any:
    """The key of a record: one value, or a tuple where there are several."""
    values = tuple(record[name] for name in resource.key)
    return values if len(values) > 1 else values[0]

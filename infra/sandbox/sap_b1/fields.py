"""Names and kinds of the properties that the sandbox serves and accepts.

The types that `specs/sap_b1/fields.json` describes are a compact excerpt of it; a contract test compares them.
Those in `REFERENCE_ONLY` are not in that list: their names follow the public API reference (inferred).

Notation: `Name:kind`; i whole number, n decimal number, s text, d date, t time, y tYES/tNO,
`e.Enum` an enumeration, `l.Type` a collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .field_lists import ENUM_LISTS, TYPE_LISTS

Record = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One property: its name, its kind letter and, for enumerations and collections, the name behind it."""

    name: str
    kind: str
    of: str = ""


@dataclass(frozen=True)
class EntitySet:
    """An entity set: the type of its rows and the name of the key property."""

    name: str
    type: str
    key: str


def _parse(text: str) -> dict[str, Field]:
    fields = {}
    for word in text.split():
        name, _, kind = word.partition(":")
        letter, _, of = kind.partition(".")
        fields[name] = Field(name, letter, of)
    return fields


TYPES: dict[str, dict[str, Field]] = {name: _parse(text) for name, text in TYPE_LISTS.items()}
ENUMS: dict[str, tuple[str, ...]] = {name: tuple(text.split()) for name, text in ENUM_LISTS.items()}
REFERENCE_ONLY = frozenset(
    {
        "BPAddress",
        "BPBankAccount",
        "ContactEmployee",
        "DocumentInstallment",
        "PaymentTermsType",
        "VatGroup",
        "VatGroups_Line",
        "Currency",
        "BusinessPlace",
        "AdminInfo",
    }
)
SETS: dict[str, EntitySet] = {
    name: EntitySet(name, type_name, key)
    for name, type_name, key in (
        ("BusinessPartners", "BusinessPartner", "CardCode"),
        ("PaymentTermsTypes", "PaymentTermsType", "GroupNumber"),
        ("ChartOfAccounts", "ChartOfAccount", "Code"),
        ("ProfitCenters", "ProfitCenter", "CenterCode"),
        ("Dimensions", "Dimension", "DimensionCode"),
        ("VatGroups", "VatGroup", "Code"),
        ("Currencies", "Currency", "Code"),
        ("BusinessPlaces", "BusinessPlace", "BPLID"),
        ("PurchaseOrders", "Document", "DocEntry"),
        ("PurchaseDeliveryNotes", "Document", "DocEntry"),
        ("PurchaseReturns", "Document", "DocEntry"),
        ("PurchaseInvoices", "Document", "DocEntry"),
        ("PurchaseCreditNotes", "Document", "DocEntry"),
        ("Drafts", "Document", "DocEntry"),
        ("VendorPayments", "Payment", "DocEntry"),
    )
}
DOCUMENT_SETS = frozenset(name for name, entity in SETS.items() if entity.type == "Document")
# What the database stores for a name; writes may use either, reads give the name (`docs/vendors/sap_b1.md`).
STORED_VALUES: dict[str, dict[str, str]] = {
    "BoYesNoEnum": {"Y": "tYES", "N": "tNO"},
    "BoCardTypes": {"C": "cCustomer", "S": "cSupplier", "L": "cLid"},
    "BoDocumentTypes": {"I": "dDocument_Items", "S": "dDocument_Service"},
    "BoRcptTypes": {"C": "rCustomer", "A": "rAccount", "S": "rSupplier"},
    "BoObjectTypes": {
        "18": "oPurchaseInvoices",
        "19": "oPurchaseCreditNotes",
        "20": "oPurchaseDeliveryNotes",
        "21": "oPurchaseReturns",
        "22": "oPurchaseOrders",
    },
    "BoRcptInvTypes": {"18": "it_PurchaseInvoice", "19": "it_PurchaseCreditNote"},
}


def words(text: str) -> tuple[str, ...]:
    """A long list of names, written as one text."""
    return tuple(text.split())

"""Checks and defaults of a document's header."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import Decimal

from .codes import counts
from .errors import rule_broken
from .fields import Record
from .world import World

TABLES = {
    "PurchaseInvoices": "OPCH",
    "PurchaseCreditNotes": "ORPC",
    "PurchaseDeliveryNotes": "OPDN",
    "PurchaseReturns": "ORPD",
    "PurchaseOrders": "OPOR",
}


def supplier_of(world: World, code: str | None, table: str) -> Record:
    """The supplier that a document may be posted for; leads, customers and inactive ones are refused."""
    partner = world.tables["BusinessPartners"].get(code)
    if partner is None or partner["CardType"] != "cSupplier":
        raise rule_broken(f"Invalid BP code [{table}.CardCode] , '{code or ''}'")
    if not counts(partner, "Valid", "Frozen", world.today()):
        raise rule_broken(f"Business partner '{code}' is inactive [{table}.CardCode]")
    return partner


def fill_dates(world: World, document: Record, supplier: Record) -> None:
    """Default the dates and the payment terms, then check that the posting period is open."""
    document["DocDate"] = document.get("DocDate") or world.today()
    document["TaxDate"] = document.get("TaxDate") or document["DocDate"]
    document.setdefault("PaymentGroupCode", supplier.get("PayTermsGrpCode"))
    document["DocDueDate"] = document.get("DocDueDate") or _due(world, document)
    if document["DocDate"][:7] in world.closed_periods:
        raise rule_broken(f"Date deviates from permissible range [DocDate] , '{document['DocDate']}'")


def _due(world: World, document: Record) -> str:
    terms = world.tables["PaymentTermsTypes"].get(document.get("PaymentGroupCode"), {})
    day = date.fromisoformat(document["TaxDate"])
    months = day.month - 1 + (terms.get("NumberOfAdditionalMonths") or 0)
    year, month = day.year + months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    end = terms.get("StartFrom") == "pdt_MonthEnd"
    day = date(year, month, last if end else min(day.day, last))
    return (day + timedelta(days=terms.get("NumberOfAdditionalDays") or 0)).isoformat()


def fill_currency(world: World, document: Record, supplier: Record) -> Decimal | None:
    """Default and check the currency; returns the rate of a foreign one, None for the local one.

    A supplier of one currency takes documents in that one or in local currency ("##": in any), inferred.
    """
    own = supplier.get("Currency") or world.local_currency
    currency = document.get("DocCurrency") or (world.local_currency if own == "##" else own)
    document["DocCurrency"] = currency
    if currency not in world.tables["Currencies"]:
        raise rule_broken(f"Invalid currency '{currency}' [DocCurrency]")
    if own not in ("##", currency) and currency != world.local_currency:
        raise rule_broken(f"Currency '{currency}' differs from the business partner's '{own}' [DocCurrency]")
    if currency == world.local_currency:
        document["DocRate"] = Decimal(1)
        return None
    rate = document.get("DocRate") or world.rates.get(currency)
    if not rate or rate <= 0:
        raise rule_broken(f"Update the exchange rate , '{currency}'", -4006)
    document["DocRate"] = rate
    return Decimal(rate)


def check_branch(world: World, document: Record) -> None:
    """A company with branches needs a known one on each document."""
    if not world.branches:
        return
    branch = document.get("BPL_IDAssignedToInvoice")
    if branch not in world.branches:
        raise rule_broken("Specify a valid branch [BPL_IDAssignedToInvoice]")
    document["BPLName"] = world.branches[branch]


def check_reference(world: World, set_name: str, document: Record) -> None:
    """Refuse a second use of a supplier's reference, only where the company blocks that (off by default)."""
    reference = document.get("NumAtCard")
    if not world.block_duplicate_reference or not reference:
        return
    for other in world.rows(set_name):
        same = (other["CardCode"], other.get("NumAtCard")) == (document["CardCode"], reference)
        if same and other["CancelStatus"] == "csNo":
            raise rule_broken(f"Vendor reference number '{reference}' already exists [NumAtCard]", -10)

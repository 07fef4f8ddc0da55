"""The A/P invoice entry view: fields are put one by one in the order of the body (`docs/vendors/sage_300.md`).

Putting a field that others depend on writes their defaults, also over what was put before it: terms, currency and tax
group follow the vendor, the due date follows terms and document date, the posting date the document date, tax classes
and amounts the tax group, account and amount of a line its distribution code.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from . import tax
from .distributions import MONEY, SYSTEM, defined, exact, line_of
from .errors import record_invalid
from .fields import Record
from .world import World


def enter(world: World, body: Record) -> Record:
    """Build one entry from a body whose kinds are right; raises `Refusal` (RecordInvalid)."""
    today = world.today().isoformat()
    invoice: Record = {"DocumentType": "Invoice", "ExchangeRate": 1, "CurrencyCode": world.currency}
    invoice["DocumentTotalIncludingTax"] = Decimal(0)
    invoice["InvoiceDetails"], invoice["InvoicePaymentSchedules"] = [], []
    _document_date(world, invoice, today)
    for name, value in body.items():
        if name not in SYSTEM and name != "InvoiceDetails":
            put(world, invoice, name, value)
    for line in body.get("InvoiceDetails", []):
        invoice["InvoiceDetails"].append(line_of(world, invoice, line))
    return finish(world, invoice)


def put(world: World, invoice: Record, name: str, value: Any) -> None:
    """Put one header field, with all that follows from it."""
    if name in MONEY:
        exact(name, value, invoice["CurrencyCode"])
    _HEADER.get(name, _keep(name))(world, invoice, value)


def finish(world: World, invoice: Record) -> Record:
    """Check what an entry needs before it is inserted, and compute what is computed."""
    if not invoice.get("VendorNumber"):
        raise record_invalid("Vendor number cannot be blank")
    if not invoice.get("DocumentNumber"):
        raise record_invalid("Document number cannot be blank")
    if not invoice["InvoiceDetails"]:
        raise record_invalid(f"Document {invoice['DocumentNumber']} has no details")
    if invoice["DocumentTotalIncludingTax"] < 0:
        raise record_invalid("The document total cannot be negative; enter a credit note")
    for number, line in enumerate(invoice["InvoiceDetails"], 1):
        line["LineNumber"] = 20 * number
    invoice["NumberOfDetails"] = len(invoice["InvoiceDetails"])
    invoice["FiscalYear"], invoice["FiscalPeriod"] = invoice["PostingDate"][:4], invoice["PostingDate"][5:7]
    tax.total_up(world, invoice)
    return invoice


def active_vendor(world: World, number: str) -> Record:
    """Return the vendor; one on hold can be invoiced, only not paid. Raises `Refusal` (RecordInvalid)."""
    vendor = world.get("APVendors", number)
    if vendor is None:
        raise record_invalid(f"Vendor number '{number}' does not exist")
    if vendor.get("Status") == "Inactive":
        raise record_invalid(f"Vendor number '{number}' is inactive")
    return vendor


# ── header fields that others depend on ─────────────────────────────────────────────────────────────────────────


def _keep(name: str) -> Callable[[World, Record, Any], None]:
    def keep(_world: World, record: Record, value: Any) -> None:
        record[name] = value

    return keep


def _vendor(world: World, invoice: Record, number: str) -> None:
    vendor = active_vendor(world, number)
    currency = vendor.get("CurrencyCode") or world.currency
    invoice |= {"VendorNumber": number, "CurrencyCode": currency, "RateType": vendor.get("RateType", "")}
    invoice["AccountSet"] = vendor.get("AccountSet", "")
    invoice["RemitToLocation"] = vendor.get("PrimaryRemitToLocation", "")
    invoice["ExchangeRate"] = 1 if currency == world.currency else world.rates.get(currency, 1)
    _terms(world, invoice, vendor.get("Terms") or "")
    _tax_group(world, invoice, vendor.get("TaxGroup") or "")
    for number_ in range(1, len(world.tax_groups.get(invoice["TaxGroup"], [])) + 1):
        if vendor.get(f"TaxClassCode{number_}"):
            invoice[f"TaxClass{number_}"] = vendor[f"TaxClassCode{number_}"]


def _currency(world: World, invoice: Record, code: str) -> None:
    """A vendor has one currency, and so have its documents (inferred from the product)."""
    if invoice.get("VendorNumber") and code != invoice["CurrencyCode"]:
        raise record_invalid(f"Currency '{code}' is not the currency of vendor '{invoice['VendorNumber']}'")
    if code != world.currency and code not in world.rates:
        raise record_invalid(f"Currency '{code}' does not exist")
    invoice["CurrencyCode"] = code


def _terms(world: World, invoice: Record, code: str) -> None:
    if code and world.get("APTerms", code) is None:
        raise record_invalid(f"Terms code '{code}' does not exist")
    invoice["Terms"] = code
    _due(world, invoice)


def _document_date(world: World, invoice: Record, day: str) -> None:
    invoice |= dict.fromkeys(("DocumentDate", "AsOfDate", "PostingDate", "RateDate"), day)
    _due(world, invoice)


def _due(world: World, invoice: Record) -> None:
    terms = world.get("APTerms", invoice.get("Terms") or "") or {}
    schedule = (terms.get("TermsPaymentSchedule") or [{}])[0]
    start = date.fromisoformat(invoice["DocumentDate"])
    invoice["DueDate"] = (start + timedelta(days=int(schedule.get("DueNumberOfDays") or 0))).isoformat()
    discount = int(schedule.get("DiscountNumberOfDays") or 0)
    invoice["DiscountDate"] = (start + timedelta(days=discount)).isoformat() if discount else None
    invoice["DiscountPercentage"] = schedule.get("DiscountPercent") or 0


def _day_needed(name: str) -> Callable[[World, Record, Any], None]:
    def keep(world: World, invoice: Record, day: Any) -> None:
        if not day:
            raise record_invalid(f"{name} cannot be blank")
        (_document_date if name == "DocumentDate" else _keep(name))(world, invoice, day)

    return keep


def _tax_group(world: World, invoice: Record, code: str) -> None:
    if code and code not in world.tax_groups:
        raise record_invalid(f"Tax group '{code}' does not exist")
    invoice["TaxGroup"] = code
    authorities = world.tax_groups.get(code, [])
    for number in range(1, 6):
        used = number <= len(authorities)
        invoice[f"TaxAuthority{number}"] = authorities[number - 1] if used else ""
        invoice[f"TaxClass{number}"] = 1 if used else 0
        invoice.pop(f"TaxAmount{number}", None)


def _tax_class(number: int) -> Callable[[World, Record, Any], None]:
    def keep(world: World, invoice: Record, value: Any) -> None:
        tax.check_class(world, invoice, number, value)
        invoice[f"TaxClass{number}"] = value
        invoice.pop(f"TaxAmount{number}", None)

    return keep


def _tax_amount(number: int) -> Callable[[World, Record, Any], None]:
    def keep(_world: World, invoice: Record, value: Any) -> None:
        if value and not invoice.get(f"TaxAuthority{number}"):
            raise record_invalid(f"The document has no tax authority {number}")
        invoice[f"TaxAmount{number}"] = value

    return keep


def _account_set(world: World, invoice: Record, code: str) -> None:
    if code and world.get("APAccountSets", code) is None:
        raise record_invalid(f"Account set '{code}' does not exist")
    invoice["AccountSet"] = code


def _optional_fields(world: World, record: Record, rows: list[Record]) -> None:
    record["InvoiceOptionalFields"] = defined(world, rows)


def _apply_to(world: World, invoice: Record, number: str) -> None:
    if number and world.get("APPostedDocuments", (invoice.get("VendorNumber", ""), number)) is None:
        raise record_invalid(f"Document '{number}' to apply to does not exist")
    invoice["ApplytoDocument"] = number


_HEADER: dict[str, Callable[[World, Record, Any], None]] = {
    "VendorNumber": _vendor,
    "CurrencyCode": _currency,
    "Terms": _terms,
    "TaxGroup": _tax_group,
    "DocumentDate": _day_needed("DocumentDate"),
    "PostingDate": _day_needed("PostingDate"),
    "AccountSet": _account_set,
    "ApplytoDocument": _apply_to,
    "InvoiceOptionalFields": _optional_fields,
    **{f"TaxClass{n}": _tax_class(n) for n in range(1, 6)},
    **{f"TaxAmount{n}": _tax_amount(n) for n in range(1, 6)},
}

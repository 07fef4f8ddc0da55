"""How records look on the wire, in both interfaces."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from .model import GL_GROUP, METHODS, STATUS_IDS, Batch, Invoice, Payment, Record
from .world import World


def money(world: World, amount: Decimal) -> Any:
    """An amount as the newer interface gives it."""
    return f"{amount:.2f}" if world.amounts_out == "string" else amount


def iso(moment: datetime) -> str:
    """A time in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def state_of(world: World, payment: Payment) -> str:
    """The state of a payment, in the spelling of this server."""
    styles = {"plain": payment.state, "upper": payment.state.upper(), "padded": f" {payment.state} "}
    return styles[world.state_style]


# ── the newer interface ─────────────────────────────────────────────────────────────────────────────────────────


def invoice(world: World, one: Invoice) -> Record:
    """An invoice in whole."""
    return {
        "id": str(one.id),
        "externalId": one.external_id or None,
        "vendorExternalCode": one.vendor,
        "invoiceNumber": one.number,
        "invoiceDate": one.dated.isoformat(),
        "dueDate": one.due.isoformat() if one.due else None,
        "amount": money(world, one.amount),
        "currency": one.currency,
        "purchaseOrderNumber": one.order or None,
        "companyExternalCode": one.company or None,
        "description": one.description or None,
        "status": world.words.get(one.state, one.state),
        "errors": [{"message": text} for text in one.errors],
        "modifiedAt": iso(one.changed),
        "lines": [
            {
                "lineNumber": number,
                "description": line.description,
                "amount": money(world, line.amount),
                "glCode": line.gl_code,
                "codes": [{"group": group, "value": value} for group, value in line.codes],
                "item": line.item,
            }
            for number, line in enumerate(one.lines, 1)
        ],
        "attachments": [{"id": a["id"], "fileName": a["fileName"], "size": a["size"]} for a in one.attachments],
    }


def payment(world: World, one: Payment) -> Record:
    """A payment with the invoices that it pays; gross, discount and net of each are inferred from payment batches."""
    number = "checkNumber" if one.method == "Check" else "traceNumber"
    return {
        "id": str(one.id),
        "externalId": one.external_id or None,
        "paymentDate": one.paid_on.isoformat(),
        "clearedDate": one.cleared.date().isoformat() if one.cleared else None,
        "amount": money(world, one.amount),
        "method": one.method,
        "state": state_of(world, one),
        number: one.check or None,
        "vendorExternalCode": one.vendor,
        "invoices": [
            {
                "invoiceNumber": part.number,
                "externalId": part.external_id or None,
                "amountApplied": money(world, part.net),
                "gross": money(world, part.gross),
                "discount": money(world, part.discount),
                "net": money(world, part.net),
            }
            for part in one.parts
        ],
        "exceptions": [{"reasonCode": code, "description": text} for code, text in one.exceptions],
        "modifiedAt": iso(one.modified),
    }


# ── the older interface ─────────────────────────────────────────────────────────────────────────────────────────


def stamp(world: World, moment: date | datetime | None) -> str | None:
    """A time or a day, without any offset."""
    if moment is None:
        return None
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime(f"%Y-%m-%d{world.day_separator}%H:%M:%S")
    return f"{moment.isoformat()}{world.day_separator}00:00:00"


def digits(world: World, text: str) -> Any:
    """A number of a document, as a JSON number where it has digits only and this server does so."""
    plain = text.isdecimal() and not (len(text) > 1 and text[0] == "0")
    return int(text) if world.digits_as_numbers and plain else text or None


def old_vendor(world: World, code: str) -> Record:
    """Whom an invoice or a payment is of."""
    name = str(world.vendors.get(code, {}).get("name", code))
    return {"VendorName": name, "VendorExternalSystemID": f"{code}{world.vendor_address}"}


def old_invoice(world: World, one: Invoice) -> Record:
    """An approved, coded invoice."""
    return {
        "Id": one.id,
        "Number": digits(world, one.number),
        "GrossAmount": one.amount,
        "InvoiceDate": stamp(world, one.dated),
        "InvoiceDueDate": stamp(world, one.due),
        "PONumber": digits(world, one.order),
        "Memo": one.description or None,
        "LastChangedDate": stamp(world, one.changed),
        "ImageUrl": f"https://images.avidxchange.invalid/{one.id}",
        "TermType": {"termTypeName": "Net 30"},
        "BuyerVendor": old_vendor(world, one.vendor),
        "BuyerVendorAccount": {"AccountNo": "none"},
        "Distributions": [
            {
                "Amount": line.amount,
                "Description": line.description or None,
                "EnterpriseCodes": [_old_code(world, *pair) for pair in ((GL_GROUP, line.gl_code), *line.codes)],
            }
            for line in one.lines
        ],
    }


def _old_code(world: World, group: str, value: str) -> Record:
    text = world.codes.get((group, value), {}).get("description", value)
    groups = [{"CodeGroupName": group}]
    return {"EnterpriseCodeValue": value, "EnterpriseCodeValueDescription": text, "EnterpriseCodeGroups": groups}


def old_batch(world: World, one: Batch) -> Record:
    """A batch with the link to its invoices."""
    invoices = [world.invoices[number] for number in one.invoices]
    return {
        "BatchGUID": one.guid,
        "BatchName": one.name,
        "InvoiceCount": len(invoices),
        "BatchTotal": sum((invoice.amount for invoice in invoices), Decimal(0)),
        "DateClosed": stamp(world, one.closed),
        "Links": [
            {"Rel": "self", "Href": f"{world.prefix}/v1/invoices/batches/{one.guid}"},
            {"Rel": "full-details", "Href": f"{world.prefix}/v1/invoices/batches/{one.guid}/invoices?details=full"},
        ],
    }


def old_payment(world: World, one: Payment) -> Record:
    """A payment; Remittances and BuyerVendor are inferred from payment batches and from invoices."""
    paper = one.method == "Check"
    return {
        "PaymentId": one.id,
        "ExternalPaymentIds": [{"Value": one.external_id}] if one.external_id else [],
        "CheckNumber": one.external_id.rpartition("-")[2] or None,
        "AvidPayChecknumber": one.check if paper else None,
        "TraceNumber": None if paper else one.check or None,
        "Amount": one.amount,
        "PaymentDate": stamp(world, one.paid_on),
        "Status": {"Id": STATUS_IDS.get(one.state, 99), "Description": state_of(world, one)},
        "PaymentMethod": {"Id": METHODS.get(one.method, 9), "Description": one.method},
        "BankAccount": {"ClientIds": ["113"]},
        "BuyerVendor": old_vendor(world, one.vendor),
        "Remittances": [
            {
                "Number": digits(world, part.number),
                "Gross": part.gross,
                "Discount": part.discount,
                "Net": part.net,
                "Date": stamp(world, part.dated),
            }
            for part in one.parts
        ],
        "ClearedDate": stamp(world, one.cleared),
        "HasClearedCheckImages": one.image,
        "LastModifiedDate": stamp(world, one.modified),
        "Exceptions": [{"ReasonCode": {"Id": code, "Description": text}} for code, text in one.exceptions],
    }

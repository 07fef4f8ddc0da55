"""Outgoing payments: VendorPayments, what they do to invoices, cancelling them (`docs/vendors/sap_b1.md`).

Neither paying nor cancelling touches the invoice's UpdateDate, and a payment itself has no stamp at all.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .amounts import ZERO, cents
from .codes import check_account
from .coerce import coerce
from .errors import rule_broken
from .fields import TYPES, Record
from .headers import supplier_of
from .world import World

FIRST_ENTRY = 600
SETS_PAID = {"it_PurchaseInvoice": "PurchaseInvoices", "it_PurchaseCreditNote": "PurchaseCreditNotes"}
_LOCAL = ("DocTotal", "PaidToDate", "SumApplied")
_FOREIGN = ("DocTotalFc", "PaidToDateFC", "AppliedFC")
_READ_ONLY = ("DocEntry", "DocNum", "CardName", "Cancelled", "CancelStatus", "AuthorizationStatus")


def post_payment(world: World, body: Any) -> Record:
    """Post a payment to a supplier and apply it to the documents in PaymentInvoices."""
    payment = coerce("Payment", body, world.fields("VendorPayments"), {})
    payment = {name: value for name, value in payment.items() if name not in _READ_ONLY}
    payment["DocType"] = payment.get("DocType") or "rSupplier"
    if payment["DocType"] != "rSupplier":
        raise rule_broken("The sandbox pays suppliers only [DocType]")
    supplier = supplier_of(world, payment.get("CardCode"), "OVPM")
    payment |= {"CardName": supplier["CardName"], "DocDate": payment.get("DocDate") or world.today()}
    if payment["DocDate"][:7] in world.closed_periods:
        raise rule_broken(f"Date deviates from permissible range [DocDate] , '{payment['DocDate']}'")
    payment["DocCurrency"] = payment.get("DocCurrency") or world.local_currency
    applications = [_application(world, payment, line, n) for n, line in enumerate(_lines(payment))]
    # (inferred) the Service Layer's own check of repeated rows is not documented.
    if len({(*_document(line), line["InstallmentId"]) for line in applications}) < len(applications):
        raise rule_broken("An instalment may be paid once in a payment [PaymentInvoices]")
    _check_balances(world, applications)
    payment["PaymentInvoices"] = applications
    _check_means(world, payment)
    for line in applications:
        _apply(world, line, 1)
    return _keep(world, payment)


def _lines(payment: Record) -> list[Record]:
    return payment.get("PaymentInvoices") or []


def _application(world: World, payment: Record, line: Record, row: int) -> Record:
    # Without a type the line means a customer's invoice, which a supplier never has (inferred).
    name = SETS_PAID.get(line.get("InvoiceType") or "it_Invoice")
    document = world.tables[name].get(line.get("DocEntry")) if name else None
    if document is None:
        raise rule_broken(f"No matching records found [PaymentInvoices.DocEntry][line: {row}]")
    if document["CardCode"] != payment["CardCode"]:
        raise rule_broken(f"Invoice belongs to another business partner [PaymentInvoices][line: {row}]")
    if document["DocumentStatus"] != "bost_Open" or document["Cancelled"] == "tYES":
        raise rule_broken("Document is already closed", -5002)
    line = _sums(world, document, line, row)
    day = payment["DocDate"]
    place = {"LineNum": row, "DocNum": document["DocNum"], "LinkDate": day}
    return line | place | {"InstallmentId": line.get("InstallmentId") or 1}


def _document(line: Record) -> tuple[str, int]:
    return line["InvoiceType"], line["DocEntry"]


def _check_balances(world: World, applications: list[Record]) -> None:
    """Together, the instalments of a document take no more than it has open."""
    for kind, entry in {_document(line) for line in applications}:
        document = world.tables[SETS_PAID[kind]][entry]
        foreign = document["DocCurrency"] != world.local_currency
        total, paid, sums = _FOREIGN if foreign else _LOCAL
        left = document[total] - document[paid]
        if sum((line[sums] for line in applications if _document(line) == (kind, entry)), ZERO) > left:
            raise rule_broken(f"Applied amount exceeds the open balance {left} [PaymentInvoices]")


def _sums(world: World, document: Record, line: Record, row: int) -> Record:
    """Both amounts of an application: local and, for a foreign document, in its currency."""
    local, foreign = line.get("SumApplied"), line.get("AppliedFC")
    rate = document["DocRate"]
    if document["DocCurrency"] == world.local_currency:
        foreign = None
    elif foreign is None and local is not None:
        foreign = cents(local / rate)
    elif local is None and foreign is not None:
        local = cents(foreign * rate)
    if local is None or local <= 0 or (foreign is not None and foreign <= 0):
        raise rule_broken(f"Enter an applied amount [PaymentInvoices.SumApplied][line: {row}]")
    return line | {"SumApplied": cents(local), "AppliedFC": ZERO if foreign is None else cents(foreign)}


def _check_means(world: World, payment: Record) -> None:
    """The money comes from an account and covers what is applied; the rest stays on account."""
    transfer, cash = payment.get("TransferSum") or ZERO, payment.get("CashSum") or ZERO
    if transfer:
        check_account(world, payment.get("TransferAccount"), 0)
    if cash:
        check_account(world, payment.get("CashAccount"), 0)
    lines = payment["PaymentInvoices"]
    signed = ((1 if line["InvoiceType"] == "it_PurchaseInvoice" else -1) * line["SumApplied"] for line in lines)
    foreign = payment["DocCurrency"] != world.local_currency
    if not foreign and transfer + cash < sum(signed, ZERO):
        raise rule_broken("Payment means are less than the applied amounts")
    payment |= {"TransferSum": cents(Decimal(transfer)), "CashSum": cents(Decimal(cash))}


def _apply(world: World, line: Record, direction: int) -> None:
    document = world.tables[SETS_PAID[line["InvoiceType"]]][line["DocEntry"]]
    document["PaidToDate"] += direction * line["SumApplied"]
    document["PaidToDateFC"] += direction * line["AppliedFC"]
    if document["DocCurrency"] == world.local_currency:
        paid = document["PaidToDate"] >= document["DocTotal"]
    else:
        paid = document["PaidToDateFC"] >= document["DocTotalFc"]
    document["DocumentStatus"] = "bost_Close" if paid else "bost_Open"


def _keep(world: World, payment: Record) -> Record:
    entry = world.number("VendorPayments", FIRST_ENTRY)
    fresh = {"DocEntry": entry, "DocNum": entry + 10000, "Cancelled": "tNO", "CancelStatus": "csNo"}
    payment |= fresh | {"AuthorizationStatus": "pasWithout"}
    for name in TYPES["Payment"]:
        payment.setdefault(name, None)
    return world.put("VendorPayments", payment)


def cancel_payment(world: World, entry: int) -> Record:
    """Cancel a payment: its invoices are open again by what it had applied; nothing is stamped."""
    payment = world.find("VendorPayments", entry)
    if payment["Cancelled"] == "tYES":
        raise rule_broken("Payment is already cancelled", -5002)
    for line in _lines(payment):
        _apply(world, line, -1)
    payment |= {"Cancelled": "tYES", "CancelStatus": "csYes"}
    return payment

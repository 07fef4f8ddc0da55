"""The canonical business records, and nothing that knows a vendor.

Money and quantities are `Decimal`, dates are dates; a field that the source does not give is None. `key` is the
source's own key, parts joined by `~`. Codes (account, cost center, supplier, tax, term) are those of the system
that the record was read from; `engine/ledger/codes.py` translates them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every record has: the key by which its source knows it."""

    key: str


class Address(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A postal address of a supplier. `country` is ISO 3166 alpha-2."""

    key: str
    name: str | None = None
    kind: Literal["postal", "remittance", "delivery"] = "postal"
    street: str | None = None
    city: str | None = None
    postal_code: str | None = None
    region: str | None = None
    country: str | None = None


class BankAccount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a supplier is paid; moved only where the tenant has `send_bank_details`."""

    iban: str | None = None
    account: str | None = None
    bic: str | None = None
    bank_name: str | None = None
    country: str | None = None


class Supplier(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A vendor. `payment_term` is the ERP's code; `currency` ISO 4217, None where every currency is allowed."""

    code: str
    name: str
    active: bool = True
    currency: str | None = None
    tax_id: str | None = None
    vat_number: str | None = None
    payment_term: str | None = None
    payment_term_name: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    addresses: tuple[Address, ...] = ()
    bank_accounts: tuple[BankAccount, ...] = ()


class SupplierEnrichment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What people may change of a supplier at the platform. `key` is the supplier's code there, and the values are in
    its words; each field has the name of the `Supplier`'s.
    """

    payment_term: str | None = None
    tax_id: str | None = None
    vat_number: str | None = None


class Alignment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A supplier, account or cost center (`kind`) that stands in one of both systems alone: `side` is erp or platform.

    `key` is kind, side and the key there.
    """

    kind: str
    side: str
    code: str
    name: str = ""


class Account(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A posting account of the general ledger. `code` is what a person sees, `key` what the ledger wants."""

    code: str
    name: str
    active: bool = True


class CostCenter(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A cost center or profit center. `dimension` names the ERP's dimension, as it does, where it has several."""

    code: str
    name: str
    active: bool = True
    dimension: int | str | None = None


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Goods received on an order line; a return has a negative quantity and names the receipt it `reverses`."""

    key: str
    number: str
    quantity: Decimal
    received_on: date | None = None
    net: Decimal | None = None
    reverses: str | None = None


class OrderLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an order; `net` in the order's currency, `number` is what a person sees.

    `cost_center` is the first one; `dimensions` are all (dimension, code) pairs, the dimension as the ERP names it.
    """

    key: str
    number: str
    quantity: Decimal
    net: Decimal
    unit_price: Decimal | None = None
    service: bool = False
    item: str | None = None
    description: str | None = None
    unit: str | None = None
    tax_code: str | None = None
    tax_percent: Decimal | None = None
    account: str | None = None
    cost_center: str | None = None
    dimensions: tuple[tuple[str, str], ...] = ()
    closed: bool = False
    receipts: tuple[Receipt, ...] = ()


class PurchaseOrder(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An order with its lines, receipts and returns. `revision` counts its changes, where the ERP does."""

    number: str
    supplier: str
    currency: str
    status: Literal["open", "closed", "cancelled"] = "open"
    created: date | None = None
    description: str | None = None
    payment_term: str | None = None
    revision: str | None = None
    lines: tuple[OrderLine, ...] = ()


class CodingRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One accounting row of an approved invoice, in document currency; signs as the platform sent them.

    `dimensions` are (dimension, code) pairs beside the cost center, the dimension as the ERP names it.
    """

    key: str
    account: str | None = None
    cost_center: str | None = None
    net: Decimal | None = None
    gross: Decimal | None = None
    tax: Decimal | None = None
    tax_code: str | None = None
    tax_percent: Decimal | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    order_number: str | None = None
    order_line: str | None = None
    receipt_number: str | None = None
    description: str | None = None
    project: str | None = None
    dimensions: tuple[tuple[str, str], ...] = ()


class Invoice(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An approved invoice or credit note, ready for the ledger.

    `gross` is negative for a credit note. `version` is the platform's own change stamp.
    """

    number: str
    company: str
    supplier: str
    currency: str
    gross: Decimal
    net: Decimal | None = None
    tax: Decimal | None = None
    tax_code: str | None = None
    tax_percent: Decimal | None = None
    invoice_date: date | None = None
    accounting_date: date | None = None
    due_date: date | None = None
    payment_term: str | None = None
    description: str | None = None
    reference: str | None = None
    organization: str | None = None
    payment_block: bool = False
    version: str | None = None
    rows: tuple[CodingRow, ...] = ()


class SupplierInvoice(Invoice, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice or credit note that is posted in the ERP, on its way to the platform for approval and payment.

    `number` is the supplier's own; `key` the ERP's. `unpaid` is what is still open of `gross`, None where that is not
    known. The order of a row is what approvers trace it back to.
    """

    unpaid: Decimal | None = None


class InvoiceStatus(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How far an invoice has come at the platform. `key` is the platform's id of it, `document` the ERP's key.

    `status` is None where the platform says something that nobody has mapped; `said` is its own word. `number` and
    `supplier` are those of the invoice in the platform's words, `accounts` the GL codes that it is coded to there.
    """

    number: str
    status: Literal["received", "approved", "rejected", "paid"] | None
    said: str = ""
    reason: str | None = None
    document: str | None = None
    supplier: str | None = None
    changed: str | None = None
    accounts: tuple[str, ...] = ()


class Payment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One payment applied to one invoice.

    `invoice` is the id of the invoice at the system that paid, `document` the one at the system that is told. `amount`
    is what this payment applied and `paid_total` what all payments have applied by now, both in document currency;
    `currency` is empty where the payer does not say it. `cancelled`: it does not count, or does not count any more.

    Of a platform that pays: `state` is how the payment stands (None: in words that nobody has mapped, which are
    `said`), `supplier` and `invoice_number` name the invoice in the platform's words, and `discount` is what was kept
    back of it beside `amount`.
    """

    invoice: str
    number: str
    amount: Decimal
    currency: str
    document: str | None = None
    paid_total: Decimal | None = None
    paid_on: date | None = None
    method: str | None = None
    reference: str | None = None
    cancelled: bool = False
    state: Literal["scheduled", "in_flight", "paid", "cancelled", "failed"] | None = None
    said: str = ""
    supplier: str | None = None
    invoice_number: str | None = None
    discount: Decimal | None = None

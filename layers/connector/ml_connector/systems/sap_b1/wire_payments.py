"""The rows of outgoing payments as we read them."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from ml_connector.systems.sap_b1.wire import Amounts, is_void


class AppliedRow(Amounts, rename="pascal"):
    """One of `PaymentInvoices`. `DocEntry` is the invoice's, and means nothing without `InvoiceType`."""

    doc_entry: int | None = None
    invoice_type: str | int | None = None
    sum_applied: Decimal | None = None
    applied_fc: Decimal | None = field(name="AppliedFC", default=None)
    installment_id: int | None = None


class PaymentRow(Amounts, rename="pascal"):
    """`VendorPayments`."""

    doc_entry: int
    doc_num: int | None = None
    doc_type: str | None = None
    card_code: str | None = None
    doc_date: str | None = None
    doc_currency: str | None = None
    doc_rate: Decimal | None = None
    transfer_sum: Decimal | None = None
    transfer_date: str | None = None
    transfer_reference: str | None = None
    counter_reference: str | None = None
    cash_sum: Decimal | None = None
    cancelled: str | None = None
    cancel_status: str | None = None
    authorization_status: str | None = None
    payment_invoices: list[AppliedRow] | None = None

    @property
    def lines(self) -> list[AppliedRow]:
        """What the payment was applied to."""
        return self.payment_invoices or []

    @property
    def void(self) -> bool:
        """Tell whether the payment was cancelled."""
        return is_void(self.cancelled, self.cancel_status)

    @property
    def number(self) -> str:
        """What a person calls the payment."""
        return str(self.doc_num if self.doc_num is not None else self.doc_entry)


class CurrencyRow(Struct, rename="pascal"):
    """A document's currency."""

    doc_entry: int
    doc_currency: str | None = None

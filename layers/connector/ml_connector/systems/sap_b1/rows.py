"""The Service Layer's rows as we read them, and the few conversions that every reader needs.

Field names follow `specs/sap_b1/fields.json`; the fields of a struct are what its `$select` names. Everything but the
key may be missing: servers differ in what they fill.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct, defstruct, field

from ml_connector.systems.http import is_amount

YES, NO = "tYES", "tNO"
ZERO = Decimal(0)


class AddressRow(Struct, rename="pascal"):
    """One of `BPAddresses`: `bo_BillTo` is where the supplier wants to be paid, `bo_ShipTo` where goods go."""

    address_name: str | None = None
    address_type: str | None = None
    street: str | None = None
    street_no: str | None = None
    zip_code: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None


class BankRow(Struct, rename="pascal"):
    """One of `BPBankAccounts`."""

    account_no: str | None = None
    country: str | None = None
    iban: str | None = field(name="IBAN", default=None)
    bic: str | None = field(name="BICSwiftCode", default=None)


class SupplierRow(Struct, rename="pascal"):
    """`BusinessPartners`."""

    card_code: str
    card_name: str | None = None
    card_type: str | None = None
    currency: str | None = None
    federal_tax_id: str | None = field(name="FederalTaxID", default=None)
    unified_tax_id: str | None = field(name="UnifiedFederalTaxID", default=None)
    vat_number: str | None = field(name="VATRegistrationNumber", default=None)
    pay_terms_grp_code: int | None = None
    email_address: str | None = None
    phone1: str | None = None
    website: str | None = None
    valid: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    frozen: str | None = None
    frozen_from: str | None = None
    frozen_to: str | None = None
    address: str | None = None
    zip_code: str | None = None
    city: str | None = None
    country: str | None = None
    update_date: str | None = None
    create_date: str | None = None
    addresses: tuple[AddressRow, ...] | None = field(name="BPAddresses", default=None)
    banks: tuple[BankRow, ...] | None = field(name="BPBankAccounts", default=None)


class AccountRow(Struct, rename="pascal"):
    """`ChartOfAccounts`. `Code` is what lines want; a system key hides the number a person knows."""

    code: str
    name: str | None = None
    format_code: str | None = None
    active_account: str | None = None
    valid_for: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    frozen_for: str | None = None
    frozen_from: str | None = None
    frozen_to: str | None = None


class CenterRow(Struct, rename="pascal"):
    """`ProfitCenters`."""

    center_code: str
    center_name: str | None = None
    in_which_dimension: int | None = None
    active: str | None = None
    effective_from: str | None = None
    effective_to: str | None = None


class Amounts(Struct):
    """A row with amounts: one that no ledger could hold (`NaN`, `1E+999999`) spoils it."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for such an amount."""
        for name, wired in zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True):
            value = getattr(self, name)
            if isinstance(value, Decimal) and not is_amount(value):
                raise ValueError(f"{wired} is {value}, which is no amount")


class LineRow(Amounts, rename="pascal"):
    """One of `DocumentLines`. `LineTotal` is in local currency, `RowTotalFC` in that of a foreign document."""

    line_num: int
    line_status: str | None = None
    item_code: str | None = None
    item_description: str | None = None
    quantity: Decimal | None = None
    remaining_open_quantity: Decimal | None = None
    price: Decimal | None = None
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    currency: str | None = None
    line_total: Decimal | None = None
    row_total_fc: Decimal | None = field(name="RowTotalFC", default=None)
    vat_group: str | None = None
    tax_code: str | None = None
    tax_percentage_per_row: Decimal | None = None
    account_code: str | None = None
    costing_code: str | None = None
    costing_code2: str | None = None
    costing_code3: str | None = None
    costing_code4: str | None = None
    costing_code5: str | None = None
    uom_code: str | None = field(name="UoMCode", default=None)
    measure_unit: str | None = None
    base_type: int | None = None
    base_entry: int | None = None
    base_line: int | None = None

    @property
    def net(self) -> Decimal:
        """The row's total in document currency."""
        return self.row_total_fc or self.line_total or ZERO

    @property
    def by_sum(self) -> bool:
        """Tell whether the line is a sum without a quantity, such as freight: drawn and matched by its amount."""
        return not self.quantity

    @property
    def open(self) -> bool:
        """Tell whether something may still be drawn from the line."""
        return self.line_status != "bost_Close"

    @property
    def cost_centers(self) -> tuple[str | None, ...]:
        """The cost centers of the five dimensions, in order."""
        return (self.costing_code, self.costing_code2, self.costing_code3, self.costing_code4, self.costing_code5)

    @property
    def cost_center(self) -> str | None:
        """The first cost center of the line's five dimensions."""
        return next(filter(None, self.cost_centers), None)

    @property
    def dimensions(self) -> tuple[tuple[str, str], ...]:
        """The dimensions by number, with their cost centers."""
        return tuple((str(n), code) for n, code in enumerate(self.cost_centers, 1) if code)


class HeadRow(Amounts, rename="pascal"):
    """What every document and payment has."""

    doc_entry: int
    doc_num: int | None = None
    cancelled: str | None = None
    cancel_status: str | None = None

    @property
    def void(self) -> bool:
        """Tell whether it does not count: cancelled, or itself a cancellation (`docs/vendors/sap_b1.md`)."""
        return self.cancelled == YES or self.cancel_status not in {None, "", "csNo"}

    @property
    def number(self) -> str:
        """What a person calls it."""
        return str(self.doc_num if self.doc_num is not None else self.doc_entry)


class DocumentRow(HeadRow, rename="pascal"):
    """`PurchaseOrders`, `PurchaseDeliveryNotes`, `PurchaseReturns`: header and lines."""

    series: int | None = None
    doc_type: str | None = None
    card_code: str | None = None
    branch: int | None = field(name="BPL_IDAssignedToInvoice", default=None)
    doc_date: str | None = None
    doc_currency: str | None = None
    document_status: str | None = None
    comments: str | None = None
    payment_group_code: int | None = None
    update_date: str | None = None
    document_lines: list[LineRow] | None = None

    @property
    def lines(self) -> list[LineRow]:
        """The lines; none where the server left them out."""
        return self.document_lines or []

    @property
    def currency(self) -> str | None:
        """The document's currency, as its head or else a line of it tells; None: it may be the company's own."""
        return told(self.doc_currency) or next(filter(None, (told(line.currency) for line in self.lines)), None)


class FoundRow(HeadRow, rename="pascal"):
    """A posted invoice, credit note or draft, as far as it is needed to recognise it.

    `DocDate` is the day it was posted on, `TaxDate` the supplier's own. `DocTotal` is what is paid to the supplier: a
    tax that is withheld (`WTAmount`) has been taken off (`docs/vendors/sap_b1.md`).
    """

    num_at_card: str | None = None
    card_code: str | None = None
    doc_date: str | None = None
    tax_date: str | None = None
    doc_total: Decimal | None = None
    doc_total_fc: Decimal | None = None
    withheld: Decimal | None = field(name="WTAmount", default=None)
    withheld_fc: Decimal | None = field(name="WTAmountFC", default=None)
    doc_currency: str | None = None
    document_status: str | None = None
    authorization_status: str | None = None


class OwnRow(FoundRow, rename="pascal"):
    """A document with the user field that holds our own key; see `own_row`."""

    own_key: str | None = None


@lru_cache
def own_row(name: str) -> type[OwnRow]:
    """Make the rows' type for a company whose user field for our key is `name`."""
    own = ("own_key", str | None, field(name=name, default=None))
    return defstruct("OwnRow", [own], bases=(OwnRow,), rename="pascal")  # type: ignore[return-value]


def day(text: str | None) -> date | None:
    """Read a date with or without a time; it is the company's calendar day, whatever the `Z` says.

    Raises `ValueError` (`docs/vendors/sap_b1.md`).
    """
    return date.fromisoformat(text[:10]) if text else None


@lru_cache(4096)  # asked for each row, of which many share a day
def stamp_day(text: str | None) -> str | None:
    """Give the day of a change as ten characters, which compare as text whatever follows; None where it is no date."""
    head = (text or "").strip()[:10]
    try:
        return date.fromisoformat(head).isoformat() if len(head) == 10 else None
    except ValueError:
        return None


def day_told(text: str | None) -> date | None:
    """Give a day where the text is one; None for anything else."""
    return day(stamp_day(text))


def told(text: str | None) -> str | None:
    """Give a text without blanks around it, None where nothing is left."""
    return text.strip() or None if text else None


class PostingRow(AccountRow, rename="pascal"):
    """An account, as far as it says whether invoices may be posted to it."""

    lock_manual_transaction: str | None = None
    block_manual_posting: str | None = None


class RuleRow(Struct, rename="pascal"):
    """`DistributionRules`."""

    factor_code: str
    in_which_dimension: int | None = None
    active: str | None = None


class SupplierHeadRow(Struct, rename="pascal"):
    """A supplier's key, for `ping`."""

    card_code: str


class SupplierTaxRow(Struct, rename="pascal"):
    """A supplier's own tax group."""

    card_code: str
    vat_group: str | None = None


class RoundingRow(Struct, rename="pascal"):
    """How a supplier's taxes are rounded: `trr_RoundDown`, `trr_RoundUp`, `trr_RoundOff`, `trr_CompanyDefault`."""

    card_code: str
    tax_rounding_rule: str | None = None


class CurrencyRow(Struct, rename="pascal"):
    """`Currencies`: `Decimals` is `cdWithoutDecimals`, `cd1Digit`, `cd2Digits` …, or `cdDefault`."""

    code: str
    decimals: str | None = None


class OrderHeadRow(Struct, rename="pascal"):
    """An order's key, for `ping`."""

    doc_entry: int


class TotalRow(Amounts, rename="pascal"):
    """A document by which the local currency is known."""

    doc_entry: int
    doc_currency: str | None = None
    doc_total: Decimal | None = None
    doc_total_fc: Decimal | None = None


class VatRateRow(Amounts, rename="pascal"):
    """One of `VatGroups_Lines`; the field is spelled `Effectivefrom`."""

    effectivefrom: str | None = None
    rate: Decimal | None = None


class VatGroupRow(Struct, rename="pascal"):
    """`VatGroups`."""

    code: str
    category: str | None = None
    inactive: str | None = None
    rates: list[VatRateRow] | None = field(name="VatGroups_Lines", default=None)


class ReverseGroupRow(VatGroupRow, rename="pascal"):
    """`VatGroups` with reverse charge: the tax is booked and taken back again, so that no total shows it."""

    acquisition_reverse: str | None = None


class AppliedRow(Amounts, rename="pascal"):
    """One of `PaymentInvoices`. `DocEntry` is the invoice's, and means nothing without `InvoiceType`."""

    doc_entry: int | None = None
    invoice_type: str | int | None = None
    sum_applied: Decimal | None = None
    applied_fc: Decimal | None = field(name="AppliedFC", default=None)
    installment_id: int | None = None


class PaymentRow(HeadRow, rename="pascal"):
    """`VendorPayments`."""

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
    authorization_status: str | None = None
    payment_invoices: list[AppliedRow] | None = None

    @property
    def lines(self) -> list[AppliedRow]:
        """What the payment was applied to."""
        return self.payment_invoices or []


class DocumentCurrencyRow(Struct, rename="pascal"):
    """A document's currency."""

    doc_entry: int
    doc_currency: str | None = None

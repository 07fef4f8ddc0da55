"""Rows of which only a field or two is read: what a company has, for look-ups and `ping`."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from ml_connector.systems.sap_b1.wire import AccountRow, Amounts


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

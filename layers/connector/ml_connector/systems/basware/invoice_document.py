"""An accounting document as it stands on the wire, and the canonical invoice made of it (`docs/vendors/basware.md`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ml_connector import currencies
from ml_connector.errors import Rejected
from ml_connector.flow import SourceState
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.decode_errors import decode_error
from ml_connector.systems.http import is_amount
from ml_connector.type_cache import resolve

FINE = Decimal("0.000001")
"""The finest quantity or percentage that a ledger keeps."""
DOUBLE, SHOWS = 15, 17
"""Significant digits that every double keeps, and that it shows at most; those between are not what anybody entered."""
NEAR = Decimal("0.0001")
"""How near to a whole number of units a figure must be, in units, for the rest of it to be representation: and nearer
than six places tell apart, since those may have been entered."""
MOST_DIGITS = 19
"""Digits before the point beyond which nothing is rounded: no ledger takes such a figure."""


def entered(value: Decimal, currency: str | None) -> Decimal:
    """Give an amount as it was entered: 107.10 for 107.10000000000001. Real decimals, such as 10.125, stay.

    Basware keeps figures as doubles.
    """
    return _entered(value, currencies.unit(currency))


def _entered(value: Decimal, unit: Decimal) -> Decimal:
    shown = len(value.as_tuple().digits)
    if not value.is_finite() or not DOUBLE < shown <= SHOWS or value.adjusted() >= MOST_DIGITS:
        return value
    whole = value.quantize(unit)
    if abs(whole - value) >= min(unit * NEAR, FINE):
        return value
    return whole if whole else abs(whole)


MOST_PERCENT = 100
SHOWN = 40
"""Characters of a number that a message shows."""
_STANDINGS: dict[str, SourceState] = {
    "waitingfortransfer": "offered",
    "transferinprogress": "acknowledged",
    "transferred": "transferred",
    "paid": "transferred",
    "transferfailed": "refused",
}


Code25 = Annotated[str, Meta(max_length=25)]
Code32 = Annotated[str, Meta(max_length=32)]
Code36 = Annotated[str, Meta(max_length=36)]
Code50 = Annotated[str, Meta(max_length=50)]
Code100 = Annotated[str, Meta(max_length=100)]
Code200 = Annotated[str, Meta(max_length=200)]
Currency = Annotated[str, Meta(min_length=2, max_length=3)]
"""Lengths of the fields that identify something (appendix A); texts may be as long as they like."""


class Row(Struct, rename="camel", kw_only=True):
    """A coding row, as far as it matters. Money is in document currency.

    `taxSum2` is not read: no total holds it. Nor is `receivedQuantity`, which is the receipt's and not the row's
    (`docs/vendors/basware.md`).
    """

    external_code: Code36 | None = None
    row_index: Decimal | None = None
    account_code: Code50 | None = None
    cost_center_code: Code200 | None = None
    net_total: Decimal | None = None
    gross_total: Decimal | None = None
    tax_sum: Decimal | None = None
    tax_code: str | None = None
    tax_percent: Decimal | None = None
    matched_quantity: Decimal | None = None
    allocated_quantity: Decimal | None = None
    order_number: str | None = None
    order_line_number: str | None = None
    order_item_number: str | None = None
    goods_receipt_number: str | None = None
    order_line_description: str | None = None
    product_name: str | None = None
    project_code: str | None = None
    dim_code1: str | None = None
    dim_code2: str | None = None
    dim_code3: str | None = None
    dim_code4: str | None = None
    dim_code5: str | None = None
    dim_code6: str | None = None
    dim_code7: str | None = None
    dim_code8: str | None = None
    dim_code9: str | None = None
    dim_code10: str | None = None


class Wire(Struct, rename="camel", kw_only=True):
    """A document, as far as it matters. Money is in document currency.

    `taxSum1` is the tax that is paid; `taxSum2` is excluded from it, and so from the total: it is not read
    (`docs/vendors/basware.md`).
    """

    invoice_id: Code36
    company_code: Code32
    supplier_code: Code25
    currency_code: Currency
    gross_sum: Decimal
    invoice_number: Code100
    net_sum: Decimal | None = None
    tax_sum1: Decimal | None = None
    tax_code: str | None = None
    tax_percent1: Decimal | None = None
    invoice_date: str | None = None
    voucher_date: str | None = None
    due_date: str | None = None
    payment_term_code: Code25 | None = None
    description: str | None = None
    reference_number: str | None = None
    organization_code: str | None = None
    organization_element_code: str | None = None
    payment_block: bool | None = None
    last_updated: str | None = None
    coding_rows: list[Row] | None = None


_MONEY = frozenset({"gross_sum", "net_sum", "tax_sum1", "net_total", "gross_total", "tax_sum"})


def standing(document: Mapping[str, Any]) -> SourceState:
    """Say how a document stands with us; every status that is none of ours means that it is away."""
    return _STANDINGS.get(str(document.get("processingStatus") or "").lower(), "gone")


def text(document: Mapping[str, Any], name: str) -> str | None:
    """Read a text field without insisting on anything else of the document."""
    value = document.get(name)
    return str(value).strip() or None if value is not None else None


def invoice(document: Mapping[str, Any], dimensions: Mapping[str, int] | None = None) -> Invoice:
    """Make the canonical invoice. Raises `Rejected` naming the field that is not as documented.

    `dimensions` tells which `dimCode` (1 to 10) carries which of the ERP's dimensions.
    """
    number = _short(text(document, "invoiceNumber") or text(document, "invoiceId"))
    resolve(Wire)
    try:
        wire = msgspec.convert(document, Wire, strict=True)
    except msgspec.ValidationError as error:
        raise Rejected(
            f"Invoice {number} cannot be read: {decode_error(error)}. Correct it in Basware and transfer it again."
        ) from error
    for name in ("invoiceNumber", "companyCode", "supplierCode", "currencyCode"):
        if text(document, name) is None:
            raise Rejected(f"Invoice {number} has no {name}. Enter it in Basware and offer it for transfer again.")
    if not wire.coding_rows:
        raise Rejected(f"Invoice {number} has no coding rows. Code it in Basware and transfer it again.")
    for name, amount in _amounts(wire):
        if why := _unusable(name, amount):
            raise Rejected(
                f"Invoice {number} cannot be read: {name} is '{amount}', {why}. Correct it in Basware and offer it for "
                "transfer again."
            )
    _enter(wire)
    _check_quantities(number, wire)
    rows = sorted(wire.coding_rows, key=lambda row: (row.row_index is None, row.row_index or 0))
    return Invoice(
        key=wire.invoice_id,
        number=wire.invoice_number.strip(),
        company=wire.company_code.strip(),
        supplier=wire.supplier_code.strip(),
        currency=wire.currency_code.strip(),
        gross=wire.gross_sum,
        net=wire.net_sum,
        tax=wire.tax_sum1,
        tax_code=wire.tax_code or None,
        tax_percent=wire.tax_percent1,
        invoice_date=_day(number, "invoiceDate", wire.invoice_date),
        accounting_date=_day(number, "voucherDate", wire.voucher_date),
        due_date=_day(number, "dueDate", wire.due_date),
        payment_term=wire.payment_term_code or None,
        description=wire.description or None,
        reference=wire.reference_number or None,
        organization=wire.organization_code or wire.organization_element_code or None,
        payment_block=bool(wire.payment_block),
        version=wire.last_updated,
        rows=tuple(_coding(row, place, dimensions or {}) for place, row in enumerate(rows, 1)),
    )


def _unusable(name: str, amount: Decimal) -> str | None:
    """Say why nobody can reckon with a figure; None where one can. Rates are 0 to 100."""
    if not is_amount(amount):
        return "which is no number"
    rate = name.rpartition(" ")[2].startswith("taxPercent")
    return "which is no tax rate (0 to 100)" if rate and not 0 <= amount <= MOST_PERCENT else None


def _enter(wire: Wire) -> None:
    """Take the figures as they were entered, without what their binary form adds."""
    for part in (wire, *(wire.coding_rows or [])):
        for name in part.__struct_fields__:
            if isinstance(value := getattr(part, name), Decimal):
                unit = currencies.unit(wire.currency_code) if name in _MONEY else FINE
                setattr(part, name, _entered(value, unit))


def _check_quantities(number: str | None, wire: Wire) -> None:
    """Refuse a negative quantity of something that is paid for, and one that no ledger can tell from nothing.

    What is taken back has a negative amount too.
    """
    for place, row in enumerate(wire.coding_rows or [], 1):
        worth = row.net_total if row.net_total is not None else row.gross_total
        for name, quantity in (
            ("matchedQuantity", row.matched_quantity),
            ("allocatedQuantity", row.allocated_quantity),
        ):
            if quantity and abs(quantity) < FINE:
                raise Rejected(
                    f"Invoice {number} cannot be read: {name} of coding row {place} is {quantity}, which is less than "
                    "any general ledger keeps. Correct it in Basware and transfer it again."
                )
            if quantity is not None and quantity < 0 and worth is not None and worth > 0:
                raise Rejected(
                    f"Invoice {number} cannot be read: {name} of coding row {place} is {quantity}, and its amount is "
                    f"{worth}. Correct it in Basware and transfer it again."
                )


def _short(number: str | None) -> str | None:
    """Cut a number that is longer than any invoice's, for messages."""
    return number if number is None or len(number) <= SHOWN else f"{number[:SHOWN]}…"


def _coding(row: Row, place: int, dimensions: Mapping[str, int]) -> CodingRow:
    """Give one row; the numbers of the rows have gaps, so only their order counts."""
    quantities = (row.matched_quantity, row.allocated_quantity)
    return CodingRow(
        key=row.external_code or str(row.row_index if row.row_index is not None else place),
        account=row.account_code or None,
        cost_center=row.cost_center_code or None,
        net=row.net_total,
        gross=row.gross_total,
        tax=row.tax_sum,
        tax_code=row.tax_code or None,
        tax_percent=row.tax_percent,
        quantity=next((quantity for quantity in quantities if quantity), None),
        order_number=row.order_number or None,
        order_line=row.order_line_number or row.order_item_number or None,
        receipt_number=row.goods_receipt_number or None,
        description=row.order_line_description or row.product_name or None,
        project=row.project_code or None,
        dimensions=tuple(
            (name, code) for name, number in dimensions.items() if (code := getattr(row, f"dim_code{number}"))
        ),
    )


def _amounts(wire: Wire) -> Iterator[tuple[str, Decimal]]:
    """List the figures with their names, those of a row with its place."""
    for place, part in enumerate((wire, *(wire.coding_rows or []))):
        for name, wired in zip(part.__struct_fields__, part.__struct_encode_fields__, strict=True):
            if isinstance(value := getattr(part, name), Decimal):
                yield f"coding row {place}, {wired}" if place else wired, value


def day_of(document: dict[str, Any]) -> date | None:
    """Tell the invoice's date; None where it has none that can be read, which is said when it is worked on."""
    try:
        return _day(None, "invoiceDate", text(document, "invoiceDate"))
    except Rejected:
        return None


def _day(number: str | None, name: str, value: str | None) -> date | None:
    """Take the day as it is written, whatever time and zone follow; the year 1 is how .NET says "none"."""
    if not value or value.startswith("0001-01-01"):
        return None
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError as error:
        raise Rejected(
            f"Invoice {number} cannot be read: {name} '{value}' is not a valid date. Correct it and transfer it again."
        ) from error

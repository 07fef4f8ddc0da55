"""Money of an invoice: each row's net, the tax, and what is left over. Never a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, Invoice

CENT = Decimal("0.01")
MILL = Decimal("0.001")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Priced:
    """A coding row with its net amount, signed as on the platform. `tax` None: not known by row."""

    row: CodingRow
    net: Decimal
    tax: Decimal | None


@dataclass(frozen=True, slots=True)
class Sums:
    """An invoice that adds up: gross = the rows' nets + tax. `residue` is what rounding had left, now on `taker`."""

    rows: tuple[Priced, ...]
    gross: Decimal
    tax: Decimal
    residue: Decimal
    taker: int | None

    @property
    def net(self) -> Decimal:
        """Add up the rows."""
        return sum((row.net for row in self.rows), ZERO)


def exact(value: Decimal, what: str) -> Decimal:
    """Give an amount with two decimals, or three where it has them; more are refused, not rounded."""
    try:
        cents = value.quantize(CENT)
        if cents == value:
            return cents
        mills = value.quantize(MILL)
    except InvalidOperation as error:
        raise Rejected(f"{what} is {value}, which no ledger can hold. Correct it on the platform.") from error
    if mills != value:
        raise Rejected(
            f"{what} is {value}: Sage 300 keeps at most three decimals, and an amount is never rounded on the way. "
            "Correct it on the platform."
        )
    return mills


def rounded(value: Decimal) -> Decimal:
    """Round to cents, halves up."""
    return value.quantize(CENT, ROUND_HALF_UP)


def sum_up(invoice: Invoice, tolerance: Decimal) -> Sums:
    """Price every row, find the tax, and put a residue within `tolerance` on the largest row.

    Sage 300 posts only what adds up to the cent. Raises `Rejected` for an invoice that cannot be posted as it is,
    `Held` where its totals do not agree.
    """
    if not invoice.rows:
        raise Rejected(f"Invoice {invoice.number} has no coding rows; code it on the platform and transfer it again.")
    gross = exact(invoice.gross, "The total")
    rows = [_price(row, invoice, number) for number, row in enumerate(invoice.rows, 1)]
    net = sum((row.net for row in rows), ZERO)
    taxes = _taxes(rows, invoice)
    tax = min(taxes, key=lambda one: abs(gross - net - one)) if taxes else gross - net
    residue = gross - net - tax
    if abs(residue) > tolerance:
        raise Held(
            f"conflict:{invoice.key}",
            f"The total of invoice {invoice.number} is {gross} {invoice.currency}, but its rows make {net + tax} with "
            "tax. Correct the coding rows or the total on the platform.",
        )
    if residue == 0:
        return Sums(tuple(rows), gross, tax, residue, None)
    taker = max(range(len(rows)), key=lambda n: abs(rows[n].net))
    rows[taker] = Priced(rows[taker].row, rows[taker].net + residue, rows[taker].tax)
    return Sums(tuple(rows), gross, tax, residue, taker)


def _price(row: CodingRow, invoice: Invoice, number: int) -> Priced:
    name = f"row {number}"
    net = None if row.net is None else exact(row.net, f"The net amount of {name}")
    gross = None if row.gross is None else exact(row.gross, f"The gross amount of {name}")
    tax = None if row.tax is None else exact(row.tax, f"The tax of {name}")
    percent = row.tax_percent
    if percent is None and row.tax_code is None:
        percent = invoice.tax_percent
    if net is None and gross is None:
        raise Rejected(f"In invoice {invoice.number} {name} has no amount; correct it on the platform.")
    if tax is None and net is not None and gross is not None:
        tax = gross - net
    if tax is None and percent is not None:
        tax = rounded(net * percent / HUNDRED) if net is not None else _included(gross or ZERO, percent)
    if net is None:
        net = (gross or ZERO) - (tax or ZERO)
    return Priced(row, net, tax)


def _included(gross: Decimal, percent: Decimal) -> Decimal:
    return gross - rounded(gross * HUNDRED / (HUNDRED + percent))


def _taxes(rows: Sequence[Priced], invoice: Invoice) -> list[Decimal]:
    """List what the tax may be: as stated, and by rows. Neither known, and no tax code: there is none.

    With a code alone the tax is what the total has more than the rows: it cannot be checked.
    """
    found: list[Decimal] = []
    if invoice.tax is not None:
        found.append(exact(invoice.tax, "The tax"))
    elif invoice.net is not None:
        found.append(exact(invoice.gross, "The total") - exact(invoice.net, "The net total"))
    if all(row.tax is not None for row in rows) or (
        not found and invoice.tax_code is None and not any(row.row.tax_code for row in rows)
    ):
        found.append(sum((row.tax or ZERO for row in rows), ZERO))
    return found

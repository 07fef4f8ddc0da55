"""Money of an invoice: each row's net, the tax, and what is left over. Never a float."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import zip_longest

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, Invoice

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Priced:
    """A coding row with its net amount, signed as on the platform.

    `tax` None: not known by row. `percent` is as stated; `implied` is worked out of the amounts where no percentage
    and no code is stated, None where that cannot be done.
    """

    row: CodingRow
    net: Decimal
    tax: Decimal | None
    percent: Decimal | None
    implied: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """An invoice's rows, and the residue: what its total has more than rows and tax."""

    rows: tuple[Priced, ...]
    residue: Decimal


def cents(value: Decimal, what: str) -> Decimal:
    """Give an amount with two decimals; raises `Rejected` where it has more than that (trailing zeros aside)."""
    try:
        whole = value.quantize(CENT)
    except InvalidOperation as error:
        raise Rejected(f"{what} is {value}, which no ledger can hold. Correct it on the platform.") from error
    if whole != value:
        raise Rejected(
            f"{what} is {value}: SAP Business One keeps two decimals, and an amount is never rounded on the way. "
            "Correct it on the platform."
        )
    return whole


def rounded(value: Decimal) -> Decimal:
    """Round to cents, halves up."""
    return value.quantize(CENT, ROUND_HALF_UP)


def sum_up(invoice: Invoice, tolerance: Decimal, hints: Sequence[Decimal | None] = ()) -> Sums:
    """Price every row and compare with the total. `hints` are the tax percentages of the orders' lines, by row.

    Raises `Rejected` for an invoice that cannot be posted as it is, `Held` where the totals do not agree.
    """
    if not invoice.rows:
        raise Rejected(f"Invoice {invoice.number} has no coding rows; code it on the platform and transfer it again.")
    gross = cents(invoice.gross, "The total")
    hinted = zip_longest(invoice.rows, hints)
    rows = [_price(row, invoice, number, hint) for number, (row, hint) in enumerate(hinted, 1)]
    net = sum((row.net for row in rows), ZERO)
    residues = [gross - net - tax for tax in _taxes(rows, invoice)]
    residue = min(residues, key=abs) if residues else ZERO
    if abs(residue) > tolerance:
        raise Held(
            f"conflict:{invoice.key}",
            f"The total of invoice {invoice.number} is {gross} {invoice.currency}, but its rows make "
            f"{gross - residue} with tax. Correct the coding rows or the total on the platform.",
        )
    return Sums(tuple(_implied(row, gross - residue - net, net) for row in rows), residue)


def _price(row: CodingRow, invoice: Invoice, number: int, hint: Decimal | None) -> Priced:
    name = f"row {number}"
    net = None if row.net is None else cents(row.net, f"The net amount of {name}")
    gross = None if row.gross is None else cents(row.gross, f"The gross amount of {name}")
    tax = None if row.tax is None else cents(row.tax, f"The tax of {name}")
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
    if tax is None and hint is not None and not _says_tax(row, invoice):
        tax = rounded(net * hint / HUNDRED)
    return Priced(row, net, tax, percent)


def _says_tax(row: CodingRow, invoice: Invoice) -> bool:
    return any(told is not None for told in (row.tax_code, invoice.tax_code, invoice.tax, invoice.net))


def _implied(row: Priced, tax: Decimal, net: Decimal) -> Priced:
    """Work a percentage out of the row's own tax, or of the invoice's where the rows state none."""
    if row.percent is not None or row.row.tax_code is not None:
        return row
    own = (row.tax, row.net) if row.tax is not None else (tax, net)
    return replace(row, implied=percentage(*own))


def percentage(tax: Decimal, net: Decimal) -> Decimal | None:
    """Give the roundest percentage that makes `tax` of `net`; None where there is none with two decimals."""
    for places in ("1", "0.1", "0.01") if net else ():
        percent = (tax * HUNDRED / net).quantize(Decimal(places), ROUND_HALF_UP)
        if rounded(net * percent / HUNDRED) == tax:
            return percent
    return None


def _included(gross: Decimal, percent: Decimal) -> Decimal:
    return gross - rounded(gross * HUNDRED / (HUNDRED + percent))


def _taxes(rows: Sequence[Priced], invoice: Invoice) -> list[Decimal]:
    """List what the tax may be: as stated, by rows, by percentage. None of them known: no check is possible."""
    found: list[Decimal] = []
    if invoice.tax is not None:
        found.append(cents(invoice.tax, "The tax"))
    elif invoice.net is not None:
        found.append(invoice.gross - cents(invoice.net, "The net total"))
    if all(row.tax is not None for row in rows):
        found.append(sum((row.tax or ZERO for row in rows), ZERO))
        if all(row.percent is not None for row in rows):
            found.append(_by_percent(rows))
    elif not found and not any(row.row.tax_code for row in rows) and invoice.tax_code is None:
        found.append(sum((row.tax or ZERO for row in rows), ZERO))
    return found


def _by_percent(rows: Sequence[Priced]) -> Decimal:
    """Round once for each percentage, as the ledger does."""
    bases: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        bases[row.percent or ZERO] += row.net
    return sum((rounded(base * percent / HUNDRED) for percent, base in bases.items()), ZERO)


def split(total: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount out in proportion; the last one takes what rounding leaves."""
    whole = sum(shares, Decimal(0))
    parts = [rounded(total * share / whole) for share in shares[:-1]]
    return [*parts, total - sum(parts, ZERO)]


def unit_price(net: Decimal, quantity: Decimal) -> tuple[Decimal, bool]:
    """Give the price that makes `net`, and whether it does so with two decimals, which every company keeps.

    At most six decimals, SAP's most; then the total must be sent beside it.
    """
    price = (net / quantity).quantize(CENT, ROUND_HALF_UP)
    if price * quantity == net:
        return price, True
    return (net / quantity).quantize(Decimal("0.000001"), ROUND_HALF_UP).normalize(), False

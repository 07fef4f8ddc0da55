"""Whether the figures that an invoice states agree with each other: net, tax and gross, in its head and in its rows.

Where they do not, nothing tells which of them was approved. So nothing is posted, and a person is told the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.money import HUNDRED

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Claim:
    """Two figures that should be one, each with what it is. `slack`: what rounding may make of it more than once."""

    one: str
    first: Decimal
    other: str
    second: Decimal
    slack: Decimal = ZERO


def agree(invoice: Invoice, unit: Decimal, tolerance: Decimal) -> None:
    """Raise `Held` where two stated figures are further apart than `tolerance`; what is not stated agrees."""
    currency = invoice.currency
    for claim in (*_of_head(invoice), *_of_rows(invoice), *_of_sums(invoice, unit)):
        apart = claim.first - claim.second
        if abs(apart) > tolerance + claim.slack:
            raise Held(
                f"conflict:{invoice.key}",
                f"In invoice {invoice.number} {claim.one} ({claim.first} {currency}) differs from {claim.other} "
                f"({claim.second} {currency}) by {abs(apart)} {currency}. Correct the invoice and transfer it again.",
            )


def _of_head(invoice: Invoice) -> Iterator[Claim]:
    tax, percent = _tax_of_head(invoice), invoice.tax_percent
    if tax is None:
        return
    net = invoice.gross - tax if invoice.net is None else invoice.net
    yield Claim("the total", invoice.gross, "its net total and its tax", net + tax)
    rows_tell = any(row.tax_percent is not None or row.tax_code is not None for row in invoice.rows)
    if percent is not None and tax and not rows_tell:
        yield Claim("the tax", tax, f"{percent}% of the net total", _share(net, percent))


def _of_rows(invoice: Invoice) -> Iterator[Claim]:
    for number, row in enumerate(invoice.rows, 1):
        if row.net is not None and row.gross is not None and row.tax is not None:
            yield Claim(
                f"the gross amount of coding row {number}", row.gross, "its net amount and its tax", row.net + row.tax
            )
        net, tax = _net(row), tax_told(row)
        if row.tax_percent is not None and net is not None and tax:  # none is charged: the tax is reversed
            yield Claim(
                f"the tax of coding row {number}",
                tax,
                f"{row.tax_percent}% of its net amount",
                _share(net, row.tax_percent),
            )


def _of_sums(invoice: Invoice, unit: Decimal) -> Iterator[Claim]:
    """Compare the head with what its rows make together; a row that does not tell is no ground for doubt."""
    tax = _tax_of_head(invoice)
    nets, reckoned = _reckoned([_net(row) for row in invoice.rows], invoice, net=True)
    if invoice.net is not None and nets is not None:
        yield Claim("the net total", invoice.net, "its coding rows", nets, reckoned * unit)
    if all(row.gross is not None for row in invoice.rows):
        grosses = sum((row.gross or ZERO for row in invoice.rows), ZERO)
        yield Claim("the total", invoice.gross, "the gross amounts of its coding rows", grosses)
    taxes, reckoned = _reckoned([tax_told(row) for row in invoice.rows], invoice, net=False)
    charged = tax != 0 or any(tax_told(row) for row in invoice.rows)
    if tax is not None and taxes is not None and charged:
        yield Claim("the tax", tax, "the taxes of its coding rows", taxes, reckoned * unit)


def _reckoned(told: Sequence[Decimal | None], invoice: Invoice, *, net: bool) -> tuple[Decimal | None, int]:
    """Add up what the rows tell, and what follows from their percentages; with how many of the latter there are."""
    total, reckoned = ZERO, 0
    for stated, row in zip(told, invoice.rows, strict=True):
        value = stated
        percent = row.tax_percent
        if percent is None and row.tax_code is None:
            percent = invoice.tax_percent
        if value is None and percent is not None and _tax_of_head(invoice) != 0:
            value, reckoned = _by_percent(row, percent, net=net), reckoned + 1
        if value is None:
            return None, 0
        total += value
    return total, reckoned


def _by_percent(row: CodingRow, percent: Decimal, *, net: bool) -> Decimal | None:
    if row.net is not None:
        return row.net if net else _share(row.net, percent)
    if row.gross is None:
        return None
    own = row.gross * HUNDRED / (HUNDRED + percent)
    return own if net else row.gross - own


def _share(net: Decimal, percent: Decimal) -> Decimal:
    return net * percent / HUNDRED


def _tax_of_head(invoice: Invoice) -> Decimal | None:
    if invoice.tax is not None:
        return invoice.tax
    return invoice.gross - invoice.net if invoice.net is not None else None


def _net(row: CodingRow) -> Decimal | None:
    if row.net is None and row.gross is not None and row.tax is not None:
        return row.gross - row.tax
    return row.net


def tax_told(row: CodingRow) -> Decimal | None:
    """Give the tax that a row states, or that its net and gross amounts leave; None where it tells neither."""
    if row.tax is None and row.gross is not None and row.net is not None:
        return row.gross - row.net
    return row.tax

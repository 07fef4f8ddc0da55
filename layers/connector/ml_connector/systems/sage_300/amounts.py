"""An invoice that adds up to the smallest amount, as Sage 300 demands it (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from ml_connector.records import Invoice
from ml_connector.systems.kit import totals
from ml_connector.systems.kit.money import Money

LEDGER = "Sage 300"


@dataclass(frozen=True, slots=True)
class Sums(totals.Sums):
    """An invoice that adds up: gross = the rows' nets + tax. `residue` is what rounding had left, now on `taker`."""

    taker: int | None


def sum_up(invoice: Invoice, tolerance: Decimal) -> Sums:
    """Price every row, find the tax, and put a residue within `tolerance` on the largest row.

    The Web API tells no decimals of a currency, so ISO 4217 has the word. Raises `Rejected` for an invoice that cannot
    be posted as it is, `Held` where its totals do not agree.
    """
    sums = totals.sum_up(invoice, Money.of(invoice.currency, LEDGER), tolerance)
    if sums.residue == 0:
        return Sums(sums.rows, sums.gross, sums.tax, sums.residue, None)
    rows = list(sums.rows)
    taker = max(range(len(rows)), key=lambda n: abs(rows[n].net))
    rows[taker] = replace(rows[taker], net=rows[taker].net + sums.residue)
    return Sums(tuple(rows), sums.gross, sums.tax, sums.residue, taker)

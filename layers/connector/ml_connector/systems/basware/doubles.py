"""Figures that Basware keeps as doubles (`contracts/basware.md` appendix A), without what only the binary adds."""

from __future__ import annotations

from decimal import Decimal

from ml_connector import currencies

FINE = Decimal("0.000001")
"""The finest quantity or percentage that a ledger keeps."""
DOUBLE = 15
"""Significant digits that every double keeps; what it shows beyond them is not what anybody entered."""
NEAR = Decimal("0.0001")
"""How near to a whole number of units a figure must be, in units, for the rest of it to be representation."""
MOST_DIGITS = 19
"""Digits before the point beyond which nothing is rounded: no ledger takes such a figure."""


def money(value: Decimal, currency: str | None) -> Decimal:
    """Give an amount as it was entered: 107.10 for 107.10000000000001. Real decimals, such as 10.125, stay."""
    return _entered(value, currencies.unit(currency))


def figure(value: Decimal) -> Decimal:
    """Give a quantity or a percentage as it was entered: 19 for 18.999999999999996."""
    return _entered(value, FINE)


def _entered(value: Decimal, unit: Decimal) -> Decimal:
    if not value.is_finite() or len(value.as_tuple().digits) <= DOUBLE or value.adjusted() >= MOST_DIGITS:
        return value
    whole = value.quantize(unit)
    if abs(whole - value) > unit * NEAR:
        return value
    return whole if whole else abs(whole)

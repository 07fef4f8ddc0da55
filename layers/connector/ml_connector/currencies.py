"""Currencies of ISO 4217: which codes there are, and the smallest amount of each.

A number of decimals that an ERP states itself goes before the standard's; that is for its adapter to find out.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

CENT = Decimal("0.01")
"""The unit of most currencies, and of a code that is none of the standard's."""


@lru_cache(512)
def decimals(currency: str) -> int | None:
    """Tell how many decimals a currency has; None for a code that is no currency, or one without a unit (gold)."""
    from iso4217 import Currency  # noqa: PLC0415 - it reads its table: not before an amount needs it

    try:
        places: int | None = Currency(currency.strip().upper()).exponent
    except ValueError:
        return None
    return places


@lru_cache(512)
def is_currency(code: str) -> bool:
    """Tell whether a code is one of the standard's, as the standard writes it: in capitals."""
    from iso4217 import Currency  # noqa: PLC0415 - as above

    return code in {one.code for one in Currency}


def unit_of(places: int | None) -> Decimal:
    """Give the smallest amount with so many decimals: 0 makes 1, 3 makes 0.001. None: a cent."""
    return CENT if places is None else Decimal(1).scaleb(-places)


def unit(currency: str | None) -> Decimal:
    """Give the smallest amount of a currency by the standard: 1 for JPY, 0.01 for EUR, 0.001 for KWD."""
    return unit_of(decimals(currency)) if currency else CENT


def scaled(tolerance: Decimal, smallest: Decimal) -> Decimal:
    """Say a tolerance that is meant for cents in another unit: 0.05 is 5 of the smallest, so 5 JPY and 0.005 KWD."""
    return tolerance * (smallest / CENT)

"""Shares and prices of document lines, and what SAP Business One makes of their tax (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from ml_connector.systems.kit.money import Money

LEDGER = "SAP Business One"
PRICE = Decimal("0.01")
"""Every company keeps prices with two decimals at least."""
FINEST_PRICE = Decimal("0.000001")


def split(total: Decimal, shares: Sequence[Decimal], money: Money) -> list[Decimal]:
    """Share an amount out in proportion; the last one takes what rounding leaves."""
    whole = sum(shares, Decimal(0))
    parts = [money.rounded(total * share / whole) for share in shares[:-1]]
    return [*parts, total - sum(parts, money.zero)]


def unit_price(net: Decimal, quantity: Decimal) -> tuple[Decimal, bool]:
    """Give the price that makes `net`, and whether it does so with two decimals, which every company keeps.

    At most six decimals, SAP's most; then the total must be sent beside it.
    """
    price = (net / quantity).quantize(PRICE, ROUND_HALF_UP)
    if price * quantity == net:
        return price, True
    return (net / quantity).quantize(FINEST_PRICE, ROUND_HALF_UP).normalize(), False

"""Amounts of one currency in one ledger: how many decimals there are, and how what has more is rounded or refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from ml_connector import currencies
from ml_connector.errors import Rejected

HUNDRED = Decimal(100)
MOST_DIGITS = 19
"""Digits before the point: no ledger holds more, and up to here sums and percentages are exact."""


@dataclass(frozen=True, slots=True)
class Money:
    """The amounts of a currency. `unit` is the smallest one (0.01), `ledger` the system's name for messages."""

    currency: str
    unit: Decimal
    ledger: str

    @classmethod
    def of(cls, currency: str, ledger: str, decimals: int | None = None) -> Money:
        """Take the decimals that the ledger itself states, else those of ISO 4217."""
        unit = currencies.unit(currency) if decimals is None else currencies.unit_of(decimals)
        return cls(currency, unit, ledger)

    @property
    def zero(self) -> Decimal:
        """Nothing, with the currency's decimals."""
        return Decimal(0).quantize(self.unit)

    def rounded(self, value: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
        """Round to the smallest amount, halves up."""
        return value.quantize(self.unit, rounding)

    def exact(self, value: Decimal, what: str) -> Decimal:
        """Give an amount with the currency's decimals; raises `Rejected` where it has more (trailing zeros aside).

        `what` names the field and the document: "The total of invoice 4711".
        """
        try:
            whole = value.quantize(self.unit)
        except InvalidOperation as error:
            raise Rejected(f"{what} is {value}, which no ledger can hold. Correct it and transfer it again.") from error
        if whole.adjusted() >= MOST_DIGITS:
            raise Rejected(f"{what} is {value}, which no ledger can hold. Correct it and transfer it again.")
        if whole != value:
            raise Rejected(
                f"{what} is {value} {self.currency}: {self.ledger} keeps {self._decimals()} of {self.currency}, and an "
                "amount is never rounded here. Correct it and transfer it again."
            )
        return whole

    def tolerance(self, option: Decimal) -> Decimal:
        """Give the tenant's `rounding_tolerance`, which is said in cents, in this currency."""
        return currencies.scaled(option, self.unit)

    def _decimals(self) -> str:
        places = max(0, -int(self.unit.as_tuple().exponent))
        return {0: "no decimals", 1: "one decimal", 2: "two decimals", 3: "three decimals"}.get(
            places, f"{places} decimals"
        )


def percentage(value: Decimal, what: str) -> Decimal:
    """Give a tax percentage; raises `Rejected` for one that is none: negative, over 100, or no number."""
    if not (value.is_finite() and 0 <= value <= HUNDRED):
        raise Rejected(f"{what} is {value}, which is not a tax rate (0 to 100). Correct it and transfer it again.")
    return value


@contextmanager
def reckoned(what: str) -> Iterator[None]:
    """Take a figure that cannot be reckoned with for a fault of the document: raises `Rejected` that names it.

    Each field is checked where it is read. What combines to more than a number can hold is caught here.
    """
    try:
        yield
    except ArithmeticError as error:
        raise Rejected(
            f"{what} has amounts, quantities or percentages that cannot be calculated with "
            f"({type(error).__name__}). Correct them and transfer it again."
        ) from error

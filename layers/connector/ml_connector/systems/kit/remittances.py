"""What a payment applies to each invoice: told net, in one part or several, by the invoice's number or our own key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from ml_connector.errors import Held
from ml_connector.records import Payment

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Part:
    """One remittance as it comes: number and key of its invoice, and amounts as far as they are told."""

    number: str | None
    own: str | None
    net: Decimal | None = None
    gross: Decimal | None = None
    discount: Decimal | None = None

    def whole(self, amount: Decimal | None) -> Part:
        """Take a payment's amount for its only part, where that tells none."""
        return replace(self, net=amount) if self.net is None and self.gross is None else self


@dataclass(frozen=True, slots=True)
class Applied:
    """What a payment applies to one invoice, all its parts together. `discount` was kept back beside `net`."""

    number: str
    own: str | None
    net: Decimal
    discount: Decimal | None

    @property
    def name(self) -> str:
        """Name the invoice among those of the payment: by its number, else by our key."""
        return self.number or self.own or ""


def summed(parts: Iterable[Part]) -> list[Applied]:
    """Add up the parts by invoice. Raises `ValueError` where one does not say what it applies to which invoice."""
    made: dict[str, Applied] = {}
    for part in parts:
        net = part.net if part.net is not None or part.gross is None else part.gross - (part.discount or ZERO)
        if net is None or not (part.number or part.own):
            raise ValueError("it does not say what it applies to which invoice")
        discount = part.gross - net if part.gross is not None else part.discount or ZERO
        one = Applied(part.number or "", part.own, net, discount or None)
        if (before := made.get(one.name)) is not None:
            both = (discount + (before.discount or ZERO)) or None
            one = Applied(one.number, one.own or before.own, net + before.net, both)
        made[one.name] = one
    return list(made.values())


def decided(record: Payment) -> Payment:
    """Give a payment whose state is known: paid, or not paid any more. Raises `Held` for any other word.

    To be asked once it is known to be of one of our invoices: other people's payments are nobody's trouble.
    """
    if record.state is None:
        raise Held(
            f"lookup:{record.key}",
            f"Payment {record.number} ({record.amount} {record.currency}, invoice {record.invoice_number}) is "
            f"'{record.said}', a state that nobody has mapped, so it does not count as paid. Map the word in "
            "'profile.payment_states' of the secret, and it resumes automatically.",
        )
    return record

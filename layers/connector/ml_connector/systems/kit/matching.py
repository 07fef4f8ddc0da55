"""Coding rows matched with what was received: for an ERP that wants to be told which receipts are invoiced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from ml_connector.errors import Held
from ml_connector.records import CodingRow
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.rows import plain
from ml_connector.systems.kit.totals import PricedRow

T = TypeVar("T")


@dataclass(slots=True)
class OpenReceipt(Generic[T]):
    """A receipt on an order, or a return: `left` is what of its value is not invoiced yet. `what` is the vendor's.

    `taken` is what the rows of an invoice take of it.
    """

    what: T
    line: str
    number: str
    left: Decimal
    taken: Decimal = Decimal(0)

    def serves(self, row: CodingRow) -> bool:
        """Tell whether a coding row may be for it: the row names no other line and no other receipt."""
        line, number = (row.order_line or "").strip(), (row.receipt_number or "").strip()
        mine = not line or plain(line) == plain(self.line.strip())
        return mine and (not number or number.lstrip("0") == self.number.strip().lstrip("0"))


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """Some value of a receipt that is invoiced; `whole`: all that was left of it."""

    what: T
    value: Decimal
    whole: bool


Received = Callable[[str], Sequence[OpenReceipt[T]]]
"""Reads the open receipts of an order."""


def match(draft: Draft, rows: Sequence[PricedRow], received: Received[T]) -> list[Match[T]]:
    """Match each row that names an order with its open receipts, in their order, as far as they go.

    Each receipt is given once, for all rows that take of it: an order line may be coded to several accounts.
    Raises `Held` where an order has none that the row may be for.
    """
    known = dict[str, Sequence[OpenReceipt[T]]]()
    for row in rows:
        order, left = (row.row.order_number or "").strip(), row.net
        if not order:
            continue
        if order not in known:
            known[order] = received(order)
        fit = [one for one in known[order] if (one.left - one.taken) * left > 0 and one.serves(row.row)]
        if not fit:
            raise Held(
                f"order:{order}",
                f"{draft.title} has nothing received on order {order} that coding row {row.row.key} of invoice "
                f"{draft.invoice.number} could be matched with. Enter the receipt there, or correct the order "
                "reference of the invoice.",
            )
        for one in fit:
            value = min(one.left - one.taken, left, key=abs)
            one.taken, left = one.taken + value, left - value
    receipts = (one for some in known.values() for one in some)
    return [Match(one.what, one.taken, one.taken == one.left) for one in receipts if one.taken]

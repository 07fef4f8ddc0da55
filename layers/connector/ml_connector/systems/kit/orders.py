"""What the purchase orders of all ERPs share: three phases of a pass, and receipts and returns around the orders.

A receipt or a return lives elsewhere and may not move its order's stamp: so after the changed orders come the orders
of changed receipts and returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

import msgspec

from ml_connector.flow import Page
from ml_connector.records import PurchaseOrder, Receipt
from ml_connector.systems.kit.paging import once

Phase = Literal["orders", "receipts", "returns"]
PHASES: tuple[Phase, ...] = ("orders", "receipts", "returns")
EARLY = timedelta(days=90)
"""How long before its order's day a receipt is looked for: an order is often entered after the goods came."""
Reading = Callable[[Phase, str | None, set[str]], Iterable[Page[PurchaseOrder]]]
"""Reads one phase: its name, the place in it, and the orders that the pass gave already."""


def in_phases(read: Reading, since: str | None, position: str | None) -> Iterator[Page[PurchaseOrder]]:
    """Read the orders of one pass, phase after phase. A position is the phase and the place in it.

    Without `since` there is nothing but orders to read. An order is given once, although it, a receipt and a return of
    it may all have changed: what comes between is found by the next reading, which begins a day earlier.
    """
    begin, _, place = (position or "orders|").partition("|")
    phases = [phase for phase in PHASES if since or phase == "orders"]
    phases = [phase for phase in phases if begin not in phases or phases.index(phase) >= phases.index(begin)]
    given: set[str] = set()
    for phase, following in zip(phases, [*phases[1:], None], strict=True):
        for page in read(phase, place or None, given):
            behind = f"{following}|" if following else None
            yield replace(once(page, given), position=f"{phase}|{page.position}" if page.position else behind)
        place = ""


def earliest(days: Iterable[date | None]) -> date | None:
    """Give the first day on which receipts of orders of these days are looked for; None where one has no day."""
    known = list(days)
    first = min((day for day in known if day), default=None)
    if first is None or None in known:
        return None
    return first - min(EARLY, first - date.min)


def sent_back(receipt: Receipt, reverses: str | None) -> Receipt:
    """Make a return of what it is about: negative, naming the receipt that it takes back."""
    net = None if receipt.net is None else -abs(receipt.net)
    return msgspec.structs.replace(receipt, quantity=-abs(receipt.quantity), net=net, reverses=reverses)

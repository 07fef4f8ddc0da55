"""What the purchase orders of all ERPs share: three phases of a pass, and receipts and returns around the orders.

A receipt or a return lives elsewhere and may not move its order's stamp: so after the changed orders come the orders
of changed receipts and returns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from ml_connector.flow import Broken, Page
from ml_connector.records import PurchaseOrder, Receipt
from ml_connector.systems.kit.paging import once, only_asked_for, without_known
from ml_connector.systems.kit.rows import Batch, Spoiled, raw_of

W = TypeVar("W")
T = TypeVar("T")

Phase = Literal["orders", "receipts", "returns"]
PHASES: tuple[Phase, ...] = ("orders", "receipts", "returns")
EARLY = timedelta(days=90)
"""How long before its order's day a receipt is looked for: an order is often entered after the goods came."""
Reading = Callable[[Phase, str | None, set[str]], Iterable[Page[PurchaseOrder]]]
"""Reads one phase: its name, the place in it, and the orders that the pass gave already."""


class Purchasing(Protocol[W]):
    """One ERP's purchase orders, in its own words and calls."""

    def changed(self, phase: Phase, since: str | None, place: str | None) -> Iterable[Batch[W]]:
        """Read what changed of a phase since a day, from a place on; without a day, the orders to begin with."""

    def long_closed(self, row: W) -> bool:
        """Tell whether an order is left out at the first reading: nothing more is expected on it."""

    def orders_named_by(self, phase: Phase, rows: Sequence[W]) -> set[str]:
        """Name the orders that receipts or returns are about."""

    def by_keys(self, keys: Sequence[str]) -> Iterable[Batch[W]]:
        """Read these very orders, or more."""

    def convert(self, rows: Sequence[W], broken: list[Broken]) -> list[PurchaseOrder]:
        """Convert orders with what was received on them; what cannot be read goes into `broken`."""

    def stamp(self, row: W) -> str | None:
        """Tell the day of a row's last change."""


class OrderSource(Generic[W]):
    """The source of purchase orders. At first the open ones, then whatever changed."""

    def __init__(self, purchasing: Purchasing[W]) -> None:
        self._purchasing = purchasing

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[PurchaseOrder]]:
        """Read orders since the day `since`, and each once, whatever led to it."""
        return in_phases(partial(self._phase, since), since, position)

    def reread(self, keys: Sequence[str]) -> Iterator[Page[PurchaseOrder]]:
        """Read these very orders with lines and receipts; what is gone is left out.

        For orders whose closing or receiving moved no stamp. The pages have neither position nor stamp: what is read
        so says nothing about what else changed.
        """
        wanted = list(dict.fromkeys(keys))
        pages = (self._page(batch, batch.rows, batch.broken) for batch in self._purchasing.by_keys(wanted))
        return only_asked_for(pages if wanted else (), wanted)

    def _phase(
        self, since: str | None, phase: Phase, place: str | None, given: set[str]
    ) -> Iterator[Page[PurchaseOrder]]:
        for batch in self._purchasing.changed(phase, since, place):
            if phase == "orders":
                rows = [row for row in batch.rows if since or not self._purchasing.long_closed(row)]
                yield self._page(batch, rows, batch.broken)
                continue
            broken = [apart(phase, bad) for bad in batch.spoiled]
            named = self._purchasing.orders_named_by(phase, batch.rows)
            yield self._page(batch, self._named(sorted(without_known(named, given)), broken), broken)

    def _named(self, keys: Sequence[str], broken: list[Broken]) -> list[W]:
        """Read the orders of receipts or returns; one that nobody asked for is left out."""
        wanted, rows = set(keys), list[W]()
        for batch in self._purchasing.by_keys(keys) if keys else ():
            broken += [bad for bad in batch.broken if bad.key in wanted]
            rows += [row for row, key in zip(batch.rows, batch.row_keys, strict=True) if key in wanted]
        return rows

    def _page(self, batch: Batch[W], rows: Sequence[W], broken: list[Broken]) -> Page[PurchaseOrder]:
        """Convert orders; place and stamp are those of the batch that led to them."""
        stamps = [stamp for row in batch.rows if (stamp := self._purchasing.stamp(row))]
        return Page(self._purchasing.convert(rows, broken), broken, batch.position, max(stamps, default=None))


def apart(phase: Phase, bad: Spoiled) -> Broken:
    """Name a receipt or return that does not parse, apart from the orders' keys."""
    return Broken(f"{phase[:-1]}~{bad.key}", bad.reason, bad.raw)


def each(
    orders: Iterable[T],
    convert: Callable[[T], PurchaseOrder],
    broken: list[Broken],
    *,
    key: Callable[[T], str],
    row: Callable[[T], object] = lambda order: order,
) -> list[PurchaseOrder]:
    """Convert orders; one that cannot be costs only itself, and is shown by its `row`."""
    records = []
    for order in orders:
        try:
            records.append(convert(order))
        except (ValueError, ArithmeticError) as error:
            broken.append(Broken(key(order), str(error), raw_of(row(order))))
    return records


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


LineKey = tuple[str, str]
"""An order's key, and its line's."""


class ReceiptBook:
    """What was received and sent back on the lines of some orders, by (order, line)."""

    def __init__(self) -> None:
        """Begin with no orders."""
        self._lines: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self._entries: dict[LineKey, list[Receipt]] = defaultdict(list)
        self._taken: dict[str, tuple[LineKey, Receipt]] = {}

    def enter(self, order: str, line: str, **names: str | None) -> None:
        """Enter a line of an order, and what else receipts call it, such as its item; lines may share such a name."""
        for kind, name in {"key": line, **names}.items():
            if name:
                self._lines[order, kind, name].append(line)

    def called(self, order: str, kind: str, name: str | None) -> list[str]:
        """List the lines of an order that go by a name."""
        return self._lines.get((order, kind, name), []) if name else []

    def take(self, line: LineKey, receipt: Receipt) -> None:
        """Enter what was received on a line. A receipt of nothing is none."""
        if receipt.quantity or receipt.net:
            self._entries[line].append(receipt)
            self._taken[receipt.key] = line, receipt

    def taken(self, receipt: str | None) -> LineKey | None:
        """Find the line that a receipt is on, by its key."""
        return self._taken[receipt][0] if receipt in self._taken else None

    def received(self, number: str | None, line: LineKey | None = None) -> tuple[LineKey, Receipt] | None:
        """Find the first receipt of a number (None: of any), on a line (None: on any)."""
        return next(
            ((on, one) for on, one in self._taken.values() if number in {None, one.number} and line in {None, on}),
            None,
        )

    def give_back(self, returned: Receipt, receipt: str | None, line: LineKey | None = None) -> None:
        """Enter what was sent back, negative, naming the receipt that it takes back, on whose line it is, or on `line`.

        What is on no line of these orders is left out.
        """
        line = line or self.taken(receipt)
        if line is not None and (returned.quantity or returned.net):
            net = None if returned.net is None else -abs(returned.net)
            self._entries[line].append(
                msgspec.structs.replace(returned, quantity=-abs(returned.quantity), net=net, reverses=receipt)
            )

    def enter_all(self, entries: Iterable[tuple[LineKey, Receipt]]) -> None:
        """Enter what was received, and what was sent back: negative, naming the receipt of its number on its line."""
        for line, one in sorted(entries, key=lambda entry: entry[1].quantity < 0):
            if one.quantity >= 0:
                self.take(line, one)
            else:
                taken = self.received(one.number, line)
                self.give_back(one, taken[1].key if taken else None, line)

    def of(self, order: str, line: str) -> tuple[Receipt, ...]:
        """Give the receipts and returns of a line."""
        return tuple(self._entries.get((order, line), ()))

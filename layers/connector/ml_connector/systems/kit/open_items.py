"""Open items: what of a posted document is still to be paid, as the ERP's own ledger of partners says it.

Whether a document is paid is no flag of the document: its items say it. What was entered and not posted yet counts as
paid, provisionally. An item that is closed without any payment was taken back, or set off against another: not paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from ml_connector.systems.kit.conditions import in_lists
from ml_connector.systems.kit.declared import Entity, Reader, Record
from ml_connector.systems.kit.rows import all_rows
from ml_connector.systems.kit.values import ZERO, amount, day, text

State = Literal["open", "part", "paid", "closed", "none"]


@dataclass(frozen=True)
class ItemColumns:
    """What the fields of an item are called; `closed_by` is the value of `closed` that says so."""

    number: str
    partner: str
    currency: str
    company: str
    due: str
    amount: str
    paid: str
    entered: str
    closed: str
    closed_by: str


@dataclass(frozen=True, slots=True)
class Open:
    """The items of one document, added up: `paid` is posted, `entered` is not posted yet."""

    rows: Sequence[Record] = ()
    amount: Decimal = ZERO
    paid: Decimal = ZERO
    entered: Decimal = ZERO
    closed: bool = False
    due: date | None = None

    @property
    def provisional(self) -> Decimal:
        """What is paid, posted or not."""
        return self.paid + self.entered

    @property
    def left(self) -> Decimal:
        """What nothing has been paid of."""
        return ZERO if self.closed else max(ZERO, self.amount - self.provisional)

    @property
    def state(self) -> State:
        """Tell how the document stands."""
        if not self.rows:
            return "none"
        if self.closed:
            return "paid" if self.provisional else "closed"
        return "open" if not self.provisional else "paid" if not self.left else "part"


class OpenItems:
    """Reads the items of documents."""

    def __init__(self, reader: Reader, entity: Entity, columns: ItemColumns, vendor: str) -> None:
        self._reader, self.entity, self.columns, self._vendor = reader, entity, columns, vendor

    def of(self, partners: Mapping[str, Iterable[str]]) -> dict[str, Open]:
        """Give the items of documents by their number, each with the partners that they may stand on.

        Another type of document may have the same number, of another partner.
        """
        it, found = self.columns, dict[str, list[Record]]()
        for some in in_lists(partners, lambda one: len(one) + 10):
            for row in all_rows(
                self._reader.pages(self.entity, [(it.number, "in", some)], None), self._vendor, "items"
            ):
                number, partner = text(row, it.number) or "", text(row, it.partner)
                if partner is None or partner in partners.get(number, ()):
                    found.setdefault(number, []).append(row)
        return {number: self._summed(found.get(number, ())) for number in partners}

    def standing(self) -> Iterator[list[str]]:
        """Name the documents that have an open item, page by page."""
        it = self.columns
        for batch in self._reader.pages(self.entity, [(it.closed, "ne", int(it.closed_by))], None):
            yield list(dict.fromkeys(number for row in batch.rows if (number := text(row, it.number))))

    def _summed(self, rows: Sequence[Record]) -> Open:
        it = self.columns
        dues = [due for row in rows if (due := day(row, it.due)) is not None]
        closed = bool(rows) and all(text(row, it.closed) == it.closed_by for row in rows)
        total, paid, entered = (
            sum((amount(row, name) or ZERO for row in rows), ZERO) for name in (it.amount, it.paid, it.entered)
        )
        return Open(rows, total, paid, entered, closed, min(dues, default=None))

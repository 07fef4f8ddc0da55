"""AP documents as they stand in Sage 300, in batches or posted, and how one is found (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.errors import Transient
from ml_connector.flow import Found
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.names import ZERO, amount, text, whole
from ml_connector.systems.sage_300.open_batches import OpenBatches, Row, entries_of, name_of
from ml_connector.systems.sage_300.paging import Query

POSTED = "AP/APPostedDocuments"
MARK = "ml-connector "
"""Begins the description of a batch of ours; our own key of the invoice follows."""
GONE = "posted"
"""Stands for the batch in the id of a document whose batch the server does not tell."""


@contextmanager
def readable() -> Iterator[None]:
    """Say that a document cannot be read where a number or a list in it is none."""
    try:
        yield
    except (ValueError, ArithmeticError) as error:
        raise Transient(f"Sage 300 shows a document that cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Entry:
    """One document: its batch where that is known, and its row."""

    batch: Row | None
    row: Row

    def found(self, *, ours: bool = False) -> Found:
        """Say it in the engine's words: the id is `batch:entry`, the number the batch's."""
        number, entry = whole(self.batch or self.row, "batch"), whole(self.row, "entry") or "1"
        if number is None:
            name = f"{text(self.row, 'vendor')}~{text(self.row, 'document')}"
            return Found(f"{GONE}:{name}", str(text(self.row, "document")), self.total(), self._currency(), ours=ours)
        return Found(f"{number}:{entry}", number, self.total(), self._currency(), ours=ours)

    def total(self) -> Decimal | None:
        """Give the total; that of a credit note is negative, as on the platform."""
        with readable():
            total = amount(self.row, "total")
        return total if total is None or not self.credit else -abs(total)

    @property
    def credit(self) -> bool:
        """Tell a credit note; invoices, debit notes and interest all add to what is owed."""
        return _word(text(self.row, "kind")) == "creditnote" or (amount(self.row, "total") or ZERO) < 0

    def _currency(self) -> str | None:
        return text(self.row, "currency")


class Documents:
    """Finds documents of one company."""

    def __init__(self, api: WebApi) -> None:
        self._api, self._open = api, OpenBatches(api)

    @readable()
    def find(self, vendor: str, number: str, own: str, *, credit: bool) -> list[Found]:
        """Find a document by our own key, among unposted batches, and among posted documents."""
        found: dict[str, Found] = {}
        batches = self._open.holding((vendor, number.strip().casefold()), own)
        for entry in self.entries(batches, vendor, number, own):
            if entry.credit == credit:
                one = entry.found(ours=text(entry.batch or {}, "description") == own)
                found.setdefault(one.id, one)
        for row in self.posted(vendor, number):
            one = Entry(None, row).found()
            known = one.id in found or (one.id.startswith(GONE) and found)
            if not known and Entry(None, row).credit == credit:
                found[one.id] = one
        return list(found.values())

    def entries(self, batches: Iterable[Row], vendor: str, number: str, own: str = "") -> Iterator[Entry]:
        """Give the document's entries in batches; posted ones count by their description, else among the posted."""
        for batch in batches:
            status = status_of(batch)
            if status == "deleted" or (status == "posted" and text(batch, "description") != own):
                continue
            for row in entries_of(batch):
                if _same(row, vendor, number):
                    yield Entry(batch, row)

    def posted(self, vendor: str, number: str) -> Iterator[Row]:
        """Read posted documents. Numbers are kept in capitals, so both spellings are asked for.

        None on a server that does not offer them: then Sage 300 itself refuses what is there already.
        """
        for spelling in dict.fromkeys((number, number.upper())):
            by_number = f"DocumentNumber eq {self._api.text(spelling)}"
            wheres = (f"{by_number} and VendorNumber eq {self._api.text(vendor)}", by_number)
            query: Query[Row] = Query(POSTED, None, _posted_name, *wheres)
            yield from (row for row in self._api.rows(query, needed=False) if _same(row, vendor, number))


def _posted_name(row: Row) -> str:
    return f"{text(row, 'vendor')}~{text(row, 'document')}~{whole(row, 'entry')}"


def status_of(batch: Row) -> str:
    """Give a batch's status as one word in small letters, such as `readytopost`."""
    return _word(text(batch, "batch_status"))


def _word(value: str | None) -> str:
    return "".join(c for c in (value or "").lower() if c.isalnum())


def _same(row: Row, vendor: str, number: str) -> bool:
    return name_of(row) == (vendor, number.strip().casefold())

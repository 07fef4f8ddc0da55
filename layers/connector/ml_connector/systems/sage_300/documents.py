"""AP documents as they stand in Sage 300, in batches or posted, and how one is found (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from ml_connector.errors import Transient
from ml_connector.flow import Found
from ml_connector.folding import fold, same, spellings
from ml_connector.systems.kit.invoices import KINDS
from ml_connector.systems.kit.odata import any_of
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.kit.rows import day_of
from ml_connector.systems.kit.values import ZERO, amount, children, text, whole
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.faults import NotOffered
from ml_connector.systems.sage_300.query import Query

Row = dict[str, Any]
Name = tuple[str, str]
"""A vendor and a document number, as they are compared."""
BATCHES = "AP/APInvoiceBatches"
UNPOSTED = "BatchStatus eq 'Open' or BatchStatus eq 'ReadyToPost'"
LASTS = timedelta(minutes=5)
"""Somebody may add an entry to an old batch: after this time all are read again. Sage 300 refuses duplicates too."""


def batches_query(where: str = "") -> Query[Row]:
    """Invoice batches with their entries, which come inline."""
    return Query(BATCHES, None, lambda row: str(whole(row, "BatchNumber")), where)


def name_of(row: Mapping[str, Any]) -> Name:
    """Name the document of a row."""
    return named(text(row, "VendorNumber") or "", text(row, "DocumentNumber") or "")


def named(vendor: str, document: str) -> Name:
    """Name a document as it is compared; Sage 300 keeps numbers in capitals."""
    return fold(vendor), fold(document)


def entries_of(batch: Row) -> list[Row]:
    """Give a batch's entries; raises `Transient` where they cannot be read."""
    try:
        return children(batch, "Invoices")
    except ValueError as error:
        raise Transient(
            f"Sage 300 shows batch {whole(batch, 'BatchNumber')} in a way that cannot be read: {error}"
        ) from error


class OpenBatches:
    """The unposted batches of one company, for a connection's life."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._held: dict[Name, set[str]] = {}
        self._highest = 0
        self._read_at: datetime | None = None

    def holding(self, name: Name, own: str) -> list[Row]:
        """Give the batches that hold a document or have our description, as they are now."""
        found = self._read(name, own)
        for number in sorted(self._held.get(name, set()) - found.keys()):
            batch = self._api.get(BATCHES, f"({number})")
            if batch is not None:
                found[number] = batch
        return list(found.values())

    def _read(self, name: Name, own: str) -> dict[str, Row]:
        """Read all of them, or those that came since, and remember who is in which."""
        began = self._api.now()
        anew = self._read_at is None or not self._highest or began - self._read_at >= LASTS
        held, highest = ({}, 0) if anew else (self._held, self._highest)
        found: dict[str, Row] = {}
        for batch in self._api.rows(batches_query(_where(self._api.text(own), 0 if anew else highest))):
            number = whole(batch, "BatchNumber") or ""
            names = {name_of(row) for row in entries_of(batch)}
            for one in names:
                held.setdefault(one, set()).add(number)
            if name in names or text(batch, "Description") == own:
                found[number] = batch
            highest = max(highest, row_number(number) or 0)
        self._held, self._highest = held, highest
        self._read_at = began if anew else self._read_at
        return found


def _where(own: str, above: int) -> str:
    """Ask for our own batch whatever its status, and for unposted ones: all, or those with a number above."""
    return f"Description eq {own} or {f'BatchNumber gt {above}' if above else UNPOSTED}"


POSTED = "AP/APPostedDocuments"
MARK = "ml-connector "
"""Begins the description of a batch of ours; our own key of the invoice follows."""
MOST_RECENT = 1000
GONE = "posted"
"""Stands for the batch in the id of a document whose batch the server does not tell."""
OTHER_KINDS = {"debitnote": "debit note", "interest": "interest"}
_NUMBERED = re.compile(r"(\d{1,18})(?:[:/-](\d{1,9}))?(?: \(.*\))?", re.ASCII | re.DOTALL)
_LABEL = re.compile(r"\d+ \(([^~]*)~(.*)\)", re.DOTALL)


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
        number, entry = whole(self.batch or self.row, "BatchNumber"), whole(self.row, "EntryNumber") or "1"
        vendor, document = text(self.row, "VendorNumber"), text(self.row, "DocumentNumber")
        return Found(
            f"{GONE}:{vendor}~{document}" if number is None else f"{number}:{entry}",
            str(document) if number is None else number,
            self.total(),
            text(self.row, "CurrencyCode"),
            ours=ours,
            dated=_day(self.row, "DocumentDate"),
            posted_on=_day(self.row, "PostingDate"),
            partner=vendor,
            reference=document,
            kind=self.kind,
        )

    def total(self) -> Decimal | None:
        """Give the total; that of a credit note is negative, as on the platform."""
        with readable():
            total = amount(self.row, "DocumentTotalIncludingTax")
        return total if total is None or not self.credit else -abs(total)

    @property
    def credit(self) -> bool:
        """Tell a credit note; invoices, debit notes and interest all add to what is owed."""
        return (
            _word(text(self.row, "DocumentType")) == "creditnote"
            or (amount(self.row, "DocumentTotalIncludingTax") or ZERO) < 0
        )

    @property
    def kind(self) -> str:
        """Name the kind as people do; a debit note and interest are owed as an invoice is, and are none."""
        return OTHER_KINDS.get(_word(text(self.row, "DocumentType")), KINDS[self.credit])


@dataclass(frozen=True, slots=True)
class Case:
    """An entry as it was taken: its batch as it is now, and its row where the batch still shows it."""

    number: str
    entry: str
    batch: Row | None
    row: Row | None
    label: str = ""
    known: tuple[str, str] | None = None
    """Vendor and document number as they were sent, where that is told."""

    @property
    def settled(self) -> bool:
        """Tell whether nothing is left to do with the entry: it was posted or deleted, or is not there any more."""
        return self.row is None or status_of(self.batch or {}) in {"posted", "deleted"}

    @property
    def removed(self) -> bool:
        """Tell whether Sage 300 says that there is no such batch, or shows it unposted without the entry."""
        return self.batch is None or (self.row is None and status_of(self.batch) in {"open", "readytopost"})

    @property
    def name(self) -> tuple[str, str] | None:
        """Give vendor and document number; None where nothing tells them."""
        vendor, document = text(self.row or {}, "VendorNumber"), text(self.row or {}, "DocumentNumber")
        return (vendor, document) if vendor and document else self.known or carried(self.label)

    @property
    def document(self) -> str:
        """Name the document for a person and for what it waits for."""
        return self.name[1] if self.name else f"{self.number}:{self.entry}"

    @property
    def errors(self) -> int | None:
        """Tell how many entries the posting of the batch refused."""
        return errors_of(self.batch or {})

    @property
    def shown(self) -> Entry:
        """Give the entry as the batch shows it."""
        return Entry(self.batch, self.row or {})


def cancelled(case: Case) -> Found:
    """Give a document that never was posted, and whose batch or entry somebody deleted."""
    vendor, document = case.name or (None, None)
    return Found(f"{case.number}:{case.entry}", case.number, state="cancelled", partner=vendor, reference=document)


class Documents:
    """Finds documents of one company."""

    def __init__(self, api: WebApi, *, post: bool = False) -> None:
        """`post`: batches are posted too, and then an entry may leave its batch (`label`)."""
        self._api, self._open, self._post = api, OpenBatches(api), post

    @readable()
    def find(
        self,
        vendor: str,
        number: str,
        own: str,
        *,
        credit: bool,
        stands: Callable[[Found], bool],
        dated: date | None = None,
    ) -> list[Found]:
        """Find a document by our own key, whatever else its entry says, among unposted batches, and among posted ones.

        A batch of ours that was posted shows what it held also where its entry was changed by hand. `stands` tells
        whether a document counts whose posting may have failed. `dated`: the document's date, by which posted ones are
        found whose number was typed in another spelling.
        """
        found: dict[str, Found] = {}
        batches = self._open.holding(named(vendor, number), own)
        entries = list(self.entries(batches, vendor, number, own))
        for batch in batches:
            if status_of(batch) == "posted" and text(batch, "Description") == own and errors_of(batch) != 0:
                failed = self._of_failed(batch, entries, vendor, number)
                if stands(failed):
                    return [failed]
                entries = [one for one in entries if one.batch is not batch]
        for entry in entries:
            ours = text(entry.batch or {}, "Description") == own
            if entry.credit == credit or ours:
                one = entry.found(ours=ours)
                if status_of(entry.batch or {}) != "posted":
                    one = replace(one, number=self.label(one.number, vendor, number))
                found.setdefault(one.id, one)
        for row in self.posted(vendor, number, dated=dated) or ():
            one = Entry(None, row).found()
            known = one.id in found or (one.id.startswith(GONE) and found)
            if not known and Entry(None, row).credit == credit:
                found[one.id] = one
        return list(found.values())

    @readable()
    def numbered(self, number: str, vendor: str, *, credit: bool) -> list[Found]:
        """Find a vendor's documents in a batch that people call by its number, `109`, or with its entry, `109:1`."""
        match = _NUMBERED.fullmatch(number.strip())
        if match is None:
            return []
        batch = self._api.get(BATCHES, f"({int(match[1])})")
        if batch is None or status_of(batch) == "deleted":
            return []
        entries = [Entry(batch, row) for row in entries_of(batch) if same(text(row, "VendorNumber"), vendor)]
        wanted = [one for one in entries if match[2] is None or (whole(one.row, "EntryNumber") or "1") == match[2]]
        return [one.found() for one in wanted if one.credit == credit]

    def case(self, number: str, entry: str, found: Found) -> Case:
        """Read a batch and an entry of it as they are now."""
        batch = self._api.get(BATCHES, f"({number})")
        rows = entries_of(batch) if batch is not None else []
        row = next((r for r in rows if (whole(r, "EntryNumber") or "1") == entry), None)
        known = (found.partner, found.reference) if found.partner and found.reference else None
        return Case(number, entry, batch, row, found.number, known)

    def unposted_of_ours(self) -> list[Found]:
        """List unposted batches that carry our mark, their description as `reference`."""
        batches = islice(self._api.rows(batches_query(UNPOSTED)), MOST_RECENT)
        marked = ((whole(batch, "BatchNumber"), text(batch, "Description") or "") for batch in batches)
        return [
            Found(f"{number}:1", number, reference=said) for number, said in marked if number and said.startswith(MARK)
        ]

    def _of_failed(self, batch: Row, entries: list[Entry], vendor: str, number: str) -> Found:
        """Give our batch alone where its posting may have failed: what stands elsewhere is what was moved from it."""
        mine = next((one for one in entries if one.batch is batch), None)
        shown = mine or next(iter(entries), Entry(batch, {}))
        entry = (whole(mine.row, "EntryNumber") if mine else None) or "1"
        name = str(whole(batch, "BatchNumber"))
        return Found(
            f"{name}:{entry}",
            self.label(name, vendor, number),
            shown.total(),
            text(shown.row, "CurrencyCode"),
            ours=True,
            partner=text(shown.row, "VendorNumber"),
            reference=text(shown.row, "DocumentNumber"),
        )

    def label(self, batch: str, vendor: str, document: str) -> str:
        """Name a batch that is yet to be posted, and whose document it holds: the posting may move the entry away.

        `carried` reads it. The number is all that is handed back to `read` besides batch and entry.
        """
        return f"{batch} ({vendor}~{document})" if self._post else batch

    def entries(self, batches: Iterable[Row], vendor: str, number: str, own: str = "") -> Iterator[Entry]:
        """Give the document's entries in batches; posted ones count by their description, else among the posted.

        A batch with our own key as its description is ours, whatever its entry says by now.
        """
        for batch in batches:
            status, ours = status_of(batch), bool(own) and text(batch, "Description") == own
            if status == "deleted" or (status == "posted" and not ours):
                continue
            rows = entries_of(batch)
            alike = [row for row in rows if _same(row, vendor, number)]
            yield from (Entry(batch, row) for row in alike or (rows if ours else ()))

    def posted(self, vendor: str, number: str, *, anew: bool = False, dated: date | None = None) -> list[Row] | None:
        """Read posted documents. Filters compare exactly, so several spellings are asked for, and whatever of the
        vendor has the same date, of which there is little; they are compared here.

        None on a server that does not offer them. `anew`: also where a whole list was read a moment ago.
        """
        found: dict[str, Row] = {}
        try:
            for where in self._alike(vendor, number, dated):
                for row in self._api.keyed.either(_posted_query(where), anew=anew):
                    if _same(row, vendor, number):
                        found[f"{_posted_name(row)}~{whole(row, 'BatchNumber')}"] = row
        except NotOffered as error:
            self._api.left_out(POSTED, error)
            return None
        return list(found.values())

    def _alike(self, vendor: str, number: str, dated: date | None) -> Iterator[str]:
        """Ask for all that may be the document; without parentheses, which are not documented."""
        literal = self._api.text
        days = [f"DocumentDate eq {self._api.day(dated)}"] if dated else []
        said = [*(f"DocumentNumber eq {literal(one)}" for one in _asked(number)), *days]
        return any_of(f"VendorNumber eq {literal(one)} and {other}" for one in _asked(vendor) for other in said)


def carried(number: str) -> tuple[str, str] | None:
    """Read vendor and document out of what `label` wrote; None where there is nothing of it."""
    match = _LABEL.fullmatch(number)
    return (match[1], match[2]) if match else None


def _posted_query(where: str) -> Query[Row]:
    return Query(POSTED, None, _posted_name, where)


def _posted_name(row: Row) -> str:
    return f"{text(row, 'VendorNumber')}~{text(row, 'DocumentNumber')}~{whole(row, 'EntryNumber')}"


def errors_of(batch: Row) -> int | None:
    """Tell how many entries of a batch the posting refused; None where the server does not say."""
    told = whole(batch, "NumberOfErrors")
    return row_number(told) if told else None


def status_of(batch: Row) -> str:
    """Give a batch's status as one word in small letters, such as `readytopost`."""
    return _word(text(batch, "BatchStatus"))


def _day(row: Row, field: str) -> date | None:
    """Read a date that only compares or informs: one that is none keeps no document from being found."""
    try:
        return day_of(row.get(field))
    except ValueError:
        return None


def _word(value: str | None) -> str:
    return "".join(c for c in (value or "").lower() if c.isalnum())


def _asked(number: str) -> Iterator[str]:
    """Give the spellings that a number may be kept in: as it came, and in capitals, which Sage 300 makes of it."""
    for spelling in spellings(number):
        if spelling == number or spelling == spelling.upper():
            yield spelling


def _same(row: Row, vendor: str, number: str) -> bool:
    return name_of(row) == named(vendor, number)

"""Whether an entry was posted: Sage 300 calls a batch Posted also where the posting refused entries of it.

Those are moved, or copied, into an error batch that a person must mend and post. So a posted batch proves nothing by
itself: the posted document does, and where a server does not offer those, a posting without errors
(`docs/vendors/sage_300.md`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ml_connector.errors import Held, Misconfigured
from ml_connector.flow import Found
from ml_connector.systems.kit.faults import held_on
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.sage_300.entries import Documents, Entry, carried, errors_of, status_of
from ml_connector.systems.sage_300.names import children, plain, text, whole
from ml_connector.systems.sage_300.open_batches import Row, batches_query, entries_of, name_of, named
from ml_connector.systems.sage_300.paging import Query
from ml_connector.systems.sage_300.refusals import MENDS, kind_of_text

log = logging.getLogger("ml_connector")


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


class Postings(Documents):
    """Confirms postings of one company."""

    def confirm(self, case: Case) -> Found:
        """Give a document as it is posted, or cancelled where its batch or entry was deleted before.

        Raises `Held` where it is not posted, or where nothing shows that it is.
        """
        complaints = None
        if status_of(case.batch or {}) == "deleted":
            return cancelled(case)
        if case.name is None:
            complaints = self.complaints(case)
            case = _named_by(case, complaints or [])
        if case.name is None:
            raise _lost(case)
        vendor, document = case.name
        posted = self.posted(vendor, document)
        if posted == []:
            posted = self.posted(vendor, document, anew=True)
        row = _of_case(case, posted or [])
        copy = self._copy(case) if row is None or (case.row is None and whole(row, "BatchNumber") is None) else None
        if row is not None:
            return _as_posted(case, row, copy)
        complaints = self.complaints(case) if complaints is None else complaints
        if copy is not None:
            return self._moved(case, copy, complaints)
        if complaints or case.errors:
            raise stuck(case, joined(complaints or ()))
        if case.removed and (posted is not None or not self._post):
            return cancelled(case)
        if case.batch is None or case.row is None:
            raise _lost(case)
        if posted is not None:
            raise _not_shown(case, posted)
        if case.errors == 0 or complaints is not None:
            return case.shown.found()
        return self._unknown(case)

    def _moved(self, case: Case, copy: Entry, complaints: list[Row] | None) -> Found:
        """Follow an entry into the latest batch that holds it."""
        batch = copy.batch or {}
        number, status = str(whole(batch, "BatchNumber")), status_of(batch)
        if status == "deleted":
            return cancelled(replace(case, number=number))
        if status != "posted":
            raise stuck(replace(case, row=copy.row), joined(complaints or ()), number)
        return self.confirm(Case(number, whole(copy.row, "EntryNumber") or "1", batch, copy.row))

    def _copy(self, case: Case) -> Entry | None:
        """Find the latest batch after this one that holds the document; those that are read were made since."""
        found: tuple[int, Entry] | None = None
        assert case.name is not None
        name = named(*case.name)
        for batch in self._api.rows(batches_query(f"BatchNumber gt {case.number}")):
            number = row_number(str(whole(batch, "BatchNumber"))) or 0
            if number <= int(case.number) or (found is not None and number < found[0]):
                continue
            for row in entries_of(batch):
                if name_of(row) == name:
                    found = number, Entry(batch, row)
        return found[1] if found else None

    def _unknown(self, case: Case) -> Found:
        said = (
            f"Batch {case.number} is posted, but this server shows neither posted documents nor posting errors, so "
            f"nothing tells whether {case.document} was among what it refused."
        )
        if not self._post:
            return replace(case.shown.found(), notes=(said,))
        raise Held(
            f"lookup:{case.document}",
            f"{said} Look there: an error batch is to be mended and posted. Give this user the right to AP posted "
            "documents and posting errors; where the server has none, set 'post_batches' to false, and batches are "
            "handed over ready to post.",
        )

    def complaints(self, case: Case) -> list[Row] | None:
        """Read what a posting complained of an entry; None where that cannot be seen."""
        query: Query[Row] = Query("AP/APPostingErrorMessages", None, _message_name, f"BatchNumber eq {case.number}")
        try:
            return [row for row in self._api.rows(query) if _about(case, row)]
        except Misconfigured as error:
            log.warning("posting errors cannot be read", extra={"batch": case.number, "reason": str(error)})
            return None


def _named_by(case: Case, complaints: list[Row]) -> Case:
    """Take vendor and document from what a posting complained of, where it names them."""
    for row in complaints:
        if text(row, "VendorNumber") and text(row, "DocumentNumber"):
            return replace(case, label=f"{case.number} ({text(row, 'VendorNumber')}~{text(row, 'DocumentNumber')})")
    return case


def _of_case(case: Case, posted: list[Row]) -> Row | None:
    """Find the posted document of an entry. One of an earlier batch is another one, unless nothing was refused."""
    for row in posted:
        told = row_number(whole(row, "BatchNumber") or "")
        same = case.row is None or text(row, "DocumentType") is None or Entry(None, row).credit == case.shown.credit
        if same and (told is None or told >= int(case.number) or case.errors == 0):
            return row
    return None


def _as_posted(case: Case, row: Row, copy: Entry | None) -> Found:
    if case.row is not None and whole(row, "BatchNumber") in {None, case.number}:
        return case.shown.found()
    if whole(row, "BatchNumber") is None:
        return Entry(copy.batch if copy is not None else {"BatchNumber": case.number}, row).found()
    return Entry(None, row).found()


def _about(case: Case, row: Row) -> bool:
    batch, posting = whole(row, "BatchNumber"), whole(row, "PostingSequenceNumber")
    ours = text(case.batch or {}, "PostingSequenceNumber")
    if posting and ours and plain(ours) != "0":
        mine = posting == plain(ours) and batch in {None, case.number}
    else:
        mine = batch == case.number
    vendor, document = name_of(row)
    if mine and vendor and document and case.name is not None:
        return (vendor, document) == named(*case.name)
    return mine and whole(row, "EntryNumber") in {None, case.entry}


def _message_name(row: Row) -> str:
    return "~".join(str(row[name]) for name in sorted(row) if not isinstance(row[name], (list, dict)))


def joined(complaints: Iterable[Row]) -> str:
    """Give the texts of complaints, each once."""
    told = dict.fromkeys(one for row in complaints if (one := text(row, "ErrorMessage")))
    return " ".join(one if one.endswith((".", "!", "?")) else f"{one}." for one in told)


def stuck(case: Case, why: str, now_in: str | None = None) -> Held:
    """Hold on what a posting complained of; the entry stands, so it is mended there and goes on by itself."""
    said = f"Batch {case.number} was entered but not posted by Sage 300: {why or _reason(case)}"
    if now_in is not None:
        said += f" It stands in batch {now_in} now: post that there once the cause is mended."
    row = case.row or {}
    lookup = {f"supplier={text(row, 'VendorNumber')}": str(text(row, "VendorNumber"))} | {
        f"account={text(line, 'GLAccount')}": str(text(line, "GLAccount")) for line in children(row, "InvoiceDetails")
    }
    month = str(text(row, "PostingDate") or "")[:7]
    kind = kind_of_text(why, lookup) if why else None
    held = held_on(kind, MENDS.get(kind or ""), said, why, lookup, month)
    return held or Held(f"conflict:{case.document}", f"{said} Mend it there; then it goes on by itself.")


def _reason(case: Case) -> str:
    return f"it refused {case.errors} of its entries." if case.errors else "it refused the entry."


def _lost(case: Case) -> Held:
    """Hold an entry that its batch does not show any more."""
    what = f"document {case.name[1]} of vendor {case.name[0]}" if case.name else f"entry {case.entry}"
    goes_on = (
        "Once it is posted there, it goes on by itself."
        if case.name
        else "Nothing tells which document that was, so its source must be answered by hand."
    )
    return Held(
        f"lookup:{case.document}",
        f"Sage 300 took {what} into batch {case.number}, and shows it neither there nor in a later batch nor among "
        f"posted documents. Look whether a posting moved it into an error batch, or somebody removed it. {goes_on}",
    )


def _not_shown(case: Case, posted: list[Row]) -> Held:
    """Wait for a posted document to appear; where another one has its number, that must be judged."""
    if posted:
        other = f"{text(posted[0], 'DocumentType') or 'document'} of batch {whole(posted[0], 'BatchNumber')}"
        return Held(
            f"conflict:{case.document}",
            f"Batch {case.number} is posted, but what Sage 300 has posted as {case.document} of this vendor is another "
            f"one, the {other}. Is it the same invoice twice? Remove one of them there.",
        )
    return Held(
        f"lookup:{case.document}",
        f"Batch {case.number} is posted, but Sage 300 does not show {case.document} among the posted documents. It is "
        "looked at again within minutes; if it stays so, look there for an error batch with it, and post that.",
        soon=True,
    )


def cancelled(case: Case) -> Found:
    """Give a document that never was posted, and whose batch or entry somebody deleted."""
    vendor, document = case.name or (None, None)
    return Found(f"{case.number}:{case.entry}", case.number, state="cancelled", partner=vendor, reference=document)

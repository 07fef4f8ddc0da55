"""What follows once a batch was entered: set ready to post, posted, confirmed, read back (`docs/vendors/sage_300.md`).

A batch of ours is known by its description. Creating it is one step, setting it ready to post and posting it are
others; each is done only where it is not done yet, so that whoever comes back after a crash finishes.

Sage 300 calls a batch Posted also where the posting refused entries of it. Those are moved, or copied, into an error
batch that a person must fix and post. So a posted batch proves nothing by itself: the posted document does, and where
a server does not offer those, a posting without errors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Transient
from ml_connector.flow import Found
from ml_connector.systems.kit.faults import held_on
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.kit.rows import plain
from ml_connector.systems.kit.values import ZERO, amount, children, text, whole
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.documents import (
    BATCHES,
    GONE,
    MARK,
    Case,
    Documents,
    Entry,
    Row,
    batches_query,
    cancelled,
    entries_of,
    name_of,
    named,
    readable,
    status_of,
)
from ml_connector.systems.sage_300.faults import MENDS, NO_RIGHT, Fault, kind_of_text
from ml_connector.systems.sage_300.query import Query

Check = Callable[[Found], None] | None
log = logging.getLogger("ml_connector")
STAYS_OPEN = (
    "This server does not let a batch be set ready to post (that came with Sage 300 2021), so batches stay open: set "
    "them ready there."
)


class Posting:
    """The invoice batches of one company. With `post` they are posted too, and not only set ready."""

    def __init__(self, api: WebApi, documents: Documents, *, post: bool) -> None:
        self._api, self._documents, self._post = api, documents, post

    # ── finishing ───────────────────────────────────────────────────────────────────────────────────────────

    @readable()
    def read(self, found: Found) -> Found:
        """Read a document back, after finishing its batch where that is ours.

        Raises `Held` where a person must see to the batch, `Transient` where it is not through yet.
        """
        number, _, entry = found.id.partition(":")
        if number == GONE:
            return self._gone(entry)
        if row_number(number) is None:
            raise Transient(f"Sage 300 shows the document in a batch of no number ({number}).")
        case = self._documents.case(number, entry, found)
        if case.settled:
            return self.confirm(case)
        if not (text(case.batch or {}, "Description") or "").startswith(MARK):
            return replace(case.shown.found(), notes=(_left_to_others(case),))
        refusal = self._finish(case, found)
        case = self._documents.case(number, entry, found)
        if case.settled:
            return self.confirm(case)
        if status_of(case.batch or {}) == "open":
            return replace(case.shown.found(), notes=(f"{STAYS_OPEN} {refusal or ''}".strip(),))
        if self._post:
            raise self._not_through(case)
        said = f"Batch {number} is ready to post, and not posted: that is left to people in Sage 300."
        return replace(case.shown.found(), notes=(said,))

    @readable()
    def stands(self, found: Found) -> bool:
        """Tell whether a document counts: not where its batch or entry was deleted and nothing of it was posted."""
        number, _, entry = found.id.partition(":")
        if row_number(number) is None:
            return True
        case = self._documents.case(number, entry, found)
        try:
            return not case.settled or self.confirm(case).state != "cancelled"
        except Held:
            return True

    def _gone(self, name: str) -> Found:
        """Read a document whose batch the server does not tell."""
        vendor, _, document = name.partition("~")
        row = next(iter(self._documents.posted(vendor, document) or ()), None)
        if row is None:
            raise Transient(f"Sage 300 does not show the document {document} any more.")
        return Entry(None, row).found()

    def _not_through(self, case: Case) -> Held | Transient:
        """Tell why a batch is not posted although its posting was asked for: no answer says so."""
        told = joined(self.complaints(case) or ())
        if told:
            return stuck(case, told)
        return Transient(f"Batch {case.number} is not posted yet in Sage 300; it is checked again soon.")

    def _finish(self, case: Case, found: Found) -> str | None:
        """Do what is left to do; give the server's words where it does not let a batch be set ready.

        Anybody may change an open batch, so it is compared right before each step with what was sent.
        """
        number, status = case.number, status_of(case.batch or {})
        if status == "open":
            _approved(case, found.check)
            _must_balance(number, case.shown)
            fault = self._api.change(BATCHES, f"({number})", {"BatchNumber": int(number), "BatchStatus": "ReadyToPost"})
            if fault is not None:
                self._not_ready(number, fault)
                return f"Its response: {fault}."
            if self._post:
                case = self._documents.case(number, case.entry, found)
                if case.row is None or status_of(case.batch or {}) not in {"open", "readytopost"}:
                    return None
        elif status != "readytopost":
            raise Transient(f"Batch {number} is being worked on in Sage 300 ({text(case.batch or {}, 'BatchStatus')}).")
        if self._post:
            _approved(case, found.check)
            self._post_it(case)
        return None

    def _not_ready(self, number: str, fault: Fault) -> None:
        _in_the_way(
            fault,
            number,
            "Sage 300 took it, but does not let this user set it ready to post",
            "Give its security group the right to change AP invoice batches.",
        )
        log.info("batch stays open", extra={"batch": number, "reason": f"{STAYS_OPEN} {fault}"})

    def _post_it(self, case: Case) -> None:
        """Post. What became of it must be read: a failure does not show in the answer."""
        number = int(case.number)
        body = {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": number, "ToBatch": number}
        try:
            fault = self._api.process("AP/APPostInvoices", body)
        except OutcomeUnknown as error:
            raise Transient(f"The posting of batch {number} was not confirmed; it is checked again. {error}") from error
        if fault is not None:
            self._not_posted(case, fault)

    def _not_posted(self, case: Case, fault: Fault) -> None:
        _in_the_way(
            fault,
            case.number,
            "It is ready, but this user may not post it",
            "Give its security group the right to post AP invoices, or take 'post_batches' out of the secret.",
        )
        raise stuck(case, str(fault))

    # ── confirming ──────────────────────────────────────────────────────────────────────────────────────────

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
        posted = self._documents.posted(vendor, document)
        if posted == []:
            posted = self._documents.posted(vendor, document, anew=True)
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
            f"{said} Look there: an error batch is to be corrected and posted. Give this user the right to AP posted "
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
    """Hold on what a posting complained of; the entry stands, so it is fixed there and resumes automatically."""
    said = f"Batch {case.number} was entered but not posted by Sage 300: {why or _reason(case)}"
    if now_in is not None:
        said += f" It stands in batch {now_in} now: post that there once the cause is fixed."
    row = case.row or {}
    lookup = {f"supplier={text(row, 'VendorNumber')}": str(text(row, "VendorNumber"))} | {
        f"account={text(line, 'GLAccount')}": str(text(line, "GLAccount")) for line in children(row, "InvoiceDetails")
    }
    month = str(text(row, "PostingDate") or "")[:7]
    kind = kind_of_text(why, lookup) if why else None
    held = held_on(kind, MENDS.get(kind or ""), said, why, lookup, month)
    return held or Held(f"conflict:{case.document}", f"{said} Correct it there; then it resumes automatically.")


def _reason(case: Case) -> str:
    return f"it refused {case.errors} of its entries." if case.errors else "it refused the entry."


def _lost(case: Case) -> Held:
    """Hold an entry that its batch does not show any more."""
    what = f"document {case.name[1]} of vendor {case.name[0]}" if case.name else f"entry {case.entry}"
    goes_on = (
        "Once it is posted there, it resumes automatically."
        if case.name
        else "Nothing tells which document that was, so the invoice must be marked as transferred by hand."
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
        "checked again within minutes; if it stays so, look there for an error batch with it, and post that.",
        soon=True,
    )


def _approved(case: Case, check: Check) -> None:
    """Raise `Held` where a batch holds anything else by now than what was sent."""
    if check is not None:
        check(case.shown.found())
    others = [row for row in entries_of(case.batch or {}) if row is not case.row]
    if others:
        what = ", ".join(f"{text(row, 'DocumentNumber')} of vendor {text(row, 'VendorNumber')}" for row in others)
        raise Held(
            f"conflict:{case.document}",
            f"Somebody added {what} to batch {case.number}, which was made for {case.document} alone. Nothing more is "
            "done with the batch. Move what was added into a batch of its own in Sage 300, then it resumes "
            "automatically; or post the batch there.",
        )


def _left_to_others(case: Case) -> str:
    status = text(case.batch or {}, "BatchStatus")
    return f"Batch {case.number} was not made by us and is {status}: whoever entered it posts it in Sage 300."


def _must_balance(number: str, one: Entry) -> None:
    """Set nothing ready that cannot be posted: the server may have worked out another tax than the invoice's."""
    row = one.row
    total, tax = amount(row, "DocumentTotalIncludingTax"), ZERO
    told = [value for n in range(1, 6) if (value := row.get(f"TaxAmount{n}")) is not None]
    for value in told:
        tax += Decimal(str(value))
    nets = [amount(line, "DistributedAmount") for line in children(row, "InvoiceDetails")]
    if total is None or not told or not nets or None in nets:
        return
    net = sum((value for value in nets if value is not None), ZERO)
    if total not in {net + tax, net}:
        raise Held(
            f"conflict:{text(row, 'DocumentNumber')}",
            f"Batch {number} does not balance in Sage 300: its total is {total}, its lines make {net}, its tax {tax}. "
            "Correct the tax of the entry there and set the batch ready to post.",
        )


def _in_the_way(fault: Fault, number: str, said: str, fix: str) -> None:
    """Raise `Transient` where somebody has the batch open, `Misconfigured` where the user has no right."""
    if fault.locked:
        raise Transient(f"Batch {number} is open on somebody's screen in Sage 300: {fault}.")
    if fault.code == NO_RIGHT:
        raise Misconfigured(f"Batch {number}: {said}: {fault}. {fix}")

"""Invoice batches brought to an end: set ready to post, posted, read back (`docs/vendors/sage_300.md`).

A batch of ours is known by its description. Creating it is one step, setting it ready to post and posting it are
others; each is done only where it is not done yet, so that whoever comes back after a crash finishes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Transient
from ml_connector.flow import Found
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.entries import GONE, MARK, Documents, Entry, readable, status_of
from ml_connector.systems.sage_300.names import ZERO, amount, children, digits, plain, text, whole
from ml_connector.systems.sage_300.open_batches import BATCHES, UNPOSTED, Row, batches_query, entries_of
from ml_connector.systems.sage_300.paging import Query
from ml_connector.systems.sage_300.refusals import about, kind_of_text
from ml_connector.systems.sage_300.replies import NO_RIGHT, Fault

log = logging.getLogger("ml_connector")
STAYS_OPEN = (
    "This server does not let a batch be set ready to post (that came with Sage 300 2021), so batches stay open: set "
    "them ready there."
)


class Batches(Documents):
    """The invoice batches of one company."""

    def __init__(self, api: WebApi, *, post: bool) -> None:
        """`post`: post them too, and do not only set them ready."""
        super().__init__(api)
        self._post = post

    # ── finishing ───────────────────────────────────────────────────────────────────────────────────────────

    @readable()
    def read(self, found: Found) -> Found:
        """Read a document back, after finishing its batch where that is ours.

        Raises `Held` where a person must see to the batch, `Transient` where it is not through yet.
        """
        number, _, entry = found.id.partition(":")
        if number == GONE:
            vendor, _, document = entry.partition("~")
            row = next(self.posted(vendor, document), None)
            if row is None:
                raise Transient(f"Sage 300 does not show the document {document} any more.")
            return Entry(None, row).found()
        if digits(number) is None:
            raise Transient(f"Sage 300 shows the document in a batch of no number ({number}).")
        one = self._entry(number, entry)
        batch = one.batch or {}
        if (text(batch, "description") or "").startswith(MARK) and status_of(batch) != "posted":
            refusal = self._finish(number, one)
            one = self._entry(number, entry)
            if status_of(one.batch or {}) == "open":
                return replace(one.found(), notes=(f"{STAYS_OPEN} {refusal or ''}".strip(),))
        elif status_of(batch) == "deleted":
            raise _deleted(number, one)
        return one.found()

    def _entry(self, number: str, entry: str) -> Entry:
        batch = self._api.get(BATCHES, f"({number})")
        rows = entries_of(batch) if batch is not None else []
        row = next((r for r in rows if (whole(r, "entry") or "1") == entry), None)
        if batch is None or row is None:
            if batch is not None and status_of(batch) == "deleted":
                raise _deleted(number, Entry(batch, {}))
            return self._moved(number, entry, text(batch or {}, "posting"))
        return Entry(batch, row)

    def _moved(self, number: str, entry: str, posting: str | None) -> Entry:
        """Follow an entry that a posting has put into an error batch: somebody may have posted it from there.

        Raises `Held` while nobody has.
        """
        told = [row for row in self._complaints(number, posting) if whole(row, "entry") in {None, entry}]
        vendor, document = (next((t for row in told if (t := text(row, n))), None) for n in ("vendor", "document"))
        if not vendor or not document:
            raise Transient(f"Sage 300 does not show entry {entry} of batch {number}, which it has taken.")
        posted = next(self.posted(vendor, document), None)
        if posted is not None:
            return Entry(None, posted)
        batches = self._api.rows(batches_query(UNPOSTED, ""))
        held = next(iter(self.entries(batches, vendor, document)), Entry(None, {"DocumentNumber": document}))
        raise _stuck(number, held, _joined(told))

    def _finish(self, number: str, one: Entry) -> str | None:
        """Do what is left to do; give the server's words where it does not let a batch be set ready."""
        status = status_of(one.batch or {})
        if status == "deleted":
            raise _deleted(number, one)
        if status == "open":
            _must_balance(number, one)
            fault = self._api.change(BATCHES, f"({number})", {"BatchNumber": int(number), "BatchStatus": "ReadyToPost"})
            if fault is not None:
                self._not_ready(number, fault)
                return f"It said: {fault}."
        elif status != "readytopost":
            raise Transient(f"Batch {number} is being worked on in Sage 300 ({text(one.batch or {}, 'batch_status')}).")
        if self._post:
            self._post_it(number, one)
        return None

    def _not_ready(self, number: str, fault: Fault) -> None:
        if fault.locked:
            raise Transient(f"Batch {number} is open on somebody's screen in Sage 300: {fault}.")
        if fault.code == NO_RIGHT:
            raise Misconfigured(
                f"Sage 300 took batch {number}, but does not let this user set it ready to post: {fault}. Give its "
                "security group the right to change AP invoice batches."
            )
        log.info("batch stays open", extra={"batch": number, "reason": f"{STAYS_OPEN} {fault}"})

    def _post_it(self, number: str, one: Entry) -> None:
        """Post, then look what became of it: a failure does not show in the answer."""
        body = {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": int(number), "ToBatch": int(number)}
        try:
            fault = self._api.process("AP/APPostInvoices", body)
        except OutcomeUnknown as error:
            raise Transient(
                f"The posting of batch {number} was not confirmed; it is looked at again. {error}"
            ) from error
        if fault is not None:
            self._not_posted(number, one, fault)
        after = self._api.get(BATCHES, f"({number})") or {}
        told = _joined(self._complaints(number, text(after, "posting")))
        if status_of(after) == "posted" and (not told or self._is_posted(one)):
            return
        if told:
            raise _stuck(number, one, told)
        if status_of(after) == "posted":
            return  # no message, and it may take the server a moment to show the document
        raise Transient(f"Batch {number} is not posted yet in Sage 300; it is looked at again.")

    def _not_posted(self, number: str, one: Entry, fault: Fault) -> None:
        if fault.locked:
            raise Transient(f"Batch {number} is open on somebody's screen in Sage 300: {fault}.")
        if fault.code == NO_RIGHT:
            raise Misconfigured(
                f"Batch {number} is ready, but this user may not post it: {fault}. Give its security group the right "
                "to post AP invoices, or take 'post_batches' out of the secret."
            )
        raise _stuck(number, one, str(fault))

    def _is_posted(self, one: Entry) -> bool:
        vendor, number = text(one.row, "vendor"), text(one.row, "document")
        return bool(vendor and number and any(True for _ in self.posted(vendor, number)))

    def _complaints(self, number: str, posting: str | None) -> Iterator[Row]:
        """Read what a posting complained of; how these rows are named is inferred, so they are told apart here."""
        wheres = [f"BatchNumber eq {number}", ""]
        query: Query[Row] = Query("AP/APPostingErrorMessages", None, _message_name, *wheres)
        try:
            for row in self._api.rows(query):
                mine = whole(row, "batch") == number or (posting and whole(row, "posting") == plain(posting))
                if mine:
                    yield row
        except Misconfigured as error:
            log.warning("posting errors cannot be read", extra={"batch": number, "reason": str(error)})


def _message_name(row: Row) -> str:
    return "~".join(str(row[name]) for name in sorted(row) if not isinstance(row[name], (list, dict)))


def _joined(complaints: Iterable[Row]) -> str:
    return " ".join(dict.fromkeys(told for row in complaints if (told := text(row, "error_text"))))


def _must_balance(number: str, one: Entry) -> None:
    """Set nothing ready that cannot be posted: the server may have worked out another tax than the invoice's."""
    row = one.row
    total, tax = amount(row, "total"), ZERO
    told = [value for n in range(1, 6) if (value := row.get(f"TaxAmount{n}")) is not None]
    for value in told:
        tax += Decimal(str(value))
    nets = [amount(line, "distributed") for line in children(row, "details")]
    if total is None or not told or not nets or None in nets:
        return
    net = sum((value for value in nets if value is not None), ZERO)
    if total not in {net + tax, net}:
        raise Held(
            f"conflict:{text(row, 'document')}",
            f"Batch {number} does not balance in Sage 300: its total is {total}, its lines make {net}, its tax {tax}. "
            "Correct the tax of the entry there and set the batch ready to post.",
        )


def _stuck(number: str, one: Entry, why: str) -> Held:
    """Hold on what a posting complained of; the batch stands, so it is mended there and goes on by itself."""
    document, now_in = text(one.row, "document") or number, whole(one.batch or {}, "batch")
    moved = now_in not in {None, number}
    where = f" It stands in batch {now_in} now: post that there once the cause is mended." if moved else ""
    said = f"Batch {number} was entered but not posted by Sage 300: {why}{where}"
    lookup = {f"supplier={text(one.row, 'vendor')}": str(text(one.row, "vendor"))} | {
        f"account={text(line, 'account')}": str(text(line, "account")) for line in children(one.row, "details")
    }
    month = str(text(one.row, "entry_date") or "")[:7]
    held = about(kind_of_text(why, lookup), said, why, lookup, month)
    return held or Held(f"conflict:{document}", f"{said} Mend it there; then it goes on by itself.")


def _deleted(number: str, one: Entry) -> Held:
    document = text(one.row, "document") or number
    return Held(
        f"conflict:{document}",
        f"Batch {number} was deleted in Sage 300. Restore it there, or post the document by hand.",
    )

"""Invoice batches brought to an end: set ready to post, posted, read back (`docs/vendors/sage_300.md`).

A batch of ours is known by its description. Creating it is one step, setting it ready to post and posting it are
others; each is done only where it is not done yet, so that whoever comes back after a crash finishes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Transient
from ml_connector.flow import Found
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.sage_300.entries import GONE, MARK, Entry, readable, status_of
from ml_connector.systems.sage_300.names import ZERO, amount, children, text, whole
from ml_connector.systems.sage_300.open_batches import BATCHES, entries_of
from ml_connector.systems.sage_300.postings import Case, Postings, joined, stuck
from ml_connector.systems.sage_300.replies import NO_RIGHT, Fault

Check = Callable[[Found], None] | None
log = logging.getLogger("ml_connector")
STAYS_OPEN = (
    "This server does not let a batch be set ready to post (that came with Sage 300 2021), so batches stay open: set "
    "them ready there."
)


class Batches(Postings):
    """The invoice batches of one company. With `post` they are posted too, and not only set ready."""

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
        case = self._case(number, entry, found)
        if case.settled:
            return self.confirm(case)
        if not (text(case.batch or {}, "Description") or "").startswith(MARK):
            return replace(case.shown.found(), notes=(_left_to_others(case),))
        refusal = self._finish(case, found)
        case = self._case(number, entry, found)
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
        case = self._case(number, entry, found)
        try:
            return not case.settled or self.confirm(case).state != "cancelled"
        except Held:
            return True

    def _gone(self, name: str) -> Found:
        """Read a document whose batch the server does not tell."""
        vendor, _, document = name.partition("~")
        row = next(iter(self.posted(vendor, document) or ()), None)
        if row is None:
            raise Transient(f"Sage 300 does not show the document {document} any more.")
        return Entry(None, row).found()

    def _case(self, number: str, entry: str, found: Found) -> Case:
        """Read a batch and its entry."""
        batch = self._api.get(BATCHES, f"({number})")
        rows = entries_of(batch) if batch is not None else []
        row = next((r for r in rows if (whole(r, "EntryNumber") or "1") == entry), None)
        known = (found.partner, found.reference) if found.partner and found.reference else None
        return Case(number, entry, batch, row, found.number, known)

    def _not_through(self, case: Case) -> Held | Transient:
        """Tell why a batch is not posted although its posting was asked for: no answer says so."""
        told = joined(self.complaints(case) or ())
        if told:
            return stuck(case, told)
        return Transient(f"Batch {case.number} is not posted yet in Sage 300; it is looked at again.")

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
                return f"It said: {fault}."
            if self._post:
                case = self._case(number, case.entry, found)
                if case.row is None or status_of(case.batch or {}) not in {"open", "readytopost"}:
                    return None
        elif status != "readytopost":
            raise Transient(f"Batch {number} is being worked on in Sage 300 ({text(case.batch or {}, 'BatchStatus')}).")
        if self._post:
            _approved(case, found.check)
            self._post_it(case)
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

    def _post_it(self, case: Case) -> None:
        """Post. What became of it must be read: a failure does not show in the answer."""
        number = int(case.number)
        body = {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": number, "ToBatch": number}
        try:
            fault = self._api.process("AP/APPostInvoices", body)
        except OutcomeUnknown as error:
            raise Transient(
                f"The posting of batch {number} was not confirmed; it is looked at again. {error}"
            ) from error
        if fault is not None:
            self._not_posted(case, fault)

    def _not_posted(self, case: Case, fault: Fault) -> None:
        if fault.locked:
            raise Transient(f"Batch {case.number} is open on somebody's screen in Sage 300: {fault}.")
        if fault.code == NO_RIGHT:
            raise Misconfigured(
                f"Batch {case.number} is ready, but this user may not post it: {fault}. Give its security group the "
                "right to post AP invoices, or take 'post_batches' out of the secret."
            )
        raise stuck(case, str(fault))


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
            "done with the batch. Move what was added into a batch of its own in Sage 300, and it goes on by itself; "
            "or post the batch there.",
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

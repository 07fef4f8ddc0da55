"""What a document finds at its target: itself, posted earlier; another one of ours; or one that somebody keyed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ml_connector.engine.answer import Answering
from ml_connector.engine.rows import Row
from ml_connector.errors import Held
from ml_connector.flow import Document, Found, Prepared

REUSED = timedelta(days=180)
"""A document keyed in by hand is another one where its date is as far away: some suppliers number anew each year. Less
is a clerk's date of entry."""
FRESH = frozenset({"", "held", "refused"})
"""Steps at which nothing of ours can be at the target."""


class Finding(Answering):
    """The part of an attempt that looks for the document, and judges what it finds."""

    def _look(self, prepared: Prepared) -> Found | None:
        """Find the document at the target; raises `Held` for what a person must judge."""
        found: Sequence[Found] = self.target.look(prepared)
        holders = self.task.ledger.links([f.id for f in found])
        for one in found:
            if one.state == "draft":
                raise Held(f"approval:{self.key}", f"It awaits approval in the ERP as draft {one.number}.")
        others = [f for f in found if holders.get(f.id, self.key) != self.key and not f.ours]
        mine = [f for f in found if f not in others]
        if len(mine) > 1:
            numbers = ", ".join(f.number for f in mine)
            raise Held(
                f"conflict:{self.key}",
                f"The target holds it {len(mine)} times ({numbers}). Cancel all but one there, then `ml-connector "
                f"replay {self.chunk.tenant} {self.chunk.flow} {self.key}`.",
            )
        if mine:
            return mine[0]
        if others and self.chunk.step in FRESH:
            raise Held(
                f"conflict:{self.key}",
                f"The target already has a document with this partner and number ({_told(others[0])}), made from "
                f"{holders[others[0].id]}. Is it the same invoice twice? Remove one at the platform.",
            )
        if others and self.chunk.step == "unknown":  # nothing was there before we sent, so it may be what we sent
            raise self._collide(others[0], holders[others[0].id])
        return None

    def _collide(self, found: Found, holder: str) -> Held:
        """Remember that what we sent stands there under an id that is linked to another document of ours.

        An ERP restored from a backup gives its ids out again. Forgotten, our own posting would be taken for the
        other's, and sent once more.
        """
        self.chunk.target, self.chunk.code = found.id, found.number
        self.task.progress("collided")
        return self._collided(holder)

    def _collided(self, holder: str) -> Held:
        number = self.chunk.code
        return Held(
            f"conflict:{self.key}",
            f"It is booked in the ERP as {number}, but the id of that is linked to {self._described(holder)}, which "
            "probably no longer exists there: was the ERP restored from a backup, or did its numbers begin anew? "
            f"Nothing is sent again. Look at {number} there: if it is this document, `ml-connector replay "
            f"{self.chunk.tenant} {self.chunk.flow} {self.key}` keeps it; if it is wrong, cancel it there first, and "
            f"the same command posts it anew. Enter there by hand what a restore took away, such as {holder}.",
        )

    def _agree(self, found: Found, prepared: Prepared) -> None:
        """Compare a document that the target has already; raises `Held` where it is not the same."""
        if found.amount is not None and self._apart(found.amount, prepared.amount):
            self._differs(found, f"{found.amount} there, {prepared.amount} here")
        if found.currency and found.currency != prepared.currency:
            self._differs(found, f"{found.currency} there, {prepared.currency} here")
        apart = abs(found.dated - prepared.dated) if found.dated and prepared.dated else timedelta(0)
        if apart > REUSED and not self._sent_by_us(found):
            raise Held(
                f"conflict:{self.key}",
                f"The target has document {found.number} with this partner, number and amount, but dated "
                f"{found.dated}; this one is dated {prepared.dated}. If it is the same invoice, correct the date on "
                f"either side, then `ml-connector replay {self.chunk.tenant} {self.chunk.flow} {self.key}`. If it is "
                "not, the supplier has used the number twice: this one needs another number at the platform, or is "
                "entered by hand.",
            )

    def _sent_by_us(self, found: Found) -> bool:
        """Tell whether a document is or may be what we sent; any other one was keyed in by somebody."""
        if found.ours or self.chunk.step not in FRESH:
            return True
        return self.task.ledger.links([found.id]).get(found.id) == self.key

    def _apart(self, there: Decimal, here: Decimal) -> bool:
        """Tell whether two totals differ by more than taxes are rounded; signs belong to the kind of document."""
        return abs(abs(there) - abs(here)) > self.task.pair.options.rounding_tolerance

    def _differs(self, found: Found, how: str) -> None:
        raise Held(
            f"conflict:{self.key}",
            f"The target has document {found.number} with this partner and number, but not the same: {how}. Correct "
            f"either side, then `ml-connector replay {self.chunk.tenant} {self.chunk.flow} {self.key}`.",
        )

    def _reserve(self, prepared: Prepared) -> None:
        """Let only one of two documents with the same partner and number be posted, also when both come at once.

        The target's own words decide: two codes may mean one partner there, and letters' case may not count.
        """
        if not prepared.natural:
            return
        holder = self.task.ledger.reserve(prepared.natural, self.key)
        if holder != self.key:
            raise Held(
                f"conflict:{self.key}",
                f"{self._described(holder)} has the same partner and number {self.chunk.number or ''}. Is it the same "
                "invoice twice? Remove one at the platform.",
            )

    def _described(self, key: str) -> str:
        """Say of another document of ours what a person needs to compare it with this one."""
        under_way = self.task.ledger.chunk(key)
        if under_way is not None:
            chunk = under_way[0]
            return f"{key} ({chunk.amount or 'amount unknown'} {chunk.currency or ''}".rstrip() + ", on its way)"
        row = self.task.ledger.rows([key]).get(key)
        return f"{key} (posted as {row[0].code})" if row is not None and row[0].code else key

    def _again(self, document: Document[Any], row: Row) -> None:
        """It was delivered before: answer again, never post again."""
        if self.task.pair.shadow:
            self.chunk.shadow = True
            self._finish("delivered")
            return
        self.chunk.target, self.chunk.code = row.target, row.code
        if document.standing in {"offered", "acknowledged"}:
            self._reread(document, row)
            self.chunk.answer_try = max(self.chunk.answer_try, 1)
            if document.standing == "offered":
                self._acknowledge()
            self._answer()
        else:
            self._finish("unchanged", "It was delivered before.")

    def _reread(self, document: Document[Any], row: Row) -> None:
        """Read what was delivered before, and raise `Held` where it is not what is offered now."""
        assert row.target is not None
        holder = self.task.ledger.links([row.target]).get(row.target, self.key)
        if holder != self.key:
            raise Held(
                f"conflict:{self.key}",
                f"It was posted as {row.code}, but its id in the ERP is {holder}'s by now, as after a restore from a "
                "backup. Look for it there. If it is missing, enter it by hand, and mark it as transferred at the "
                "platform.",
            )
        found: Found = self.target.read_back(Found(row.target, row.code or ""))
        self.chunk.code = found.number or self.chunk.code
        self._note(found)
        self._still_stands(found)
        amount = getattr(document.record, "gross", None)
        if amount is not None and found.amount is not None and self._apart(found.amount, amount):
            self._differs(found, f"{found.amount} there, {amount} here")

    def _note(self, found: Found) -> None:
        """Take over what the target tells of its posting: its own day counts, which may be later than was asked for."""
        self.chunk.notes += [note for note in found.notes if note not in self.chunk.notes]
        if found.posted_on is not None:
            self.chunk.posted_on = found.posted_on.isoformat()

    def _still_stands(self, found: Found) -> None:
        if found.state == "cancelled":
            raise Held(
                f"conflict:{self.key}",
                f"It was posted as {found.number}, which has been cancelled in the ERP since. Nothing is posted anew "
                "under its number. Take it back at the platform; if it is to be paid, offer it under another number.",
            )

    def _same_total(self, found: Found) -> None:
        """Compare the total that was posted: an ERP rounds taxes in its own way, by cents and no more."""
        ours = Decimal(self.chunk.amount) if self.chunk.amount else None
        if found.amount is None or ours is None or abs(found.amount) == abs(ours):
            return
        if not self._apart(found.amount, ours):
            note = f"The target's total is {abs(found.amount)}, for {abs(ours)}: it rounds taxes in its own way."
            if note not in self.chunk.notes:
                self.chunk.notes.append(note)
            return
        raise Held(
            f"conflict:{self.key}",
            f"It was posted as {found.number} with a total of {found.amount} instead of {ours}. Correct it in the "
            f"ERP, then `ml-connector replay {self.chunk.tenant} {self.chunk.flow} {self.key}`.",
        )


def _told(found: Found) -> str:
    money = f": {abs(found.amount)} {found.currency or ''}".rstrip() if found.amount is not None else ""
    return found.number + money

"""What was posted, read back: compared with what was sent before anything irrevocable follows, and again after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write import duplicates
from ml_connector.engine.write.case import Case
from ml_connector.engine.write.identity import as_sent, differences
from ml_connector.engine.write.matching import Matcher
from ml_connector.engine.write.responder import Responder
from ml_connector.errors import Held
from ml_connector.flow import Document, Found, Prepared
from ml_connector.folding import same


class ReadBack:
    """Reads back what was posted, now or earlier."""

    def __init__(self, case: Case, matcher: Matcher, responder: Responder) -> None:
        """Work on one document's attempt."""
        self.case, self.attempt, self.chunk = case, case.attempt, case.chunk
        self.matcher, self.responder = matcher, responder

    # ── delivered before ─────────────────────────────────────────────────────────────────────────────────────────

    def again(self, document: Document[Any], row: Row) -> None:
        """It was delivered before: answer again, never post again."""
        if self.attempt.pair.shadow:
            self.chunk.shadow = True
            self.responder.finish("delivered")
            return
        self.chunk.target, self.chunk.code = row.target, row.code
        if document.standing in {"offered", "acknowledged"}:
            self._reread(document, row)
            self.chunk.answer_try = max(self.chunk.answer_try, 1)
            if document.standing == "offered":
                self.responder.acknowledge()
            self.responder.answer()
        elif (found := duplicates.doubles(self.matcher, row, document.record)) is not None:
            self._hold_to(found, row)
        else:
            self.responder.finish("unchanged", "It was delivered before.")

    def _hold_to(self, found: Found, row: Row) -> None:
        """Go on with what stands for a posting that was cancelled after its source had heard of it."""
        if (holder := self.attempt.ledger.link(found.id, self.case.key)) != self.case.key:
            raise self.matcher.collide(found, holder)
        self.chunk.target, self.chunk.code = found.id, found.number
        self.case.look_back()
        told = f"The first was reported to {self.case.source_title}."
        why = f"{row.code} was cancelled; {found.number} stands for it. {told}"
        self.responder.finish("delivered", why)

    def _reread(self, document: Document[Any], row: Row) -> None:
        """Read what was delivered before, and raise `Held` where it is not what is offered now."""
        case = self.case
        assert row.target is not None
        holder = self.attempt.ledger.links([row.target]).get(row.target, case.key)
        if holder != case.key:
            raise Held(
                f"conflict:{case.key}",
                f"It was posted as {row.code}, but its id in {case.target.title} is {holder}'s by now, as after a "
                "restore from a backup. Look for it there. If it is missing, enter it by hand, and mark it as "
                f"transferred in {case.source_title}.",
            )
        wanted = None
        if document.record is not None:
            wanted = case.target.trace(document.record, self.attempt.pair.codes(waits=False))
        found: Found = case.target.read_back(
            replace(
                as_sent(row.target, row.code or "", [wanted] if wanted else []),
                check=lambda there: self.unchanged(there, [wanted] if wanted else ()),
            )
        )
        self.chunk.code = found.number or self.chunk.code
        self.note(found)
        if found.state == "cancelled":
            found = self.instead(found, document.record)
        if wanted is not None:
            self.matcher.check_same(found, wanted)

    def note(self, found: Found) -> None:
        """Take over what the target tells of its posting: its own day counts, which may be later than was asked for."""
        self.chunk.notes += [note for note in found.notes if note not in self.chunk.notes]
        if found.posted_on is not None:
            self.chunk.posted_on = found.posted_on.isoformat()

    def instead(self, gone: Found, record: Any) -> Found:
        """Take over what stands for a posting that was cancelled; raises `Held` where nothing does."""
        case = self.case
        found = duplicates.instead(self.matcher, gone, record)
        if found is None:
            case.conflict(
                f"{case.this()} was posted as {gone.number}, which has been cancelled in {case.target.title} since. "
                f"If it is to be posted again: `{case.resolve} --post`. If another document there stands for it: "
                f"`{case.resolve} --match ERP-NUMBER`. Otherwise take it back in {case.source_title}."
            )
        if (holder := self.attempt.ledger.link(found.id, case.key)) != case.key:
            raise self.matcher.collide(found, holder)
        self.chunk.target, self.chunk.code = found.id, found.number
        case.look_back()
        self.note(found)
        return found

    def same_total(self, found: Found) -> None:
        """Compare the total that was posted: an ERP rounds taxes in its own way, by cents and no more.

        A total that is another one, by so little or by a person's word, is kept: the control totals count it.
        """
        case = self.case
        ours = Decimal(self.chunk.amount) if self.chunk.amount else None
        taken = self.chunk.decision.currency if self.chunk.decision is not None and case.decided("match") else ""
        if taken and found.currency and not same(found.currency, taken):
            case.conflict(
                f"{case.this()} was matched to {case.there(found)}, which is in another currency by now. Correct it "
                f"in {case.target.title}, then {case.replay}; or cancel it there, then `{case.resolve} --post`."
            )
        there = None if ours is None or found.amount is None else abs(found.amount).copy_sign(ours)
        self.chunk.posted_amount = None if there is None or there == ours else str(there)
        if found.amount is None or ours is None or abs(found.amount) == abs(ours) or case.decided("match"):
            return
        if not self.matcher.differs(found.amount, ours):
            title = self.case.target.title
            note = f"{title} rounds taxes in its own way: its total is {abs(found.amount)}, for {abs(ours)}."
            if note not in self.chunk.notes:
                self.chunk.notes.append(note)
            return
        case.conflict(
            f"{case.this()} was posted as {found.number} with a total of {found.amount} instead of {ours}. Correct it "
            f"in {case.target.title}, then {case.replay}; or accept it with {case.match(found.number)}."
        )

    # ── compared with what was sent ──────────────────────────────────────────────────────────────────────────────

    def to_read_back(self) -> Found:
        """Name what was posted, and have it compared with what was sent before the target goes on with it."""
        return replace(
            as_sent(str(self.chunk.target), self.chunk.code or "", self.case.sent),
            since=self.case.since(),
            check=lambda there: self.unchanged(there, self.case.sent or self._wanted()),
        )

    def _wanted(self) -> list[Prepared]:
        """Read again what is wanted of a document that was adopted: then nothing says what was sent."""
        record = self.case.read().record
        codes = self.attempt.pair.codes(waits=False)
        return [] if record is None else [self.case.target.trace(self.case.linked(record), codes)]

    def unchanged(self, found: Found, wanted: Sequence[Prepared] | None = None) -> None:
        """Raise `Held` where what stands there is not what was sent any more, unless a person took it as it is."""
        case = self.case
        if case.decided("match"):
            return
        wanted = case.sent if wanted is None else wanted
        points = [differences(found, one, case.tolerance) for one in wanted]
        if all(points) and (points or found.amount is not None):
            why = "; ".join(points[-1]) if points else f"{case.source_title} does not show it any more"
            case.conflict(
                f"{case.there(found)} was sent for {case.this()}, and is another one by now: {why}. Nothing more is "
                "done with it there. Correct it there, and it resumes automatically. If it is right as it is: "
                f"{case.match(found.number)}. If it is to be posted again, cancel it there, then "
                f"`{case.resolve} --post`."
            )

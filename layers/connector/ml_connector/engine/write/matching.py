"""What a document finds at its target: itself, posted earlier; another one of ours; or one that somebody keyed in.

What we sent is looked for first, as it was sent. Only what agrees in every point with what is wanted now counts as
delivered; for anything else a person decides, with `ml-connector resolve` (`resolve.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NoReturn

from ml_connector.engine.write.case import FRESH, Case
from ml_connector.engine.write.identity import as_sent, differences, filled, foreign, recall, unlike
from ml_connector.errors import Held
from ml_connector.flow import Found, Prepared
from ml_connector.folding import same


class Matcher:
    """Looks for the document at its target, and judges what it finds."""

    def __init__(self, case: Case) -> None:
        """Work on one document's attempt."""
        self.case, self.attempt, self.chunk = case, case.attempt, case.chunk

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def look_for_sent(self) -> Found | None:
        """Look for what was sent, before anything is mapped again."""
        return self._judge(self.find(self.case.sent), None) if self.chunk.sents else None

    def look(self, prepared: Prepared) -> Found | None:
        """Find the document at the target, as sent and as it is now; raises `Held` for what a person must judge."""
        return self._judge(self.find([*self.case.sent, prepared]), prepared)

    def find(self, identities: Iterable[Prepared]) -> list[Found]:
        """Find everything that stands under some identities; whose it is, and how it was sent, comes with it."""
        found: dict[str, Found] = {}
        sent = self.case.sent
        for one in unlike(identities):
            for there in self.case.target.look(one):
                found.setdefault(there.id, filled(there, one) if one in sent else there)
        return list(found.values())

    def rehearse(self, prepared: Prepared) -> None:
        """Find out what would become of the document, as far as reading shows it; raises `Held` as `look` does."""
        found = self.look(prepared)
        if found is None:
            self.reserve(prepared)
            return
        self.check_same(found, prepared)
        self.chunk.notes.append(
            f"{self.case.target.title} has it already as {found.number}: it would be matched to that."
        )

    def is_anothers(self, target: str) -> bool:
        """Tell whether a document stands there, and is not what was sent."""
        there = [one for one in self.find(self.case.sent) if one.id == target]
        return bool(there) and not any(self.may_be_sent(one) for one in there)

    def _judge(self, found: Sequence[Found], wanted: Prepared | None) -> Found | None:
        """Choose the one that is this document; raises `Held` for what a person must judge."""
        holders = self.attempt.ledger.links([f.id for f in found])
        self._pass_over(found, holders, wanted)
        standing = [f for f in found if f.state != "rejected"]
        mine = [f for f in standing if self.is_ours(f, holders.get(f.id))]
        rest = [f for f in standing if f not in mine and f.id not in self.chunk.passed]
        if len(mine) > 1:
            self.several(mine)
        if mine:
            return mine[0]
        self._refused_drafts([f for f in found if f.state == "rejected" and f.id not in self.chunk.passed], wanted)
        return self._foreign(rest, holders, wanted)

    def is_ours(self, found: Found, holder: str | None) -> bool:
        """Tell whether a document is or may be what we sent; any other one was keyed in by somebody."""
        if found.ours or holder == self.case.key:
            return True
        if holder is not None or found.id in self.chunk.passed or (self.chunk.step in FRESH and not self.chunk.sents):
            return False
        return not self.chunk.sents or any(self._as_sent(found, one) for one in self.case.sent)

    def may_be_sent(self, found: Found) -> bool:
        """Tell whether a document may be what we sent: what bears no key of ours and differs from all of it is not."""
        unsaid = found.ours or not self.chunk.sents
        return unsaid or any(not differences(found, one, self.case.tolerance) for one in self.case.sent)

    def _as_sent(self, found: Found, sent: Prepared) -> bool:
        """Tell whether a document may be the one that was sent, going by the name that it was sent under."""
        pairs = ((found.partner, sent.partner), (found.reference, sent.reference), (found.kind, sent.kind))
        return all(not there or not here or same(there, here) for there, here in pairs)

    def _pass_over(self, found: Sequence[Found], holders: Mapping[str, str], wanted: Prepared | None) -> None:
        """Pass over what stands there when a person has said that it is something else, once; never over our own.

        What differs from all that we sent cannot be it. What shows up later is judged like anything else.
        """
        case = self.case
        decision = self.chunk.decision
        if decision is None or not case.open_decision("post"):
            return
        passed = set(self.chunk.passed)
        for one in found:
            sent = [s for s in case.sent if not differences(one, s, case.tolerance)]
            if not (one.ours or holders.get(one.id) == case.key or (sent and one.id not in holders)):
                passed.add(one.id)
        self.chunk.passed, decision.applied = sorted(passed), wanted is not None

    def _foreign(self, rest: Sequence[Found], holders: Mapping[str, str], wanted: Prepared | None) -> Found | None:
        """Judge what somebody else entered: only what agrees in every point is this document."""
        unlinked = [f for f in rest if f.id not in holders]
        linked = [f for f in rest if f.id in holders]
        if wanted is None:  # nothing was there before we sent, so what agrees with it may be what we sent
            mine = [f for f in linked if self.may_be_sent(f)] if self.chunk.step == "unknown" else []
            if mine:
                raise self.collide(mine[0], holders[mine[0].id])
            return None
        if (draft := next((f for f in unlinked if f.state == "draft"), None)) is not None:
            self.awaits_approval(draft, wanted, sent=False)
        same_ones = [f for f in unlinked if not differences(f, wanted, self.case.tolerance, all_told=True)]
        if len(same_ones) > 1:
            self.several(same_ones)
        if same_ones:
            return same_ones[0]
        if unlinked:
            self._another(unlinked[0], wanted)
        if linked:
            self._doubled(linked[0], holders[linked[0].id], wanted)
        return None

    # ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────

    def check_same(self, found: Found, wanted: Prepared) -> None:
        """Compare what is or may be ours with what is wanted now; raises `Held` where it is not the same."""
        points = differences(found, wanted, self.case.tolerance)
        if found.state == "draft":
            self.awaits_approval(found, wanted, sent=True)
        if points:
            self._changed(found, points, wanted)

    def differs(self, there: Decimal, here: Decimal) -> bool:
        """Tell whether two totals differ by more than taxes are rounded; signs belong to the kind of document."""
        return abs(abs(there) - abs(here)) > self.case.tolerance

    # ── what a person must judge ─────────────────────────────────────────────────────────────────────────────────

    def several(self, found: Sequence[Found]) -> NoReturn:
        """Hold over what stands there more than once."""
        case = self.case
        numbers, each = ", ".join(one.number for one in found), "; ".join(case.there(one) for one in found)
        self.chunk.several = [one.id for one in found]
        case.conflict(
            f"{case.target.title} holds {case.this()} {len(found)} times ({numbers}): {each}. Cancel all but one "
            f"there, then {case.replay}. If they are different invoices, name the one that is this: "
            f"`{case.resolve} --match ERP-NUMBER`."
        )

    def _another(self, found: Found, wanted: Prepared) -> NoReturn:
        """Hold over a document that we never sent, and that is not this one in every point."""
        case = self.case
        points = "; ".join(differences(found, wanted, case.tolerance, all_told=True))
        take = case.match(found.number)
        if foreign(found, wanted):
            take = f"cancel it there, and this is posted; or correct the currency in {case.source_title}"
        case.conflict(
            f"{case.there(found)} already has number {wanted.reference or self.chunk.number} of this supplier, and "
            f"was not sent from here. {case.this(wanted)} differs: {points}. If it is another invoice: correct its "
            f"number in {case.source_title}, or post it with `{case.resolve} --post`. If it is the same one: {take}."
        )

    def _doubled(self, found: Found, holder: str, wanted: Prepared) -> NoReturn:
        case = self.case
        case.conflict(
            f"{case.this(wanted)} has the same supplier and number as {case.there(found)}, which was made from "
            f"{case.described(holder)}. If it is the same invoice twice, remove one in "
            f"{case.source_title}, or {case.match(found.number)}. If it is another one: "
            f"`{case.resolve} --post`."
        )

    def _changed(self, found: Found, points: Sequence[str], wanted: Prepared) -> NoReturn:
        """Hold over what we sent, where something else is wanted by now."""
        case = self.case
        take = f"If it is right as it is: {case.match(found.number)}. If not, cancel"
        if foreign(found, wanted):
            take = f"If it is right as it is, correct the currency in {case.source_title}; if not, cancel"
        case.conflict(
            f"{case.there(found)} was sent for {case.this()}, which is another one by now: {'; '.join(points)}. "
            f"Nothing is sent while it stands. {take} it there, then {case.replay} posts the invoice as it is now."
        )

    def awaits_approval(self, draft: Found, wanted: Prepared | None, *, sent: bool) -> NoReturn:
        """Hold over a draft that somebody has yet to approve there. `sent`: it is or may be what we sent."""
        case = self.case
        points = differences(draft, wanted, case.tolerance) if wanted is not None else []
        said = f"{case.there(draft)} holds {case.this()} until it is approved there."
        match = f"approve it, then `{case.resolve} --match ERP-NUMBER`"
        other = "" if sent else f" If the draft is another invoice: `{case.resolve} --post`."
        if points and sent:
            said += (
                f" It is another one by now: {'; '.join(points)}. Reject or remove the draft there, and it is sent as "
                f"it is now; or {match}."
            )
        elif points:
            said += (
                f" The draft was not sent from here, and differs: {'; '.join(points)}.{other} If it is the same one: "
                f"reject or remove the draft there, and this one is sent; or {match}."
            )
        else:
            said += other
        raise Held(f"approval:{case.key}", said)

    def _refused_drafts(self, drafts: Sequence[Found], wanted: Prepared | None) -> None:
        """Hold over a draft that its approver refused, unless another one is wanted now, or a person said so."""
        case = self.case
        if wanted is None or case.decided("post"):
            return
        for draft in drafts:
            if not differences(draft, wanted, case.tolerance):
                raise Held(
                    f"approval:{case.key}",
                    f"{case.there(draft)} was refused by its approver, and {case.this(wanted)} is still the same. "
                    f"Correct it or its mapping, or refuse it in {case.source_title}. To send it again: "
                    f"`{case.resolve} --post`.",
                )

    def taken(self) -> NoReturn:
        """Hold over what was taken without a word of what it became, or may have been: nothing sends it again."""
        case = self.case
        raise Held(
            f"lookup:{case.key}",
            f"{case.target.title} took {case.this()} without naming the document that it became, or its answer was "
            f"lost, and does not show it. It is not sent again. Look there: if it is there, `{case.resolve} --match "
            f"ERP-NUMBER`; if it is not, `{case.resolve} --post`.",
        )

    def collide(self, found: Found, holder: str) -> Held:
        """Remember that what we sent stands there under an id that is linked to another document of ours.

        An ERP restored from a backup gives its ids out again. Forgotten, our own posting would be taken for the
        other's, and sent once more.
        """
        self.chunk.target, self.chunk.code = found.id, found.number
        self.attempt.progress("collided")
        return self.collided(holder)

    def collided(self, holder: str) -> Held:
        """Say what a person is to do about a posting whose id is linked to another document of ours."""
        case = self.case
        number = self.chunk.code
        return Held(
            f"conflict:{case.key}",
            f"It is posted in {case.target.title} as {number}, but the id of that is linked to "
            f"{case.described(holder)}, which probably no longer exists there: was the ERP restored from a backup, or "
            "did its numbers begin again? "
            f"Nothing is sent again. Look at {number} there: if it is this document, "
            f"{case.match(str(number))} (or {case.replay}) keeps it; if it is wrong, cancel it there first, and "
            f"{case.replay} posts it again. "
            f"Enter there by hand what a restore took away, such as {holder}.",
        )

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def reserve(self, prepared: Prepared) -> None:
        """Let only one of two documents with the same partner and number be posted, also when both come at once.

        The target's own words decide: two codes may mean one partner there, and letters' case may not count. Whose
        document was cancelled there lets go of the name, and a person may give it to another.
        """
        case = self.case
        if not prepared.natural:
            return
        ledger = self.attempt.ledger
        holder = ledger.reserve(prepared.natural, case.key)
        if holder == case.key:
            return
        if case.decided("post") or self._cancelled_there(holder):
            ledger.rename(prepared.natural, case.key)
            return
        case.conflict(
            f"{case.this(prepared)} has the same supplier and number as {case.described(holder)}. If it is the same "
            f"invoice twice, remove one in {case.source_title}. If it is another one: `{case.resolve} --post`."
        )

    def _cancelled_there(self, key: str) -> bool:
        """Tell whether another document of ours was posted and does not count any more, in the target's own words."""
        under_way = self.attempt.ledger.chunk(key)
        row = self.attempt.ledger.rows([key]).get(key)
        target = under_way[0].target if under_way else row[0].target if row else None
        code = under_way[0].code if under_way else row[0].code if row else None
        sent = [recall(key, one) for one in under_way[0].sents] if under_way else []
        return target is not None and not self.case.target.stands(as_sent(target, code or "", sent))

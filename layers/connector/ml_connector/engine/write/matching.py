"""What a document finds at its target: itself, posted earlier; another one of ours; or one that somebody keyed in.

What we sent is looked for first, as it was sent. Only what agrees in every point with what is wanted now counts as
delivered; for anything else a person decides, with `ml-connector resolve` (`resolve.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, NoReturn

from ml_connector.engine.write import duplicates
from ml_connector.engine.write.identity import differences, filled, foreign, recall, unlike
from ml_connector.engine.write.responder import Answering
from ml_connector.errors import Held
from ml_connector.flow import Found, Prepared
from ml_connector.folding import same

FRESH = frozenset({"", "held", "refused"})
"""Steps at which nothing of ours can be at the target, unless `Chunk.sents` says so."""


class Finding(Answering):
    """The part of an attempt that looks for the document, and judges what it finds."""

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _fresh(self) -> bool:
        """Tell whether nothing of ours can be at the target."""
        return self.chunk.step in FRESH and not self.chunk.sents

    @property
    def _sent(self) -> list[Prepared]:
        """What was sent and may stand there, as it was sent."""
        return [replace(recall(self.key, one), since=self._since()) for one in self.chunk.sents]

    def _look_for_sent(self) -> Found | None:
        """Look for what was sent, before anything is mapped anew."""
        return self._judge(self._found(self._sent), None) if self.chunk.sents else None

    def _look(self, prepared: Prepared) -> Found | None:
        """Find the document at the target, as sent and as it is now; raises `Held` for what a person must judge."""
        return self._judge(self._found([*self._sent, prepared]), prepared)

    def _found(self, identities: Iterable[Prepared]) -> list[Found]:
        """Find everything that stands under some identities; whose it is, and how it was sent, comes with it."""
        found: dict[str, Found] = {}
        sent = self._sent
        for one in unlike(identities):
            for there in self.target.look(one):
                found.setdefault(there.id, filled(there, one) if one in sent else there)
        return list(found.values())

    def _judge(self, found: Sequence[Found], wanted: Prepared | None) -> Found | None:
        """Choose the one that is this document; raises `Held` for what a person must judge."""
        holders = self.task.ledger.links([f.id for f in found])
        self._pass_over(found, holders, wanted)
        standing = [f for f in found if f.state != "rejected"]
        mine = [f for f in standing if self._ours(f, holders.get(f.id))]
        rest = [f for f in standing if f not in mine and f.id not in self.chunk.passed]
        if len(mine) > 1:
            self._several(mine)
        if mine:
            return mine[0]
        self._refused_drafts([f for f in found if f.state == "rejected" and f.id not in self.chunk.passed], wanted)
        return self._foreign(rest, holders, wanted)

    def _ours(self, found: Found, holder: str | None) -> bool:
        """Tell whether a document is or may be what we sent; any other one was keyed in by somebody."""
        if found.ours or holder == self.key:
            return True
        if holder is not None or found.id in self.chunk.passed or (self.chunk.step in FRESH and not self.chunk.sents):
            return False
        return not self.chunk.sents or any(self._as_sent(found, one) for one in self._sent)

    def _may_be_sent(self, found: Found) -> bool:
        """Tell whether a document may be what we sent: what bears no key of ours and differs from all of it is not."""
        unsaid = found.ours or not self.chunk.sents
        return unsaid or any(not differences(found, one, self._tolerance) for one in self._sent)

    def _as_sent(self, found: Found, sent: Prepared) -> bool:
        """Tell whether a document may be the one that was sent, going by the name that it was sent under."""
        pairs = ((found.partner, sent.partner), (found.reference, sent.reference), (found.kind, sent.kind))
        return all(not there or not here or same(there, here) for there, here in pairs)

    def _pass_over(self, found: Sequence[Found], holders: Mapping[str, str], wanted: Prepared | None) -> None:
        """Pass over what stands there when a person has said that it is something else, once; never over our own.

        What differs from all that we sent cannot be it. What shows up later is judged like anything else.
        """
        decision = self.chunk.decision
        if decision is None or not self._open_decision("post"):
            return
        passed = set(self.chunk.passed)
        for one in found:
            sent = [s for s in self._sent if not differences(one, s, self._tolerance)]
            if not (one.ours or holders.get(one.id) == self.key or (sent and one.id not in holders)):
                passed.add(one.id)
        self.chunk.passed, decision.applied = sorted(passed), wanted is not None

    def _foreign(self, rest: Sequence[Found], holders: Mapping[str, str], wanted: Prepared | None) -> Found | None:
        """Judge what somebody else entered: only what agrees in every point is this document."""
        unlinked = [f for f in rest if f.id not in holders]
        linked = [f for f in rest if f.id in holders]
        if wanted is None:  # nothing was there before we sent, so what agrees with it may be what we sent
            mine = [f for f in linked if self._may_be_sent(f)] if self.chunk.step == "unknown" else []
            if mine:
                raise self._collide(mine[0], holders[mine[0].id])
            return None
        if (draft := next((f for f in unlinked if f.state == "draft"), None)) is not None:
            self._awaits_approval(draft, wanted, sent=False)
        same_ones = [f for f in unlinked if not differences(f, wanted, self._tolerance, all_told=True)]
        if len(same_ones) > 1:
            self._several(same_ones)
        if same_ones:
            return same_ones[0]
        if unlinked:
            self._another(unlinked[0], wanted)
        if linked:
            self._doubled(linked[0], holders[linked[0].id], wanted)
        return None

    # ── comparing ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _tolerance(self) -> Decimal:
        """By how much taxes may be rounded otherwise there."""
        tolerance: Decimal = self.task.pair.options.tolerance(self.chunk.currency)
        return tolerance

    def _agree(self, found: Found, wanted: Prepared) -> None:
        """Compare what is or may be ours with what is wanted now; raises `Held` where it is not the same."""
        points = differences(found, wanted, self._tolerance)
        if found.state == "draft":
            self._awaits_approval(found, wanted, sent=True)
        if points:
            self._changed(found, points, wanted)

    def _apart(self, there: Decimal, here: Decimal) -> bool:
        """Tell whether two totals differ by more than taxes are rounded; signs belong to the kind of document."""
        return abs(abs(there) - abs(here)) > self._tolerance

    # ── what a person must judge ────────────────────────────────────────────────────────────────────────────

    @property
    def _resolve(self) -> str:
        return f"ml-connector resolve {self.chunk.tenant} {self.chunk.flow} {self.key}"

    @property
    def _replay(self) -> str:
        return f"`ml-connector replay {self.chunk.tenant} {self.chunk.flow} {self.key}`"

    def _conflict(self, message: str) -> NoReturn:
        raise Held(f"conflict:{self.key}", message)

    def _this(self, wanted: Prepared | None = None) -> str:
        """Name the document as a person knows it."""
        number = self.chunk.number or (wanted.reference if wanted else "") or self.key
        money = f"{self.chunk.amount} {self.chunk.currency or ''}".strip() if self.chunk.amount else ""
        whose = f"supplier {wanted.partner}" if wanted is not None and wanted.partner else ""
        more = ", ".join(part for part in (money, whose) if part)
        return f"{number} ({more})" if more else number

    def _there(self, found: Found) -> str:
        """Name a document at the target as a person finds it there."""
        money = f"{abs(found.amount)} {found.currency or ''}".rstrip() if found.amount is not None else ""
        whose = f"supplier {found.partner}" if found.partner else ""
        number = f"number {found.reference}" if found.reference else ""
        day = found.dated.isoformat() if found.dated else ""
        more = ", ".join(part for part in (money, day, number, whose) if part)
        draft = "draft" if found.state in {"draft", "rejected"} else "document"
        return f"{self.target.title} {draft} {found.number}" + (f" ({more})" if more else "")

    def _several(self, found: Sequence[Found]) -> NoReturn:
        numbers, each = ", ".join(one.number for one in found), "; ".join(self._there(one) for one in found)
        self.chunk.several = [one.id for one in found]
        self._conflict(
            f"{self.target.title} holds {self._this()} {len(found)} times ({numbers}): {each}. Cancel all but one "
            f"there, then {self._replay}. If they are different invoices, name the one that is this: "
            f"`{self._resolve} --match ERP-NUMBER`."
        )

    def _another(self, found: Found, wanted: Prepared) -> NoReturn:
        """Hold over a document that we never sent, and that is not this one in every point."""
        points = "; ".join(differences(found, wanted, self._tolerance, all_told=True))
        take = f"`{self._resolve} --match {found.number}`"
        if foreign(found, wanted):
            take = "cancel it there, and it is posted from here; or correct the currency at the source"
        self._conflict(
            f"{self._there(found)} already has the number {wanted.reference or self.chunk.number} of this supplier, "
            f"and was not sent from here; {self._this(wanted)} differs: {points}. If it is the same invoice: "
            f"{take}. If it is another one: `{self._resolve} --post`, or correct its number at the source."
        )

    def _doubled(self, found: Found, holder: str, wanted: Prepared) -> NoReturn:
        self._conflict(
            f"{self._there(found)} has the supplier and number of {self._this(wanted)}, and was made from "
            f"{self._described(holder)}. If it is the same invoice twice, remove one at the source, or "
            f"`{self._resolve} --match {found.number}`. If it is another one: `{self._resolve} --post`."
        )

    def _changed(self, found: Found, points: Sequence[str], wanted: Prepared) -> NoReturn:
        """Hold over what we sent, where something else is wanted by now."""
        take = f"If it is right as it is: `{self._resolve} --match {found.number}`. If not, cancel"
        if foreign(found, wanted):
            take = "If it is right as it is, correct the currency at the source; if not, cancel"
        self._conflict(
            f"{self._there(found)} was sent for {self._this()}, which is another one by now: {'; '.join(points)}. "
            f"Nothing is sent while it stands. {take} it there, then {self._replay} posts the invoice as it is now."
        )

    def _awaits_approval(self, draft: Found, wanted: Prepared | None, *, sent: bool) -> NoReturn:
        points = differences(draft, wanted, self._tolerance) if wanted is not None else []
        said = f"{self._there(draft)} holds {self._this()} until it is approved there."
        match = f"approve it, then `{self._resolve} --match ERP-NUMBER`"
        other = "" if sent else f" If the draft is another invoice: `{self._resolve} --post`."
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
        raise Held(f"approval:{self.key}", said)

    def _refused_drafts(self, drafts: Sequence[Found], wanted: Prepared | None) -> None:
        """Hold over a draft that its approver refused, unless another one is wanted now, or a person said so."""
        if wanted is None or self._decided("post"):
            return
        for draft in drafts:
            if not differences(draft, wanted, self._tolerance):
                raise Held(
                    f"approval:{self.key}",
                    f"{self._there(draft)} was refused by its approver, and {self._this(wanted)} is still the same. "
                    f"Correct it or its mapping, or refuse it at the source; `{self._resolve} --post` sends it again.",
                )

    def _taken(self) -> NoReturn:
        raise Held(
            f"lookup:{self.key}",
            f"{self.target.title} took {self._this()} without naming the document that it became, and does not show "
            f"it. It is not sent again. Look there: if it is there, `{self._resolve} --match ERP-NUMBER`; if it is "
            f"not, `{self._resolve} --post`.",
        )

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
            f"Nothing is sent again. Look at {number} there: if it is this document, `{self._resolve} --match "
            f"{number}` (or {self._replay}) keeps it; if it is wrong, cancel it there first, and {self._replay} posts "
            "it anew. "
            f"Enter there by hand what a restore took away, such as {holder}.",
        )

    # ── names ───────────────────────────────────────────────────────────────────────────────────────────────

    def _reserve(self, prepared: Prepared) -> None:
        """Let only one of two documents with the same partner and number be posted, also when both come at once.

        The target's own words decide: two codes may mean one partner there, and letters' case may not count. Whose
        document was cancelled there lets go of the name, and a person may give it to another.
        """
        if not prepared.natural:
            return
        ledger = self.task.ledger
        holder = ledger.reserve(prepared.natural, self.key)
        if holder == self.key:
            return
        if self._decided("post") or self._cancelled_there(holder):
            ledger.rename(prepared.natural, self.key)
            return
        self._conflict(
            f"{self._described(holder)} has the same supplier and number as {self._this(prepared)}. If it is the same "
            f"invoice twice, remove one at the source. If it is another one: `{self._resolve} --post`."
        )

    def _cancelled_there(self, key: str) -> bool:
        """Tell whether another document of ours was posted and does not count any more, in the target's own words."""
        under_way = self.task.ledger.chunk(key)
        row = self.task.ledger.rows([key]).get(key)
        target = under_way[0].target if under_way else row[0].target if row else None
        code = under_way[0].code if under_way else row[0].code if row else None
        sent = [recall(key, one) for one in under_way[0].sents] if under_way else []
        return target is not None and not self.target.stands(duplicates.as_sent(target, code or "", sent))

    def _described(self, key: str) -> str:
        """Say of another document of ours what a person needs to compare it with this one."""
        under_way = self.task.ledger.chunk(key)
        if under_way is not None:
            chunk = under_way[0]
            return f"{key} ({chunk.amount or 'amount unknown'} {chunk.currency or ''}".rstrip() + ", on its way)"
        row = self.task.ledger.rows([key]).get(key)
        return f"{key} (posted as {row[0].code})" if row is not None and row[0].code else key

    def _decided(self, what: Literal["match", "post"]) -> bool:
        return self.chunk.decision is not None and self.chunk.decision.what == what

    def _open_decision(self, what: Literal["match", "post"]) -> bool:
        """Tell whether such a decision has not been carried out yet."""
        return self._decided(what) and self.chunk.decision is not None and not self.chunk.decision.applied

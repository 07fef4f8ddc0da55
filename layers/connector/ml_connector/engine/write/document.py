"""Documents: one invoice or payment on its way, step by step, so that a crash resumes where it was.

look for what was sent ─► fetch ─► map ─► look ─┬─ found: adopt ──────────────────────┐
                                                └─ acknowledge ─► sent ─► post ─► posted ─► answer ─► answered ─► settle
                                                                    │
                          unknown: look again, send only after `in_doubt_seconds` (never where it was taken)
                          collided: posted under another's id; only a person goes on

What is sent is written down first (`Chunk.sents`), as it was mapped then. Until its fate is known it is looked for
before anything else, and nothing is sent while it may stand.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write import duplicates, resolving
from ml_connector.engine.write.admission import of_another_company, too_old, unreadable_elsewhere
from ml_connector.engine.write.identity import remember
from ml_connector.engine.write.prerequisites import wait_for_masters
from ml_connector.engine.write.reading_back import ReadingBack
from ml_connector.errors import Held, LoginRefused, Misconfigured, OutcomeUnknown, Rejected, Transient, Unreadable
from ml_connector.flow import Document, Found, Prepared

LATEST = 4
"""Settle times (an hour by default) after a second sending at which the target is looked at once more: what a server
carries out until then is found."""
LEAST = 20
"""Seconds that pass before that, however short the settle time: an answer that is late comes later than that."""


class Paper(ReadingBack):
    """One attempt at one document."""

    def advance(self) -> None:
        """Bring the document as far as it goes now, from the step at which it stands."""
        self.task.pair.check(self.task.flow.source, self.task.flow.target)
        if self._open_decision("match"):
            resolving.match(self)
            return
        match self.chunk.step:
            case "posted" if self._open_decision("post"):
                resolving.post_anew(self)
                self._deliver()
            case "posted":
                self._confirm()
            case "answered":
                self._hear()
            case "refusing":
                self._tell(taken=False)
            case "collided":
                self._disentangle()
            case _:
                self._deliver()

    # ── up to the post ──────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self) -> None:
        if self.chunk.step == "sent":  # its worker died, and had the connection until now for all that is known
            self.chunk.step, self.chunk.sent_at = "unknown", self.task.ledger.now()
        looked_at = self.task.now
        earlier = None if self.target.refuses_duplicates else self._look_for_sent()
        row = self._known()
        if self._fresh and row.outcome != "delivered":
            wait_for_masters(self.task)
        document = self._fetched(row)
        if row.outcome == "delivered" and row.target is not None and self.source.answers:
            if not self._decided("post"):
                self._again(document, row)
                return
            resolving.posted_no_more(self, row, document.record)
        if document.record is None or document.standing in {"gone", "transferred", "refused"}:
            self._gone(document, earlier, looked_at)
            return
        if self._fresh and too_old(self.task, document.record, row):
            self._finish("unchanged", "It is dated before the flow's start date.")
            return
        record = self._linked(document.record)
        if earlier is not None:
            self._resume(earlier, record)
            return
        prepared = self._prepared(record, document.standing)
        if prepared is None:
            return
        self._value(prepared)
        if self.task.pair.shadow:
            self._rehearse(prepared)
            return
        if self.chunk.swept and self._fresh and not self.target.look(prepared):
            raise Held(
                f"lookup:{self.key}",
                "It was acknowledged, but neither posted nor by us as far as we know. If nobody else works on it, "
                f"{self._replay} posts it.",
            )
        looked_at = self.task.now
        if (found := self._look(prepared)) is not None:
            self._adopt(found, prepared)
        elif self._may_send(looked_at, prepared):
            self._reserve(prepared)
            self._post(document, prepared)

    def _gone(self, document: Document[Any], earlier: Found | None, looked_at: datetime) -> None:
        """Settle what its source does not offer any more; what we sent of it must not stand there unseen."""
        if self._recognised(document, looked_at):
            return
        why = document.detail or document.standing
        if earlier is not None:
            self._conflict(
                f"{self._there(earlier)} was sent for {self._this()}, which its source does not offer any more: {why}. "
                f"Cancel it there; or look why its source took {self._this()} back."
            )
        if not self._fresh and not self._may_send(looked_at, None):
            return
        if document.standing == "refused" and self._known().outcome == "rejected":
            self._finish("rejected", self._still_refused(document))
            return
        self._finish("unchanged", f"No longer offered by its source: {why}.")

    def _resume(self, found: Found, record: Any) -> None:
        """Go on with what was sent and stands there; raises `Held` where something else is wanted by now."""
        try:
            trace = self._traced(record)
        except Held as error:
            raise Held(error.waiting_for, f"{self._there(found)} was sent for {self._this()}. {error}") from error
        self._agree(found, trace)
        self._value(trace)
        self._adopt(found, trace)

    def _rehearse(self, prepared: Prepared) -> None:
        """Find out what would become of the document, as far as reading shows it."""
        found = self._look(prepared)
        if found is None:
            self._reserve(prepared)
        else:
            self._agree(found, prepared)
            self.chunk.notes.append(f"The target has it already as {found.number}: it would be adopted.")
        self.chunk.shadow = True
        self._finish("delivered")

    def _prepared(self, record: Any, standing: str) -> Prepared | None:
        """Map the document; None where that failed because it is at the target already, and so was adopted.

        A posting in doubt may have used up what the mapping checks: the order that the invoice is based on. So may
        one that our rows have forgotten: then the source shows the document as acknowledged.
        """
        codes = self.task.pair.codes(waits=self._fresh)
        elsewhere = of_another_company(self.task, record, codes)
        if elsewhere is not None and self._fresh:
            raise elsewhere
        try:
            if elsewhere is not None:
                raise elsewhere
            prepared: Prepared = self.target.prepare(record, codes)
        except (Held, Rejected):
            if self._fresh and standing != "acknowledged":
                raise
            trace = self.target.trace(record, self.task.pair.codes(waits=False))
            found = self._look(trace)
            if found is None:
                raise
            self._value(trace)
            self._adopt(found, trace)
            return None
        return replace(prepared, since=self._since())

    def _traced(self, record: Any) -> Prepared:
        """Say what a document would be found by now; raises `Held` where it cannot be said, or is another company's."""
        codes = self.task.pair.codes(waits=False)
        if (elsewhere := of_another_company(self.task, record, codes)) is not None:
            raise elsewhere
        trace: Prepared = self.target.trace(record, codes)
        return trace

    def _recognised(self, document: Document[Any], looked_at: datetime) -> bool:
        """Take up again what is done at both ends and our rows have forgotten, as after a restore of the table.

        What our rows know to have been sent is ours, also where the target keeps no key of ours; but somebody else told
        its source, such as a second installation. So it may be his, and ours still to come: that is waited for.
        """
        if document.record is None or document.standing != "transferred":
            return False
        in_doubt = not self._fresh
        try:
            trace = self.target.trace(self._linked(document.record), self.task.pair.codes(waits=False))
            found = self._look(trace)
            if found is not None:
                self._agree(found, trace)
        except (Held, Rejected):
            if in_doubt:
                raise
            return False
        if found is None or not (found.ours or in_doubt):
            return False
        if not found.ours and not self.target.refuses_duplicates and self._settles(looked_at):
            self.task.wait(
                self._settles(looked_at),
                reason=f"{self._there(found)} stands there, and its transfer was reported, though not by us; what we "
                f"sent may still arrive in addition. {self.target.title} is checked once more.",
            )
            return True
        if self.task.ledger.link(found.id, self.key) != self.key:
            return False
        self._look_back()
        self.chunk.target, self.chunk.code = found.id, found.number
        self._finish("delivered")
        return True

    def _settles(self, looked_at: datetime) -> float:
        """Tell for how many seconds after a look what was sent may still be carried out."""
        settle = timedelta(seconds=self.task.pair.in_doubt_seconds.get(self.task.flow.target, 900))
        since = looked_at - datetime.fromisoformat(self.chunk.sent_at or self.chunk.created)
        return max(0.0, (settle - since).total_seconds())

    def _fetched(self, row: Row) -> Document[Any]:
        """Read the document; one that cannot be read is refused only where it waits to be posted."""
        try:
            return self._fetch()
        except Unreadable as error:
            self.chunk.stamp, self.chunk.number = error.stamp or self.chunk.stamp, error.number or self.chunk.number
            if error.standing in {"offered", "acknowledged"} and (row.outcome != "delivered" or row.target is None):
                if (elsewhere := unreadable_elsewhere(self.task, error, self.task.pair.codes())) is not None:
                    raise elsewhere from error
                raise
            return Document(None, error.standing, error.stamp, str(error))

    def _fetch(self) -> Document[Any]:
        self.task.said["talking_to"] = self.task.flow.source
        document: Document[Any] = self.source.fetch(self.key)
        self.task.said["talking_to"] = self.task.flow.target
        self.chunk.stamp = document.stamp or self.chunk.stamp
        record = document.record
        if record is not None:
            self.chunk.number = getattr(record, "number", None)
            money = getattr(record, "gross", None) if hasattr(record, "gross") else getattr(record, "amount", None)
            if money is not None:  # what was paid and taken back is nothing, in the sums too
                self.chunk.amount = str(-money if getattr(record, "cancelled", False) else money)
            self.chunk.currency = getattr(record, "currency", None) or self.chunk.currency
        return document

    def _known(self) -> Row:
        found = self.task.ledger.rows([self.key], consistent=True)
        return found[self.key][0] if self.key in found else Row()

    def _value(self, prepared: Prepared) -> None:
        if self.task.flow.target == self.task.pair.integration.platform:
            self.chunk.currency = prepared.currency  # amounts are told in the platform's currencies, in every flow
        self.chunk.posted_on = prepared.posted_on.isoformat() if prepared.posted_on else None
        self.task.said["notes"] = list(prepared.notes)

    def _adopt(self, found: Found, prepared: Prepared) -> None:
        self._agree(found, prepared)
        if self._fresh:
            self.chunk.notes.append(f"Adopted {found.number}, which the target already had.")
            self._acknowledge()
        self._keep(found, adopted=True)

    def _may_send(self, looked_at: datetime, prepared: Prepared | None) -> bool:
        """Tell whether sending is safe now: at once where nothing was sent, else after the settle time.

        It counts from when the connection broke to when the look-up that found nothing began. A target that refuses
        a second one takes the same at once; what goes by another name might come to lie under the first. What was
        taken is never sent again without a person's word. None for `prepared`: nothing is to be sent.
        """
        if self._fresh:
            return True
        names = {one.name for one in self.chunk.sents}
        same = self.target.refuses_duplicates and prepared is not None and names <= {prepared.name}
        if (seconds := 0.0 if same else self._settles(looked_at)) > 0:
            self.task.wait(
                seconds,
                reason="The outcome of the last attempt is unknown. The target does not show the document yet; it is "
                "looked for once more before it is sent again.",
            )
            return False
        if any(one.taken for one in self.chunk.sents) and not same and not self._decided("post"):
            self._taken()
        self.chunk.recheck = not same
        return True

    def _post(self, document: Document[Any], prepared: Prepared) -> None:
        if document.standing == "offered":
            self._acknowledge()
        before, again, earlier = list(self.chunk.sents), not self._fresh, self.chunk.sent_at
        sent = remember(prepared, self.task.ledger.now())
        self.chunk.sent_at, self.chunk.alone = sent.at, False
        self.chunk.sents = [*(one for one in before if one.lookup != sent.lookup), sent]
        self.task.progress("sent")
        try:
            found = self.target.send(prepared)
            if found.id in self.chunk.passed and not found.ours:  # it named no document, and this one was found instead
                raise OutcomeUnknown(f"{self.target.title} took {self._this()} without naming it.", taken=True)
        except OutcomeUnknown as error:
            self.chunk.step, self.chunk.sent_at, sent.taken = "unknown", self.task.ledger.now(), error.taken
            raise
        except Rejected:
            self.chunk.step, self.chunk.sents = "refused", []
            raise
        except (Held, Transient, LoginRefused, Misconfigured) as error:
            drafted = isinstance(error, Held) and error.waiting_for.startswith("approval:")
            if not drafted:  # this request had no effect; an earlier one may have, whose doubt is counted from then
                self.chunk.sents = before
                self.chunk.sent_at = earlier if again else self.chunk.sent_at
            self.chunk.step = "unknown" if again else "held"
            raise
        self._keep(found)

    # ── after the post ──────────────────────────────────────────────────────────────────────────────────────

    def _keep(self, found: Found, *, adopted: bool = False) -> None:
        """Write down what the target made of it, before anything else happens."""
        holder = self.task.ledger.link(found.id, self.key)
        if holder != self.key and (found.ours or not self._fresh):
            raise self._collide(found, holder)
        if holder != self.key:
            self._conflict(
                f"{self._there(found)} belongs to {self._described(holder)} already. If {self._this()} is the same "
                f"invoice twice: `{self._resolve} --match {found.number}`. If not: `{self._resolve} --post`."
            )
        if adopted:
            self._look_back()
        self._hold_on_to(found)

    def _hold_on_to(self, found: Found) -> None:
        """Go on with a document of the target as this one's posting."""
        self.chunk.target, self.chunk.code = found.id, found.number
        self._note(found)
        self.chunk.attempts = self.chunk.failures = 0
        self.chunk.answer_ok = True  # an earlier attempt may have been refused, and could not be told
        self.task.progress("posted")
        self.task.pair.breakers[self.task.flow.target].well()
        self._confirm()

    def _disentangle(self) -> None:
        """Wait until a person's replay has linked the document to this one; then it is looked for, as in any doubt.

        So it is where the document shows that it is the other one's: its date or amount is not what was sent.
        """
        target = self.chunk.target or ""
        holder = self.task.ledger.links([target]).get(target, self.key)
        anothers = holder != self.key and self._is_anothers(target)
        if self._open_decision("post") and not anothers:
            resolving.post_anew(self)
        elif holder != self.key and not anothers:
            raise self._collided(holder)
        else:
            self.chunk.step, self.chunk.target, self.chunk.code = "unknown", None, None
        self._deliver()

    def _is_anothers(self, target: str) -> bool:
        """Tell whether a document stands there, and is not what was sent."""
        there = [one for one in self._found(self._sent) if one.id == target]
        return bool(there) and not any(self._may_be_sent(one) for one in there)

    def _confirm(self) -> None:
        """Read the number and the total back, then answer the source."""
        assert self.chunk.target is not None
        found: Found = self.target.read_back(self._to_read_back())
        self.chunk.code = found.number or self.chunk.code
        self._note(found)
        if found.state == "cancelled":
            self._hold_on_to(self._instead(found, None if self.chunk.sents else self._fetch().record))
            return
        self._same_total(found)
        self._unchanged(replace(found, amount=None))
        self._stands_alone(found)
        if not self.source.answers:
            self._finish("delivered")
        elif self.chunk.recheck and self._recheck_later():
            pass
        else:
            self._answer()

    def _stands_alone(self, posted: Found) -> None:
        """Look once more after a posting: somebody else, or another installation, may have posted it meanwhile."""
        if self.chunk.alone or not self.chunk.sents or self.target.refuses_duplicates:
            return
        others = duplicates.others(self, (posted.id, self.chunk.target), self._sent)
        if others:
            self._several([posted, *others])
        self.chunk.alone = True

    def _recheck_later(self) -> bool:
        """Look once more after a second sending: the first may have been carried out late."""
        settle = self.task.pair.in_doubt_seconds.get(self.task.flow.target, 900)
        patience = max(settle * LATEST, LEAST)
        since = self.task.now - datetime.fromisoformat(self.chunk.sent_at or self.chunk.created)
        if since < timedelta(seconds=patience):
            self.task.posted(patience - since.total_seconds())
            self.chunk.reason = "It was sent twice after a doubt; the target is looked at once more."
            return True
        self.chunk.alone = False
        self._stands_alone(Found(str(self.chunk.target), self.chunk.code or ""))
        self.chunk.recheck = False
        return False

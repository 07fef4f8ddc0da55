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
from ml_connector.engine.write.admission import of_another_company, passed_over, traced, unreadable_elsewhere
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.case import Case
from ml_connector.engine.write.identity import remember
from ml_connector.engine.write.matching import Matcher
from ml_connector.engine.write.prerequisites import wait_for_masters
from ml_connector.engine.write.reading_back import ReadBack
from ml_connector.engine.write.responder import Responder
from ml_connector.engine.write.revision import GONE, Revision
from ml_connector.errors import Held, LoginRefused, Misconfigured, OutcomeUnknown, Rejected, Transient, Unreadable
from ml_connector.flow import Document, Found, Prepared

LATEST = 4
"""Settle times (an hour by default) after a second sending at which the target is looked at once more: what a server
carries out until then is found."""
LEAST = 20
"""Seconds that pass before that, however short the settle time: an answer that is late comes later than that."""


class DocumentWriter:
    """One attempt at one document."""

    def __init__(self, attempt: Attempt) -> None:
        """Have both ends at hand, and who looks, reads back and answers."""
        self.attempt, self.chunk, self.case = attempt, attempt.chunk, Case(attempt)
        self.matcher, self.responder = Matcher(self.case), Responder(self.case)
        self.posted = ReadBack(self.case, self.matcher, self.responder)

    def advance(self) -> None:
        """Bring the document as far as it goes now, from the step at which it stands."""
        self.attempt.pair.check(self.attempt.flow.source, self.attempt.flow.target)
        if self.case.open_decision("match"):
            self._hold_on_to(resolving.match(self.matcher, self.responder))
            return
        match self.chunk.step:
            case "posted" if self.case.open_decision("post"):
                resolving.post_anew(self.matcher)
                self._deliver()
            case "posted":
                self._confirm()
            case "answered":
                self.responder.hear()
            case "refusing":
                self.responder.tell(taken=False)
            case "collided":
                self._unlink()
            case _:
                self._deliver()

    # ── up to the post ──────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self) -> None:
        case = self.case
        if self.chunk.step == "sent":  # its worker died, and had the connection until now for all that is known
            self.chunk.step, self.chunk.sent_at = "unknown", self.attempt.ledger.now()
        looked_at = self.attempt.now
        earlier = None if case.target.refuses_duplicates else self.matcher.look_for_sent()
        row = case.known()
        if case.fresh and row.outcome != "delivered":
            wait_for_masters(self.attempt)
        document = self._fetched(row)
        if row.outcome == "delivered" and row.target is not None and self._known_there(document, row):
            return
        if document.record is None or document.standing in GONE:
            self._gone(document, earlier, looked_at)
            return
        if case.fresh and (why := passed_over(self.attempt, document, row)):
            self.responder.finish("unchanged", why)
            return
        self._map(document, earlier)

    def _known_there(self, document: Document[Any], row: Row) -> bool:
        """Go on with what was delivered before, by its source's or our own word; False where it is looked for anew."""
        case = self.case
        if case.source.answers:
            if not case.decided("post"):
                self.posted.again(document, row)
                return True
            resolving.posted_no_more(self.matcher, row, document.record)
        elif self.attempt.flow.once and case.fresh and not case.decided("post"):
            if (updated := Revision(case).judge(document, row, self.responder)) is not None:
                self._hold_on_to(updated)
            return True
        return False

    def _map(self, document: Document[Any], earlier: Found | None) -> None:
        """Say it in the target's words, then take up what stands there, or send it."""
        case = self.case
        record = case.linked(document.record)
        if earlier is not None:
            self._resume(earlier, record)
            return
        prepared = self._prepared(record, document.standing)
        if prepared is None:
            return
        case.value(prepared)
        if self.attempt.pair.shadow:
            self.matcher.rehearse(prepared)
            self.chunk.shadow = True
            self.responder.finish("delivered")
            return
        if self.chunk.swept and case.fresh and not case.target.look(prepared):
            raise Held(
                f"lookup:{case.key}",
                f"It was acknowledged in {case.source_title}, though not from here, and was not posted. If nobody "
                f"else works on it, {case.replay} posts it.",
            )
        looked_at = self.attempt.now
        if (found := self.matcher.look(prepared)) is not None:
            self._adopt(found, prepared)
        elif self._may_send(looked_at, prepared):
            self.matcher.reserve(prepared)
            self._post(document, prepared)

    def _gone(self, document: Document[Any], earlier: Found | None, looked_at: datetime) -> None:
        """Settle what its source does not offer any more; what we sent of it must not stand there unseen."""
        case = self.case
        if self._matches_sent(document, looked_at):
            return
        why = document.detail or document.standing
        if earlier is not None:
            case.conflict(
                f"{case.there(earlier)} was sent for {case.this()}, which {case.source_title} no longer transfers: "
                f"{why}. Cancel it there; or look in {case.source_title} why {case.this()} was taken back."
            )
        if not case.fresh and not self._may_send(looked_at, None):
            return
        if document.standing == "refused" and case.known().outcome == "rejected":
            self.responder.finish("rejected", self.responder.still_refused(document))
            return
        skipped = why if document.detail and document.standing == "gone" else f"{case.source_title} shows it as {why}."
        self.responder.finish("unchanged", f"Skipped: {skipped}")

    def _resume(self, found: Found, record: Any) -> None:
        """Go on with what was sent and stands there; raises `Held` where something else is wanted by now."""
        try:
            trace = traced(self.case, record)
        except Held as error:
            raise Held(
                error.waiting_for, f"{self.case.there(found)} was sent for {self.case.this()}. {error}"
            ) from error
        self.matcher.check_same(found, trace)
        self.case.value(trace)
        self.chunk.version = self.chunk.sents[-1].version or None
        self._adopt(found, trace)

    def _prepared(self, record: Any, standing: str) -> Prepared | None:
        """Map the document; None where that failed because it is at the target already, and so was adopted.

        A posting in doubt may have used up what the mapping checks: the order that the invoice is based on. So may
        one that our rows have forgotten: then the source shows the document as acknowledged.
        """
        case = self.case
        codes = self.attempt.pair.codes(waits=case.fresh)
        elsewhere = of_another_company(self.attempt, record, codes)
        if elsewhere is not None and case.fresh:
            raise elsewhere
        try:
            if elsewhere is not None:
                raise elsewhere
            prepared: Prepared = case.target.prepare(record, codes)
        except (Held, Rejected):
            if case.fresh and standing != "acknowledged":
                raise
            trace = case.target.trace(record, self.attempt.pair.codes(waits=False))
            found = self.matcher.look(trace)
            if found is None:
                raise
            case.value(trace)
            self._adopt(found, trace)
            return None
        return replace(prepared, since=case.since())

    def _matches_sent(self, document: Document[Any], looked_at: datetime) -> bool:
        """Take up again what is done at both ends and our rows have forgotten, as after a restore of the table.

        What our rows know to have been sent is ours, also where the target keeps no key of ours; but somebody else told
        its source, such as a second installation. So it may be his, and ours still to come: that is waited for.
        """
        case = self.case
        if document.record is None or document.standing != "transferred":
            return False
        in_doubt = not case.fresh
        try:
            trace = case.target.trace(case.linked(document.record), self.attempt.pair.codes(waits=False))
            found = self.matcher.look(trace)
            if found is not None:
                self.matcher.check_same(found, trace)
        except (Held, Rejected):
            if in_doubt:
                raise
            return False
        if found is None or not (found.ours or in_doubt):
            return False
        if not found.ours and not case.target.refuses_duplicates and self._settles(looked_at):
            self.attempt.wait(
                self._settles(looked_at),
                reason=f"{case.there(found)} stands there, and its transfer was reported, though not by us; what we "
                f"sent may still arrive in addition. {case.target.title} is checked once more.",
            )
            return True
        if self.attempt.ledger.link(found.id, case.key) != case.key:
            return False
        case.look_back()
        self.chunk.target, self.chunk.code = found.id, found.number
        self.responder.finish("delivered")
        return True

    def _settles(self, looked_at: datetime) -> float:
        """Tell for how many seconds after a look what was sent may still be carried out."""
        settle = timedelta(seconds=self.attempt.pair.in_doubt_seconds.get(self.attempt.flow.target, 900))
        since = looked_at - datetime.fromisoformat(self.chunk.sent_at or self.chunk.created)
        return max(0.0, (settle - since).total_seconds())

    def _fetched(self, row: Row) -> Document[Any]:
        """Read the document; one that cannot be read is refused only where it waits to be posted."""
        try:
            return self.case.fetch()
        except Unreadable as error:
            self.chunk.stamp, self.chunk.number = error.stamp or self.chunk.stamp, error.number or self.chunk.number
            if error.standing in {"offered", "acknowledged"} and (row.outcome != "delivered" or row.target is None):
                if (elsewhere := unreadable_elsewhere(self.attempt, error, self.attempt.pair.codes())) is not None:
                    raise elsewhere from error
                raise
            return Document(None, error.standing, error.stamp, str(error))

    def _adopt(self, found: Found, prepared: Prepared) -> None:
        self.matcher.check_same(found, prepared)
        if self.case.fresh:
            self.chunk.notes.append(f"Matched to {found.number}, which {self.case.target.title} already had.")
            self.responder.acknowledge()
        self._keep(found, adopted=True)

    def _may_send(self, looked_at: datetime, prepared: Prepared | None) -> bool:
        """Tell whether sending is safe now: at once where nothing was sent, else after the settle time.

        It counts from when the connection broke to when the look-up that found nothing began. A target that refuses
        a second one, of any document or of this one, takes the same at once; what goes by another name might come to
        lie under the first. What was taken is never sent again without a person's word. None for `prepared`: nothing
        is to be sent.
        """
        if self.case.fresh:
            return True
        names = {one.name for one in self.chunk.sents}
        refuses = prepared is not None and (self.case.target.refuses_duplicates or prepared.unique)
        same = refuses and prepared is not None and names <= {prepared.name}
        if (seconds := 0.0 if same else self._settles(looked_at)) > 0:
            self.attempt.wait(
                seconds,
                reason=f"The outcome of the last attempt is unknown. {self.case.target.title} does not show the "
                "document yet; it is looked for once more before it is sent again.",
            )
            return False
        if any(one.taken for one in self.chunk.sents) and not same and not self.case.decided("post"):
            self.matcher.taken()
        self.chunk.recheck = not same
        return True

    def _post(self, document: Document[Any], prepared: Prepared) -> None:
        case = self.case
        if document.standing == "offered":
            self.responder.acknowledge()
        before, again, earlier = list(self.chunk.sents), not case.fresh, self.chunk.sent_at
        sent = remember(prepared, self.attempt.ledger.now())
        sent.taken = prepared.blind
        self.chunk.sent_at, self.chunk.alone = sent.at, False
        self.chunk.sents = [*(one for one in before if one.lookup != sent.lookup), sent]
        self.attempt.progress("sent")
        try:
            found = case.target.send(prepared)
            if found.id in self.chunk.passed and not found.ours:  # it named no document, and this one was found instead
                raise OutcomeUnknown(f"{case.target.title} took {case.this()} without naming it.", taken=True)
        except OutcomeUnknown as error:
            self.chunk.step, self.chunk.sent_at = "unknown", self.attempt.ledger.now()
            sent.taken = error.taken or prepared.blind
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
        case = self.case
        holder = self.attempt.ledger.link(found.id, case.key)
        if holder != case.key and (found.ours or not case.fresh):
            raise self.matcher.collide(found, holder)
        if holder != case.key:
            case.conflict(
                f"{case.there(found)} belongs to {case.described(holder)} already. If {case.this()} is the same "
                f"invoice twice: {case.match(found.number)}. If not: `{case.resolve} --post`."
            )
        if adopted:
            case.look_back()
        case.announce(found.id)
        self._hold_on_to(found)

    def _hold_on_to(self, found: Found) -> None:
        """Go on with a document of the target as this one's posting."""
        self.chunk.target, self.chunk.code = found.id, found.number
        self.posted.note(found)
        self.chunk.attempts = self.chunk.failures = 0
        self.chunk.answer_ok = True  # an earlier attempt may have been refused, and could not be told
        self.attempt.progress("posted")
        self.attempt.pair.breakers[self.attempt.flow.target].succeeded()
        self._confirm()

    def _unlink(self) -> None:
        """Wait until a person's replay has linked the document to this one; then it is looked for, as in any doubt.

        So it is where the document shows that it is the other one's: its date or amount is not what was sent.
        """
        case = self.case
        target = self.chunk.target or ""
        holder = self.attempt.ledger.links([target]).get(target, case.key)
        anothers = holder != case.key and self.matcher.is_anothers(target)
        if case.open_decision("post") and not anothers:
            resolving.post_anew(self.matcher)
        elif holder != case.key and not anothers:
            raise self.matcher.collided(holder)
        else:
            self.chunk.step, self.chunk.target, self.chunk.code = "unknown", None, None
        self._deliver()

    def _confirm(self) -> None:
        """Read the number and the total back, then answer the source."""
        assert self.chunk.target is not None
        found: Found = self.case.target.read_back(self.posted.to_read_back())
        self.chunk.code = found.number or self.chunk.code
        self.posted.note(found)
        if found.state == "cancelled":
            self._hold_on_to(self.posted.instead(found, None if self.chunk.sents else self.case.fetch().record))
            return
        self.posted.same_total(found)
        self.posted.unchanged(replace(found, amount=None))
        self._stands_alone(found)
        if not self.case.source.answers:
            self.responder.finish("delivered")
        elif self.chunk.recheck and self._recheck_later():
            pass
        else:
            self.responder.answer()

    def _stands_alone(self, posted: Found) -> None:
        """Look once more after a posting: somebody else, or another installation, may have posted it meanwhile."""
        if self.chunk.alone or not self.chunk.sents or self.case.target.refuses_duplicates:
            return
        others = duplicates.others(self.matcher, (posted.id, self.chunk.target), self.case.sent)
        if others:
            self.matcher.several([posted, *others])
        self.chunk.alone = True

    def _recheck_later(self) -> bool:
        """Look once more after a second sending: the first may have been carried out late."""
        settle = self.attempt.pair.in_doubt_seconds.get(self.attempt.flow.target, 900)
        patience = max(settle * LATEST, LEAST)
        since = self.attempt.now - datetime.fromisoformat(self.chunk.sent_at or self.chunk.created)
        if since < timedelta(seconds=patience):
            self.attempt.posted(patience - since.total_seconds())
            self.chunk.reason = (
                f"It was sent twice after an unknown outcome; {self.case.target.title} is checked once more."
            )
            return True
        self.chunk.alone = False
        self._stands_alone(Found(str(self.chunk.target), self.chunk.code or ""))
        self.chunk.recheck = False
        return False

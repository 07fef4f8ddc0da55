"""What a document's source is told, and what it makes of it: the last steps of a document's way.

A refusal stands from the moment it is written down, so that a kill neither loses it nor tells it twice.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from ml_connector.engine.ledger.rows import Row, readable
from ml_connector.engine.write.case import Case
from ml_connector.engine.write.retry import backoff
from ml_connector.errors import Held, NotOurs, Rejected, Unreadable
from ml_connector.flow import Answer, Document, SourceState, Verdict

ANSWER_TRIES = 3
LONGEST = 2000
"""Characters of a reason that a document's rows keep."""
PATIENCE = timedelta(hours=24)


class Responder:
    """Talks to the document's source, and completes."""

    def __init__(self, case: Case) -> None:
        """Work on one document's attempt."""
        self.case, self.attempt, self.chunk = case, case.attempt, case.chunk

    def acknowledge(self) -> None:
        """Take the document at its source, where it takes answers."""
        if self.case.source.answers:
            self.attempt.said["talking_to"] = self.attempt.flow.source
            self.case.source.acknowledge(self.case.key)
            self.attempt.said["talking_to"] = self.attempt.flow.target

    def refuse(self, error: Rejected) -> None:
        """Tell the source once that the document was refused; what cannot be told is settled all the same."""
        if self.chunk.step in {"sent", "unknown"} or (self.chunk.sents and self.chunk.target is None):
            raise Held(f"lookup:{self.case.key}", f"Its first sending may have taken effect, and now: {error}")
        if self.chunk.target is not None:  # it is in the books: what is refused is our answer or our reading
            raise Held(f"lookup:{self.case.key}", f"It was posted as {self.chunk.code}, but then: {error}")
        if isinstance(error, NotOurs):
            self.finish("unchanged", str(error))
            return
        if self.chunk.step == "answered":
            self._not_taken(Verdict("rejected", str(error)))
            return
        self.chunk.reason = self.chunk.refusal = readable(str(error), LONGEST)
        self.chunk.answer_ok = False
        if not self.case.source.answers or self.attempt.pair.shadow:
            self.finish("rejected", self.chunk.refusal)
            return
        taken = bool(self.chunk.step) and self.chunk.step != "held"
        self.attempt.progress("refusing")  # from here on the refusal stands, whenever this process dies
        self.tell(taken)

    def tell(self, taken: bool) -> None:
        """Answer a refusal, acknowledging first where nobody has. What came of it meanwhile is looked at before."""
        self.attempt.said["talking_to"] = self.attempt.flow.source
        if not taken:
            standing, stamp = self._standing()
            if standing == "offered" and stamp and self.chunk.stamp and stamp > self.chunk.stamp:
                self._start_anew()
                return
            if standing not in {"offered", "acknowledged"}:  # it was told, and only the answer to that was lost
                self.finish("rejected", self.chunk.refusal)
                return
            if standing == "offered":
                self.acknowledge()
        self.answer()

    def _standing(self) -> tuple[SourceState, str | None]:
        """Tell how the document stands, also where it cannot be read."""
        try:
            document: Document[Any] = self.case.source.fetch(self.case.key)
        except Unreadable as error:
            return error.standing, error.stamp
        return document.standing, document.stamp

    def still_refused(self, document: Document[Any]) -> str:
        """Try again a document that was refused, as far as its source lets us, and say what comes of it.

        Nothing is posted: its source was told of the refusal, and takes no other answer until somebody transfers it
        again.
        """
        why = document.detail
        if document.record is not None:
            try:
                self.case.target.prepare(document.record, self.attempt.pair.codes())
            except (Held, Rejected) as error:
                why = str(error)
            else:
                return (
                    f"It was tried again, and nothing speaks against it now, but {self.case.source_title} keeps it as "
                    "refused. Transfer it again there, and it is posted."
                )
        return (
            f"It was tried again, with the same result: {why} {self.case.source_title} keeps it as refused until it is "
            "transferred again there."
        )

    def _start_anew(self) -> None:
        """Take up what was offered again since the version that was refused: that refusal is not its own."""
        self.chunk.step, self.chunk.answer_ok, self.chunk.refusal = "", True, None
        self.attempt.wait(1, reason="It was transferred again after it had been refused.")

    def answer(self) -> None:
        """Tell the source what became of the document; what it makes of that is asked for later."""
        chunk = self.chunk
        if chunk.answer_ok and chunk.target is None:  # whatever led here, nobody may hear of a posting that is none
            raise Held(
                f"lookup:{self.case.key}",
                f"Nothing shows where it was posted, so nothing was reported to {self.case.source_title}.",
            )
        source, answer = self.case.source, self._words()
        assert source.answers  # what only lists is never answered
        self.attempt.said["talking_to"] = self.attempt.flow.source
        token = source.answer(self.case.key, answer)
        chunk.tokens, chunk.token_at = [token] if token else [], self.attempt.ledger.now()
        chunk.attempts = 0
        self.attempt.progress("answered")
        self.attempt.posted(0.5)
        if not chunk.answer_ok:
            chunk.reason = answer.message

    def _words(self) -> Answer:
        chunk, ok = self.chunk, self.chunk.answer_ok
        # not "posted": where batches are posted by people it is entered, and ready to be
        message = f"Entered in the ERP as {chunk.code}." if ok else (chunk.refusal or chunk.reason or "Refused.")
        kind = "transferred" if ok else "refused"
        internal = (chunk.target or "").rpartition(":")[2] or chunk.code  # some have the one number that people know
        day = date.fromisoformat(chunk.posted_on) if chunk.posted_on else self.attempt.now.astimezone(UTC).date()
        # a later offer is another answer; where the source gives no stamp, the offer's own number tells refusals apart
        offer = chunk.stamp or ("" if ok else chunk.seq)
        return Answer(
            code=f"{kind}.{chunk.answer_try}.{offer}",
            success=ok,
            message=message,
            number=chunk.code,
            internal=internal if ok else None,
            posted_on=day,
            since=self.case.since(),
        )

    def hear(self) -> None:
        """Ask what the source made of the answer."""
        source, token = self.case.source, self.chunk.tokens[0] if self.chunk.tokens else None
        assert source.answers  # what only lists never gets here
        self.attempt.said["talking_to"] = self.attempt.flow.source
        verdict = source.answered(self.case.key, token, self._words())
        asked = datetime.fromisoformat(self.chunk.token_at or self.chunk.created)
        if verdict is None:
            if self.attempt.now - asked > PATIENCE:
                raise Held(
                    f"lookup:{self.case.key}",
                    f"{self.case.source_title} has not confirmed the response within a day; look there.",
                )
            reason = self.chunk.reason
            self.attempt.posted(backoff(self.chunk.attempts, 1, 900))
            self.chunk.reason = reason
        elif verdict.outcome == "rejected":
            self._not_taken(verdict)
        else:
            ok, chunk = self.chunk.answer_ok, self.chunk
            self.finish("delivered" if ok else "rejected", chunk.reason if ok else chunk.refusal or chunk.reason)

    def _not_taken(self, verdict: Verdict) -> None:
        self.chunk.answer_try += 1
        if self.chunk.answer_try >= ANSWER_TRIES:
            self.attempt.dead("answer refused", f"{self.case.source_title} did not take our response: {verdict.reason}")
            return
        self.answer()

    def finish(self, outcome: Any, reason: str | None = None) -> None:
        """Settle the record row, then the chunk."""
        case = self.case
        ledger, chunk, reason = self.attempt.ledger, self.chunk, reason and readable(reason, LONGEST)
        known, stamp = ledger.rows([case.key], consistent=True), self._stamp(outcome)

        def made(_: str, before: Row) -> Row:
            if outcome == "unchanged" and before.outcome is not None:
                return msgspec.structs.replace(before, seq=max(before.seq, chunk.seq), stamp=chunk.stamp)
            return Row(
                seq=chunk.seq,
                outcome=outcome,
                chunk=chunk.id,
                reason=reason,
                stamp=stamp,
                target=chunk.target,
                code=chunk.code,
                number=chunk.number,
                delivered_fp=chunk.version
                if outcome == "delivered" and self.attempt.flow.once
                else before.delivered_fp,
            )

        ledger.settle(
            {case.key: made(case.key, known[case.key][0] if case.key in known else Row())},
            known,
            made,
        )
        self.attempt.done(outcome, reason)

    def _stamp(self, outcome: str) -> str | None:
        """Remember the source's stamp after our refusal, so that only a later one is a new attempt.

        Where it is offered again already, that is such an attempt: then what was refused is what counts.
        """
        if outcome != "rejected" or not self.case.source.answers:
            return self.chunk.stamp
        standing, stamp = self._standing()
        return self.chunk.stamp if standing == "offered" else stamp or self.chunk.stamp

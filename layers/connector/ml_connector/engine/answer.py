"""What a document's source is told, and what it makes of it: the last steps of a document's way.

A refusal stands from the moment it is written down, so that a kill neither loses it nor tells it twice.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from ml_connector.engine.rows import Row
from ml_connector.engine.task import Task
from ml_connector.engine.trouble import backoff
from ml_connector.errors import Held, Rejected
from ml_connector.flow import Answer, Document, Verdict

ANSWER_TRIES = 3
PATIENCE = timedelta(hours=24)


class Answering:
    """The part of a document's attempt that talks to its source, and settles."""

    def __init__(self, task: Task) -> None:
        """Have both ends at hand."""
        self.task, self.chunk = task, task.chunk
        self.key: str = task.chunk.key or task.chunk.id
        self.source: Any = task.pair.source(task.flow)
        self.target: Any = task.pair.target(task.flow)

    def _acknowledge(self) -> None:
        if self.source.answers:
            self.task.said["talking_to"] = self.task.flow.source
            self.source.acknowledge(self.key)
            self.task.said["talking_to"] = self.task.flow.target

    def refuse(self, error: Rejected) -> None:
        """Tell the source once that the document was refused; what cannot be told is settled all the same."""
        if self.chunk.step in {"sent", "unknown"}:
            raise Held(f"lookup:{self.key}", f"Its first sending may have taken effect, and now: {error}")
        if self.chunk.target is not None:  # it is in the books: what is refused is our answer or our reading
            raise Held(f"lookup:{self.key}", f"It was posted as {self.chunk.code}, but then: {error}")
        if self.chunk.step == "answered":
            self._not_taken(Verdict("rejected", str(error)))
            return
        self.chunk.reason, self.chunk.answer_ok = str(error), False
        if not self.source.answers or self.task.pair.shadow:
            self._finish("rejected", str(error))
            return
        taken = bool(self.chunk.step) and self.chunk.step != "held"
        self.task.progress("refusing")  # from here on the refusal stands, whenever this process dies
        self._tell(taken)

    def _tell(self, taken: bool) -> None:
        """Answer a refusal, acknowledging first where nobody has."""
        self.task.said["talking_to"] = self.task.flow.source
        if not taken and self._standing() == "offered":
            self._acknowledge()
        self._answer()

    def _standing(self) -> str:
        """Tell how the document stands; one that cannot be read was offered when it was tried."""
        try:
            return str(self.source.fetch(self.key).standing)
        except Rejected:
            return "offered"

    def _answer(self) -> None:
        chunk = self.chunk
        answer = self._words()
        self.task.said["talking_to"] = self.task.flow.source
        token = self.source.answer(self.key, answer)
        chunk.tokens, chunk.token_at = [token] if token else [], self.task.ledger.now()
        chunk.attempts = 0
        self.task.progress("answered")
        self.task.posted(0.5)
        if not chunk.answer_ok:
            chunk.reason = answer.message

    def _words(self) -> Answer:
        chunk, ok = self.chunk, self.chunk.answer_ok
        message = f"Posted as {chunk.code}." if ok else (chunk.reason or "Refused.")
        kind = "transferred" if ok else "refused"
        internal = (chunk.target or "").partition(":")[2] or chunk.target
        day = date.fromisoformat(chunk.posted_on) if chunk.posted_on else self.task.now.astimezone(UTC).date()
        # a later offer is another answer; where the source gives no stamp, the offer's own number tells refusals apart
        offer = chunk.stamp or ("" if ok else chunk.seq)
        return Answer(
            code=f"{kind}.{chunk.answer_try}.{offer}",
            success=ok, message=message, number=chunk.code, internal=internal if ok else None, posted_on=day,
        )  # fmt: skip

    def _hear(self) -> None:
        """Ask what the source made of the answer."""
        self.task.said["talking_to"] = self.task.flow.source
        verdict: Verdict | None = self.source.answered(
            self.key, self.chunk.tokens[0] if self.chunk.tokens else None, self._words()
        )
        asked = datetime.fromisoformat(self.chunk.token_at or self.chunk.created)
        if verdict is None:
            if self.task.now - asked > PATIENCE:
                raise Held(f"lookup:{self.key}", "The source has not confirmed the answer within a day; look there.")
            reason = self.chunk.reason
            self.task.posted(backoff(self.chunk.attempts, 1, 900))
            self.chunk.reason = reason
        elif verdict.outcome == "rejected":
            self._not_taken(verdict)
        else:
            self._finish("delivered" if self.chunk.answer_ok else "rejected", self.chunk.reason)

    def _not_taken(self, verdict: Verdict) -> None:
        self.chunk.answer_try += 1
        if self.chunk.answer_try >= ANSWER_TRIES:
            self.task.dead("answer refused", f"The source did not take our answer: {verdict.reason}")
            return
        self._answer()

    def _again(self, document: Document[Any], row: Row) -> None:
        """It was delivered before: answer again, never post again."""
        if self.task.pair.shadow:
            self.chunk.shadow = True
            self._finish("delivered")
            return
        self.chunk.target, self.chunk.code = row.target, row.code
        if document.standing in {"offered", "acknowledged"}:
            self.chunk.answer_try = max(self.chunk.answer_try, 1)
            if document.standing == "offered":
                self._acknowledge()
            self._answer()
        else:
            self._finish("unchanged", "It was delivered before.")

    def _finish(self, outcome: Any, reason: str | None = None) -> None:
        """Settle the record row, then the chunk."""
        ledger, chunk = self.task.ledger, self.chunk
        known = ledger.rows([self.key], consistent=True)
        before = known[self.key][0] if self.key in known else Row()
        if outcome == "unchanged" and before.outcome is not None:
            row = msgspec.structs.replace(before, seq=max(before.seq, chunk.seq), stamp=chunk.stamp)
        else:
            row = Row(
                seq=chunk.seq, outcome=outcome, chunk=chunk.id, reason=reason, stamp=self._stamp(outcome),
                target=chunk.target, code=chunk.code, number=chunk.number,
            )  # fmt: skip
        ledger.settle({self.key: row}, known)
        self.task.done(outcome, reason)

    def _stamp(self, outcome: str) -> str | None:
        """Remember the source's stamp after our refusal, so that only a later one is a new attempt."""
        if outcome != "rejected" or not self.source.answers:
            return self.chunk.stamp
        try:
            return self.source.fetch(self.key).stamp or self.chunk.stamp
        except Rejected:
            return self.chunk.stamp

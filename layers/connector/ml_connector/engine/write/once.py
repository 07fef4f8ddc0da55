"""Records that a target creates once and never changes: looked for before they are sent, and left as they stand.

Elsewhere the same again does no harm; here it does. What may have been sent is looked for, what is there is not sent,
and what is not there is sent only when no earlier request can create it any more. What changed at the source since is
held for a person, who changes it at the target by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ml_connector.engine.ledger.fingerprint import fingerprint, same_record
from ml_connector.engine.write import uncertain
from ml_connector.flow import Rendered, Verdict
from ml_connector.master_target import MasterTarget
from ml_connector.records import Record

if TYPE_CHECKING:
    from ml_connector.engine.write.masters import MasterWriter

MOST = 100
"""Records of one attempt: each of them is looked for by a call of its own."""
SOON = 120.0
"""Seconds until the next look for what a request that broke off may have created."""
OVERTAKEN: tuple[Literal["unchanged"], str] = ("unchanged", "A newer version of the record was sent.")
ALIKE = "It was created before, and only settings or mappings changed since then: it stays as it is."


def may_create(work: MasterWriter, target: MasterTarget[Record], batch: Sequence[Rendered]) -> bool:
    """Decide what a target that creates once has already; False while the rest may not be sent yet."""
    once = CreatedOnce(work, target)
    once.leave(batch[MOST:])
    said = once.decided(batch) if batch else {}
    if work.holds_alone(said):
        return False
    for key, verdict in said.items():
        work.take(key, verdict, last=True)
    left = once.seconds_left() if batch else 0.0
    if left:
        work.attempt.wait(left, reason="An earlier request may still create some of it; it is looked for until then.")
    return not left


class CreatedOnce:
    """Decides for the records of one chunk which of them may be created now."""

    def __init__(self, work: MasterWriter, target: MasterTarget[Record]) -> None:
        """Have at hand what the ledger knows of the records."""
        self.attempt, self.chunk, self.target = work.attempt, work.chunk, target
        self.records = work.records
        self.rows = {key: row for key, (row, _) in work.rows(consistent=True).items()}

    def leave(self, far: Sequence[Rendered]) -> None:
        """Give what is too much for one attempt chunks of their own."""
        for keys in ([r.key for r in far[start : start + MOST]] for start in range(0, len(far), MOST)):
            self.attempt.ledger.add(self.attempt.part(keys), {"records": [self.records[k] for k in keys]})
            self.chunk.results |= dict.fromkeys(keys, ("moved", "split"))

    def decided(self, batch: Sequence[Rendered]) -> dict[str, Verdict]:
        """Tell what becomes of records without being sent: by key. The others are not there, as the target proves."""
        said = self._of_the_ledger(batch)
        asked = [replace(r, known=self._was_created(r.key)) for r in batch if r.key not in said]
        standing = self.target.standing(asked) if asked else {}
        for one in asked:
            found = standing.get(one.key)
            if found is None and one.known and not self._says("post"):
                found = self._is_gone(one.key)
            if found is not None:
                said[one.key] = self._ours(one.key, found)
        return said

    def seconds_left(self) -> float:
        """Tell for how long a request of this very chunk may still create what is not there."""
        until = self.chunk.doubt
        left = (self.attempt.moment(until) - self.attempt.now).total_seconds() if until else 0.0
        return min(max(0.0, left), SOON)

    def _of_the_ledger(self, batch: Sequence[Rendered]) -> dict[str, Verdict]:
        """Decide what needs no question: what a newer chunk has, and what did not change at its source."""
        keys = [r.key for r in batch]
        newer = set() if self.seconds_left() else uncertain.in_later(self.attempt, keys)  # which looks after our doubt
        said = {key: Verdict(*OVERTAKEN) for key in keys if key in newer}
        for key in keys:
            row = self.rows.get(key)
            known = row.delivered_fp if row is not None and row.taint is None and not self.chunk.sent_at else None
            if key not in said and same_record(known, fingerprint(self.records[key], "")):
                said[key] = Verdict("unchanged", ALIKE)
        return said

    def _was_created(self, key: str) -> bool:
        return (row := self.rows.get(key)) is not None and row.code is not None

    def _says(self, what: str) -> bool:
        """Tell whether a person decided so of this chunk."""
        return self.chunk.decision is not None and self.chunk.decision.what == what

    def _ours(self, key: str, found: Verdict) -> Verdict:
        """Judge what stands there. What this chunk has sent itself is delivered, whatever a mapping became since."""
        reason = found.reason
        if not (found.waiting_for or "").startswith("conflict:"):
            mine = self.chunk.sent_at and found.outcome == "unchanged"
            return Verdict("delivered", reason) if mine else found
        if self.chunk.sent_at:
            return Verdict("delivered", f"It was found as an earlier request of ours created it. {reason}")
        if self._says("match"):
            return Verdict("unchanged", "A person decided that it stands as it should.")
        how = f"`ml-connector resolve {self.attempt.pair.tenant} {self.attempt.flow.name} {key}"
        return replace(found, reason=f"{reason} When that is done: {how} --match {self._number(key)}`.")

    def _is_gone(self, key: str) -> Verdict:
        """Hold what was created and is not there any more: it is not made a second time unless a person says so."""
        pair, flow, number = self.attempt.pair, self.attempt.flow, self._number(key)
        title = pair.title(flow.target)
        return Verdict(
            "held",
            f"{number} was created in {title} before, and {title} does not show it any more: somebody deleted it "
            "there. It is not created again by itself; look whether it is still needed. If it is: "
            f"`ml-connector resolve {pair.tenant} {flow.name} {key} --post`.",
            f"conflict:{key}",
        )

    def _number(self, key: str) -> str:
        return str(getattr(self.records[key], "number", key))

"""Records that vanished at their source: switched off at the target, after the source was asked once more.

A list that is read page by page may miss a record that moved while it was read. So nothing is switched off because a
list lacked it: the writer asks for the very keys, right before. And when much is missing at once, a person decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ml_connector.engine.ledger import shared
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import GONE, Chunk, Row
from ml_connector.engine.ledger.seen_keys import held_by_target
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write import uncertain
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.retry import backoff
from ml_connector.errors import Transient
from ml_connector.flow import Flow, Verdict
from ml_connector.master_target import UnderOwnCodes

SIZE = 100
"""Keys in one chunk."""
FEW, SHARE, THIRD = 20, 0.02, 3
DAY = 86_400.0
PATIENCE = timedelta(hours=24)
OVERTAKEN = ("unchanged", "It was sent again meanwhile.")
BACK = ("unchanged", "It is still in its source system.")
MOVED = ("moved", "split")


def too_many(missing: int, known: int, *, empty: bool) -> bool:
    """Tell whether so much is missing that a fault is likelier than deletions.

    Some hundredths of a large list are much, a third of a small one, and all of any. `empty`: the source shows nothing.
    """
    return (
        (missing > FEW and missing > known * SHARE)
        or (missing > 1 and missing * THIRD > known)
        or (empty and missing > 0)
    )


class DeactivationWriter:
    """One attempt at a chunk of keys that vanished. `chunk.guarded`: a person must agree first."""

    def __init__(self, attempt: Attempt) -> None:
        """Read the chunk's keys, and what is known of them."""
        self.attempt, self.chunk = attempt, attempt.chunk
        body = attempt.body()
        self.keys: list[str] = msgspec.json.decode(body.get("retired", b"[]"), type=list[str])
        self.known = attempt.ledger.rows(self.keys, consistent=True)
        attempt.keys = self.keys

    def advance(self) -> None:
        """Bring the chunk as far as it goes now; where a person must agree, the source is asked once a day."""
        pair, flow = self.attempt.pair, self.attempt.flow
        for key in self.keys:
            if key not in self.known or self.known[key][0].seq > self.chunk.seq:
                self.chunk.results[key] = OVERTAKEN
        self.attempt.ledger.begin(self.chunk.seq)
        pair.check(flow.source, flow.target)
        if not self.chunk.tokens:
            self._ask_again()
            if not self._alive():
                self._settle()
                return
            if self.chunk.guarded:
                self._guard_anew()
            if not self._alive():
                self._settle()
            elif self.chunk.guarded:
                self.attempt.wait(DAY, waiting_for=f"approval:{flow.name}", reason=self.chunk.guarded)
            elif pair.shadow:
                self.chunk.shadow = True
                self._settle()
            elif (left := uncertain.seconds_left(self.attempt, self._alive(), self.known)) > 0:
                self.attempt.wait(left, reason="An earlier request for one of its records may still take effect.")
            else:
                self._send()
            return
        if self._judged():
            self._settle()

    def _guard_anew(self) -> None:
        """Reckon again whether a person must agree, now that some are back; the others of the flow reckon again too."""
        ledger, flow, alive = self.attempt.ledger, self.attempt.flow, self._alive()
        others = [c for c in guarded(ledger) if c.id != self.chunk.id]
        missing = len(alive) + sum(c.count for c in others)
        known = sum(1 for _, row in ledger.all_rows() if held_by_target(row) and (row.open or not flow.follows))
        if not too_many(missing, known, empty=missing >= known):
            self.chunk.guarded = None
            for other in others:
                look_again(ledger, other.id)
            return
        text = self.chunk.guarded = missing_text(self.attempt.pair, flow, missing, known)
        if not self.chunk.results:
            return
        child = self.attempt.part(
            alive, guarded=text, reason=text, waiting_for=f"approval:{flow.name}", due_at=self.attempt.later(DAY)
        )
        ledger.add(child, {"retired": alive})
        self.chunk.results.update(dict.fromkeys(alive, MOVED))
        self.chunk.guarded = None

    def _alive(self) -> list[str]:
        return [key for key in self.keys if key not in self.chunk.results]

    def _ask_again(self) -> None:
        """Ask the source for the very keys: what it shows, readable or not, is not switched off."""
        alive = self._alive()
        if not alive:
            return
        self.attempt.said["talking_to"] = self.attempt.flow.source
        asked = set(alive)
        for page in self.attempt.pair.master_source(self.attempt.flow).reread(alive):
            if any(not b.key for b in page.broken):
                raise Transient(
                    "The source system shows a record without a key; nothing is deactivated until that is fixed."
                )
            for key in asked & ({r.key for r in page.records} | {b.key for b in page.broken}):
                self.chunk.results[key] = BACK
        self.attempt.said["talking_to"] = self.attempt.flow.target

    def _leave_shared(self, target: object) -> None:
        """Leave active what stands there under a code that is not, or not only, this record's own."""
        if not isinstance(target, UnderOwnCodes):
            return
        rows = self.attempt.ledger.all_rows()
        others = {row.code for key, row in rows if key not in self.known and held_by_target(row)}
        for key in self._alive():
            code = self.known[key][0].code
            if code is not None and (code != target.own_code(key) or code in others):
                self.chunk.results[key] = ("unchanged", f"It stood there as {code}, which others use: it stays active.")

    def _send(self) -> None:
        target = self.attempt.pair.master_target(self.attempt.flow)
        self._leave_shared(target)
        if not self._alive():
            self._settle()
            return
        sent = target.deactivate(self._alive())
        for key, reason in sent.refused.items():
            self.chunk.results[key] = ("rejected", reason)
        self.attempt.pair.breakers[self.attempt.flow.target].succeeded()
        self.chunk.sent_at = self.attempt.ledger.now()
        self.chunk.tokens, self.chunk.token_at = list(sent.tokens) or ["-"], self.attempt.ledger.now()
        self.chunk.attempts = 0
        self.attempt.posted(1)

    def _judged(self) -> bool:
        tokens = [t for t in self.chunk.tokens if t != "-"]
        target = self.attempt.pair.master_target(self.attempt.flow)
        verdicts: dict[str, Verdict] | None = target.deactivated(self._alive(), tokens) if tokens else {}
        if verdicts is None:
            asked = datetime.fromisoformat(self.chunk.token_at or self.chunk.created)
            if self.attempt.now - asked > PATIENCE:
                self.chunk.tokens = []  # the same again is harmless
            self.attempt.posted(backoff(self.chunk.attempts, 1, 900))
            return False
        for key, verdict in verdicts.items():
            if verdict.outcome in {"held", "rejected"}:
                self.chunk.results.setdefault(
                    key,
                    (
                        "rejected",
                        verdict.reason or f"{self.attempt.pair.title(self.attempt.flow.target)} did not take it.",
                    ),
                )
        return True

    def refuse(self, reason: str) -> None:
        """Find by halving what is refused; alone it is settled so, and the next full comparison tries again."""
        left = self._alive()
        if len(left) == 1:
            self.chunk.results[left[0]] = ("rejected", reason)
        else:
            for half in (left[: len(left) // 2], left[len(left) // 2 :]):
                self.attempt.ledger.add(self.attempt.part(half), {"retired": half})
                self.chunk.results.update(dict.fromkeys(half, MOVED))
        self._settle()

    def _settle(self) -> None:
        chunk = self.chunk
        for key in self._alive():
            chunk.results[key] = ("delivered", "")
        settled = {key for key, result in chunk.results.items() if result not in (OVERTAKEN, BACK, MOVED)}
        rows = {key: self._row(key, self.known[key][0]) for key in sorted(settled)}
        self.attempt.ledger.settle(rows, self.known, self._row)
        if any(row.taint for row in rows.values()):
            self.attempt.ledger.compare_everything()
        counts = Counter(outcome for outcome, _ in chunk.results.values())
        chunk.delivered, chunk.unchanged = counts["delivered"], counts["unchanged"]
        chunk.rejected, chunk.moved = counts["rejected"], counts["moved"]
        chunk.results = {k: v for k, v in chunk.results.items() if v[0] == "rejected"}
        self.attempt.done()

    def _row(self, key: str, before: Row) -> Row:
        """Make the row again over the one there is."""
        outcome, reason = self.chunk.results[key]
        if outcome == "rejected":
            return msgspec.structs.replace(
                before,
                seq=self.chunk.seq,
                chunk=self.chunk.id,
                outcome="rejected",
                reason=reason,
                delivered_fp=None,
                seen_fp=GONE,
                doubt=self.chunk.doubt,
            )
        spoilt = before.spoilt_since(self.chunk.sent_at)
        return msgspec.structs.replace(
            before,
            seq=self.chunk.seq,
            chunk=self.chunk.id,
            outcome="delivered",
            reason=None,
            delivered_fp=None if spoilt else GONE,
            taint=before.taint if spoilt else None,
            open=False,
            doubt=self.chunk.doubt,
            shared=shared.deactivated(before.shared) if self.attempt.flow.guarded else before.shared,
        )


def missing_text(pair: TenantIntegration, flow: Flow, missing: int, known: int) -> str:
    """Say why a person must agree."""
    command = f"ml-connector confirm-deactivation {pair.tenant} {flow.name}"
    return (
        f"{missing} of {known} {flow.name} are missing in {pair.title(flow.source)}. None was deactivated in "
        f"{pair.title(flow.target)}. If they were deleted: `{command}`."
    )


def guarded(ledger: Ledger) -> list[Chunk]:
    """List what waits for a person to agree."""
    return [c for c in ledger.unfinished() if c.op == "retire" and c.guarded and c.state == "waiting"]


def look_again(ledger: Ledger, chunk_id: str) -> None:
    """Have the source asked again now, and not in a day."""

    def due_now(chunk: Chunk) -> bool:
        waits = chunk.state == "waiting" and bool(chunk.guarded)
        chunk.due_at = ledger.now() if waits else chunk.due_at
        return waits

    ledger.change(chunk_id, due_now)


def parts(keys: Sequence[str]) -> list[Sequence[str]]:
    """Cut keys into chunks."""
    return [keys[start : start + SIZE] for start in range(0, len(keys), SIZE)]

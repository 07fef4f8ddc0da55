"""Masters and orders: a chunk of records on its way to a target that takes them in bulk.

render ──► send stage 1 ──► verdicts ──► send stage 2 ──► verdicts ──► settle
  │                           │
  ├─ held: moved to a chunk of its own, so that it holds nobody else
  └─ rejected: kept with its reason, settled with the rest
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any

import msgspec
from msgspec import Struct

from ml_connector.engine.ledger.codes import Asked
from ml_connector.engine.ledger.fingerprint import fingerprint, fingerprint_raw
from ml_connector.engine.ledger.mappings import SYNC, Change
from ml_connector.engine.ledger.rows import Row, cut
from ml_connector.engine.ledger.shared import without
from ml_connector.engine.write import uncertain
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.batch import Batch
from ml_connector.engine.write.hand_edits import guard_of
from ml_connector.engine.write.once import OVERTAKEN, may_create
from ml_connector.engine.write.prerequisites import release_landed, wait_for_masters
from ml_connector.engine.write.retry import backoff
from ml_connector.errors import Held, Rejected
from ml_connector.flow import Rendered, Verdict
from ml_connector.master_target import MasterTarget
from ml_connector.ports import Item
from ml_connector.records import Record
from ml_connector.type_cache import resolve

PATIENCE = timedelta(hours=24)
"""How long a verdict may take before the target's own record is read instead."""
SECOND = 2
"""The question about a request at which what it has finished is no longer kept waiting for the rest."""
MOST_REASONS = 100_000
"""Characters of all reasons in a chunk: it is one row of the store."""


class BrokenRow(Struct, frozen=True, kw_only=True):
    """A source record that could not be read, as a chunk's body keeps it."""

    key: str
    reason: str
    raw: str


resolve(list[BrokenRow])


class MasterWriter:
    """One attempt at a bulk chunk."""

    def __init__(self, attempt: Attempt) -> None:
        """Read the chunk's records."""
        self.attempt, self.chunk = attempt, attempt.chunk
        body = attempt.body()
        records: list[Record] = msgspec.json.decode(body.get("records", b"[]"), type=list[attempt.flow.record])  # type: ignore[name-defined]
        self.records = {r.key: r for r in records}
        self.broken = msgspec.json.decode(body.get("broken", b"[]"), type=list[BrokenRow])
        self.rendered: dict[str, Rendered] = {}
        self.used: dict[str, dict[str, str]] = {}
        self._recoded: dict[str, tuple[str, str]] = {}
        self._guard = guard_of(self)
        attempt.keys = list(self.records)

    @cached_property
    def known(self) -> dict[str, tuple[Row, Item]]:
        """What is known of the records, perhaps a little old: a settle that meets a newer row reads that again."""
        return self.rows(consistent=False)

    @cached_property
    def epoch(self) -> str:
        """What shapes what is sent; read before any code is translated."""
        return self.attempt.pair.shape(self.attempt.flow)

    def rows(self, *, consistent: bool) -> dict[str, tuple[Row, Item]]:
        """Read what is known of the records."""
        return self.attempt.ledger.rows([*self.records, *(b.key for b in self.broken)], consistent=consistent)

    def advance(self) -> None:
        """Bring the chunk as far as it goes now."""
        self.reject_unreadable()
        if not self.records:
            self.complete()
            return
        if not self.chunk.tokens and ((self.drop_superseded() and self.in_doubt()) or self._too_early()):
            return
        if self.chunk.op == "rebaseline":
            self.complete()
            return
        self.attempt.pair.check(self.attempt.flow.target)
        if not self.chunk.tokens and not self.chunk.stage:
            wait_for_masters(self.attempt)
        if self._guard:
            self._guard.look_again()
        target: MasterTarget[Record] = self.attempt.pair.master_target(self.attempt.flow)
        batch = Batch(partial(self._render, target), self._alive)
        if self.attempt.pair.shadow:
            batch.say()
            self.chunk.shadow = True
            self.complete()
            return
        while self.chunk.stage < len(target.stages):
            stage = target.stages[self.chunk.stage]
            if not self.chunk.tokens and self._takes_part(stage, batch) and self._send(target, stage, batch):
                return
            if self.records.keys() - self.chunk.results and not self._judged(target, stage, batch):
                return
            self.chunk.stage, self.chunk.tokens, self.chunk.token_at = self.chunk.stage + 1, [], None
            self.chunk.attempts = 0
            if self.chunk.stage < len(target.stages):
                self.drop_superseded()
        batch.say()
        if self._guard:
            self._guard.settled()
        self.complete()

    def _takes_part(self, stage: str, batch: Batch) -> bool:
        """Tell whether anything goes out in a stage; what is guarded is nowhere but in its own."""
        return any(one.entities.get(stage) for one in batch) if self.attempt.flow.guarded else bool(batch)

    def reject_unreadable(self) -> None:
        """Decide the records that could not be read; the audit keeps their text."""
        for bad in self.broken:
            if bad.key not in self.chunk.results:
                self.refuse(bad.key, bad.reason)
        if self.broken:
            self.attempt.said["unreadable"] = [{"key": b.key, "reason": b.reason, "raw": b.raw} for b in self.broken]

    # ── before sending ──────────────────────────────────────────────────────────────────────────────────────

    def in_doubt(self) -> bool:
        """Wait where an earlier request for one of the records may yet be carried out over this one."""
        left = uncertain.seconds_left(
            self.attempt, [k for k in self.records if k not in self.chunk.results], self.known
        )
        if left > 0:
            self.attempt.wait(left, reason="An earlier request for one of its records may still take effect.")
        return left > 0

    def _too_early(self) -> bool:
        """Wait for the verdict on an earlier version: only then shows which of its parts have to go."""
        early = self.chunk.renewed and not self.chunk.stage and uncertain.awaits_verdict(self.attempt, self.records)
        if early:
            pause = backoff(self.chunk.attempts, 5, 900)  # as rarely as the verdict itself is asked for
            self.attempt.wait(pause, reason="An earlier version of one of its records awaits its request status.")
        return early

    def drop_superseded(self) -> bool:
        """Let go of what a later chunk has settled or sent. While none has begun, no row is read for it."""
        if not self.attempt.ledger.begin(self.chunk.seq):
            return False
        self.known = self.rows(consistent=True)
        sent = uncertain.sent_later(self.attempt, self.records)
        for key in self.records:
            if key in sent or (key in self.known and self.known[key][0].seq > self.chunk.seq):
                self.chunk.results[key] = OVERTAKEN
        return True

    def _render(self, target: MasterTarget[Record]) -> None:
        _ = self.epoch  # read before any code is translated, so that a mapping made meanwhile counts as new
        codes, held = self.attempt.pair.codes(), defaultdict[str, dict[str, Held]](dict)
        codes.look_ahead(self._asked(target))
        for key, record in self.records.items():
            if key in self.chunk.results:
                continue
            codes.begin()
            self.used[key] = codes.used
            try:
                made = target.render(record, codes, self.chunk.touch)
                self.rendered[key] = self._guard.keeping(made) if self._guard else made
            except Held as error:
                held[error.waiting_for][key] = error
            except Rejected as error:
                sent = f" It was sent before that ({(self.chunk.sent_at or '')[:19]}Z), and may stand there as it was."
                self.refuse(key, f"{error}{sent if self.chunk.tokens else ''}")
        if len(held) == 1 and (errors := next(iter(held.values()))).keys() == self.records.keys():
            raise next(iter(errors.values()))  # the whole chunk waits for one thing: it may stay in one piece
        for waiting_for, errors in held.items():
            first = next(iter(errors.values()))  # of several records on their way: the others are looked for with it
            self.move(list(errors), waiting_for, str(first), first.awaits)

    def _asked(self, target: MasterTarget[Record]) -> list[tuple[str, str]]:
        """List the codes that will be asked for, so that they are read in a few calls."""
        asked, provided = Asked(), {flow.maps for flow in self.attempt.pair.integration.flows}
        for key, record in self.records.items() if provided.intersection(self.attempt.flow.codes) else ():
            if key not in self.chunk.results:
                with suppress(Held, Rejected):
                    target.render(record, asked, self.chunk.touch)
        return list(asked.codes)

    def move(self, keys: Sequence[str], waiting_for: str, reason: str, awaits: str | None = None) -> None:
        """Give held records a chunk of their own, then let go of them here."""
        due = self.attempt.later(5 if awaits or waiting_for.startswith("parent:") else 300)
        self._part(keys, waiting_for, op="send", waiting_for=waiting_for, reason=reason, due_at=due, awaits=awaits)

    def _leave_under_way(self, keys: Sequence[str]) -> None:
        """Give what the target is still at a chunk of its own, so that what it has finished is settled meanwhile."""
        chunk = self.chunk
        more = {name: getattr(chunk, name) for name in ("stage", "tokens", "token_at", "epoch", "sent_at", "attempts")}
        due, notes = self.attempt.later(backoff(chunk.attempts, 1, 900)), [key for key in chunk.notes if key in keys]
        self._part(keys, "posted", state="posted", due_at=due, notes=notes, **more)

    def _part(self, keys: Sequence[str], why: str, **more: Any) -> None:
        more |= self._guard.part(keys) if self._guard else {}
        child = self.attempt.part(keys, **more)
        self.attempt.ledger.add(child, {"records": [self.records[k] for k in keys]})
        for key in keys:
            self.chunk.results[key] = ("moved", why)
            self.rendered.pop(key, None)

    def _alive(self) -> list[Rendered]:
        return [r for k, r in self.rendered.items() if k not in self.chunk.results]

    # ── sending and hearing ─────────────────────────────────────────────────────────────────────────────────

    def _send(self, target: MasterTarget[Record], stage: str, batch: Sequence[Rendered]) -> bool:
        """Send a stage; False where nothing of it has to be sent."""
        if target.once and not (may_create(self, target, batch) and batch):
            return self.chunk.state == "waiting"
        if not self.chunk.stage or self.chunk.sent_at is None:
            self.chunk.epoch, self.chunk.sent_at = self.epoch, self.attempt.ledger.now()
        if self._guard:
            batch = self._guard.prepared(target, stage, batch)
        if self.attempt.flow.follows:  # the others have no parts that could go
            batch = [replace(r, known=self.chunk.renewed or r.key in self.known) for r in batch]
        if target.once:
            self.attempt.save()  # whoever takes over must know that these may be there by our doing
        if not batch:
            return False
        sent = target.send(stage, batch)
        for key, reason in sent.refused.items():
            self.refuse(key, reason)
        self.attempt.pair.breakers[self.attempt.flow.target].succeeded()
        self.chunk.tokens, self.chunk.token_at = list(sent.tokens) or ["-"], self.attempt.ledger.now()
        self.chunk.attempts = 0
        self.attempt.posted(1)
        return True

    def _judged(self, target: MasterTarget[Record], stage: str, batch: Batch) -> bool:
        """Ask for verdicts; False while the target has none yet."""
        tokens = [t for t in self.chunk.tokens if t != "-"]
        verdicts = target.verdicts(stage, batch, tokens) if tokens else {}
        asked = datetime.fromisoformat(self.chunk.token_at or self.chunk.created)
        if verdicts is None and self.attempt.now - asked > PATIENCE:
            verdicts = target.read_back(stage, batch)
        if verdicts is None:
            self.attempt.posted(backoff(self.chunk.attempts, 1, 900))
            return False
        batch.say()  # before anything is decided: what is decided is said no more
        if tokens and (left := [r.key for r in batch if r.key not in verdicts]):
            if self.chunk.attempts < SECOND:
                self.attempt.posted(1)  # most of what is not said yet is said within a second
                return False
            self._leave_under_way(left)
        if self.holds_alone(verdicts):
            return False
        for key, verdict in verdicts.items():
            self.take(key, verdict, last=self.chunk.stage == len(target.stages) - 1)
        return True

    def holds_alone(self, verdicts: Mapping[str, Verdict]) -> bool:
        """Keep a record that stands alone in its chunk, where it is held, looking again later and later."""
        verdict = next((v for v in verdicts.values() if v.outcome == "held"), None) if len(self.records) == 1 else None
        if verdict is None:
            return False
        chunk = self.chunk
        chunk.stage, chunk.tokens, chunk.token_at = 0, [], None
        chunk.failures += 1
        waiting_for = verdict.waiting_for or f"lookup:{next(iter(self.records))}"
        first = 5 if waiting_for.startswith("parent:") else 300
        self.attempt.wait(backoff(chunk.failures, first, 3600), waiting_for=waiting_for, reason=verdict.reason)
        return True

    def take(self, key: str, verdict: Verdict, last: bool) -> None:
        """Write down what became of a record; `last`: no stage follows."""
        if key in self.chunk.results or key not in self.records:
            return
        reason = verdict.reason or ""
        if verdict.outcome == "held":
            self.move([key], verdict.waiting_for or f"lookup:{key}", reason)
        elif verdict.outcome == "rejected":
            self.refuse(key, reason)
        elif last:
            stages_changed = self.chunk.stage > 0 and verdict.outcome == "unchanged" and key in self.chunk.notes
            self.chunk.results[key] = ("delivered" if stages_changed else verdict.outcome, reason)
        elif verdict.outcome == "delivered":
            self.chunk.notes.append(key)  # an earlier stage changed something, whatever the last one says

    # ── settling ────────────────────────────────────────────────────────────────────────────────────────────

    def complete(self) -> None:
        """Write the record rows and what follows from them; the chunk is done."""
        chunk = self.chunk
        for key in self.records:
            chunk.results.setdefault(key, ("unchanged" if chunk.op == "rebaseline" else "delivered", ""))
        rows = {k: r for k in chunk.results if (r := self._row(k)) is not None}
        self.attempt.ledger.settle(rows, self.known, self._made)
        if any(row.taint for row in rows.values()):
            self.attempt.ledger.compare_everything()  # a pass since the taint held this chunk to be on its way
        for key, row in rows.items():  # orders are asked for by number, master data by the code in documents
            name = row.number if self.attempt.flow.follows else row.code
            if name is not None and name != key and row.outcome != "rejected":
                self.attempt.ledger.set_alias(name, key)
        self._note_codes()
        landed = [row.code for row in rows.values() if row.code is not None and row.outcome == "delivered"]
        release_landed(self.attempt.pair, self.attempt.flow, landed, chunk.results)
        counts = defaultdict[str, int](int)
        for outcome, _ in chunk.results.values():
            counts[outcome] += 1
        chunk.delivered, chunk.unchanged = counts["delivered"], counts["unchanged"]
        chunk.rejected, chunk.moved = counts["rejected"], counts["moved"]
        chunk.results = {k: v for k, v in chunk.results.items() if v[0] == "rejected"}
        self.attempt.done()

    def _note_codes(self) -> None:
        """Put into the history of mappings that a record's code became another: documents follow it from now on."""
        kind, mappings, at = self.attempt.flow.maps, self.attempt.pair.mappings, self.attempt.ledger.now()
        for key, (before, after) in self._recoded.items() if kind is not None else ():
            mappings.note(Change(kind=str(kind), code=before, before=key, by=SYNC, at=at))
            mappings.note(Change(kind=str(kind), code=after, after=key, by=SYNC, at=at))

    def refuse(self, key: str, reason: str) -> None:
        """Decide a record; all reasons of a chunk together must fit into one row of the store."""
        self.chunk.results[key] = ("rejected", cut(reason, max(200, MOST_REASONS // max(1, self.chunk.count))))

    def _row(self, key: str) -> Row | None:
        """Make the record row of a decided record; moved and overtaken ones keep the row they have."""
        outcome, reason = self.chunk.results[key]
        if outcome == "moved" or (outcome, reason) == OVERTAKEN:
            return None
        return self._made(key, self.known[key][0] if key in self.known else Row())

    def _made(self, key: str, before: Row) -> Row:
        """Make the row again over the one there is."""
        outcome, reason = self.chunk.results[key]
        row = Row(
            used=before.used if self.chunk.op == "rebaseline" else self.used.get(key) if self._steady else None,
            seq=self.chunk.seq,
            chunk=self.chunk.id,
            number=before.number,
            open=before.open,
            target=before.target,
            code=before.code if outcome == "rejected" else self._code(key, before.code),
            doubt=self.chunk.doubt,
        )
        if outcome == "rejected":
            row.outcome, row.reason, row.seen_fp = "rejected", reason, self._fingerprint(key)
            row.shared = before.shared
            row.delivered_fp = None
        else:
            row.outcome, row.delivered_fp = "delivered", self._fingerprint(key, delivered=True)
            row.shared = self._guard.standing(key, before) if self._guard else before.shared
            if before.spoilt_since(self.chunk.sent_at):
                row.taint, row.delivered_fp = before.taint, None
            record = self.records.get(key)
            row.number = getattr(record, "number", None)
            if before.code is not None and row.code is not None and before.code != row.code:
                self._recoded[key] = (before.code, row.code)
            row.open = getattr(record, "status", "open") == "open"
        return row

    @cached_property
    def _steady(self) -> bool:
        """Tell whether the codes of this attempt are those that the body went out with: no mapping changed since."""
        if self.chunk.epoch not in {None, self.epoch}:
            return False
        return not any(self.used.values()) or self.attempt.pair.shape(self.attempt.flow) == self.epoch

    def _code(self, key: str, before: str | None) -> str | None:
        """Tell how documents name a delivered record; also where all was decided, and the settle alone is left."""
        if before is not None and self.chunk.op == "rebaseline":
            return before
        if key not in self.rendered and key in self.records and not self.attempt.flow.enriches:
            target: MasterTarget[Record] = self.attempt.pair.master_target(self.attempt.flow)
            with suppress(Held, Rejected):
                self.rendered[key] = target.render(
                    self.records[key], self.attempt.pair.codes(waits=False), self.chunk.touch
                )
        return self.rendered[key].target_id if key in self.rendered else before

    def _fingerprint(self, key: str, *, delivered: bool = False) -> str:
        """Say what the target holds now: made with the settings of the sending, not with those of its verdict."""
        epoch = self.chunk.epoch or self.epoch
        if key in self.records:
            record = self.records[key]  # shared fields are compared by themselves: they change on both sides
            return fingerprint(without(record) if delivered and self._guard else record, epoch)
        raw = next(b.raw for b in self.broken if b.key == key)
        return fingerprint_raw(raw, epoch)

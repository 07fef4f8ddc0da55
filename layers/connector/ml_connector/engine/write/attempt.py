"""One attempt at one chunk: the claim, the row in hand, and the few ways in which an attempt ends."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, Outcome, iso
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Conflict
from ml_connector.flow import Flow
from ml_connector.ports import Item

DIED = timedelta(seconds=20)
"""A process that dies lets go of its connections at once: what it had sent is carried out within seconds or never."""
DEEPEST = 20
"""Parts of parts that a chunk's name spells out, about 13 characters each."""


class BodyGone(Exception):
    """The chunk's body is not there: its records are settled.

    It goes when a chunk is done. Whoever meets the chunk without it either lost it to another worker, or made the same
    part of another chunk once more while the first one was being finished.
    """


@dataclass
class Attempt:
    """The attempt under way. Every write goes through `save`, conditional on still holding the row.

    `keys`: the records that it works on.
    """

    pair: TenantIntegration
    flow: Flow
    ledger: Ledger
    chunk: Chunk
    item: Item
    said: dict[str, Any] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    @property
    def runtime(self) -> Runtime:
        """The ports."""
        return self.pair.runtime

    @property
    def now(self) -> datetime:
        """The time."""
        return self.runtime.clock.now()

    def later(self, seconds: float) -> str:
        """Write a time in the future as rows do."""
        return iso(self.now + timedelta(seconds=seconds))

    def moment(self, written: str) -> datetime:
        """Read a time as rows write it."""
        return datetime.fromisoformat(written)

    def save(self) -> None:
        """Write the row; raises `LeaseLost`."""
        self.item = self.ledger.save(self.chunk, self.item)

    def progress(self, step: str) -> None:
        """Record how far the document came, before the next thing is done to the world."""
        self.chunk.step, self.chunk.crashes, self.chunk.due_at = step, 0, iso(self.runtime.lease_ends())
        self.chunk.parked_at = None
        self.save()

    def wait(
        self, seconds: float, *, waiting_for: str | None = None, reason: str | None = None, awaits: str | None = None
    ) -> None:
        """Leave the chunk until later. `waiting_for` names what it is held for, `awaits` a record on its way."""
        if self.pair.shadow and "`ml-connector re" in (reason or ""):  # resolve and replay send
            reason = f"{reason} In shadow both commands are refused: take `shadow` out of the settings first."
        self.chunk.state, self.chunk.awaits = "waiting", awaits
        self.chunk.waiting_for, self.chunk.reason = waiting_for, reason
        self.chunk.due_at = self.later(seconds)

    def posted(self, seconds: float) -> None:
        """Leave the chunk until the target's verdict is asked for."""
        self.chunk.state, self.chunk.waiting_for, self.chunk.reason = "posted", None, None
        self.chunk.crashes, self.chunk.parked_at = 0, None
        self.chunk.due_at = self.later(seconds)

    def body(self) -> dict[str, msgspec.Raw]:
        """Read the chunk's body. Raises `BodyGone`."""
        body = msgspec.json.decode(self.ledger.raw_body(self.chunk.id), type=dict[str, msgspec.Raw])
        if not body:
            raise BodyGone
        return body

    def part(self, keys: Collection[str], **more: Any) -> Chunk:
        """Make a chunk of some of this one's records, waiting for its turn.

        Its name tells its keys: whoever splits this chunk again after a crash, and in another way, makes other parts,
        and never takes a record out of one that is under way. A part of a part names both, and at most `DEEPEST` of
        them: a row's key has an end, and records that arrive one by one leave a smaller part each time.
        """
        chunk, told = self.chunk, sorted(keys)
        within = chunk.id.split(".")
        if len(within) > DEEPEST:
            told.append(chunk.id)
        name = hashlib.blake2b("\n".join(told).encode(), digest_size=6).hexdigest()
        fields = {"due_at": self.later(0), "op": chunk.op, "state": "waiting", **more}
        return Chunk(
            id=".".join((*within[:DEEPEST], name)),
            tenant=chunk.tenant,
            integration=chunk.integration,
            flow=chunk.flow,
            lane=chunk.lane,
            run=chunk.run,
            created=chunk.created,
            seq=chunk.seq,
            count=len(keys),
            touch=chunk.touch,
            doubt=chunk.doubt,
            renewed=chunk.renewed,
            **fields,
        )

    def dead(self, cause: str, reason: str) -> None:
        """Give up: a person looks at it."""
        self.chunk.state, self.chunk.cause, self.chunk.reason = "failed", cause, reason
        self.chunk.waiting_for, self.chunk.parked_at = None, None
        self.chunk.death += 1
        self.chunk.died_at = self.later(0)

    def done(self, outcome: Outcome | None = None, reason: str | None = None) -> None:
        """Mark the chunk as finished; it is moved when the attempt is written."""
        self.chunk.state, self.chunk.waiting_for = "done", None
        self.chunk.outcome, self.chunk.reason = outcome, reason
        if outcome is not None:
            setattr(self.chunk, outcome, 1)


def claim(pair: TenantIntegration, flow: Flow, chunk_id: str) -> Attempt | None:
    """Take a chunk that is due; None where nothing is to be done or another worker has it."""
    ledger = pair.ledger(flow.name)
    found = ledger.chunk(chunk_id)
    if found is None:
        return None
    chunk, item = found
    if chunk.state == "done":
        ledger.archive(chunk)  # an earlier worker died between marking and moving
        return None
    now = pair.runtime.clock.now()
    if not _ready(pair.runtime, chunk, now):
        return None
    died = chunk.state == "sending"
    chunk.crashes += died
    chunk.state, chunk.owner, chunk.due_at = "sending", pair.runtime.boot, iso(pair.runtime.lease_ends())
    chunk.attempts += 1
    chunk.cause = None
    chunk.first_try = chunk.first_try or iso(now)
    if died and flow.manner == "master":
        ends = iso(now + min(timedelta(seconds=pair.in_doubt_seconds.get(flow.target, 900)), DIED))
        chunk.doubt = max(chunk.doubt or "", ends)  # what broke off before may take longer than what died now
        ledger.mark_uncertain(chunk.doubt)
    try:
        item = ledger.store.put(ledger.place(chunk, item))
    except Conflict:
        return None
    return Attempt(pair, flow, ledger, chunk, item)


def _ready(runtime: Runtime, chunk: Chunk, now: datetime) -> bool:
    match chunk.state:
        case "open":
            return True
        case "sending":
            return (chunk.due_at or "") <= iso(now) or runtime.is_dead(chunk.owner)
        case "waiting" | "posted":
            return (chunk.due_at or "") <= iso(now)
        case _:
            return False

"""Both systems compared: what has a partner, what may have one, and what stands in one alone. It writes to neither.

The poll has written down what the ERP has. Here the platform's records of the same kind are read, and all of it is
joined at once: so it shows too what stands in one system alone no more, and its hold ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from ml_connector.connection import master_source
from ml_connector.engine.ledger.alignments import HOLD, OWN_CODE, OWN_KEY, parts_of
from ml_connector.engine.ledger.first_delivery import on_their_way
from ml_connector.engine.ledger.mappings import PROPOSED, Mapping
from ml_connector.engine.write.partners import SAME_CODE, Comparison, Entry, compare, entry
from ml_connector.engine.write.prerequisites import wait_for_masters
from ml_connector.errors import Held
from ml_connector.records import Alignment
from ml_connector.type_cache import resolve

if TYPE_CHECKING:
    from ml_connector.engine.ledger.rows import Chunk
    from ml_connector.engine.write.attempt import Attempt
    from ml_connector.flow import Flow

SIZE = 200
"""Held records in one chunk."""
DAY = 86_400.0
PATIENCE = 40
"""Looks, in an hour or two, at master data under way; then what is under way needs no partner yet."""
resolve(list[Entry])
resolve(list[Alignment])


class AlignmentWriter:
    """One attempt at one kind of record, or at what is held."""

    def __init__(self, attempt: Attempt) -> None:
        """Read what the chunk is about."""
        self.attempt, self.chunk, self.pair, self.ledger = attempt, attempt.chunk, attempt.pair, attempt.ledger
        body = attempt.body()
        self.held = msgspec.json.decode(body.get("records", b"[]"), type=list[Alignment])
        self.parts = msgspec.json.decode(body.get("parts", b'""'), type=str)
        self.name = msgspec.json.decode(body.get("flow", b'""'), type=str)

    def advance(self) -> None:
        """Compare, or look at what is held."""
        if self.held:
            self._look()
            return
        wait_for_masters(self.attempt)
        aligned = self.pair.integration.flow(self.name)
        under_way = self._under_way(aligned)
        self.pair.check(self.attempt.flow.target)
        erp = [one for blob in parts_of(self.ledger, self.parts) for one in _decode(zlib.decompress(blob))]
        if len(erp) != self.chunk.count:  # a later comparison has begun, and dropped these
            self.attempt.done()
            return
        found = self._compared(aligned, erp)
        found.erp_only = [one for one in found.erp_only if not under_way & {one.key, one.code}]
        proposed = self._propose(str(aligned.maps), found)
        alone = {"erp": found.erp_only, "platform": found.platform_only}
        self._hold([one for side, entries in alone.items() for one in self._alone(aligned, entries, side)])
        # What is held is counted where it is held; what is inactive, or just being sent, needs no partner now.
        self.chunk.moved = len(found.erp_only)
        self.chunk.delivered = min(proposed, self.chunk.count - self.chunk.moved)
        self.chunk.unchanged = self.chunk.count - self.chunk.moved - self.chunk.delivered
        self.chunk.shadow = self.pair.shadow
        self.pair.breakers[self.attempt.flow.target].succeeded()
        self.attempt.done()

    # ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────

    def _under_way(self, aligned: Flow) -> frozenset[str]:
        """Name what is being sent for the first time; raises `Held` while that may be over in a moment."""
        names = on_their_way(self.pair.ledger(aligned.name)) if aligned.name in self.pair.active else frozenset()
        if names is None or (names and self.chunk.attempts <= PATIENCE):
            to = self.pair.title(aligned.target)
            why = f"Records of {aligned.name} are being sent to {to} for the first time; all is compared then."
            raise Held(f"prerequisite:{aligned.name}", why, soon=True)
        return names

    def _compared(self, aligned: Flow, erp: list[Entry]) -> Comparison:
        """Join both; what was delivered is read before the platform's list, so that it must be in there."""
        delivered = self._delivered(aligned)
        platform = list(self._platform(aligned))
        mapped = {one.code: one.target for one in self.pair.mappings.all(str(aligned.maps))}
        self.attempt.said["compared"] = {"erp": len(erp), "platform": len(platform)}
        found = compare(erp, platform, delivered, mapped)
        if found.platform_only:  # and what was delivered meanwhile is nobody's but the ERP's
            now = set(self._delivered(aligned).values())
            found.platform_only = [one for one in found.platform_only if one.code not in now]
        return found

    def _delivered(self, aligned: Flow) -> dict[str, str]:
        rows = self.pair.ledger(aligned.name).all_rows()
        return {key: row.code for key, row in rows if row.code is not None}

    def _platform(self, aligned: Flow) -> Iterator[Entry]:
        seen = set[str]()
        source = master_source(self.pair.connection(aligned.target), aligned.record)
        for page in source.pages(None, None):
            for record in page.records:
                if record.key not in seen:
                    seen.add(record.key)
                    yield entry(record)

    def _propose(self, kind: str, found: Comparison) -> int:
        """Write proposals down; tells how many are new. Those by the same code count from now on."""
        if self.pair.shadow:
            return len(found.proposals)
        made = [
            Mapping(
                integration=self.pair.integration.name,
                kind=kind,
                code=one.code,
                target=one.key,
                origin=PROPOSED,
                by=one.why,
                at=self.ledger.now(),
            )
            for one in found.proposals
        ]
        safe = [one for one in made if one.by == SAME_CODE]
        return self.pair.mappings.add(safe) + self.pair.mappings.propose(kind, [m for m in made if m.by != SAME_CODE])

    # ── holding ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _alone(self, aligned: Flow, entries: list[Entry], side: str) -> Iterator[Alignment]:
        kind = str(aligned.maps)
        for one in entries:
            key = f"{kind}~{side}~{one.key}"
            yield Alignment(key=key, kind=kind, side=side, code=one.code, name=one.name)

    def _hold(self, alone: list[Alignment]) -> None:
        """Hold what is new of it, and let go of what was held and is alone no more."""
        now, known = {one.key for one in alone}, set[str]()
        for chunk in list(self.ledger.unfinished()):
            kept = [key for key in chunk.kept if key not in chunk.results]
            mine = [key for key in kept if key.startswith(f"{self.pair.integration.flow(self.name).maps}~")]
            known |= {key for key in mine if key in now}
            if over := [key for key in mine if key not in now]:
                self._release(chunk, over)
        new = sorted((one for one in alone if one.key not in known), key=lambda one: one.key)
        for side in ("erp", "platform"):
            some = [one for one in new if one.side == side]
            for start in range(0, len(some), SIZE):
                self._held(some[start : start + SIZE])

    def _release(self, held: Chunk, keys: list[str]) -> None:
        def change(chunk: Chunk) -> bool:
            chunk.results |= dict.fromkeys(keys, ("unchanged", ""))
            chunk.due_at = self.ledger.now()
            return chunk.state == "waiting"

        self.ledger.change(held.id, change)

    def _held(self, records: list[Alignment]) -> None:
        title = self.pair.title(self.attempt.flow.source if records[0].side == "erp" else self.attempt.flow.target)
        child = self.attempt.part(
            [one.key for one in records],
            op="send",
            waiting_for=f"{HOLD}{records[0].code}",
            reason=self._remedy(records[0]),
            due_at=self.attempt.later(DAY),
            kept={one.key: [title, one.kind.replace("_", " "), one.code, one.name] for one in records},
        )
        self.ledger.add(child, {"records": records})

    def _remedy(self, one: Alignment) -> str:
        pair, flow = self.pair, self.attempt.flow
        erp, platform = pair.title(flow.source), pair.title(flow.target)
        other = f"{(platform if one.side == 'erp' else erp).upper().replace(' ', '-')}-CODE"
        codes = f"{other} {OWN_CODE}" if one.side == "erp" else f"{OWN_CODE} {other}"
        mapped = f"`ml-connector mappings set {pair.tenant} {one.kind} {codes}`"
        if one.side == "erp":
            sent = next(name for name in flow.aligns if pair.integration.flow(name).maps == one.kind)
            return (
                f"To fix: see whether `ml-connector held {pair.tenant}` or the report names it in {sent} and why, send "
                f"it with `ml-connector replay {pair.tenant} {sent} {OWN_KEY}`, or map what {platform} has for it with "
                f"{mapped}. The next comparison ends this."
            )
        return (
            f"To fix: map it with {mapped}, enter it in {erp}, or deactivate it in {platform}. The next comparison "
            "ends this."
        )

    def _look(self) -> None:
        """Settle what has a partner by now, and leave the rest to the next comparison."""
        left = [one for one in self.held if one.key not in self.chunk.results]
        if left and len(left) == len(self.held):
            self.attempt.wait(DAY, waiting_for=self.chunk.waiting_for, reason=self.chunk.reason)
            return
        if left:
            self._held(left)
        self.chunk.unchanged, self.chunk.moved = len(self.held) - len(left), len(left)
        self.chunk.results, self.chunk.kept = {}, {}
        self.attempt.done()


def _decode(body: bytes) -> list[Entry]:
    return msgspec.json.decode(body, type=list[Entry])

"""Records that people also edit at the platform, and whose edits stay (`Flow.guarded`).

    read there ──► compare with what was agreed on ──► note what will be written ──► send that ──► agreed
                     └─ edited there: left as it stands, and held as `conflict:CODE` until a person decides

Only fields that the ERP changed are sent. What was edited there is never brought to the ERP.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from msgspec import structs

from ml_connector.engine.ledger import shared
from ml_connector.engine.ledger.rows import Chunk, Decision, Row, SharedField, cut
from ml_connector.engine.write.guard import Guard
from ml_connector.engine.write.once import OVERTAKEN
from ml_connector.engine.write.rereading import read_again
from ml_connector.errors import Held
from ml_connector.flow import Rendered
from ml_connector.master_target import GuardedTarget, MasterTarget
from ml_connector.records import Record

if TYPE_CHECKING:
    from ml_connector.engine.write.masters import MasterWriter

SHOWN = 100
"""Characters of a value that are kept to tell whether what a person decided over still stands there."""
CONFLICT = "conflict:"
LEFT = "="
"""Begins the name of a field in `Chunk.kept` that a person has decided to leave before."""


class HandEdits(Guard):
    """Decides for the records of one chunk of a guarded flow.

    `Chunk.kept` has what is left there, by key: name of the field, value there, value of the ERP, the next name, ...
    """

    def __init__(self, writer: MasterWriter) -> None:
        """Decide nothing yet."""
        super().__init__(writer.attempt, writer.records)
        self._writer = writer

    def keeping(self, rendered: Rendered) -> Rendered:
        """Tell what is left there of a record, as far as that is decided."""
        names = self.chunk.kept.get(rendered.key, [])[::3]
        edited = {name for name in names if not (self._is_to_be_sent() and not name.startswith(LEFT))}
        return replace(rendered, kept=frozenset(name.removeprefix(LEFT) for name in edited))

    def look_again(self) -> None:
        """Before what was held is looked at again: take the record as the ERP has it now, or let go of it."""
        held = [key for key in self.records if key in self.chunk.kept and key not in self.chunk.results]
        if not held or self.chunk.tokens:
            return
        for other in self.attempt.ledger.unfinished():
            if other.seq > self.chunk.seq and other.op == "send":
                self.chunk.results.update({key: OVERTAKEN for key in held if key in other.kept})
        if left := [key for key in held if key not in self.chunk.results]:
            read_again(self._writer, left)
            gone = [key for key in left if self.chunk.results.get(key, ("",))[0] == "unchanged"]
            self.chunk.results.update(dict.fromkeys(gone, OVERTAKEN))

    def prepared(self, target: MasterTarget[Record], stage: str, batch: Sequence[Rendered]) -> Sequence[Rendered]:
        """Read what stands there, decide, note what is about to be written, and give what is to be sent.

        The note comes first: a request of which nobody hears again must not look like somebody's edit later.
        """
        there, mine = cast("GuardedTarget[Record]", target), [one for one in batch if one.entities.get(stage)]
        rows = self.attempt.ledger.rows([one.key for one in mine], consistent=True)
        known = {key: row for key, (row, _) in rows.items()}
        present = there.present(stage, [replace(one, known=one.key in known) for one in mine])
        noted, sent = dict[str, dict[str, SharedField]](), list[Rendered]()
        for one in mine:
            entity, row = present.get(one.key), known.get(one.key, Row())
            ours = there.fields(stage, one.entities[stage][0])
            fields = there.fields(stage, entity) if entity is not None else None
            noted[one.key], kept = self._noted(one, row, ours, fields)
            if entity is None or ours.keys() - kept or self.chunk.touch:
                sent.append(replace(one, present=entity, kept=frozenset(kept)))
        shared.agree_all(self.attempt.ledger, noted, {one.key: one.target_id for one in mine if one.key in present})
        going = {one.key for one in sent}
        for one in mine:
            if one.key not in going:
                self.chunk.results[one.key] = ("unchanged", "")
        if not sent:
            self.settled()
        return sent

    def part(self, keys: Collection[str]) -> dict[str, Any]:
        """Give what a part of the chunk has to know of its records."""
        return {"kept": {key: told for key, told in self.chunk.kept.items() if key in keys}}

    def standing(self, key: str, before: Row) -> dict[str, SharedField] | None:  # noqa: ARG002 - the row tells all
        """Give what is agreed on now that a record is confirmed: what was being written is what stands there."""
        return {
            name: was if was.writing is None else SharedField(erp=was.writing, platform=was.writing)
            for name, was in (before.shared or {}).items()
        } or None

    def settled(self) -> None:
        """Hold the records of which something was edited there, now that the rest of them is through.

        Raises `Held` for one that is alone in its chunk.
        """
        chunk = self.chunk
        if self._is_to_be_sent() or self._is_left():
            return
        told = sorted(key for key in self.records if self._told(key))
        rows = self.attempt.ledger.rows(told) if told else {}
        for key in told:
            result = chunk.results.get(key, ("delivered", ""))
            if result == OVERTAKEN or result[0] not in {"delivered", "unchanged"}:
                continue
            chunk.results.pop(key, None)
            held = self._conflict(key, (rows[key][0].shared if key in rows else None) or {})
            self._release_older(key)
            if len(self.records) == 1:
                chunk.stage, chunk.tokens, chunk.token_at = 0, [], None
                raise held
            self._writer.move([key], held.waiting_for, str(held))

    # ── deciding ────────────────────────────────────────────────────────────────────────────────────────────

    def _noted(
        self, one: Rendered, row: Row, ours: Mapping[str, str], there: Mapping[str, str] | None
    ) -> tuple[dict[str, SharedField], set[str]]:
        """Compare, and give what is to be noted of a record, and the fields to leave."""
        known = row.shared or {}
        agreed, kept = self.decided(ours, known, there)
        noted = {
            name: SharedField(erp=ours[name], platform=ours[name])
            if name in kept
            else structs.replace(known.get(name, shared.NEVER), writing=ours[name], enriched=False)
            for name in agreed
        }
        left = {name for name in kept - agreed.keys() if self._was_left(known, name, ours, there or {})}
        edited = kept - agreed.keys() - left
        told = {name: (cut((there or {}).get(name, ""), SHOWN), cut(ours[name], SHOWN)) for name in sorted(edited)}
        if (decision := self._decided_by_a_person(one.key, told)) is not None:
            for name in edited:
                was = known.get(name, shared.NEVER)
                noted[name] = (
                    structs.replace(was, writing=ours[name], enriched=False)
                    if decision.what == "post"
                    else SharedField(erp=ours[name], platform=(there or {}).get(name, ""), enriched=True)
                )
            return noted, kept - edited if decision.what == "post" else kept
        texts = [text for name, both in told.items() for text in (name, *both)]
        texts += [text for name in sorted(left) for text in (f"{LEFT}{name}", "", "")]
        self.chunk.kept.pop(one.key, None)
        if texts:
            self.chunk.kept[one.key] = texts
        return noted, kept

    def is_ours(self, was: SharedField, erp: str, there: str) -> bool:  # noqa: ARG002 - whatever the ERP has now
        """Tell whether the ERP's value may go over what stands there: it is what we wrote, as far as we know."""
        if was.writing is not None and was.writing == there:
            return True  # nobody heard what became of it, and it did take effect
        return (was.platform or "") == there and not was.enriched

    def outward(self, name: str, value: str) -> str:  # noqa: ARG002
        """Give a value as it is: the target has put it into its own words."""
        return value

    @staticmethod
    def _was_left(
        known: Mapping[str, SharedField], name: str, ours: Mapping[str, str], there: Mapping[str, str]
    ) -> bool:
        """Tell whether a person has decided to leave a field, and both sides have it as it was then."""
        was = known.get(name, shared.NEVER)
        return was.enriched and was.erp == ours[name] and was.platform == there.get(name, "")

    def _release_older(self, key: str) -> None:
        """Have earlier versions that wait for the same decision looked at now: this one has taken their place."""
        ledger = self.attempt.ledger

        def due_now(chunk: Chunk) -> bool:
            chunk.due_at = ledger.now()
            return chunk.state == "waiting"

        for other in list(ledger.unfinished()):
            if other.seq < self.chunk.seq and key in other.kept and other.state == "waiting":
                ledger.change(other.id, due_now)

    # ── a person's word ─────────────────────────────────────────────────────────────────────────────────────

    def _decided_by_a_person(self, key: str, told: Mapping[str, tuple[str, str]]) -> Decision | None:
        """Give the decision over just what was edited there; it is dropped where something else stands there by now."""
        decision = self.chunk.decision
        if decision is None or not told:
            return None
        seen = {name: there for name, (there, _) in self._told(key).items()}
        now = {name: there for name, (there, _) in told.items()}
        if not now.items() <= seen.items():  # fewer: some of it was taken back, or is sent already
            self.chunk.decision = None
            self.chunk.notes.append(f"The decision of {decision.by} was not followed: {key} was edited again since.")
            return None
        decision.applied = True
        return decision

    def _is_to_be_sent(self) -> bool:
        return self.chunk.decision is not None and self.chunk.decision.what == "post"

    def _is_left(self) -> bool:
        return self.chunk.decision is not None and self.chunk.decision.what == "match"

    def _told(self, key: str) -> dict[str, tuple[str, str]]:
        texts = self.chunk.kept.get(key, [])
        told = {texts[n]: (texts[n + 1], texts[n + 2]) for n in range(0, len(texts), 3)}
        return {name: both for name, both in told.items() if not name.startswith(LEFT)}

    def _conflict(self, key: str, known: Mapping[str, SharedField]) -> Held:
        pair, flow = self.attempt.pair, self.attempt.flow
        erp, platform = pair.title(flow.source), pair.title(flow.target)
        rendered = self._writer.rendered.get(key)
        code = rendered.target_id if rendered is not None else key
        what = f"{flow.name.removesuffix('s').replace('_', ' ')} {code}"
        each = "; ".join(
            f"{_words(name)} is '{there}' there and '{ours}' in {erp}"
            for name, (there, ours) in self._told(key).items()
        )
        command = f"ml-connector resolve {pair.tenant} {flow.name} {shlex.quote(key)}"
        why = f"was edited in {platform}"
        if not any(name in known for name in self._told(key)):  # another system before, or a state that was restored
            why = f"stands in {platform} already, otherwise than in {erp}, and nothing tells who changed it"
        return Held(
            f"{CONFLICT}{code}",
            f"The {what} {why}, and that is left as it is: {cut(each, 250)}. To fix: "
            f"`{command} --post` to send what {erp} has, or `{command} --match {shlex.quote(code)}` to leave it; or "
            "enter the same in both, and this resumes automatically.",
        )


def guard_of(writer: MasterWriter) -> Guard | None:
    """Give what keeps people's changes at the platform from being overwritten; None where the flow needs nothing."""
    flow, pair = writer.attempt.flow, writer.attempt.pair
    if flow.guarded:
        return HandEdits(writer)
    return Guard(writer.attempt, writer.records) if pair.is_enriched(flow) else None


def _words(name: str) -> str:
    """Say a field's name as people do: `name.en-US` is the name (en-US)."""
    field, _, which = name.partition(".")
    return f"{field} ({which})" if which else field

"""A later version of a document that is sent once: nothing new, an update where the target takes one, or a conflict.

A second one is never created: what was delivered is in the target's hands by now, and may be paid.
"""

from __future__ import annotations

from typing import Any

from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write.case import Case
from ml_connector.engine.write.identity import as_sent, differences, version_of
from ml_connector.engine.write.responder import Responder
from ml_connector.flow import Document, Found, Prepared
from ml_connector.follow_up import UpdatingTarget

GONE = frozenset({"gone", "transferred", "refused"})


class Revision:
    """Judges what its source says of a document that was delivered."""

    def __init__(self, case: Case) -> None:
        """Work on one document's attempt."""
        self.case, self.attempt, self.chunk = case, case.attempt, case.chunk

    def judge(self, document: Document[Any], row: Row, responder: Responder) -> Found | None:
        """Complete it where nothing is new, or give it where it was updated. Raises `Held` where a person decides."""
        case = self.case
        self.chunk.target, self.chunk.code = row.target, row.code
        if document.record is None or document.standing in GONE:
            self._gone(document, responder)
            return None
        prepared = case.target.prepare(case.linked(document.record), self.attempt.pair.codes(waits=False))
        case.value(prepared)
        if row.delivered_fp == version_of(prepared):
            responder.finish("unchanged", "What is sent of it has not changed.")
            return None
        if self.attempt.pair.shadow:
            self.chunk.shadow = True
            responder.finish("delivered")
            return None
        there = self._there(prepared)
        if isinstance(case.target, UpdatingTarget) and case.target.update(there.id, prepared):
            return there
        self._changed(there, prepared)
        return None

    def _there(self, prepared: Prepared) -> Found:
        """Read what was delivered; it is named as it was sent where the target shows no more of it."""
        found: Found = self.case.target.read_back(as_sent(str(self.chunk.target), self.chunk.code or "", [prepared]))
        return found

    def _changed(self, there: Found, prepared: Prepared) -> None:
        case = self.case
        points = "; ".join(differences(there, prepared, case.tolerance)) or "its dates, description, lines or coding"
        case.conflict(
            f"{case.this(prepared)} was changed in {case.source_title} after it was sent to {case.target.title} as "
            f"{there.number}: {points}. {case.target.title} takes no changes from here, and nothing is sent a second "
            f"time. Correct it there, then {case.match(there.number)}; or take the change back in {case.source_title}, "
            "and it resumes automatically."
        )

    def _gone(self, document: Document[Any], responder: Responder) -> None:
        """Settle what its source has taken back, unless it stands at the target."""
        case = self.case
        if not case.target.stands(as_sent(str(self.chunk.target), self.chunk.code or "", [])):
            responder.finish("unchanged", f"Skipped: {document.detail or document.standing}")
            return
        case.conflict(
            f"{case.this()} was sent to {case.target.title} as {self.chunk.code}, and was taken back in "
            f"{case.source_title} since: {document.detail or document.standing}. Cancel it there before it is paid, "
            f"then {case.replay}."
        )

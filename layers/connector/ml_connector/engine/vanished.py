"""The end of a full comparison: what the target has from us, and the source has no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ml_connector.engine.reading import Reading
from ml_connector.engine.retire import parts, too_many
from ml_connector.engine.roll import Roll, open_keys
from ml_connector.engine.rows import GONE, Chunk
from ml_connector.flow import Page
from ml_connector.records import Record


class Vanished(Reading):
    """The part of a poll that finds deletions, and orders whose closing moved no stamp."""

    def _masters(self, page: Page[Record]) -> list[Chunk]:
        raise NotImplementedError

    @property
    def _roll(self) -> Roll | None:
        """Give the roll of a pass that compares everything; orders are followed one by one instead."""
        now = self.cursor.now
        if now is None or not (now.full and now.daily) or self.flow.manner != "master" or self.flow.follows:
            return None
        return Roll(self.ledger, now.started)

    def _find_vanished(self, source: Any) -> None:
        """At the end of a full comparison: what the target has from us, and the source has not."""
        now, roll = self.cursor.now, self._roll
        assert now is not None
        if not hasattr(source, "reread"):
            return
        if roll is not None:
            known, gone = roll.compare()
            self._retire(known, gone)
            roll.clear()
        elif self.flow.follows and now.daily:
            self._retire(*self._follow(source))

    def _follow(self, source: Any) -> tuple[int, list[str]]:
        """Read again every open order, whose closing may have moved no stamp; gives how many, and which are gone."""
        keys = list(open_keys(self.ledger))
        seen: set[str] = set()
        for page in source.reread([k for k in keys if k not in self._pending]) if keys else ():
            seen.update(r.key for r in page.records)
            seen.update(b.key for b in page.broken)
            self._ring(self._masters(page))
        return len(keys), [k for k in keys if k not in seen]

    def _retire(self, known: int, gone: list[str]) -> None:
        """Put what vanished on its way to be switched off; a person is asked where it is much at once."""
        gone = [key for key in gone if key not in self._pending]
        waiting = self._pending.count(GONE)
        guarded = None
        if too_many(len(gone) + waiting, known):
            guarded = (
                f"{len(gone) + waiting} of {known} {self.flow.name} are missing at their source. Nothing was switched "
                f"off. If they were deleted there: `ml-connector approve {self.pair.tenant} {self.flow.name}`."
            )
        self._ring([self._vanished(part, guarded) for part in parts(gone)])

    def _vanished(self, keys: Sequence[str], guarded: str | None) -> Chunk:
        chunk = self._blank(len(keys))
        chunk.op, chunk.guarded = "retire", guarded
        self.ledger.add(chunk, {"retired": list(keys)})
        return chunk

"""The end of a full comparison: what the target has from us, and the source has no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ml_connector.engine.ledger.rows import GONE, Chunk
from ml_connector.engine.ledger.seen_keys import SeenKeys, open_keys
from ml_connector.engine.poll.masters import MasterPass
from ml_connector.engine.poll.state import PassState
from ml_connector.engine.write.deactivate import missing_text, parts, too_many
from ml_connector.flow import Page

END = "~end:"
"""Begins a position behind all pages; the key of the last order that was read again may follow."""


class Deletions:
    """Finds deletions, and orders whose closing moved no stamp."""

    def __init__(self, state: PassState, masters: MasterPass) -> None:
        """Work on a pass under way."""
        self.state, self.masters = state, masters
        self.pair, self.flow, self.ledger, self.cursor = state.pair, state.flow, state.ledger, state.cursor

    @property
    def seen_keys(self) -> SeenKeys | None:
        """Give the seen keys of a pass that compares everything, or follows every open order.

        A full pass over orders lists the open ones, so it never shows a closing: each of them follows.
        """
        now = self.cursor.now
        if now is None or self.flow.manner != "master" or self.flow.enriches or self.flow.aligns:
            return None  # what is gone at the platform is none of the ERP's business
        wanted = (now.daily or now.full) if self.flow.follows else (now.daily and now.full)
        return SeenKeys(self.ledger, now.started) if wanted else None

    def at_end(self) -> bool:
        """Tell whether the pages are through, and only what follows them is left of the pass."""
        now = self.cursor.now
        return now is not None and (now.position or "").startswith(END)

    def find(self) -> bool:
        """At the end of a nightly pass: what the target has from us, and the source has not; false where time ran out.

        The position says that the pages are through, so that whoever goes on from here does not read them again.
        """
        seen_keys = self.seen_keys
        if seen_keys is None:
            return True
        if not self.at_end():
            self.state.move(END)
        if self.flow.follows and not self._follow(seen_keys):
            return False
        known, gone, empty = seen_keys.compare(only_open=self.flow.follows)
        self._retire(known, gone, empty=empty)
        return True

    def _follow(self, seen_keys: SeenKeys) -> bool:
        """Read again every open order that this pass has not shown: its closing may have moved no stamp."""
        assert self.cursor.now is not None
        after, seen = (self.cursor.now.position or "").removeprefix(END), seen_keys.seen()
        known = {*open_keys(self.ledger), *self._first_time()}
        keys = sorted(k for k in known if k > after and k not in seen)
        for part in parts(keys):
            for page in self.masters.source.reread(part):
                self.state.notify(self.masters.take(page))
                seen_keys.note(keys_of(page), str(self.pair.runtime.rng.uuid4()))
            self.state.move(f"{END}{part[-1]}")
            if self.state.is_late():
                return False
        return True

    def _first_time(self) -> Iterator[str]:
        """Give the keys of orders that are on their way, perhaps for the first time, and may have closed meanwhile."""
        for chunk in self.ledger.unfinished():
            if chunk.op == "send":
                yield from self.masters.fingerprints(chunk)

    def _retire(self, known: int, gone: list[str], *, empty: bool) -> None:
        """Put what vanished on its way to be switched off; a person is asked where it is much at once."""
        gone = [key for key in gone if key not in self.state.in_flight]
        waiting = self.state.in_flight.count(GONE)
        missing, why = len(gone) + waiting, None
        if too_many(missing, known, empty=empty):
            why = missing_text(self.pair, self.flow, missing, known)
        self.state.notify([self._vanished(part, why) for part in parts(gone)])

    def _vanished(self, keys: Sequence[str], guarded: str | None) -> Chunk:
        chunk = self.state.blank(len(keys))
        chunk.op, chunk.guarded = "retire", guarded
        self.ledger.add(chunk, {"retired": list(keys)}, turn=self.state.turn(chunk))
        return chunk


def keys_of(page: Page[Any]) -> list[str]:
    """Name what a page shows, readable or not."""
    return [r.key for r in page.records] + [b.key for b in page.broken]

"""The poll: pages of a source become chunks. It sends nothing to the target and writes no record row.

Rule 1: chunks are written, then rung, then the position is saved. A crash in between reads again, which is harmless.
Rule 2: a watermark is a stamp seen at the source, never this machine's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from ml_connector.engine import schedule
from ml_connector.engine.gather import gathered
from ml_connector.engine.pending import Pending
from ml_connector.engine.poll_documents import DocumentPages
from ml_connector.engine.poll_masters import MasterPages
from ml_connector.engine.readiness import release_followers
from ml_connector.engine.rows import Pass
from ml_connector.engine.vanished import keys_of
from ml_connector.errors import ConnectorError

RESUME = timedelta(hours=1)
"""A pass that stood still for longer starts anew: its positions may point elsewhere by now."""


class Poll(MasterPages, DocumentPages):
    """One run of one flow's source."""

    def read(self) -> bool:
        """Read pages until the source is through (true) or the deadline is near (false).

        Raises what the source raises; what was read until then is kept, and why it ended stands with the figures.
        """
        try:
            return self._read()
        except ConnectorError as error:
            self.cursor.figures.error = str(error)
            with suppress(ConnectorError):  # another reader's figures stand, or the store is away itself
                self._save()
            raise

    def _read(self) -> bool:
        self.pair.check(self.flow.source)
        self._begin()
        source = self.pair.source(self.flow)
        self._pending = self._unsettled()
        now = self.cursor.now
        assert now is not None
        for page in self.ahead(self._pages(source, now)) if not self._at_end() else ():
            self._take(page)
            self.pair.breakers[self.flow.source].well()
            if page.position is not None and self._late():
                return False
        if self.flow.manner == "master" and not self._find_vanished(source):
            return False
        if self.flow.manner == "document" and now.daily and source.answers and not self.pair.shadow:
            self._sweep(source)
        self._end()
        return True

    def _pages(self, source: Any, now: Pass) -> Iterator[Any]:
        if self.flow.manner == "document":
            return source.offers(now.since, now.position)  # type: ignore[no-any-return]
        _, weigh = self.pair.chunking[self.flow.record]
        return gathered(source.pages(now.since, now.position), weigh, self.pair.world.clock)

    def _begin(self) -> None:
        clock = self.pair.world.clock.now()
        now = self.cursor.now
        moved = now.moved or now.started if now is not None and now.position else None
        if moved is not None and clock - datetime.fromisoformat(moved) < RESUME:
            return
        daily = self.full or self._full_is_due(clock)
        # what is followed until it is closed would be lost by a pass over what is open
        anew = daily and (not self.flow.follows or self.full or self.cursor.full_at is None)
        full = anew or self.cursor.watermark is None
        since = None if full else self.cursor.watermark
        self.cursor.now = Pass(started=self.ledger.now(), since=since, full=full, daily=daily)
        self._save()
        if self._roll is not None:
            self._roll.clear()

    def _full_is_due(self, clock: datetime) -> bool:
        """Tell whether a full comparison is due by its schedule, in the ERP's zone."""
        if self.cursor.full_at is None:
            return True
        pair, last = self.pair, datetime.fromisoformat(self.cursor.full_at)
        text = schedule.full_expression(pair.options, pair.integration.name, self.flow, pair.tenant)
        due = schedule.next_due(text, last, pair.zone)
        return due is not None and due <= clock

    def _end(self) -> None:
        now = self.cursor.now
        assert now is not None
        if now.stamp is not None:
            self.cursor.watermark = max(now.stamp, self.cursor.watermark or "")
        if now.daily:
            self.cursor.full_at = now.started
        self.cursor.passes += 1
        self.cursor.now, self.cursor.figures.error = None, None
        self._save()
        release_followers(self.pair, self.flow)

    def _unsettled(self) -> Pending:
        """List what is on its way: the fingerprints of masters, the chunks of documents."""
        pending = Pending()
        for chunk in self.ledger.unfinished():
            if self.flow.manner == "document":
                pending.update({chunk.key or chunk.id: chunk.id})
            else:
                pending.update(self._fingerprints(chunk))
        return pending

    def _take(self, page: Any) -> None:
        now = self.cursor.now
        assert now is not None
        chunks = self._masters(page) if self.flow.manner == "master" else self._documents(page.offers, page.broken)
        self._ring(chunks)
        if (roll := self._roll) is not None:
            roll.note(keys_of(page), str(self.pair.world.chance.uuid4()))
        if page.stamp is not None:
            now.stamp = max(page.stamp, now.stamp or "")
        self._move(page.position)

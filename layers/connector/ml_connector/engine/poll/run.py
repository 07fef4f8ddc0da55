"""The poll: pages of a source become chunks. It sends nothing to the target and writes no record row.

Rule 1: chunks are written, then queued, then the position is saved. A crash in between reads again, which is harmless.
Rule 2: a watermark is a stamp seen at the source, never this machine's clock, which only keeps it out of the future.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ml_connector.engine.ledger.rows import Pass
from ml_connector.engine.ledger.seen_keys import SeenHashes
from ml_connector.engine.poll.alignment import AlignmentPass
from ml_connector.engine.poll.deletions import Deletions, keys_of
from ml_connector.engine.poll.documents import DocumentPass
from ml_connector.engine.poll.in_flight import InFlight
from ml_connector.engine.poll.masters import MasterPass
from ml_connector.engine.poll.state import PassState, Prefetch, inline
from ml_connector.engine.schedule import cron
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.prerequisites import release_followers
from ml_connector.errors import ConnectorError
from ml_connector.flow import Broken, Flow, Page

RESUME = timedelta(hours=1)
"""A pass that stood still for longer starts again: its positions may point elsewhere by now."""
OPEN = "~open:"
"""Begins a position in the second part of a nightly pass: behind what changed, in what is open at the source."""
LONGEST_KEY = 900
"""Bytes of a key: the name of a row takes 1,024, and has more to say than the key."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class Poll:
    """One run of one flow's source."""

    def __init__(
        self,
        pair: TenantIntegration,
        flow: Flow,
        run: str,
        prefetch: Prefetch = inline,
        deadline: datetime | None = None,
        full: bool = False,
    ) -> None:
        """Read the cursor."""
        self.state = state = PassState(pair, flow, run, prefetch, deadline, full)
        self.pair, self.flow, self.ledger, self.cursor = pair, flow, state.ledger, state.cursor
        self.masters, self.documents = MasterPass(state), DocumentPass(state)
        self.part: MasterPass | DocumentPass | AlignmentPass = self.masters
        if flow.manner == "document":
            self.part = self.documents
        elif flow.aligns:
            self.part = AlignmentPass(state)
        self.deletions = Deletions(state, self.masters)

    def read(self) -> bool:
        """Read pages until the source is through (true) or the deadline is near (false).

        Raises what the source raises; what was read until then is kept, and why it ended stands with the figures.
        """
        try:
            return self._read()
        except ConnectorError as error:
            self.cursor.figures.error = str(error)
            with suppress(ConnectorError):  # another reader's figures stand, or the store is away itself
                self.state.save()
            raise

    def _read(self) -> bool:
        self.pair.check(self.flow.source)
        self._begin()
        self.state.in_flight = self._unsettled()
        now = self.cursor.now
        assert now is not None
        for pages in self._parts(now):
            for page in self.state.prefetch(pages):
                self._take(page)
                self.pair.breakers[self.flow.source].succeeded()
                if page.position is not None and self.state.is_late():
                    return False
        if self.flow.manner == "master" and not self.deletions.find():
            return False
        if self.flow.manner == "document" and now.daily and not self.pair.shadow:
            self.documents.sweep()
        self._end()
        return True

    def _parts(self, now: Pass) -> Iterator[Iterator[Any]]:
        """Give the parts of a pass that are left, each when the one before it has been taken."""
        if self.deletions.at_end():
            return
        # what was entered with a day long past never shows among what changed, and is unknown, so not followed either
        if not (self.flow.follows and now.daily and now.since is not None):
            yield self.part.pages(now.since, now.position)
            return
        if not (now.position or "").startswith(OPEN):
            yield _leading_on(self.masters.pages(now.since, now.position))
        seen_keys, place = self.deletions.seen_keys, (now.position or "").removeprefix(OPEN)
        assert seen_keys is not None
        yield _others(self.masters.pages(None, place or None), seen_keys.seen())

    def _begin(self) -> None:
        clock = self.pair.runtime.clock.now()
        now = self.cursor.now
        moved = now.moved or now.started if now is not None and now.position else None
        if moved is not None and clock - datetime.fromisoformat(moved) < RESUME:
            return
        daily = self.state.full or self._full_is_due(clock)
        # what is followed until it is closed would be lost by a pass over what is open
        anew = daily and (not self.flow.follows or self.state.full or self.cursor.full_at is None)
        full = anew or self.cursor.watermark is None
        # in rows of former releases it may lie ahead
        since = not_ahead(self.cursor.watermark, clock, self.pair.zone) if self.cursor.watermark and not full else None
        self.cursor.now = Pass(started=self.ledger.now(), since=since, full=full, daily=daily)
        if (
            self.deletions.seen_keys is not None
        ):  # another pass is told by its first position: most end before they have one
            self.state.save()
            self.deletions.seen_keys.clear()

    def _full_is_due(self, clock: datetime) -> bool:
        """Tell whether a full comparison is due by its schedule, in the ERP's zone."""
        if self.cursor.full_at is None:
            return True
        if self.flow.belongs_to is not None and self.ledger.looks_back(self.cursor.full_at):
            return True
        pair, last = self.pair, datetime.fromisoformat(self.cursor.full_at)
        text = cron.full_expression(pair.options, pair.integration.name, self.flow, pair.tenant)
        due = cron.next_due(text, last, pair.zone)
        return due is not None and due <= clock

    def _end(self) -> None:
        now = self.cursor.now
        assert now is not None
        if now.stamp is not None:
            # by the clock at its begin: of what changed since then, the first pages knew nothing
            begun = datetime.fromisoformat(now.started)
            self.cursor.watermark = not_ahead(max(now.stamp, self.cursor.watermark or ""), begun, self.pair.zone)
        if now.daily:
            self.cursor.full_at = now.started
        self.cursor.passes += 1
        seen_keys = self.deletions.seen_keys
        self.cursor.now, self.cursor.figures.error = None, None
        self.state.save()
        release_followers(self.pair, self.flow)
        if seen_keys is not None:  # last: whoever goes on in place of one that was killed compares with it again
            with suppress(ConnectorError):  # the pass is over; what is left expires, or goes when the next one begins
                seen_keys.clear()

    def _unsettled(self) -> InFlight:
        """List what is on its way: the fingerprints of masters, the chunks of documents."""
        in_flight = InFlight()
        for chunk in self.ledger.unfinished():
            self.state.out[chunk.lane] += chunk.state == "open"
            if self.flow.manner == "document":
                in_flight.update({chunk.key or chunk.id: chunk.id})
            else:
                in_flight.update(self.masters.fingerprints(chunk))
        return in_flight

    def _take(self, page: Any) -> None:
        now = self.cursor.now
        assert now is not None
        page = bounded(page)
        self.state.notify(self.part.take(page))
        if (seen_keys := self.deletions.seen_keys) is not None:
            seen_keys.note(keys_of(page), str(self.pair.runtime.rng.uuid4()))
        if page.stamp is not None:
            now.stamp = max(page.stamp, now.stamp or "")
        self.state.move(page.position)
        written = getattr(page, "written", None)
        if written is not None and not self.pair.shadow:
            written()  # last: what the source is told to be taken is in our own store by now


def bounded(page: Any) -> Any:
    """Reject what has a longer key than a row of the store takes, before anything is written under it."""
    name = "records" if isinstance(page, Page) else "documents"
    records: Sequence[Any] = getattr(page, name)
    long = [record for record in records if len(record.key.encode(errors="replace")) > LONGEST_KEY]
    if not long and all(len(b.key.encode(errors="replace")) <= LONGEST_KEY for b in page.broken):
        return page
    broken = [*page.broken, *(Broken(r.key, "It cannot be read: its key is far too long.", str(r)) for r in long)]
    left = {name: [record for record in records if record not in long]}
    return replace(page, broken=[replace(b, key=_shortened(b.key)) for b in broken], **left)


def _shortened(key: str) -> str:
    if len(key.encode(errors="replace")) <= LONGEST_KEY:
        return key
    return f"{key[:100]}…{hashlib.sha256(key.encode(errors='replace')).hexdigest()[:16]}"


def not_ahead(stamp: str, now: datetime, zone: str) -> str:
    """Bring a stamp from the future down to the present, in its own spelling; days are those of the source's zone.

    A stamp may be a day that a person typed: a watermark a month ahead would hide all that is entered until then.
    """
    if _DAY.fullmatch(stamp):
        return min(stamp, now.astimezone(ZoneInfo(zone)).date().isoformat())
    if _INSTANT.match(stamp):
        return min(stamp[:19], now.astimezone(UTC).isoformat()[:19]) + stamp[19:]
    return stamp


def _leading_on(pages: Iterator[Page[Any]]) -> Iterator[Page[Any]]:
    """Let the last page lead to what is open, so that whoever goes on from there does not read these again."""
    for page in pages:
        yield page if page.position is not None else replace(page, position=OPEN)


def _others(pages: Iterator[Page[Any]], seen: SeenHashes) -> Iterator[Page[Any]]:
    """Leave out what this pass has shown before: each counts once. The stamps of the rest say nothing of changes."""
    for page in pages:
        yield Page(
            [record for record in page.records if record.key not in seen],
            [broken for broken in page.broken if broken.key not in seen],
            page.position if page.position is None else f"{OPEN}{page.position}",
        )

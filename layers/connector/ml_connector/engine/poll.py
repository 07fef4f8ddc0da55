"""The poll: pages of a source become chunks. It sends nothing to the target and writes no record row.

Rule 1: chunks are written, then rung, then the position is saved. A crash in between reads again, which is harmless.
Rule 2: a watermark is a stamp seen at the source, never this machine's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ml_connector.engine.fingerprint import fingerprint, fingerprint_raw, only_older
from ml_connector.engine.ledger import Ledger
from ml_connector.engine.offer import put_on_its_way, ring_of
from ml_connector.engine.pair import Pair
from ml_connector.engine.readiness import release_followers
from ml_connector.engine.rows import Chunk, Figures, Pass, Reject, Row
from ml_connector.flow import Broken, Flow, Offer, Page
from ml_connector.ports import Item
from ml_connector.records import Record

RESUME = timedelta(hours=1)
"""A pass that stood still for longer starts anew: its positions may point elsewhere by now."""
FULL = timedelta(hours=24)
BLOCK = 1000
"""Sequence numbers are reserved in blocks, so that a crash leaves a gap and never a repeat."""
MOST_REJECTS = 200
Ahead = Callable[[Iterator[Any]], Iterator[Any]]


def straight(pages: Iterator[Any]) -> Iterator[Any]:
    """Read no page ahead."""
    return pages


@dataclass
class Poll:
    """One run of one flow's source."""

    pair: Pair
    flow: Flow
    run: str
    ahead: Ahead = straight
    deadline: datetime | None = None
    full: bool = False

    def __post_init__(self) -> None:
        """Read the cursor."""
        self.ledger: Ledger = self.pair.ledger(self.flow.name)
        self.cursor, found = self.ledger.cursor()
        self.item: Item = found
        if self.cursor.figures.run != self.run:
            self.cursor.figures = Figures(run=self.run)
        self._block = self.cursor.seq

    def read(self) -> bool:
        """Read pages until the source is through (true) or the deadline is near (false).

        Raises what the source raises; what was read until then is kept.
        """
        self.pair.check(self.flow.source)
        self._begin()
        source = self.pair.source(self.flow)
        self._pending = self._unsettled()
        now = self.cursor.now
        assert now is not None
        reader = source.pages if self.flow.manner == "master" else source.offers
        for page in self.ahead(reader(now.since, now.position)):
            self._take(page)
            self.pair.breakers[self.flow.source].well()
            if page.position is not None and self.deadline and self.pair.world.clock.now() > self.deadline:
                return False
        if now.full and self.flow.manner == "document" and source.answers:
            self._sweep(source)
        self._end()
        return True

    # ── the pass ────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        clock = self.pair.world.clock.now()
        now = self.cursor.now
        if now is not None and clock - datetime.fromisoformat(now.started) < RESUME and now.position:
            return
        due = self.cursor.full_at is None or clock - datetime.fromisoformat(self.cursor.full_at) > FULL
        daily = self.full or due
        # what is followed until it is closed would be lost by a pass over what is open
        anew = daily and (not self.flow.follows or self.full or self.cursor.full_at is None)
        full = anew or self.cursor.watermark is None
        since = None if full else self.cursor.watermark
        self.cursor.now = Pass(started=self.ledger.now(), since=since, full=full, daily=daily)
        self._save()

    def _sweep(self, source: Any) -> None:
        """Put on their way the documents that were acknowledged and are not on ours, once a day."""
        keys: list[str] = [k for k in source.taken() if k not in self._pending]
        for key in keys:
            chunk = offer_document(self.pair, self.flow, Offer(key), self.run, swept=True)
            if chunk is not None:
                self.pair.world.rings.ring(chunk.lane, ring_of(chunk, self.pair.scope))

    def _end(self) -> None:
        now = self.cursor.now
        assert now is not None
        if now.stamp is not None:
            self.cursor.watermark = max(now.stamp, self.cursor.watermark or "")
        if now.daily:
            self.cursor.full_at = now.started
        self.cursor.passes += 1
        self.cursor.now = None
        self._save()
        release_followers(self.pair, self.flow)

    def _save(self) -> None:
        self.item = self.ledger.save_cursor(self.cursor, self.item)

    def _unsettled(self) -> dict[str, str]:
        """List what is on its way: key -> fingerprint (of masters) or chunk id (of documents)."""
        pending: dict[str, str] = {}
        for chunk in self.ledger.unfinished():
            if self.flow.manner == "document":
                pending[chunk.key or chunk.id] = chunk.id
            else:
                pending.update(self._fingerprints(chunk))
        return pending

    def _fingerprints(self, chunk: Chunk) -> dict[str, str]:
        body = msgspec.json.decode(self.ledger.raw_body(chunk.id), type=dict[str, msgspec.Raw])
        records = msgspec.json.decode(body.get("records", b"[]"), type=list[self.flow.record])  # type: ignore[name-defined]
        live = [r for r in records if chunk.results.get(r.key, ("",))[0] != "moved"]
        return {r.key: fingerprint(r, self.pair.epoch) for r in live}

    # ── a page ──────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, page: Any) -> None:
        now = self.cursor.now
        assert now is not None
        chunks = self._masters(page) if self.flow.manner == "master" else self._documents(page.offers, page.broken)
        self.pair.world.rings.ring_many([(c.lane, ring_of(c, self.pair.scope)) for c in chunks])
        if page.stamp is not None:
            now.stamp = max(page.stamp, now.stamp or "")
        now.position = page.position
        self._save()

    def _seq(self) -> int:
        """Take the next sequence number; a block is reserved by a write before its first use."""
        if self._block >= self.cursor.seq:
            self.cursor.seq += BLOCK
            self._save()
        self._block += 1
        return self._block

    def _masters(self, page: Page[Record]) -> list[Chunk]:
        keys = [r.key for r in page.records] + [b.key for b in page.broken]
        known = self.ledger.rows(keys) if keys else {}
        rows = {k: row for k, (row, _) in known.items()}
        fresh: dict[str, Record] = {}
        aged: dict[str, Record] = {}
        for record in page.records:
            place = self._place(record, rows.get(record.key))
            if place is not None:
                (fresh if place == "send" else aged)[record.key] = record
        broken = [b for b in page.broken if not self._seen_broken(b, rows.get(b.key))]
        touches = {k: row.touch for k, row in rows.items() if row.touch and k in fresh}
        replayed = [fresh.pop(k) for k in touches]  # in chunks of their own: a touch is for them alone
        return [
            *self._cut(list(fresh.values()), broken),
            *self._cut(replayed, [], touch=max(touches.values(), default=None)),
            *self._cut(list(aged.values()), [], op="rebaseline"),
        ]

    def _place(self, record: Record, row: Row | None) -> str | None:
        """Decide whether a record goes on its way: None where nothing is to be done for it."""
        if self.flow.follows and row is None and getattr(record, "status", "open") != "open":
            return None
        now = fingerprint(record, self.pair.epoch)
        if record.key in self._pending:
            return None if self._pending[record.key] == now else "send"
        if row is None or row.outcome is None:
            return "send"
        return self._compared(record.key, row, now)

    def _compared(self, key: str, row: Row, now: str) -> str | None:
        """Compare with what was settled, and count what needs nothing more."""
        figures, under_way = self.cursor.figures, self.cursor.now
        again = under_way is not None and under_way.daily
        if row.outcome == "rejected" and row.seen_fp == now and not again:
            figures.rejected += 1
            self._reject((key, row.reason or ""))
            return None
        if row.outcome != "rejected" and row.delivered_fp == now:
            figures.unchanged += 1
            return None
        return "rebaseline" if only_older(row.delivered_fp, now) else "send"

    def _seen_broken(self, broken: Broken, row: Row | None) -> bool:
        if row is None or row.outcome != "rejected" or row.seen_fp != fingerprint_raw(broken.raw, self.pair.epoch):
            return False
        self.cursor.figures.rejected += 1
        self._reject((broken.key, row.reason or broken.reason))
        return True

    def _reject(self, reject: Reject) -> None:
        if len(self.cursor.figures.rejects) < MOST_REJECTS:
            self.cursor.figures.rejects.append(reject)

    def _cut(
        self, records: Sequence[Record], broken: Sequence[Broken], op: Any = "send", touch: str | None = None
    ) -> list[Chunk]:
        """Cut records into chunks of at most the target's limit."""
        limit, weigh = self.pair.chunking[self.flow.record]
        parts: list[list[Record]] = []
        weight = limit
        for record in records:
            more = weigh(record)
            if weight + more > limit:
                parts.append([])
                weight = 0
            parts[-1].append(record)
            weight += more
        if broken and not parts:
            parts.append([])
        return [self._chunk(part, broken if n == 0 else [], op, touch) for n, part in enumerate(parts)]

    def _chunk(self, records: Sequence[Record], broken: Sequence[Broken], op: Any, touch: str | None) -> Chunk:
        seq = self._seq()
        chunk = Chunk(
            id=f"{seq:010d}", tenant=self.pair.tenant, integration=self.pair.integration.name, flow=self.flow.name,
            lane=self.pair.lane(self.flow), run=self.run, created=self.ledger.now(), seq=seq, op=op,
            count=len(records) + len(broken), touch=touch,
        )  # fmt: skip
        raw = [{"key": b.key, "reason": b.reason, "raw": b.raw} for b in broken]
        self.ledger.add(chunk, {"records": list(records), "broken": raw})
        return chunk

    # ── documents ───────────────────────────────────────────────────────────────────────────────────────────

    def _documents(self, offers: Sequence[Offer], broken: Sequence[Broken]) -> list[Chunk]:
        offers = self._ours(offers)
        rows = self.ledger.rows([o.key for o in offers]) if offers else {}
        chunks = []
        for offer in offers:
            row = rows[offer.key][0] if offer.key in rows else None
            if offer.key not in self._pending and not self._known(offer, row):
                chunks.append(self._one(offer))
        self._broken(broken)
        return [c for c in chunks if c is not None]

    def _ours(self, offers: Sequence[Offer]) -> Sequence[Offer]:
        """Keep what refers to documents that we delivered, where the flow follows another."""
        if self.flow.links is None or not offers:
            return offers
        targets = sorted({o.refers for o in offers if o.refers})
        ours = self.ledger.sibling(self.flow.links).links(targets)
        return [o for o in offers if o.refers in ours]

    def _known(self, offer: Offer, row: Row | None) -> bool:
        """Tell whether an offer needs nothing more, and count it."""
        figures = self.cursor.figures
        if row is None or row.outcome is None:
            if offer.void:
                figures.unchanged += 1  # cancelled before anybody was told of it
            return offer.void
        if row.outcome == "rejected" and offer.stamp and row.stamp and offer.stamp <= row.stamp:
            figures.rejected += 1
            self._reject((offer.key, row.reason or ""))
            return True
        if row.outcome != "rejected" and self.flow.links is not None and offer.stamp == row.stamp:
            figures.unchanged += 1
            return True
        return False

    def _one(self, offer: Offer) -> Chunk | None:
        return offer_document(self.pair, self.flow, offer, self.run)

    def _broken(self, broken: Sequence[Broken]) -> None:
        for bad in broken:
            self.cursor.figures.rejected += 1
            self._reject((bad.key, bad.reason))


def offer_document(pair: Pair, flow: Flow, offer: Offer, run: str, *, swept: bool = False) -> Chunk | None:
    """Put a document on its way, unless it is already."""
    in_lane = pair.lane(flow, offer.partner or offer.refers or offer.key)
    return put_on_its_way(pair.ledger(flow.name), offer, run=run, in_lane=in_lane, swept=swept)

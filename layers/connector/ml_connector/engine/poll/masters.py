"""The part of a poll that takes pages of master data and orders: compared by fingerprint, cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import msgspec

from ml_connector.engine.ledger import shared
from ml_connector.engine.ledger.codes import LedgerCodes
from ml_connector.engine.ledger.fingerprint import epoch_of, fingerprint, mapped_otherwise, only_older, same_settings
from ml_connector.engine.ledger.rows import GONE, Chunk, Row, SharedField
from ml_connector.engine.poll.coalesce import coalesced
from ml_connector.engine.poll.state import PassState
from ml_connector.engine.write.deactivate import guarded, look_again
from ml_connector.errors import Held
from ml_connector.flow import Broken, MasterSource, Page
from ml_connector.records import Record

ALONE = 8
"""By how much more a record weighs that is read at the platform before it is written, and perhaps written by itself."""


class MasterPass:
    """Decides for each record whether it is queued."""

    def __init__(self, state: PassState) -> None:
        """Work on a pass under way."""
        self.state = state
        self.pair, self.flow, self.ledger, self.cursor = state.pair, state.flow, state.ledger, state.cursor
        self._bases: dict[str, dict[str, SharedField]] = {}
        self._sent: set[str] = set()

    @cached_property
    def source(self) -> MasterSource[Any]:
        """The source of the pass."""
        return self.pair.master_source(self.flow)

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Any]]:
        """Read pages that are large enough to fill chunks."""
        _, weigh = self.pair.chunking[self.flow.record]
        return coalesced(self.source.pages(since, position), weigh, self.pair.runtime.clock)

    def fingerprints(self, chunk: Chunk) -> dict[str, str]:
        """Tell what a chunk has on its way: of each key its fingerprint, or that it is gone."""
        body = msgspec.json.decode(self.ledger.raw_body(chunk.id), type=dict[str, msgspec.Raw])
        if chunk.op == "retire":
            gone = msgspec.json.decode(body.get("retired", b"[]"), type=list[str])
            return dict.fromkeys((k for k in gone if k not in chunk.results), GONE)
        records = msgspec.json.decode(body.get("records", b"[]"), type=list[self.flow.record])  # type: ignore[name-defined]
        live = [r for r in records if chunk.results.get(r.key, ("",))[0] != "moved"]
        epoch = chunk.epoch or self.state.epoch  # what has gone out under former settings must go again
        return {r.key: fingerprint(r, epoch) for r in live}

    def take(self, page: Page[Record]) -> list[Chunk]:
        """Cut what is to be sent of a page into chunks."""
        keys = [r.key for r in page.records] + [b.key for b in page.broken]
        self._welcome(keys)
        known = self.ledger.rows(keys) if keys else {}
        rows = {k: row for k, (row, _) in known.items()}
        self._sent = {k for k, row in rows.items() if row.code is not None}
        self._read_bases(page)
        fresh: dict[str, Record] = {}
        aged: dict[str, Record] = {}
        for record in page.records:
            place = self._place(record, rows.get(record.key))
            if place is not None:
                (fresh if place == "send" else aged)[record.key] = record
        broken = [b for b in page.broken if not self.state.seen_broken(b, rows.get(b.key))]
        touches = {k: touch for k, row in rows.items() if k in fresh and (touch := self._touch(fresh[k], row))}
        replayed = [fresh.pop(k) for k in touches]  # in chunks of their own: a touch is for them alone
        return [
            *self._cut(list(fresh.values()), broken),
            *self._cut(replayed, [], touch=max(touches.values(), default=None)),
            *self._cut(list(aged.values()), [], op="rebaseline"),
        ]

    def _welcome(self, keys: Sequence[str]) -> None:
        """Have those looked at again that wait for a person's word and are back: they are not missing any more."""
        back = {key for key in keys if self.state.in_flight.holds(key, GONE)}
        for chunk in guarded(self.ledger) if back else ():
            if not back.isdisjoint(self.fingerprints(chunk)):
                look_again(self.ledger, chunk.id)

    def _touch(self, record: Record, row: Row) -> str | None:
        """Say whether a record must differ from its last sending: what was refused as it is may count as no change."""
        refused = row.outcome == "rejected" and self._same(row, row.seen_fp, fingerprint(record, self.state.epoch))
        return row.touch or (self.ledger.now() if refused else None)

    def _place(self, record: Record, row: Row | None) -> str | None:
        """Decide whether a record is queued: None where nothing is to be done for it."""
        unknown = row is None and record.key not in self.state.in_flight
        if unknown and self.flow.follows and getattr(record, "status", "open") != "open":
            return None
        if unknown and self.state.too_old(getattr(record, "created", None)):
            return None
        now = fingerprint(record, self.state.epoch)
        if record.key in self.state.in_flight:
            return None if self.state.in_flight.holds(record.key, now) else "send"
        if self.flow.enriches and (row is None or (row.outcome != "rejected" and not row.touch)):
            return self._enriching(record, row, now)
        if row is None or row.outcome is None:
            return "send"
        return self._compared(record, row, now)

    def _compared(self, record: Record, row: Row, now: str) -> str | None:
        """Compare with what was settled, and count what needs nothing more."""
        figures, under_way = self.cursor.figures, self.cursor.now
        again = under_way is not None and under_way.daily
        seen = not self._enriched or shared.is_seen(record, row, agreed=again and not self.pair.shadow)
        if row.outcome == "rejected" and not again and self._same(row, row.seen_fp, now):
            figures.rejected += 1
            self.state.reject((record.key, row.reason or ""))
            return None
        if self._enriched:
            record = shared.without(record)
            now = fingerprint(record, self.state.epoch)
        if row.outcome != "rejected" and self._same(row, row.delivered_fp, now) and seen:
            figures.unchanged += 1
            return None
        if row.delivered_fp == GONE:
            return "send"  # it is back at its source
        if not seen:
            return "send"  # of what the fingerprint leaves out, something has changed
        epoch = epoch_of(row.delivered_fp)
        if epoch != self.state.epoch and same_settings(epoch, self.state.epoch) and self._mapped_alike(row):
            return "rebaseline" if only_older(row.delivered_fp, record, epoch) else "send"
        return "rebaseline" if only_older(row.delivered_fp, record, self.state.epoch) else "send"

    # ── fields that people change on both sides ─────────────────────────────────────────────────────────────────

    @cached_property
    def _enriched(self) -> bool:
        return self.pair.is_enriched(self.flow)

    def _read_bases(self, page: Page[Record]) -> None:
        """Read what was agreed on of the suppliers that a page shows as they stand at the platform."""
        if self.flow.enriches is not None and page.records:
            ledger = self.pair.ledger(self.flow.enriches)
            self._bases = shared.by_code(ledger, [r.key for r in page.records], self._mapped_suppliers)

    @cached_property
    def _mapped_suppliers(self) -> dict[str, str]:
        return {mapping.code: mapping.target for mapping in self.pair.mappings.all("supplier")}

    def _enriching(self, record: Any, row: Row | None, now: str) -> str | None:
        """Compare with what both sides agreed on, and not with what was seen last: that may have been and gone."""
        settled = self.pair.shadow and row is not None and row.delivered_fp == now
        if settled or shared.is_agreed(record, self._bases[record.key], self._term):
            self.cursor.figures.unchanged += 1
            return None
        return "send"

    def _term(self, code: str) -> str | None:
        with suppress(Held):
            return self._codes.mapped("term", code)
        return None

    def _same(self, row: Row, known: str | None, now: str) -> bool:
        """Tell whether a record would go out as it did: it is the same, and so is what its codes become."""
        return known == now or (mapped_otherwise(known, now) and self._mapped_alike(row))

    def _mapped_alike(self, row: Row) -> bool:
        """Tell whether the codes that a body was made with become what they became then."""
        try:
            return row.used is not None and all(
                self._codes.platform(*name.split(":", 1)) == became for name, became in row.used.items()
            )
        except Held:
            return False

    @cached_property
    def _codes(self) -> LedgerCodes:
        return self.pair.codes()

    def _cut(
        self, records: Sequence[Record], broken: Sequence[Broken], op: Any = "send", touch: str | None = None
    ) -> list[Chunk]:
        """Cut records into chunks of at most the target's limit."""
        limit, weigh = self.pair.chunking[self.flow.record]
        parts: list[list[Record]] = []
        weight = limit
        for record in records:
            alone = self._enriched or (self.flow.guarded and record.key in self._sent)
            more = weigh(record) * (ALONE if alone else 1)
            if weight + more > limit:
                parts.append([])
                weight = 0
            parts[-1].append(record)
            weight += more
        if broken and not parts:
            parts.append([])
        return [self.state.chunk(part, broken if n == 0 else [], op, touch) for n, part in enumerate(parts)]

"""The part of a poll that takes pages of offers: documents travel by key, one to a chunk."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from ml_connector.engine.ledger.concerned import Watched, note_final, watched
from ml_connector.engine.ledger.enqueue import Turn, enqueue
from ml_connector.engine.ledger.rows import Chunk, Row
from ml_connector.engine.poll.state import PassState
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.flow import Broken, DocumentPage, DocumentSource, Flow, ListedDocument
from ml_connector.follow_up import AskedSource

YOUNG = timedelta(days=2)
"""So long a document that we delivered is asked for in each pass."""
RARELY = 12
"""Passes of which one asks for an older one."""


class DocumentPass:
    """Decides for each offer whether it is queued."""

    def __init__(self, state: PassState) -> None:
        """Work on a pass under way."""
        self.state = state
        self.pair, self.flow, self.ledger, self.cursor = state.pair, state.flow, state.ledger, state.cursor

    @cached_property
    def source(self) -> DocumentSource[Any]:
        """The source of the pass."""
        return self.pair.document_source(self.flow)

    def pages(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        """Read what is offered, or ask how what we delivered stands there."""
        source = self.source
        if self.flow.asks and isinstance(source, AskedSource) and (first := self._ask(source, position)) is not None:
            return first
        return source.list_documents(since, position)

    def _ask(self, source: AskedSource, position: str | None) -> Iterator[DocumentPage] | None:
        """Ask for each document that was delivered; None where the source only lists."""
        return None if source.asked([]) is None else self._asked(source, position)

    def _asked(self, source: AskedSource, position: str | None) -> Iterator[DocumentPage]:
        while some := watched(self.ledger, position):
            due = {one.target: one for one in some if self._is_due(one)}
            found = source.asked(list(due)) or []
            position = some[-1].target
            yield DocumentPage(found, position=position)
            for offer in found:
                if offer.key in due:  # after it was queued: whoever dies before asks for it again
                    note_final(self.ledger, due[offer.key], final=offer.final)
        yield DocumentPage([])

    def _is_due(self, one: Watched) -> bool:
        """Tell whether a document is asked for in this pass: old ones in every twelfth, final ones once a day.

        A server that answers one question at a time is not asked about months of invoices every five minutes.
        """
        daily = self.cursor.now is not None and self.cursor.now.daily
        young = self.pair.runtime.clock.now() - one.since < YOUNG
        turn = (zlib.crc32(one.target.encode()) + self.cursor.passes) % RARELY == 0
        return daily or (one.final is None and (young or turn))

    def take(self, page: DocumentPage) -> list[Chunk]:
        """Put on their way what is new of a page of offers."""
        offers = self._ours(page.documents)
        rows = self.ledger.rows([o.key for o in offers]) if offers else {}
        chunks = []
        for offer in offers:
            row = rows[offer.key][0] if offer.key in rows else None
            if untouched(row) and self.state.too_old(offer.dated):
                continue  # declared to be none of ours
            if offer.key not in self.state.in_flight and not self._known(offer, row):
                chunks.append(self._one(offer))
        return [*(c for c in chunks if c is not None), *self._unreadable(page.broken)]

    def _ours(self, offers: Sequence[ListedDocument]) -> Sequence[ListedDocument]:
        """Keep what refers to documents that we delivered, where the flow follows another."""
        if self.flow.links is None or not offers:
            return offers
        targets = sorted({o.refers for o in offers if o.refers})
        ours = self.ledger.sibling(self.flow.links).links(targets)
        return [o for o in offers if o.refers in ours]

    def _known(self, offer: ListedDocument, row: Row | None) -> bool:
        """Tell whether an offer needs nothing more, and count it."""
        figures = self.cursor.figures
        if offer.void and untouched(row):
            figures.unchanged += 1  # cancelled before anybody was told of it
            return True
        if row is None or row.outcome is None or self._may_be_ours_now(row):
            return False
        if row.outcome == "rejected" and (self._seen(offer, row) or self._refused_before(offer, row)):
            figures.rejected += 1
            self.state.reject((offer.key, row.reason or ""))
            return True
        settled = not self.source.answers or self.pair.shadow  # what is answered is not offered again
        if row.outcome != "rejected" and settled and offer.stamp == row.stamp:
            figures.unchanged += 1
            return True
        return False

    def _may_be_ours_now(self, row: Row) -> bool:
        """Tell whether what belonged to nothing of ours is looked at again: once a day, its document may be there."""
        daily = self.cursor.now is not None and self.cursor.now.daily
        return self.flow.concerns is not None and daily and untouched(row)

    def _seen(self, offer: ListedDocument, row: Row) -> bool:
        """Tell whether an answered source offers no later version; other sources' stamps are in no order."""
        return bool(self.source.answers and offer.stamp and row.stamp and offer.stamp <= row.stamp)

    def _refused_before(self, offer: ListedDocument, row: Row) -> bool:
        """Tell whether a source that takes no answer offers what was refused as it was; the daily pass tries again."""
        daily = self.cursor.now is not None and self.cursor.now.daily
        return not self.source.answers and offer.stamp == row.stamp and not daily

    def _one(self, offer: ListedDocument) -> Chunk | None:
        return enqueue_document(self.pair, self.flow, offer, self.state.run, turn=self.state.turn)

    def _unreadable(self, broken: Sequence[Broken]) -> list[Chunk]:
        """Put what cannot be read as a document into a chunk that keeps its text and settles it as rejected."""
        rows = {k: row for k, (row, _) in self.ledger.rows([b.key for b in broken]).items()} if broken else {}
        new = [b for b in broken if not self.state.seen_broken(b, rows.get(b.key))]
        for bad in [b for b in new if not untouched(rows.get(b.key))]:  # what we know of it stands, and is said
            self.cursor.figures.rejected += 1
            self.state.reject((bad.key, bad.reason))
        new = [b for b in new if untouched(rows.get(b.key))]
        return [self.state.chunk([], new, "broken")] if new else []

    def sweep(self) -> None:
        """Put on their way the documents that were acknowledged and are not on ours, once a day."""
        source = self.source
        if not source.answers:
            return
        keys = [k for k in source.taken() if k not in self.state.in_flight]
        for key in keys:
            chunk = enqueue_document(
                self.pair, self.flow, ListedDocument(key), self.state.run, swept=True, turn=self.state.turn
            )
            if chunk is not None:
                self.state.notify([chunk])


def untouched(row: Row | None) -> bool:
    """Tell whether a document never got anywhere: not delivered, not refused, not at the target."""
    return row is None or (row.outcome in {None, "unchanged"} and row.target is None)


def enqueue_document(
    pair: TenantIntegration,
    flow: Flow,
    offer: ListedDocument,
    run: str,
    *,
    swept: bool = False,
    turn: Turn = lambda _: 0,
) -> Chunk | None:
    """Put a document on its way, unless it is already."""
    in_lane = pair.lane(flow, offer.partner or offer.refers or offer.key)
    return enqueue(pair.ledger(flow.name), offer, run=run, in_lane=in_lane, swept=swept, turn=turn)

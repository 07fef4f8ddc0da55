"""The part of a poll that takes pages of offers: documents travel by key, one to a chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ml_connector.engine.ledger.enqueue import Turn, enqueue
from ml_connector.engine.ledger.rows import Chunk, Row
from ml_connector.engine.poll.state import PassState
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.flow import Broken, DocumentPage, DocumentSource, Flow, ListedDocument


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
        """Read what is offered."""
        return self.source.list_documents(since, position)

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
        if row is None or row.outcome is None:
            if offer.void:
                figures.unchanged += 1  # cancelled before anybody was told of it
            return offer.void
        if row.outcome == "rejected" and (_seen(offer, row) or self._refused_before(offer, row)):
            figures.rejected += 1
            self.state.reject((offer.key, row.reason or ""))
            return True
        settled = not self.source.answers or self.pair.shadow  # what is answered is not offered again
        if row.outcome != "rejected" and settled and offer.stamp == row.stamp:
            figures.unchanged += 1
            return True
        return False

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


def _seen(offer: ListedDocument, row: Row) -> bool:
    return bool(offer.stamp and row.stamp and offer.stamp <= row.stamp)


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

"""Deliberate weakenings of what protects a document that people meddle with (`catalogue.py` lists them)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from ml_connector import enroll
from ml_connector.engine.ledger import shared
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.schedule import wake_up
from ml_connector.engine.write import deactivate, identity, matching, prerequisites
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.case import Case
from ml_connector.engine.write.document import DocumentWriter
from ml_connector.engine.write.guard import Guard
from ml_connector.engine.write.matching import Matcher
from ml_connector.errors import Held
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.kit.tables import Query
from ml_connector.systems.sage_300 import documents as sage_documents
from ml_connector.systems.sage_300.faults import Fault as SageFault
from ml_connector.systems.sap_b1 import documents
from ml_connector.systems.sap_b1.faults import Fault as SapFault
from ml_connector.systems.sap_b1.lookups import Lookups


def sent_not_looked_for() -> Any:
    """Look for a document as it would be sent now, and not as it was sent."""
    return patch.object(Case, "sent", property(lambda self: []))


@contextmanager
def sent_forgotten() -> Iterator[None]:
    """Forget what was sent as soon as the attempt is over."""
    real = DocumentWriter._post

    def forgetful(self: DocumentWriter, document: Any, prepared: Any) -> None:
        try:
            real(self, document, prepared)
        finally:
            self.chunk.sents = []

    with patch.object(DocumentWriter, "_post", forgetful):
        yield


@contextmanager
def change_unseen() -> Iterator[None]:
    """Take what was sent for what is wanted now, whatever has changed in between."""
    real = Matcher.check_same

    def agree(self: Matcher, found: Any, wanted: Any) -> None:
        if found.state == "draft":
            real(self, found, wanted)

    with patch.object(Matcher, "check_same", agree):
        yield


def matched_without_date() -> Any:
    """Match what somebody keyed in by supplier, number, amount and currency alone."""
    return patch.object(identity, "_date", lambda there, here, *, all_told: "")


def sent_again_when_taken() -> Any:
    """Send again what the ERP has taken without naming what it became, once it does not show."""
    return patch.object(Matcher, "taken", lambda self: None)


def currency_guessed() -> Any:
    """Take a question after SAP's own currency that failed for an answer: what is foreign goes out in local amounts."""

    def guessed(self: Lookups) -> str | None:
        if self._local is None and not self._untold:
            self._untold = True
            self._local = self._of_a_document() or self._of_the_company()
        return self._local

    return patch.object(Lookups, "local_currency", guessed)


def no_look_after_posting() -> Any:
    """Believe a posting without looking whether somebody else has posted the same meanwhile."""
    return patch.object(DocumentWriter, "_stands_alone", lambda self, found: None)


@contextmanager
def spelt_exactly() -> Iterator[None]:
    """Compare numbers letter by letter."""

    def same(one: str | None, other: str | None) -> bool:
        return one == other

    with (
        patch.object(matching, "same", same),
        patch.object(identity, "same", same),
        patch.object(documents, "same", same),
        patch.object(sage_documents, "same", same),
    ):
        yield


@contextmanager
def anybody_believed() -> Iterator[None]:
    """Believe any 404, whoever said it."""
    absent = property(lambda self: self.status in {404, 410})
    with (
        patch.object(Basware, "_judged", lambda self, path, **more: lambda reply: None),
        patch.object(SageFault, "gone", absent),
        patch.object(SageFault, "anybodys", False),
        patch.object(SapFault, "no_records", absent),
        patch.object(SapFault, "anybodys", False),
    ):
        yield


@contextmanager
def waits_for_the_flow() -> Iterator[None]:
    """Let a document wait while anything of a flow of masters is on its way."""
    real = prerequisites.wait_for_masters

    def wait(attempt: Attempt) -> None:
        real(attempt)
        for name in attempt.flow.after:
            if name in attempt.pair.active and any(c.in_flight for c in attempt.ledger.sibling(name).unfinished()):
                raise Held(f"prerequisite:{name}", f"The flow {name} still has records on their way.", soon=True)

    with patch("ml_connector.engine.write.document.wait_for_masters", wait):
        yield


def waits_for_nothing() -> Any:
    """Let a document wait for no masters at all."""
    return patch("ml_connector.engine.write.document.wait_for_masters", lambda attempt: None)


@contextmanager
def released_unseen() -> Iterator[None]:
    """Set going what was listed as held, whatever has become of it since."""

    def change(self: Ledger, chunk_id: str, fits: Any) -> Any:
        found = self.chunk(chunk_id)
        if found is None:
            return None
        chunk, item = found
        chunk.due_at, chunk.attempts = iso(self.clock.now()), 0
        self.store.put(self.place(chunk, item))
        return chunk

    real = wake_up._changed

    def changed(ledger: Ledger, chunk_id: str, fits: Any) -> bool:
        with patch.object(Ledger, "change", change):
            return real(ledger, chunk_id, fits)

    with patch.object(wake_up, "_changed", changed):
        yield


def guarded_by_number() -> Any:
    """Ask before switching off only where many are missing: most of a small list is not many."""

    def too_many(missing: int, known: int, **_: Any) -> bool:
        return missing > deactivate.FEW and missing > known * deactivate.SHARE

    return patch("ml_connector.engine.poll.deletions.too_many", too_many)


def half_enrolled() -> Any:
    """Take a tenant for enrolled whose enrollment died before all its systems had a time."""
    real = enroll.known

    def whole(item: Any) -> Any:
        row = real(item)
        if row is not None:
            row.unplanned = False
        return row

    return patch.object(enroll, "known", whole)


def never_enriched() -> Any:
    """Take what people changed at the platform for what both sides agreed on."""
    return patch.object(shared, "is_agreed", lambda *_: True)


def unguarded() -> Any:
    """Let the ERP's terms and tax numbers go over what people changed at the platform."""
    return patch.object(Guard, "is_ours", lambda self, was, erp, there: True)


def anothers_rows() -> Any:
    """Take whatever rows come for those that were asked for."""
    return patch.object(Query, "is_met_by", lambda self, row: True)


def older_suppliers_believed() -> Any:
    """Let suppliers that were read before a change came to the ERP take it back at the platform."""
    return patch.object(Guard, "_is_older", lambda self, was: False)


def writes_untold() -> Any:
    """Forget what was being written into the ERP where the chunk never tells."""
    return patch.object(shared, "begin", lambda *_: None)

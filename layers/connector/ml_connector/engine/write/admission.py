"""Whether a document is this integration's business at all: its company, and its date."""

from __future__ import annotations

from typing import Any

from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write.attempt import Attempt
from ml_connector.engine.write.case import Case
from ml_connector.errors import Held, Unreadable
from ml_connector.flow import Codes, Document, Prepared


def passed_over(attempt: Attempt, document: Document[Any], row: Row) -> str:
    """Say why a document is none for us, by a webhook or by now: before the start date, or void; never one we know."""
    flow, pair = attempt.flow, attempt.pair
    start, day = pair.options.start(pair.integration.name, flow.name), getattr(document.record, "invoice_date", None)
    if row.target is not None or row.outcome not in {None, "unchanged", "rejected"}:
        return ""
    if row.outcome == "rejected":  # it is tried again, unless it was paid or cancelled meanwhile
        return document.detail or "It does not count any more." if document.void else ""
    if start is not None and day is not None and day < start:
        return "It is dated before the flow's start date."
    return document.detail or "It does not count any more." if document.void else ""


def of_another_company(attempt: Attempt, record: Any, codes: Codes) -> Held | None:
    """Say why a document is not this ERP company's business: it is neither looked for, nor taken, nor posted.

    Only what was sent already is still looked for, so that its fate is known.
    """
    company = getattr(record, "company", None)
    if company is None:
        return None
    what = f"Invoice {record.number} ({record.gross} {record.currency}, supplier {record.supplier})"
    return _elsewhere(attempt, company, codes, f"{what} is not posted")


def traced(case: Case, record: Any) -> Prepared:
    """Say what a document would be found by now; raises `Held` where it cannot be said, or is another company's."""
    codes = case.attempt.pair.codes(waits=False)
    if (elsewhere := of_another_company(case.attempt, record, codes)) is not None:
        raise elsewhere
    trace: Prepared = case.target.trace(record, codes)
    return trace


def unreadable_elsewhere(attempt: Attempt, error: Unreadable, codes: Codes) -> Held | None:
    """Say why a document that cannot be read is not ours to refuse: it is of another company."""
    return _elsewhere(attempt, error.company, codes, f"{error} It is not answered")


def _elsewhere(attempt: Attempt, company: str | None, codes: Codes, what: str) -> Held | None:
    if company is None or attempt.flow.target != attempt.pair.integration.erp:
        return None
    try:
        codes.erp("company", company)
    except Held as held:
        return Held(held.waiting_for, f"{what}: {held}")
    return None

"""Whether a document is this integration's business at all: its company, and its date."""

from __future__ import annotations

from typing import Any

from ml_connector.engine.ledger.rows import Row
from ml_connector.engine.write.attempt import Attempt
from ml_connector.errors import Held, Unreadable
from ml_connector.flow import Codes


def too_old(attempt: Attempt, record: Any, row: Row) -> bool:
    """Tell whether a document that came by webhook lies before the start date; never of one that we know."""
    flow, pair = attempt.flow, attempt.pair
    start, day = pair.options.start(pair.integration.name, flow.name), getattr(record, "invoice_date", None)
    unknown = row.outcome in {None, "unchanged"} and row.target is None
    return start is not None and day is not None and day < start and unknown


def of_another_company(attempt: Attempt, record: Any, codes: Codes) -> Held | None:
    """Say why a document is not this ERP company's business: it is neither looked for, nor taken, nor posted.

    Only what was sent already is still looked for, so that its fate is known.
    """
    company = getattr(record, "company", None)
    if company is None:
        return None
    what = f"Invoice {record.number} ({record.gross} {record.currency}, supplier {record.supplier})"
    return _elsewhere(attempt, company, codes, f"{what} is not posted")


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

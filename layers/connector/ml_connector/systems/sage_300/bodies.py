"""What is sent for an invoice, and how it changes where Sage 300 refuses it as it is (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import re
from typing import Any

from ml_connector.flow import Prepared
from ml_connector.systems.kit.invoices import next_month
from ml_connector.systems.sage_300.amounts import Sums
from ml_connector.systems.sage_300.lines import TEXT_LIMIT
from ml_connector.systems.sage_300.refusals import month_of

OPTIONAL = ("PONumber",)
"""Fields that some releases may not know: left out where the refusal names one (`docs/vendors/sage_300.md`)."""
_CLOSED = re.compile(r"Period \d{4}-\d\d closed: ")


def totals(sums: Sums, *, taxed: bool) -> dict[str, Any]:
    """Give the totals, positive also for a credit note. The tax is stated, so that none is worked out anew."""
    sign = -1 if sums.gross < 0 else 1
    totals: dict[str, Any] = {"DocumentTotalBeforeTaxes": sums.net * sign}
    if taxed or sums.tax:
        totals["TaxAmount1"] = sums.tax * sign
    return totals | {"DocumentTotalIncludingTax": sums.gross * sign}


def changed(body: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Give a body with other fields in its head, in the same order; None takes one out."""
    head = {name: fields.get(name, value) for name, value in body["Invoices"][0].items()}
    return {**body, "Invoices": [{name: value for name, value in head.items() if value is not None}]}


def moved(body: Any) -> dict[str, Any]:
    """Post to the first day of the next month, and say so in the description."""
    month = month_of(body)
    day = next_month(month)
    said = closed(month, body["Invoices"][0]["InvoiceDescription"])
    return changed({**body, "BatchDate": day}, {"PostingDate": day, "InvoiceDescription": said})


def closed(month: str, said: str) -> str:
    """Begin a description with the month that was closed; the first one, where several were."""
    return said if _CLOSED.match(said) else f"Period {month} closed: {said}"[:TEXT_LIMIT].strip()


def moved_note(day: str, following: str) -> str:
    """Say that a posting date was moved."""
    return f"Posting date moved from {day} to {following}: period closed."


def changes(before: Prepared, after: Prepared) -> tuple[str, ...]:
    """Note what was sent otherwise than it was prepared, since Sage 300 refused that."""
    then, now = before.body["Invoices"][0], after.body["Invoices"][0]
    notes = [f"{name} was left out: Sage 300 refused it." for name in OPTIONAL if name in then and name not in now]
    if now["PostingDate"] != then["PostingDate"]:
        notes.append(moved_note(then["PostingDate"], now["PostingDate"]))
    return tuple(notes)

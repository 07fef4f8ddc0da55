"""What the invoice targets of all ERPs share: how a document is named, and what a posting without a number means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from ml_connector.errors import LoginRefused, Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Codes, Found, Prepared
from ml_connector.folding import fold
from ml_connector.records import Invoice
from ml_connector.systems.kit.refusals import named

KEY_LIMIT = 36
"""Characters of our own key in a document."""
MONTHS_AHEAD = 3
"""Closed months that are passed over in search of an open one."""


def check_number(record: Invoice, vendor: str, limit: int) -> None:
    """Raise `Rejected` where an ERP does not keep an invoice number whole: it is never cut."""
    if len(record.number) > limit:
        raise Rejected(
            f"The invoice number {record.number} is longer than the {limit} characters that {vendor} keeps; a number "
            "is never cut. Correct it on the platform."
        )


def natural(kind: object, supplier: str, number: str) -> str:
    """Name a document as it is compared: what another document of the same kind, supplier and number is called too."""
    return f"{kind}~{fold(supplier)}~{fold(number)}"


def trace(record: Invoice, codes: Codes, lookup: dict[str, str], *, kind: str, posted_on: date) -> Prepared:
    """Say what a sent invoice is found by, without its lines: orders and periods may be closed since.

    `lookup` has its `kind`; `kind` is the canonical one.
    """
    supplier = codes.erp("supplier", record.supplier)
    return Prepared(
        key=record.key,
        body={},
        lookup=lookup,
        amount=record.gross,
        currency=codes.erp("currency", record.currency),
        posted_on=posted_on,
        natural=natural(lookup["kind"], supplier, record.number),
        dated=record.invoice_date,
        partner=supplier,
        reference=record.number,
        kind=kind,
    )


def taken_unnamed(
    look: Callable[[Prepared], Sequence[Found]], prepared: Prepared, vendor: str, became: str, shows: str
) -> Found:
    """Find what a success was that names no document. Taken is taken: it is never sent again by itself.

    `became` says what it should have named, `shows` where it does not show. Raises `OutcomeUnknown`.
    """
    said = f"{vendor} took {named(prepared)} without naming the {became}"
    try:
        found = look(prepared)
    except (Transient, LoginRefused, Misconfigured) as error:
        raise OutcomeUnknown(f"{said}: {error}", taken=True) from error
    if not found:
        raise OutcomeUnknown(f"{said}, and shows {shows}. Look for it there.", taken=True)
    return found[0]


def next_month(day: str) -> str:
    """Give the first day of the month after `2026-03-17`."""
    year, month = int(day[:4]), int(day[5:7])
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}-01"

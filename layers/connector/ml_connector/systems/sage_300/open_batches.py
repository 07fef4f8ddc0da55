"""Which documents stand in batches that nobody posted yet.

There may be thousands of such batches, and each document is looked for before it is sent. So they are paged through
once in a while, and in between only what came since is asked for: batch numbers rise. What is remembered is only a
hint: a batch that seems to hold a document is read anew before anything follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ml_connector.errors import Transient
from ml_connector.folding import fold
from ml_connector.systems.kit.paging import row_number
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.names import children, text, whole
from ml_connector.systems.sage_300.paging import Query

Row = dict[str, Any]
Name = tuple[str, str]
"""A vendor and a document number, as they are compared."""
BATCHES = "AP/APInvoiceBatches"
UNPOSTED = "BatchStatus eq 'Open' or BatchStatus eq 'ReadyToPost'"
LASTS = timedelta(minutes=5)
"""Somebody may add an entry to an old batch: after this time all are read again. Sage 300 refuses duplicates too."""


def batches_query(where: str = "") -> Query[Row]:
    """Invoice batches with their entries, which come inline."""
    return Query(BATCHES, None, lambda row: str(whole(row, "BatchNumber")), where)


def name_of(row: Mapping[str, Any]) -> Name:
    """Name the document of a row."""
    return named(text(row, "VendorNumber") or "", text(row, "DocumentNumber") or "")


def named(vendor: str, document: str) -> Name:
    """Name a document as it is compared; Sage 300 keeps numbers in capitals."""
    return fold(vendor), fold(document)


def entries_of(batch: Row) -> list[Row]:
    """Give a batch's entries; raises `Transient` where they cannot be read."""
    try:
        return children(batch, "Invoices")
    except ValueError as error:
        raise Transient(
            f"Sage 300 shows batch {whole(batch, 'BatchNumber')} in a way that cannot be read: {error}"
        ) from error


class OpenBatches:
    """The unposted batches of one company, for a connection's life."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._held: dict[Name, set[str]] = {}
        self._highest = 0
        self._read_at: datetime | None = None

    def holding(self, name: Name, own: str) -> list[Row]:
        """Give the batches that hold a document or have our description, as they are now."""
        found = self._read(name, own)
        for number in sorted(self._held.get(name, set()) - found.keys()):
            batch = self._api.get(BATCHES, f"({number})")
            if batch is not None:
                found[number] = batch
        return list(found.values())

    def _read(self, name: Name, own: str) -> dict[str, Row]:
        """Read all of them, or those that came since, and remember who is in which."""
        began = self._api.now()
        anew = self._read_at is None or not self._highest or began - self._read_at >= LASTS
        held, highest = ({}, 0) if anew else (self._held, self._highest)
        found: dict[str, Row] = {}
        for batch in self._api.rows(batches_query(_where(self._api.text(own), 0 if anew else highest))):
            number = whole(batch, "BatchNumber") or ""
            names = {name_of(row) for row in entries_of(batch)}
            for one in names:
                held.setdefault(one, set()).add(number)
            if name in names or text(batch, "Description") == own:
                found[number] = batch
            highest = max(highest, row_number(number) or 0)
        self._held, self._highest = held, highest
        self._read_at = began if anew else self._read_at
        return found


def _where(own: str, above: int) -> str:
    """Ask for our own batch whatever its status, and for unposted ones: all, or those with a number above."""
    return f"Description eq {own} or {f'BatchNumber gt {above}' if above else UNPOSTED}"

"""Reads any source, master or document, as the engine does: page by page, on from a position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ml_connector.connection import Connection
from ml_connector.errors import Transient
from ml_connector.flow import Broken
from ml_connector.records import Invoice, Payment, PurchaseOrder
from tests.contract.conformance.cases import Case
from tests.contract.conformance.stand import Stand

PATIENCE = 12
"""Times that a reading is taken up again after passing trouble."""


@dataclass(frozen=True)
class Leaf:
    """A page of records or of offers."""

    keys: Sequence[str]
    items: Sequence[Any]
    broken: Sequence[Broken]
    position: str | None
    stamp: str | None


@contextmanager
def naming(what: object) -> Iterator[None]:
    """Name what a failure in a loop was about."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"with: {what}")
        raise


def leaves(connection: Connection, case: Case, since: str | None = None, position: str | None = None) -> Iterator[Leaf]:
    source = connection.source(case.record)
    pages = source.pages(since, position) if case.manner == "master" else source.list_documents(since, position)
    for page in pages:
        items = page.records if case.manner == "master" else page.documents
        yield Leaf([one.key for one in items], items, page.broken, page.position, page.stamp)


def keys(connection: Connection, case: Case, since: str | None = None) -> list[str]:
    """Read everything; nothing may be broken."""
    read = list(leaves(connection, case, since))
    assert not [broken for leaf in read for broken in leaf.broken]
    return [key for leaf in read for key in leaf.keys]


def reread(connection: Connection, case: Case, wanted: Sequence[str]) -> tuple[list[Any], list[Broken]]:
    pages = list(connection.source(case.record).reread(wanted))
    return [one for page in pages for one in page.records], [one for page in pages for one in page.broken]


def stubbornly(stand: Stand, case: Case) -> list[str]:
    """Read with passing trouble, each time from the last position on and through a connection of its own."""
    found: list[str] = []
    position: str | None = None
    for _ in range(PATIENCE):
        try:
            for leaf in leaves(stand.connect(), case, None, position):
                assert not leaf.broken
                found += leaf.keys
                position = leaf.position
        except Transient:
            stand.later(120)
        else:
            return found
    raise AssertionError(f"{case}: the reading did not end after {PATIENCE} times of passing trouble")


def highest(read: Sequence[Leaf]) -> str | None:
    """Give the watermark that a pass leaves."""
    return max((leaf.stamp for leaf in read if leaf.stamp), default=None)


def amount_of(record: Any) -> Decimal | None:
    """Give the amount that `Stand.price` sets."""
    match record:
        case PurchaseOrder():
            return record.lines[0].net
        case Invoice():
            return record.gross
        case Payment():
            return record.amount
    raise AssertionError(f"no amount is known of {type(record).__name__}")

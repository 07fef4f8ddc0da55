"""What a document is known by: kept when it is sent, and compared with what stands at the target."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import msgspec

from ml_connector.engine.ledger.rows import SentDocument
from ml_connector.flow import Found, Prepared
from ml_connector.folding import same


def remember(prepared: Prepared, at: str) -> SentDocument:
    """Make what is kept of a document that is about to be sent."""
    return SentDocument(
        lookup={name: value for name, value in prepared.lookup.items() if "=" not in name},
        amount=str(prepared.amount),
        currency=prepared.currency,
        natural=prepared.natural,
        name=prepared.name,
        partner=prepared.partner,
        reference=prepared.reference,
        kind=prepared.kind,
        dated=_written(prepared.dated),
        posted_on=_written(prepared.posted_on),
        at=at,
        written=dict(prepared.written),
        version=version_of(prepared),
    )


def version_of(prepared: Prepared) -> str:
    """Hash what a document says at the target, to tell a later version that says something else; empty: unknown."""
    if not (prepared.version or prepared.body):
        return ""
    said = prepared.version.encode() or msgspec.json.encode(prepared.body, order="sorted")
    return hashlib.blake2b(said, digest_size=8).hexdigest()


def recall(key: str, sent: SentDocument) -> Prepared:
    """Make what a sent document is found by: as it was mapped then, never as it would be mapped now."""
    return Prepared(
        key=key,
        body={},
        lookup=sent.lookup,
        amount=Decimal(sent.amount),
        currency=sent.currency,
        natural=sent.natural,
        name=sent.name,
        partner=sent.partner,
        reference=sent.reference,
        kind=sent.kind,
        dated=_read(sent.dated),
        posted_on=_read(sent.posted_on),
        written=sent.written,
    )


def filled(found: Found, sent: Prepared) -> Found:
    """Say of a document that was found under what we sent whatever the target does not tell of it."""
    return replace(
        found,
        partner=found.partner or sent.partner or None,
        reference=found.reference or sent.reference or None,
        kind=found.kind or sent.kind or None,
    )


def differences(found: Found, wanted: Prepared, tolerance: Decimal, *, all_told: bool = False) -> list[str]:
    """Say in which points a document at the target is not the one that is wanted.

    `all_told`: amount, currency and date must be known on both sides, as for a document that we never sent.
    """
    points = [
        _text("supplier", found.partner, wanted.partner),
        _text("number", found.reference, wanted.reference),
        _text("kind", found.kind, wanted.kind),
        _amount(found.amount, wanted.amount, tolerance, all_told=all_told),
        _currency(found.currency, wanted.currency, all_told=all_told),
        _date(found.dated, wanted.dated, all_told=all_told),
        *(_value(what, _told(found, what), here, max(tolerance, found.slack)) for what, here in wanted.written.items()),
    ]
    return [point for point in points if point]


def foreign(found: Found, wanted: Prepared) -> bool:
    """Tell whether a document at the target is in another currency: no amount there is comparable to this one's."""
    return bool(_currency(found.currency, wanted.currency, all_told=False))


def changes(sent: Prepared, wanted: Prepared) -> list[str]:
    """Say what has changed since a document was sent: in its source, or in how it is mapped."""
    as_found = Found(
        "",
        "",
        sent.amount,
        sent.currency,
        dated=sent.dated,
        partner=sent.partner,
        reference=sent.reference,
        kind=sent.kind,
    )
    return differences(as_found, wanted, Decimal(0))


def unlike(identities: Iterable[Prepared]) -> list[Prepared]:
    """Leave out what would be looked for twice."""
    kept: dict[tuple[tuple[str, str], ...], Prepared] = {}
    for one in identities:
        kept.setdefault(tuple(sorted((n, v) for n, v in one.lookup.items() if "=" not in n)), one)
    return list(kept.values())


def _text(what: str, there: str | None, here: str) -> str:
    return f"{what} {there} there, {here} here" if there and here and not same(there, here) else ""


def _amount(there: Decimal | None, here: Decimal, tolerance: Decimal, *, all_told: bool) -> str:
    if there is None:
        return "its amount is not shown there" if all_told else ""
    apart = abs(abs(there) - abs(here)) > tolerance  # signs belong to the kind of document
    return f"{there} there, {here} here" if apart else ""


def _currency(there: str | None, here: str, *, all_told: bool) -> str:
    if not there:
        return "its currency is not shown there" if all_told else ""
    return "" if same(there, here) else f"{there} there, {here} here"


def _date(there: date | None, here: date | None, *, all_told: bool) -> str:
    if there is not None and here is not None:
        return "" if there == here else f"dated {there} there, {here} here"
    if not all_told:
        return ""
    return "its invoice date is not shown there" if there is None else "this invoice has no date"


def _told(found: Found, what: str) -> str | None:
    """Give what a target tells of a point, or of all that it does not name: of an `account …` as `account`."""
    return found.written.get(what, found.written.get(what.partition(" ")[0]))


def _value(what: str, there: str | None, here: str, tolerance: Decimal) -> str:
    """Compare what was written with what stands there; an amount may be rounded as a total may."""
    if there is None or there == here:
        return ""
    try:
        apart = abs(Decimal(there) - Decimal(here)) > tolerance
    except ArithmeticError:
        apart = True
    return f"{what} {there or 'nothing'} there, {here or 'nothing'} here" if apart else ""


def _written(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _read(day: str | None) -> date | None:
    return date.fromisoformat(day) if day else None


def as_sent(target: str, code: str, sent: Sequence[Prepared]) -> Found:
    """Name a document of the target by what it was sent as: where it is gone, only that tells which it was."""
    last = next(reversed(sent), None)
    return Found(
        target, code, partner=last.partner or None if last else None, reference=last.reference or None if last else None
    )

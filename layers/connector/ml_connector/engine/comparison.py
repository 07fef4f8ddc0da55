"""Is it the same company under another address? Some of what is known is read through the present endpoint.

Of invoices number, supplier and amount must agree, at the ERP and at the platform, whichever of the two moved. Where
none was delivered yet, master records must be there under their keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import Any, NoReturn

from ml_connector.engine.endpoints import Earlier, ledger_of
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk, load
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import (
    ConnectorError,
    Held,
    LoginRefused,
    Misconfigured,
    Rejected,
    Throttled,
    Unreachable,
)
from ml_connector.flow import Document, Flow, Found

SAMPLE = 5
"""Documents that are compared of the latest, and of the first."""
LOOK_BACK = 2000
"""Finished chunks among which they are looked for."""
NO_ANSWER = (Unreachable, Throttled, LoginRefused, Misconfigured)
"""These say nothing of a document: the command ends with them."""


@dataclass
class Compared:
    """What was compared: documents that agree, in words, and those that do not, with the difference."""

    agree: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)


def compare(pair: TenantIntegration, earlier: Earlier) -> Compared:
    """Read a sample through the present endpoint. Raises what a system raises that cannot be asked."""
    compared = Compared()
    was = replace(pair, scope=earlier.scope)  # its codes are those that the documents were posted with
    for flow in pair.integration.flows:
        if flow.manner == "document" and flow.target == pair.integration.erp:
            _invoices(was, flow, earlier, compared)
    if not (compared.agree or compared.differ) and pair.integration.erp in earlier.changed:
        for flow in pair.integration.flows:
            if flow.manner == "master" and flow.source == pair.integration.erp and not flow.follows:
                _masters(was, flow, compared)
    return compared


def _invoices(was: TenantIntegration, flow: Flow, earlier: Earlier, compared: Compared) -> None:
    ledger = ledger_of(was, earlier.scope, flow.name)
    for chunk in _sample(ledger, posted=flow.target in earlier.changed):
        differences = list(_differences(was, flow, chunk, earlier.changed))
        name = f"{chunk.number or chunk.key} ({chunk.amount or 'no amount'} {chunk.currency or ''}".rstrip() + ")"
        if differences:
            compared.differ.append(f"{name}: {'; '.join(differences)}")
        else:
            compared.agree.append(name)


def _sample(ledger: Ledger, *, posted: bool) -> list[Chunk]:
    """Choose the latest and the first documents that were posted; else any that have a number."""
    found: dict[str, Chunk] = {}
    for reverse in (True, False):
        items = islice(ledger.store.query(ledger.pk, "d#", reverse=reverse), LOOK_BACK)
        fitting = (c for c in (load(Chunk, item.data) for item in items) if _was_posted(c))
        found |= {str(chunk.key): chunk for chunk in islice(fitting, SAMPLE)}
    if not found and not posted:
        found = {str(c.key): c for c in islice((c for c in ledger.unfinished() if c.key and c.number), SAMPLE)}
    return list(found.values())


def _was_posted(chunk: Chunk) -> bool:
    return bool(chunk.key and chunk.target and chunk.outcome == "delivered" and not chunk.shadow)


def _differences(was: TenantIntegration, flow: Flow, chunk: Chunk, changed: tuple[str, ...]) -> Iterator[str]:
    target, document = was.document_target(flow), None
    try:
        document = was.document_source(flow).fetch(str(chunk.key))
    except NO_ANSWER:
        if flow.source in changed:
            raise
    except ConnectorError as error:
        if flow.source in changed:
            yield str(error)
    if flow.source in changed and document is not None:
        yield from _at_source(document, chunk)
    if chunk.target and flow.target in changed:
        try:
            yield from _at_target(was, target, chunk, document)
        except NO_ANSWER:
            raise
        except ConnectorError as error:
            yield str(error)


def _at_source(document: Document[Any], chunk: Chunk) -> Iterator[str]:
    record = document.record
    if record is None:
        yield f"it is not there: {document.detail or document.standing}"
        return
    if chunk.number and record.number != chunk.number:
        yield f"its number is {record.number} there"
    if chunk.amount and Decimal(chunk.amount) != record.gross:
        yield f"its amount is {record.gross} there"
    if chunk.currency and chunk.currency != record.currency:
        yield f"its currency is {record.currency} there"


def _at_target(was: TenantIntegration, target: Any, chunk: Chunk, document: Document[Any] | None) -> Iterator[str]:
    found = _as_it_stands(target, Found(str(chunk.target), chunk.code or "", check=_leave))
    if chunk.code and found.number and found.number != chunk.code:
        yield f"it is {found.number} there instead of {chunk.code}"
    known = abs(Decimal(chunk.amount)) if chunk.amount else None
    if known is not None and found.amount is not None and _apart(abs(found.amount), known, was, chunk.currency):
        yield f"its total is {abs(found.amount)} there"
    if found.state != "cancelled" and document is not None and document.record is not None:
        yield from _supplier(was, target, chunk, document.record)


class _Left(ConnectorError):
    """A document has steps left to do there, which a comparison does not do."""

    def __init__(self, found: Found) -> None:
        super().__init__(f"{found.number} is not finished there")
        self.found = found


def _leave(found: Found) -> NoReturn:
    raise _Left(found)


def _as_it_stands(target: Any, found: Found) -> Found:
    """Read a document back without finishing what the target was to do with it."""
    try:
        back: Found = target.read_back(found)
    except _Left as left:
        return left.found
    return back


def _apart(one: Decimal, other: Decimal, pair: TenantIntegration, currency: str | None) -> bool:
    return abs(one - other) > pair.options.tolerance(currency)


def _supplier(was: TenantIntegration, target: Any, chunk: Chunk, record: Any) -> Iterator[str]:
    """Look for the document by its supplier and number; where a mapping is missing by now, nothing can be said."""
    try:
        trace = target.trace(record, was.codes())
    except (Held, Rejected):
        return
    found = target.look(trace)
    if chunk.target not in {one.id for one in found}:
        others = ", ".join(one.number for one in found)
        yield "it is not found by supplier and number there" + (f", but {others} is" if others else "")


def _masters(was: TenantIntegration, flow: Flow, compared: Compared) -> None:
    rows = was.ledger(flow.name).all_rows()
    keys = [key for key, _ in islice(((k, r) for k, r in rows if r.outcome == "delivered"), 2 * SAMPLE)]
    if not keys:
        return
    there = {record.key for page in was.master_source(flow).reread(keys) for record in page.records}
    missing = [key for key in keys if key not in there]
    if 2 * len(missing) > len(keys):
        compared.differ.append(f"{flow.name}: {', '.join(missing)} are not there")
    else:
        compared.agree += [f"{flow.name} {key}" for key in keys if key in there]

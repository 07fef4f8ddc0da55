"""What people at the customer do inside AvidXchange with invoices, batches and master data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from . import checks, invoices, masters
from .errors import Refusal
from .model import APPROVED, PAID, RECEIVED, REJECTED, Batch, Invoice, Line, Record
from .world import World


class Refused(ValueError):
    """A person tried what AvidXchange does not let them do."""


# ── invoices ────────────────────────────────────────────────────────────────────────────────────────────────────


def capture(
    world: World,
    vendor: str,
    number: str,
    lines: Sequence[tuple[str, Decimal]],
    *,
    dated: date | None = None,
    order: str = "",
    company: str = "",
    external_id: str = "",
) -> Invoice:
    """Let an invoice come in by mail or paper, which no client submitted: GL code and amount of each line."""
    with world.lock:
        rows = [Line(amount, code, "Captured") for code, amount in lines]
        total = sum((line.amount for line in rows), Decimal(0))
        day = dated or world.today()
        return invoices.enter(
            world,
            checks.Draft(
                vendor,
                number,
                day,
                total,
                rows,
                external_id,
                day + timedelta(days=30),
                "USD",
                order,
                _company(world, company),
            ),
            captured=True,
        )


def _company(world: World, text: str) -> str:
    found = world.company(text) if text else None
    return found.id if found else ""


def of(world: World, which: int | tuple[str, str]) -> Invoice:
    """The invoice with an id, or the newest one with a vendor's number."""
    world.settle()
    return world.invoices[which] if isinstance(which, int) else world.find(*which)


def approve(world: World, which: int | tuple[str, str], *, close: bool = False) -> Invoice:
    """Approve an invoice: it goes into the open batch of its company, which is closed then if `close`."""
    with world.lock:
        invoice = _in_state(world, which, RECEIVED, REJECTED)
        why = world.unusable(invoice.vendor, invoices_codes(invoice))
        if why:
            raise Refused(f"Invoice {invoice.number} cannot be approved: {why}")
        invoice.state, invoice.errors, invoice.changed, invoice.fails = APPROVED, [], world.clock(), None
        batch = _open_batch(world, invoice.company or world.companies[0].id)
        batch.invoices.append(invoice.id)
        invoice.batch = batch.guid
        if close:
            close_batch(world, batch.guid)
        return invoice


def invoices_codes(invoice: Invoice) -> list[tuple[str, str]]:
    """Every code on an invoice, with its group."""
    draft = checks.Draft(invoice.vendor, invoice.number, invoice.dated, invoice.amount, invoice.lines)
    return draft.pairs()


def reject(world: World, which: int | tuple[str, str], reason: str = "Not ours") -> Invoice:
    """Reject an invoice, also one that had been approved: it leaves its batch."""
    with world.lock:
        invoice = _in_state(world, which, RECEIVED, APPROVED)
        _leave(world, invoice)
        invoice.state, invoice.errors, invoice.changed, invoice.fails = REJECTED, [reason], world.clock(), None
        return invoice


def change(world: World, which: int | tuple[str, str], values: Mapping[str, Any]) -> Invoice:
    """Change an invoice as an approver does: number, vendor, amount, order, description, gl_code, or codes of a line.

    amount is spread on the first line; gl_code and codes ([[group, value], ...]) go to the line `line`, from 0.
    """
    with world.lock:
        invoice = of(world, which)
        line = invoice.lines[values.get("line", 0)]
        for name in values:
            if name not in {"number", "vendor", "amount", "order", "description", "gl_code", "codes", "line"}:
                raise Refused(f"nobody can change {name!r}")
        if "amount" in values:
            amount = Decimal(str(values["amount"]))
            line.amount += amount - invoice.amount
            invoice.amount = amount
        for name in {"number", "vendor", "order", "description"} & values.keys():
            setattr(invoice, name, values[name])
        line.gl_code = values.get("gl_code", line.gl_code)
        line.codes = [(group, value) for group, value in values.get("codes", line.codes)]
        invoice.changed = world.clock()
        return invoice


def remove(world: World, which: int | tuple[str, str]) -> Invoice:
    """Delete an invoice for good, without a trace."""
    with world.lock:
        invoice = of(world, which)
        _leave(world, invoice)
        return world.invoices.pop(invoice.id)


def _in_state(world: World, which: int | tuple[str, str], *states: str) -> Invoice:
    invoice = of(world, which)
    if invoice.state not in states:
        raise Refused(f"Invoice {invoice.number} is {invoice.state}")
    return invoice


def restate(world: World, invoice: Invoice) -> None:
    """Let an approved invoice be paid where cleared payments settle it, and unpaid again where they do not."""
    if invoice.state in (APPROVED, PAID):
        paid = bool(invoice.amount) and abs(world.paid(invoice)) >= abs(invoice.amount)
        state = PAID if paid else APPROVED
        if state != invoice.state:
            invoice.state, invoice.changed = state, world.clock()


# ── batches ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _open_batch(world: World, company: str) -> Batch:
    found = [one for one in world.batches.values() if one.company == company and one.closed is None]
    if found:
        return found[-1]
    batch = Batch(world.guid(), f"Batch {world.number('batch', 101)}", company)
    world.batches[batch.guid] = batch
    return batch


def close_batch(world: World, guid: str) -> Batch:
    """Close a batch: from now on it is listed under this day."""
    with world.lock:
        batch = world.batches[guid]
        if batch.closed is not None:
            raise Refused(f"{batch.name} is closed already")
        batch.closed = world.clock()
        return batch


def close_all(world: World) -> list[Batch]:
    """Close every open batch that has invoices."""
    with world.lock:
        ready = [one.guid for one in world.batches.values() if one.closed is None and one.invoices]
        return [close_batch(world, guid) for guid in ready]


def reopen_batch(world: World, guid: str) -> Batch:
    """Open a closed batch again: until it is closed anew no list has it."""
    with world.lock:
        batch = world.batches[guid]
        if batch.closed is None:
            raise Refused(f"{batch.name} is open")
        batch.closed = None
        return batch


def leave_batch(world: World, which: int | tuple[str, str]) -> Invoice:
    """Take an invoice out of its open batch; it waits for approval again."""
    with world.lock:
        invoice = _in_state(world, which, APPROVED)
        if invoice.batch and world.batches[invoice.batch].closed is not None:
            raise Refused(f"{world.batches[invoice.batch].name} is closed")
        _leave(world, invoice)
        invoice.state, invoice.changed = RECEIVED, world.clock()
        return invoice


def _leave(world: World, invoice: Invoice) -> None:
    if invoice.batch:
        world.batches[invoice.batch].invoices.remove(invoice.id)
        invoice.batch = ""


# ── master data ─────────────────────────────────────────────────────────────────────────────────────────────────


def change_master(world: World, kind: str, values: Record) -> Record:
    """Make or change a vendor, an accounting code or a purchase order by hand."""
    with world.lock:
        try:
            return masters.put(world, kind, values)
        except Refusal as error:
            raise Refused(error.message) from None


def deactivate_vendor(world: World, code: str) -> Record:
    """Deactivate a vendor: no invoice of it is taken or approved any more."""
    _ = world.vendors[code]
    return change_master(world, "vendors", {"externalVendorCode": code, "active": False})


def remove_code(world: World, group: str, value: str) -> None:
    """Delete an accounting code."""
    with world.lock:
        del world.codes[group, value]

"""What happens to payments inside AvidXchange and at the banks: made, issued, cleared, voided, returned, reissued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from . import back_office
from .back_office import Refused
from .model import APPROVED, PAID, REASONS, Part, Payment
from .world import World

STEPS: Mapping[str, tuple[str, ...]] = {
    "Check": (
        "Pending Approval",
        "Processing",
        "Debit Requested",
        "Funds Received",
        "Sent to Check Printer",
        "Issued to Supplier",
        "Cleared",
    ),
    "Direct": ("Pending Approval", "Processing", "Debit Requested", "Funds Received", "ACH Credit Issued", "Cleared"),
    "Virtual Credit Card": (
        "Pending Approval",
        "Processing",
        "Debit Requested",
        "Funds Received",
        "VCC Processing",
        "Cleared",
    ),
    "e-Payment": ("Pending Approval", "Processing", "Cleared"),
}
"""The states of a payment by its method, in their order; from Debit Requested on the money has left the buyer."""
ENDED = ("Void", "Returned", "Reissued")


def pay(
    world: World,
    invoices: Sequence[int | tuple[str, str]],
    *,
    method: str = "Check",
    discounts: Mapping[int, Decimal] | None = None,
    amounts: Mapping[int, Decimal] | None = None,
    state: str = "",
) -> Payment:
    """Pay approved invoices of one vendor with one payment.

    discounts, amounts: by the position of an invoice, the discount that is taken, and a gross amount other than all.
    """
    with world.lock:
        found = [back_office.of(world, which) for which in invoices]
        if not found or len({one.vendor for one in found}) > 1:
            raise Refused("a payment has one vendor")
        for one in found:
            if one.state not in (APPROVED, PAID):
                raise Refused(f"Invoice {one.number} is {one.state}")
        parts = [
            Part(
                number=one.number,
                gross=(amounts or {}).get(n, one.amount),
                discount=(discounts or {}).get(n, Decimal(0)),
                external_id=one.external_id,
                invoice=one.id,
                dated=one.dated,
            )
            for n, one in enumerate(found)
        ]
        return _made(world, found[0].vendor, parts, method, state, found[0].company)


def pay_other(
    world: World, vendor: str, parts: Sequence[tuple[str, Decimal]], *, method: str = "Check", state: str = ""
) -> Payment:
    """Pay documents that AvidXchange never had as invoices, such as those of another system: number and amount."""
    with world.lock:
        rows = [Part(number, gross, dated=world.today()) for number, gross in parts]
        return _made(world, vendor, rows, method, state, "")


def _made(world: World, vendor: str, parts: list[Part], method: str, state: str, company: str) -> Payment:
    first = state or STEPS[method][0]
    number = world.number("payment", 901)
    made = Payment(number, vendor, parts, first, world.today(), world.clock(), method, company=company)
    made.external_id = f"acme-{88000 + number}"
    world.payments[number] = made
    move(world, number, first)
    return made


def move(world: World, number: int, state: str, comment: str = "") -> Payment:
    """Bring a payment into a state, whatever was before; any text is taken."""
    with world.lock:
        one = world.payments[number]
        one.state, one.modified = state, world.clock()
        if state in ("Issued to Supplier", "ACH Credit Issued", "Cleared") and not one.check:
            one.check = str(world.number("check", 77101))
        one.cleared = world.clock() if state == "Cleared" else one.cleared
        one.image = one.image or (state == "Cleared" and one.method == "Check")
        if state != "Error":
            one.exceptions = []
        one.history.append({"state": state, "comment": comment, "at": world.clock()})
        for part in one.parts:
            if part.invoice in world.invoices:
                back_office.restate(world, world.invoices[part.invoice])
        return one


def advance(world: World, number: int) -> Payment:
    """Bring a payment one step further."""
    one, steps = world.payments[number], STEPS[world.payments[number].method]
    if one.state not in steps or one.state == steps[-1]:
        raise Refused(f"Payment {number} is {one.state}")
    return move(world, number, steps[steps.index(one.state) + 1])


def issue(world: World, number: int) -> Payment:
    """Bring a payment to where the payee has it, and the bank does not know yet."""
    return move(world, number, STEPS[_open(world, number).method][-2])


def clear(world: World, number: int) -> Payment:
    """Let the bank pay it out."""
    return move(world, number, STEPS[_open(world, number).method][-1])


def void(world: World, number: int, comment: str = "Stopped by the buyer") -> Payment:
    """Void a payment, also one that had been cleared: its invoices are unpaid again."""
    _open(world, number)
    return move(world, number, "Void", comment)


def give_back(world: World, number: int, comment: str = "Account closed") -> Payment:
    """Let a payment come back from the payee's bank, or a check grow stale: its invoices are unpaid again."""
    _open(world, number)
    return move(world, number, "Returned", comment)


def fail(world: World, number: int, reason: int = 5) -> Payment:
    """Let a payment run into an error that the customer repairs."""
    with world.lock:
        _open(world, number)
        one = move(world, number, "Error", REASONS.get(reason, ""))
        one.exceptions = [(reason, REASONS.get(reason, "Unknown"))]
        return one


def recover(world: World, number: int) -> Payment:
    """Let a payment go on after an error was repaired."""
    if world.payments[number].state != "Error":
        raise Refused(f"Payment {number} is {world.payments[number].state}")
    return move(world, number, "Processing", "Exception resolved")


def reissue(world: World, number: int, *, keep_id: bool = True) -> Payment:
    """Pay once more with another check: the payment keeps its number, or a new one takes its place."""
    with world.lock:
        one = world.payments[number]
        if keep_id:
            one.check, one.cleared, one.image = str(world.number("check", 77101)), None, False
            return move(world, number, "Issued to Supplier", "Reissued with another check")
        move(world, number, "Reissued")
        made = _made(world, one.vendor, list(one.parts), one.method, "Issued to Supplier", one.company)
        made.reissue_of = number
        return made


def _open(world: World, number: int) -> Payment:
    one = world.payments[number]
    if one.state in ENDED:
        raise Refused(f"Payment {number} is {one.state}")
    return one


def pass_days(world: World, days: float) -> None:
    """Let days pass."""
    with world.lock:
        world.forward(timedelta(days=days))
        world.settle()

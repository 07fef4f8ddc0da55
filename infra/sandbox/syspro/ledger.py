"""What any posting needs of the general ledger: accounts that may be posted to, analysis, journals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from . import periods
from .errors import NOT_FOUND, SUM, wrong
from .items import amount, needed
from .markup import Node, stored
from .world import World

CENT = Decimal("0.01")
PSEUDO = frozenset({"FORCED", "RETAINED"})


def cents(number: Decimal) -> Decimal:
    """Round to cents as an accountant does."""
    return number.quantize(CENT, ROUND_HALF_UP)


def account(world: World, node: Node, inside: str, password: str) -> str:
    """The ledger code of an element; refuses the item where it is unknown, or protected by another password."""
    code = needed(node, "LedgerCode", inside)
    row = world.get("GenMaster", world.company, code)
    if row is None or row["GlCode"] in PSEUDO:
        raise wrong("LedgerCode", code, f"Ledger code '{code}' not found", NOT_FOUND, inside)
    wanted = world.protected.get(row["GlCode"])
    if wanted is not None and node.get(password) != wanted:
        raise wrong("LedgerCode", code, f"Password for ledger code '{code}' is invalid", inside=inside)
    return str(row["GlCode"])


def analysis(world: World, node: Node, code: str, value: Decimal, inside: str, entry: str, *, ignored: bool) -> None:
    """Refuse the item where the account demands analysis and the entries do not add up to the value."""
    if code not in world.analysed:
        return
    entries = [] if ignored else node.all(entry)
    for one in entries:
        needed(one, "AnalysisCode1", entry)
    if not entries or sum(amount(one, "EntryAmount", entry) for one in entries) != value:
        raise wrong("LedgerCode", code, f"Ledger code '{code}' requires analysis of {value}", SUM, inside)


@dataclass(frozen=True)
class Entry:
    """One line of a journal, in local currency; debits are positive."""

    code: str
    value: Decimal
    reference: str
    text: str
    day: str


def journal(world: World, month: str, source: str, entries: Iterable[Entry]) -> int:
    """Book a journal and give its number."""
    year, period = periods.split(month)
    number = world.number("gl-journal", 1001)
    for position, entry in enumerate(entries, 1):
        row = {"GlYear": year, "GlPeriod": period, "Journal": number, "EntryNumber": position, "GlCode": entry.code}
        row |= {"EntryValue": entry.value, "EntryDate": entry.day, "Source": source}
        row |= {"Reference": stored(entry.reference)[:30], "SubModTransDesc": stored(entry.text)[:50]}
        world.put("GenJournalDetail", row)
        _balance(world, entry)
    return number


def _balance(world: World, entry: Entry) -> None:
    row = world.get("GenMaster", world.company, entry.code)
    if row is not None:
        side = "PtdDrValue" if entry.value > 0 else "PtdCrValue"
        row["CurrentBalance"] += entry.value
        row[side] += abs(entry.value)

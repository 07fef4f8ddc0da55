"""Goods received notes: what of them is outstanding, and how an invoice is matched to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .errors import EXISTS, NOT_FOUND, wrong
from .items import amount, letter, needed
from .markup import Node
from .tables import TABLES, Record
from .world import World

INSIDE = "GrnDetails"
_KEY = TABLES["GrnDetails"].key


@dataclass(frozen=True)
class Match:
    """A part of a goods received note that an invoice takes."""

    grn: Record
    value: Decimal
    quantity: Decimal


def outstanding(world: World, grn: Record) -> tuple[Decimal, Decimal]:
    """Value and quantity of a note that no invoice has taken."""
    key = TABLES["GrnDetails"].key_of(grn)
    matched = [row for row in world.rows("GrnMatching") if _key(row) == key]
    adjusted = [row for row in world.rows("GrnAdjustment") if _key(row) == key]
    value = grn["OrigGrnValue"] - sum(row["MatchedValue"] for row in matched)
    return (
        Decimal(value + sum(row["GrnAdjValue"] for row in adjusted)),
        Decimal(grn["QtyReceived"] - sum(row["MatchedQty"] for row in matched)),
    )


def _key(row: Record) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def matches(world: World, item: Node, supplier: str, net: Decimal) -> list[Match]:
    """Read the notes that an item names; refuses it where one is unknown, used up, or too small (inferred).

    The value that is matched may not exceed the net value less what is freight and miscellaneous (inferred).
    """
    found: list[Match] = []
    for node in item.all(INSIDE):
        match = _match(world, node, supplier)
        if any(match.grn is one.grn for one in found):
            raise wrong("GrnGrn", match.grn["Grn"], f"GRN '{match.grn['Grn']}' is named twice", EXISTS, INSIDE)
        found.append(match)
    other = amount(item, "FreightCharge", default="0") + amount(item, "MiscellaneousCharge", default="0")
    total = sum((match.value for match in found), Decimal(0))
    if found and total > net - other:
        text = f"The value matched to GRNs, {total}, is more than the goods on the invoice, {net - other}"
        raise wrong("GrnMatchValue", str(total), text, inside=INSIDE)
    return found


def _match(world: World, node: Node, supplier: str) -> Match:
    kind = letter(node, "GrnMatchType", "PUO", "", INSIDE)
    number = needed(node, "GrnGrn", INSIDE)
    whole = {name: needed(node, name, INSIDE).strip() for name in ("GrnJournal", "GrnEntry")}
    for name, text in whole.items():
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise wrong(name, text, f"'{text}' is not a number", inside=INSIDE)
    owner, source = node.raw("GrnSupplier") or supplier, needed(node, "GrnFlag", INSIDE)
    key = (owner, number, source, int(whole["GrnJournal"]), int(whole["GrnEntry"]))
    grn = world.get("GrnDetails", *key)
    if grn is None:
        raise wrong("GrnGrn", number, f"GRN '{number}' not found for supplier '{owner}'", NOT_FOUND, INSIDE)
    value, quantity = outstanding(world, grn)
    if not value:
        raise wrong("GrnGrn", number, f"GRN '{number}' is already fully matched", EXISTS, INSIDE)
    if kind == "O":
        return Match(grn, value, quantity)
    if kind == "U":
        return Match(grn, _within(node, "GrnMatchValue", value), quantity)
    taken = amount(node, "GrnPartialMatchQuantity", INSIDE, decimals=6)
    if not 0 < abs(taken) <= abs(quantity) or (taken < 0) != (quantity < 0):
        text = f"The quantity outstanding of GRN '{number}' is {quantity}"
        raise wrong("GrnPartialMatchQuantity", str(taken), text, inside=INSIDE)
    return Match(grn, _within(node, "GrnPartialMatchValue", value), taken)


def _within(node: Node, name: str, most: Decimal) -> Decimal:
    """A value that is not more than what is outstanding."""
    given = amount(node, name, INSIDE)
    if not 0 < abs(given) <= abs(most) or (given < 0) != (most < 0):
        raise wrong(name, str(given), f"The value outstanding of the GRN is {most}", inside=INSIDE)
    return given


def take(world: World, found: list[Match], invoice: str) -> None:
    """Match the notes to an invoice."""
    for match in found:
        row = {name: match.grn[name] for name in _KEY}
        row |= {"Invoice": invoice, "Number": world.number("grn-matching"), "MatchedValue": match.value}
        world.put("GrnMatching", row | {"MatchedQty": match.quantity})

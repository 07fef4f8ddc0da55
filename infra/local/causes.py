"""One cause is one line for people: hundreds of records that were refused for the same reason fill no screens.

The JSON of a report names each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ml_connector.engine.ledger.control_totals import total

NAMED = 3
"""Records of a cause that are named."""
GROUPED = frozenset({"rejected", "failed"})
"""Lists in which records of one cause are one line; whom a held document waits for is looked at one by one."""
CONFIRMED = "approval"
"""What many missing records wait for, with the flow's name: one confirmation is for them all."""
Line = dict[str, Any]


def grouped(kind: str, lines: Iterable[Line]) -> list[Line]:
    """Put the lines of one tenant and cause into one, where the first of them stood; a cause of its own stays.

    A line of several has `count`, `label` (which records) and `money` (their amounts by currency).
    """
    groups: dict[tuple[str, ...], list[Line]] = {}
    for n, line in enumerate(lines):
        together = kind in GROUPED or line.get("waiting_for") == f"{CONFIRMED}:{line['flow']}"
        groups.setdefault((line["tenant"], line["integration"], cause(line) if together else str(n)), []).append(line)
    return [_one(found) for found in groups.values()]


def cause(line: Mapping[str, Any]) -> str:
    """Give a reason without what names this very record: its key, its number, its amount."""
    reason = str(line.get("reason") or line.get("cause") or "")
    for name in ("key", "number", "amount"):
        value = str(line.get(name) or "")
        if len(value) > 1:
            reason = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", reason)
    return reason


def _one(lines: list[Line]) -> Line:
    first = lines[0]
    if len(lines) == 1:
        return first
    flows: dict[str, int] = {}
    for line in lines:
        flows[line["flow"]] = flows.get(line["flow"], 0) + 1
    named = ", ".join(_short(str(line.get("number") or line["key"])) for line in lines[:NAMED])
    more = f" and {len(lines) - NAMED:,} more" if len(lines) > NAMED else ""
    flow = first["flow"] if len(flows) == 1 else ", ".join(f"{name} {count:,}" for name, count in flows.items())
    return {
        **first,
        "flow": flow,
        "count": len(lines),
        "label": f"{named}{more}",
        "reason": cause(first),
        "amount": None,
        "currency": None,
        "money": _sums(lines),
    }


def _short(number: str) -> str:
    return number if len(number) <= 40 else f"{number[:40]}…"


def _sums(lines: Iterable[Line]) -> str:
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line.get("amount"):
            currency = str(line.get("currency") or "")
            sums[currency] = total((sums.get(currency, Decimal(0)), Decimal(line["amount"])))
    return ", ".join(f"{value:,} {currency}".rstrip() for currency, value in sorted(sums.items()))

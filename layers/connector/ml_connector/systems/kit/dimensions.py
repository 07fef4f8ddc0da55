"""Analytical dimensions of coding rows, by type and code: where they come from, and what stands on each in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ml_connector.errors import Held, Rejected
from ml_connector.records import CodingRow, OrderLine
from ml_connector.systems.kit.drafts import Draft

Dimensions = Mapping[str, str]
"""Codes by the type of their dimension."""
MOST = 9
"""Dimensions of a line."""


def dimensions(draft: Draft, row: CodingRow, line: OrderLine | None, center: str | None, setting: str) -> Dimensions:
    """Give a row's dimensions: those of its order's line, and beside them its own cost center and other ones.

    `center` is the type of cost centers; without it they are left out, with a note that names the secret's `setting`.
    """
    found = dict(line.dimensions if line else ())
    if row.cost_center and center is None:
        draft.center_left_out(row, setting)
    elif row.cost_center and center is not None and center not in found:
        found[center] = draft.code("cost_center", row.cost_center)
    for kind, code in row.dimensions:
        found.setdefault(kind, code)
    if len(found) > MOST:
        raise Rejected(
            f"Coding row {row.key} of invoice {draft.invoice.number} has {len(found)} dimensions, and {draft.title} "
            f"takes {MOST}. Correct it and transfer the invoice again."
        )
    return found


def absent(draft: Draft, kind: str, code: str) -> Held:
    """Wait for a dimension that the ERP does not have."""
    ours = draft.used.get(f"cost_center={code}")
    return Held(
        f"cost_center:{ours}" if ours else f"dimension:{kind}/{code}",
        f"{draft.title} has no active dimension {code} of type {kind}, to which invoice {draft.invoice.number} goes. "
        "Enter or activate it there, or map it to another one.",
    )


def by_dimension(amounts: Iterable[tuple[Decimal, Dimensions]], *, whole: bool = False) -> dict[str, str]:
    """Say what is compared of dimensions when they are read back (`Draft.written`): the sum on each.

    `whole`: these are all that there are, so that any other one has nothing.
    """
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for amount, codes in amounts:
        for kind, code in codes.items():
            sums[f"dimension {kind} {code}"] += amount
    return ({"dimension": "0"} if whole else {}) | {name: f"{value:f}" for name, value in sums.items()}

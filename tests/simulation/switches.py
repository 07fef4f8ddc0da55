"""Which acts and faults the seeds draw: those for which the product has its safeguard."""

from __future__ import annotations

import os

from tests.simulation import changes, clerks, commands, people
from tests.simulation.sides import Act

READY = frozenset(
    {
        "changes",
        "mappings",
        "settings",
        "approval",
        "cancel",
        "twins",
        "anew",
        "status",
        "commands",
        "foreign",
        "unnamed",
        "second",
        "hidden",
        "bucket",
    }
)
"""Names of `ACTS` and `WEATHER` that are drawn."""
ON = READY | frozenset(filter(None, os.environ.get("SWITCHES", "").split(",")))
ACTS: dict[str, tuple[Act, ...]] = {
    "changes": (
        changes.renumber,
        changes.turn_kind,
        changes.change_supplier,
        changes.change_amount,
        changes.remap_supplier,
        changes.remap_supplier,
    ),
    "mappings": (changes.remap_account,),
    "settings": (changes.settings,),
    "approval": (clerks.approval, clerks.approval),
    "cancel": (clerks.cancel,),
    "twins": (clerks.recurring, clerks.recurring),
    "anew": (clerks.anew,),
    "status": (clerks.lost_status,),
    "commands": (commands.replay, commands.release_late, commands.resolve),
    "second": (commands.second_installation,),
    "hidden": (clerks.hide_list,),
    "bucket": (people.bucket_away,),
}
WEATHER = frozenset({"foreign", "unnamed"})
HEALED_DAILY: frozenset[Act] = frozenset({clerks.lost_status, clerks.hide_list})
"""What only a day makes good again."""


def acts() -> tuple[Act, ...]:
    """Give the acts that are switched on."""
    return tuple(act for name, some in ACTS.items() if name in ON for act in some)

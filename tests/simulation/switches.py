"""Which acts and faults the seeds draw: those for which the product has its safeguard."""

from __future__ import annotations

import os

from tests.simulation import changes, commands
from tests.simulation.sides import Act

READY: frozenset[str] = frozenset()
"""Names of `ACTS` and `WEATHER` that are drawn."""
ON = READY | frozenset(filter(None, os.environ.get("SWITCHES", "").split(",")))
ACTS: dict[str, tuple[Act, ...]] = {
    "changes": (
        changes.renumber, changes.turn_kind, changes.change_supplier, changes.change_amount, changes.remap_supplier,
        changes.remap_supplier,
    ),
    "mappings": (changes.remap_account,),
    "settings": (changes.settings,),
    "approval": (changes.approval, changes.approval),
    "cancel": (changes.cancel,),
    "twins": (changes.recurring, changes.recurring),
    "anew": (changes.anew,),
    "status": (changes.lost_status,),
    "commands": (commands.replay, commands.release_late),
    "second": (commands.second_installation,),
    "hidden": (changes.hide_list,),
}  # fmt: skip
WEATHER = frozenset({"foreign", "unnamed"})
HEALED_DAILY: frozenset[Act] = frozenset({changes.lost_status, changes.hide_list})
"""What only a day makes good again."""


RESOLVES = "resolve" in ON
"""Whether a person's judgement can be told: then nothing that people meddled with may stay held."""


def acts() -> tuple[Act, ...]:
    """Give the acts that are switched on."""
    return tuple(act for name, some in ACTS.items() if name in ON for act in some)

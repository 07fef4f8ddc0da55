"""Says of a name that does not exist which was probably meant, and which there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST = 20


def suggest(name: str, names: Iterable[str]) -> str:
    """Give the end of a sentence: the nearest name, if one is near, and all that are known (twenty at most)."""
    every = sorted(set(names))
    near = difflib.get_close_matches(name.lower(), every, n=1)
    listed = ", ".join(every[:MOST]) + (f" and {len(every) - MOST} more" if len(every) > MOST else "")
    meant = f"did you mean '{near[0]}'? Known are" if near else "known are"
    return f"{meant}: {listed or 'none yet'}."

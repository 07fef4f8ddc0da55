"""Shrinks a failing history: by delta debugging, to few acts and faults that are enough to fail it.

A history's acts are numbered as they are planned, its faults as they are decided. To leave one out changes what comes
after it, so the rest need not fail any more; what is left fails for sure, since it was run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from tests.simulation.checker import judge
from tests.simulation.history import Cut, History, Tilt

MOST_RUNS = 200


def shrunk(seed: int, tilt: Tilt | None = None, most: int = MOST_RUNS) -> tuple[Cut, History]:
    """Find a small cut of a failing history, and give it as it was lived; whole where it does not fail."""
    whole = History(seed, tilt).run()
    best = [whole]
    runs = 0

    def fails(cut: Cut) -> bool:
        nonlocal runs
        runs += 1
        if runs > most:
            return False
        history = History(seed, tilt, cut)
        if not judge(history):
            return False
        best[0] = history
        return True

    cut = Cut(frozenset(whole.acts), frozenset(whole.machine.struck))
    acts = least(sorted(cut.acts), lambda some: fails(Cut(frozenset(some), cut.faults)))
    cut = Cut(frozenset(acts), frozenset(best[0].machine.struck))
    faults = least(sorted(cut.faults), lambda some: fails(Cut(cut.acts, frozenset(some))))
    cut = Cut(cut.acts, frozenset(faults))
    return cut, best[0]


def least(items: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> Sequence[int]:
    """Leave out parts, halves first, as long as what is left still fails (Zeller's ddmin, by complements)."""
    if items and fails(()):
        return ()
    parts = 2
    while len(items) >= 2:
        edges = [len(items) * n // parts for n in range(parts + 1)]
        smaller = next((rest for a, b in pairwise(edges) if fails(rest := [*items[:a], *items[b:]])), None)
        if smaller is not None:
            items, parts = smaller, max(parts - 1, 2)
        elif parts >= len(items):
            break
        else:
            parts = min(parts * 2, len(items))
    return items


def story(history: History) -> list[str]:
    """Tell a history by its acts, faults, posts and what its chunks came to."""
    marks = ("* act", "! ", "PATCH", "chunk ", "acts late", "dies at", "raised", "buried", "restore")
    told = [
        line
        for line in history.machine.last
        if any(mark in line for mark in marks) or ("POST" in line and "okens" not in line and "Login" not in line)
    ]
    return [*history.titles, *told[-50:]]


def spell(cut: Cut) -> str:
    """Write a cut for the command line, e.g. `a3,a7/f12`."""
    return ",".join(f"a{n}" for n in sorted(cut.acts)) + "/" + ",".join(f"f{n}" for n in sorted(cut.faults))


def read(text: str) -> Cut:
    """Read what `spell` wrote."""
    acts, _, faults = text.partition("/")
    return Cut(*(frozenset(int(n[1:]) for n in part.split(",") if n) for part in (acts, faults)))

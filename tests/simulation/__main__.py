"""`python -m tests.simulation --seeds N --from K`: many histories, their figures, and how to repeat what failed."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation.checker import check
from tests.simulation.history import History
from tests.simulation.machine import START


@dataclass
class Told:
    """What one history came to."""

    seed: int
    breaches: list[str]
    days: float
    steps: int
    requests: int
    faults: Counter[str] = field(default_factory=Counter)
    last: list[str] = field(default_factory=list)


def tell(seed: int) -> Told:
    """Run one history; its last events are kept only where it fails."""
    history = History(seed).run()
    found = check(history)
    days = (history.machine.now() - START).total_seconds() / 86_400
    requests = sum(line.requests for line in history.lines.values())
    last = list(history.machine.last)[-60:] if found else []
    return Told(seed, found, days, history.steps, requests, history.machine.faults, last)


def show(told: list[Told], seconds: float) -> None:
    """Print the figures."""
    faults: Counter[str] = Counter()
    for one in told:
        faults.update(one.faults)
    texts = [text for one in told for text in one.breaches]
    print(f"histories {len(told)}   simulated days {sum(t.days for t in told):.0f}   seconds {seconds:.1f}")
    print(f"steps {sum(t.steps for t in told)}   requests {sum(t.requests for t in told)}")
    print(f"faults {sum(faults.values())}")
    for kind, count in sorted(faults.items()):
        print(f"  {count:7d}  {kind}")
    print(f"lost {sum('LOST' in t for t in texts)}   doubled {sum('DOUBLED' in t for t in texts)}")
    print(f"failing histories {sum(bool(t.breaches) for t in told)}")


def explain(one: Told, events: int) -> None:
    """Print a failing history and the command that repeats it."""
    print(f"\nseed {one.seed}:")
    for text in one.breaches[:8]:
        print(f"  {text[:500]}")
    for line in one.last[len(one.last) - events :]:
        print(f"    {line[:200]}")
    print(f"  repeat: python -m tests.simulation --seeds 1 --from {one.seed} --events 60")


def main() -> int:
    """Run the histories on the cores of this machine."""
    options = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    options.add_argument("--seeds", type=int, default=100)
    options.add_argument("--from", dest="first", type=int, default=0)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--events", type=int, default=12, help="last events shown of a failing history")
    given = options.parse_args()
    begun = time.monotonic()
    seeds = range(given.first, given.first + given.seeds)
    with ProcessPoolExecutor(given.jobs) as pool:
        told = list(pool.map(tell, seeds, chunksize=4))
    show(told, time.monotonic() - begun)
    failing = [one for one in told if one.breaches]
    for one in failing[:5]:
        explain(one, given.events)
    if len(failing) > 5:
        print(f"\nand {len(failing) - 5} more: {[one.seed for one in failing[5:]]}")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())

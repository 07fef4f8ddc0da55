"""`python -m tests.fuzz --inputs N [--seed S]`: many spoilt inputs, their outcomes, and how to repeat what failed."""

from __future__ import annotations

import argparse
import resource
import secrets
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from random import Random

from tests.fuzz.campaigns import CAMPAIGNS
from tests.fuzz.runner import SLOW, Told, patience, run, stopwatch

PART = 500
"""Inputs that one process takes at a time."""
MEMORY = 3 * 1024**3
"""Bytes of address space for a process: an input that eats memory becomes a finding."""


def parts(seed: int, inputs: int, only: str | None) -> Iterator[tuple[str, int, range]]:
    """Cut the work; every campaign gets its share."""
    chosen = {name: share for name, (_, share) in CAMPAIGNS.items() if only in {None, name}}
    for name, share in chosen.items():
        count = -(-inputs * share // sum(chosen.values()))
        for first in range(0, count, PART):
            yield name, seed, range(first, min(first + PART, count))


def work(part: tuple[str, int, range]) -> tuple[str, Told]:
    """Run one part in a process of its own."""
    name, seed, cases = part
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    return name, run(name, CAMPAIGNS[name][0], seed, cases)


def again(name: str, seed: int, case: int) -> int:
    """Repeat one input, with the whole trace."""
    try:
        with patience(SLOW):
            print(CAMPAIGNS[name][0]().case(Random(f"{seed}/{name}/{case}")))
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def main() -> int:
    """Run the inputs on the cores of this machine."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--inputs", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=None, help="another one each time, if not given")
    options.add_argument("--only", choices=sorted(CAMPAIGNS), default=None)
    options.add_argument("--case", type=int, default=None, help="repeat one input of the campaign named by --only")
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    seed = secrets.randbelow(10**9) if given.seed is None else given.seed
    if given.case is not None:
        return again(given.only or options.error("--case needs --only"), seed, given.case)
    print(f"seed {seed}", flush=True)
    seconds = stopwatch()
    outcomes: dict[str, Counter[str]] = {}
    failures: list[str] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for name, told in pool.map(work, parts(seed, given.inputs, given.only)):
            outcomes.setdefault(name, Counter()).update(told.outcomes)
            failures += told.failures
            for text in told.failures[:1]:
                print(f"{name}: {text}", flush=True)
            if (done := sum(sum(counter.values()) for counter in outcomes.values())) % 10_000 < PART:
                print(f"{done} inputs, {len(failures)} failing, {seconds():.0f} s", flush=True)
    show(outcomes, failures, seconds())
    return 1 if failures else 0


def show(outcomes: dict[str, Counter[str]], failures: list[str], seconds: float) -> None:
    """Print the figures, then each kind of failure once."""
    total = sum(sum(counter.values()) for counter in outcomes.values()) + len(failures)
    print(f"inputs {total}   failing {len(failures)}   seconds {seconds:.0f}")
    for name, counter in outcomes.items():
        print(f"  {name}: " + ", ".join(f"{what} {count}" for what, count in counter.most_common(30)))
    kinds: dict[str, list[str]] = {}
    for text in failures:
        kinds.setdefault(text.split("\n  repeat")[0].split("\n")[1] + text.split(":")[0], []).append(text)
    for texts in list(kinds.values())[:40]:
        print(f"\n{len(texts)} times: {texts[0]}")


if __name__ == "__main__":
    sys.exit(main())

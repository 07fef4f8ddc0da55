"""`python -m tests.simulation --seeds N --from K`: many histories, their figures, and how to repeat what failed."""

from __future__ import annotations

import argparse
import gc
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation import shrink
from tests.simulation.checker import judge
from tests.simulation.history import Cut, History, Tilt
from tests.simulation.submitted import TABLE, Submitted
from tests.simulation.worlds import ASKED, ERPS

AT_A_TIME = 16
AVID = "sage_x3_avid"
"""Sage X3 with AvidXchange instead of Basware: a history of its own, which is not drawn and not shrunk."""


@dataclass
class Told:
    """What one history came to."""

    seed: int
    integration: str
    breaches: list[str]
    days: float
    steps: int
    requests: int
    to_converge: tuple[int, float]
    late: tuple[int, int]
    faults: Counter[str] = field(default_factory=Counter)


def tell(seed: int, erp: str | None = None) -> Told:
    """Run one history."""
    if erp == AVID:
        return _submitted(seed)
    gc.disable()  # a history's rings of objects are freed together, at its end
    history = History(seed, _tilt(erp))
    try:
        found = judge(history)
    except Exception:  # the simulation itself broke; the other seeds go on
        found = [f"the simulation broke: {traceback.format_exc(limit=-6)}"]
    machine = history.machine
    days = (machine.now() - machine.start).total_seconds() / 86_400
    requests = sum(line.requests for line in history.lines.values())
    late = [p for o in history.offices for p in o.papers.values() if p.very_late]
    doubled = sum(len(o.erp.posted(p)) > 1 for o in history.offices for p in o.papers.values() if p.very_late)
    told = Told(
        seed,
        history.offices[0].erp.integration,
        found,
        days,
        history.steps,
        requests,
        history.good_after,
        (len(late), doubled),
        machine.faults,
    )
    del history, machine
    gc.collect()
    gc.freeze()  # what is left is the product itself: the next collection need not look through it
    return told


def _submitted(seed: int, *, echo: bool = False) -> Told:
    """Run one history of invoices that are submitted."""
    history = Submitted(seed)
    machine, machine.echo = history.machine, echo
    try:
        found = history.run()
    except Exception:  # the simulation itself broke; the other seeds go on
        found = [f"the simulation broke: {traceback.format_exc(limit=-6)}"]
    days = (machine.now() - machine.start).total_seconds() / 86_400
    requests = history.erp_wire.requests + history.ap_wire.requests
    name = f"{TABLE.name}: {history.variant}"
    met = machine.faults + history.counts()
    return Told(seed, name, found, days, history.boots, requests, (0, 0.0), (0, 0), met)


def _tilt(erp: str | None) -> Tilt | None:
    return Tilt(erp=next(e for e in (*ERPS, *ASKED) if e.system == erp)) if erp else None


def show(told: list[Told], seconds: float) -> None:
    """Print the figures."""
    faults: Counter[str] = Counter()
    for one in told:
        faults.update(one.faults)
    texts = [text for one in told for text in one.breaches]
    by_kind = Counter(one.integration for one in told)
    print(
        f"histories {len(told)} ({', '.join(f'{n} {k}' for k, n in sorted(by_kind.items()))})   seconds {seconds:.0f}"
    )
    print(
        f"simulated days {sum(t.days for t in told):.0f}   requests {sum(t.requests for t in told)}   "
        f"steps {sum(t.steps for t in told)}"
    )
    print(f"faults {sum(faults.values())}")
    for kind, count in sorted(faults.items()):
        print(f"  {count:9d}  {kind}")
    steps = sorted(one.to_converge[0] for one in told)
    hours = sorted(one.to_converge[1] for one in told)
    print(
        f"steps to converge, once faults end: median {_at(steps, 0.5):.0f}, 99 of 100 {_at(steps, 0.99):.0f}, most "
        f"{steps[-1]}; hours {_at(hours, 0.5):.0f}, {_at(hours, 0.99):.0f}, {hours[-1]:.0f}"
    )
    late = sum(one.late[0] for one in told), sum(one.late[1] for one in told)
    missed = sum("UNDETECTED" in t for t in texts)
    print(
        f"carried out later than in_doubt_seconds: {late[0]} invoices, {late[1]} of them doubled, {missed} not detected"
    )
    print(
        f"lost {sum('LOST' in t for t in texts)}   doubled {sum('DOUBLED' in t for t in texts)}   "
        f"failing histories {sum(bool(t.breaches) for t in told)}"
    )


def _at(ordered: list[float] | list[int], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def explain(one: Told, erp: str | None, *, smaller: bool) -> None:
    """Print a failing history, shrunk, and the command that repeats it."""
    print(f"\nseed {one.seed} ({one.integration}):")
    for text in one.breaches[:8]:
        print(f"  {text[:600]}")
    again = f"make simulate SEEDS=1 FROM={one.seed}" + (f" ERP={erp}" if erp else "")
    if smaller:
        cut, history = shrink.shrunk(one.seed, _tilt(erp))
        print(f"  what is enough for it ({len(cut.acts)} acts, {len(cut.faults)} faults):")
        for line in shrink.story(history):
            print(f"    {line[:200]}")
        again += f" ARGS='--only {shrink.spell(cut)}'"
    print(f"  repeat: {again}")


def run(seeds: range, jobs: int, erp: str | None) -> Iterator[Told]:
    """Run histories on the cores of this machine, in the order of their seeds."""
    if jobs == 1 or len(seeds) == 1:
        yield from (tell(seed, erp) for seed in seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(tell, seeds, [erp] * len(seeds), chunksize=AT_A_TIME)


def alone(seed: int, erp: str | None, cut: Cut | None, *, echo: bool) -> int:
    """Run one history, whole or cut, with its events on the screen."""
    if erp == AVID:
        told = _submitted(seed, echo=echo)
        print("\n".join(told.breaches) or f"seed {seed}: good")
        return 1 if told.breaches else 0
    history = History(seed, _tilt(erp), cut)
    history.machine.echo = echo
    found = judge(history)
    for text in found:
        print(text)
    print(f"seed {seed}: {'failed' if found else 'good'}, {history.steps} steps, digest {history.machine.digest()}")
    return 1 if found else 0


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    options.add_argument("--seeds", type=int, default=100)
    options.add_argument("--from", dest="first", type=int, default=0)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument(
        "--erp", choices=[*(e.system for e in (*ERPS, *ASKED)), AVID], help="one ERP instead of what the seed draws"
    )
    options.add_argument("--only", type=shrink.read, help="the acts and faults that a shrunken history is left with")
    options.add_argument("--echo", action="store_true", help="print every event (with one seed)")
    options.add_argument("--shrink", type=int, default=2, help="how many failing histories are shrunk")
    given = options.parse_args()
    if given.only is not None or given.echo:
        return alone(given.first, given.erp, given.only, echo=True)
    begun, told = time.monotonic(), []
    for one in run(range(given.first, given.first + given.seeds), given.jobs, given.erp):
        told.append(one)
        if len(told) % 500 == 0:
            bad = sum(bool(t.breaches) for t in told)
            print(f"... {len(told)} histories, {bad} failing, {time.monotonic() - begun:.0f} s", flush=True)
    show(told, time.monotonic() - begun)
    failing = [one for one in told if one.breaches]
    for number, one in enumerate(failing[:6]):
        explain(one, given.erp, smaller=number < given.shrink and given.erp != AVID)
    if len(failing) > 6:
        print(f"\nand {len(failing) - 6} more: {[one.seed for one in failing[6:]]}")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())

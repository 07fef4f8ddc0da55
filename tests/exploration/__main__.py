"""`python -m tests.exploration --erp syspro`: every single event of a document's life, or every pair, in parts."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.exploration.life import Life
from tests.exploration.places import Event, Explorer
from tests.simulation.worlds import ERPS


def share(text: str, of: int) -> int:
    """Tell to which of `of` shares something belongs, the same in every run."""
    return zlib.crc32(text.encode()) % of


def explore(
    erp: str, depth: int, part: tuple[int, int], out: Path, *, seconds: float = 0, one_in: int = 1, credit: bool = False
) -> None:
    """Live one life with all its forks; each writes one line of what it came to."""
    number, of = part
    begun, today = time.monotonic(), f"{datetime.now(UTC):%j}" if one_in > 1 else ""
    cut = False

    def wanted(before: tuple[Event, ...], one: Event) -> bool:
        nonlocal cut
        if seconds and time.monotonic() - begun > seconds:
            cut = True
            return False
        text = str(before[0] if before else one)
        mine = share(text, of) == number
        return mine and (one_in == 1 or not (before or depth == 1) or share(f"{today}{text}{one}", one_in) == 0)

    explorer = Explorer(depth, wanted=wanted)
    life = Life(next(e for e in ERPS if e.system == erp), explorer, credit=credit)
    life.prepare()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        found = life.live()
    except BaseException as error:
        found = [f"the exploration broke: {type(error).__name__}: {error}"]
    told: dict[str, Any] = {"events": [str(e) for e in explorer.happened], "breaches": found[:4]}
    if not explorer.child:
        told |= {"places": dict(explorer.counts), "cut": cut, "one_in": one_in}
    with out.open("a") as file:
        file.write(json.dumps(told) + "\n")
        file.flush()
    if explorer.child:
        os._exit(0)


def whole(out: Path, one_in: int) -> bool:
    """Tell whether a part was lived through to its end, and with as many of its last events."""
    lines = out.read_text().splitlines() if out.exists() else []
    last = json.loads(lines[-1]) if lines else {}
    return bool(lines) and last.get("cut") is False and last["one_in"] == one_in == 1


def again(erp: str, script: tuple[Event, ...], *, echo: bool, credit: bool) -> int:
    """Live one life with the events that are named."""
    explorer = Explorer(script=script)
    life = Life(next(e for e in ERPS if e.system == erp), explorer, credit=credit)
    life.prepare()
    life.machine.echo = echo
    found = life.live()
    for text in found:
        print(text)
    missing = [str(one) for one in script if one not in explorer.happened]
    if missing:
        print(f"did not happen: {missing}")
    print(f"{erp}: {'failed' if found else 'good'}")
    return 1 if found else 0


def show(erp: str, out: Path, seconds: float, *, credit: bool) -> int:
    """Print the figures, and of each violation its events and its command."""
    told = [json.loads(line) for line in out.read_text().splitlines()]
    bad = sorted((one for one in told if one["breaches"]), key=lambda one: len(one["events"]))
    places: dict[str, int] = next((one["places"] for one in reversed(told) if "places" in one), {})
    if told[-1].get("cut"):
        print("the seconds were over before the end: this is a part of it")
    print(f"{erp}: {len(told)} lives, {sum(places.values())} places, {len(bad)} violations, {seconds:.0f} s")
    kinds = Counter(event.rpartition("@")[0] for one in bad for event in one["events"][-1:])
    for kind, count in kinds.most_common():
        print(f"  {count:6d}  {kind}")
    shown: set[str] = set()
    for one in bad:
        kind = " ".join(event.rpartition("@")[0] for event in one["events"])
        if kind in shown or len(shown) > 40:
            continue
        shown.add(kind)
        print(f"\n{', '.join(one['events']) or 'nothing happened'}:")
        for text in one["breaches"][:2]:
            print(f"  {text[:400]}")
        events = "".join(f" --event '{event}'" for event in one["events"])
        what = " --credit-note" if credit else ""
        print(f"  repeat: python -m tests.exploration --erp {erp}{what}{events} --echo")
    return 1 if bad else 0


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(prog="python -m tests.exploration", description=__doc__)
    options.add_argument("--erp", choices=[e.system for e in ERPS], required=True)
    options.add_argument("--depth", type=int, default=1, help="how many events a life has at most")
    options.add_argument("--part", default="0/1", help="of the first events, which share: K/N")
    options.add_argument("--one-in", type=int, default=1, help="of the last events, one in so many")
    options.add_argument("--seconds", type=float, default=0, help="begin nothing new after these")
    options.add_argument(
        "--out", type=Path, default=Path("build/explored"), help="a folder; parts that are there are kept"
    )
    options.add_argument("--event", type=Event.read, action="append", default=[], help="live one life with these")
    options.add_argument("--credit-note", action="store_true", help="of a credit note instead of an invoice")
    options.add_argument("--echo", action="store_true")
    given = options.parse_args()
    if given.event or given.echo:
        return again(given.erp, tuple(given.event), echo=given.echo, credit=given.credit_note)
    number, of = (int(n) for n in given.part.split("/"))
    given.out.mkdir(parents=True, exist_ok=True)
    out = given.out / f"{given.erp}{'-credit' if given.credit_note else ''}-{given.depth}-{number}-of-{of}.jsonl"
    begun = time.monotonic()
    if not whole(out, given.one_in):
        out.unlink(missing_ok=True)
        explore(
            given.erp,
            given.depth,
            (number, of),
            out,
            seconds=given.seconds,
            one_in=given.one_in,
            credit=given.credit_note,
        )
    return show(given.erp, out, time.monotonic() - begun, credit=given.credit_note)


if __name__ == "__main__":
    sys.exit(main())

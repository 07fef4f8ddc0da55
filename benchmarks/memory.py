"""Memory of a full load in one process, in the worst order: everything is read before the first record is written.

`python -m benchmarks.memory 1000000` reads that many suppliers in slices, as poll functions do while the writers lag,
then writes them all, then compares them all again. The state is a file in a temporary folder. A second number is the
pages in a slice, of 500 suppliers each (default 240).
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.stream import VENDORS, HandClock, Stream, pair, read_all, write_all
from ml_connector.embedded.blobs import FolderBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.runtime import Runtime


def peak_mb() -> float:
    """Give the most memory that this process has held so far, in megabytes.

    `ru_maxrss` begins with what the parent held, so it is only taken where Linux's own figure is not to be had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def load(count: int, folder: Path, pages: int) -> dict[str, float]:
    """Load `count` records; gives the peak after each phase in megabytes, and its seconds."""
    clock = HandClock()
    queue = MemoryQueue(clock)
    runtime = Runtime(
        SqliteStore(folder / "state.sqlite", clock),
        queue,
        FolderBlobs(folder / "audit"),
        clock,
        SeededRandom(1),
        boot="b",
        sole=True,
    )
    bound = pair(runtime, Stream(count, clock))
    figures: dict[str, float] = {"records": count, "start_mb": peak_mb()}

    def phase(name: str, began: float) -> float:
        figures[f"{name}_mb"], figures[f"{name}_s"] = peak_mb(), time.perf_counter() - began
        return time.perf_counter()

    began = time.perf_counter()
    figures["slices"] = read_all(bound, "run1", pages=pages)
    began = phase("read", began)
    write_all(bound, queue)
    began = phase("written", began)
    read_all(bound, "run2", pages=pages, full=True)
    phase("compared", began)
    delivered = sum(chunk.delivered for chunk in bound.ledger(VENDORS.name).finished())
    if delivered != count:
        raise RuntimeError(f"{delivered} of {count} records were delivered.")
    return figures


def main() -> None:
    """Print the figures as JSON."""
    count, pages, *_ = [*map(int, sys.argv[1:]), *(200_000, 240)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        figures = load(count, Path(folder), pages)
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))


if __name__ == "__main__":
    main()

"""A full load takes no more memory for more records: what grows with them is measured, and held against a million."""

import json
import os
import subprocess
import sys
from pathlib import Path

FEW, MANY, MILLION, BUDGET_MB = 20_000, 80_000, 1_000_000, 200
SLICE = 60
"""Pages, of 500 records each."""
FAST = Path("/dev/shm")
"""A file there counts for no process's memory, and nobody waits for a disk."""


def peak_mb(records: int) -> float:
    """Load that many in a process of its own, in the worst order: all is read before the first record is written."""
    command = [sys.executable, "-m", "benchmarks.memory", str(records), str(SLICE)]
    environment = {**os.environ, **({"TMPDIR": str(FAST)} if FAST.is_dir() else {})}
    ran = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    figures = json.loads(ran.stdout)
    if records == MANY:
        assert figures["slices"] > 1  # what is on its way was read back between two of them
    return max(value for name, value in figures.items() if name.endswith("_mb"))


def test_a_full_load_of_a_million_records_stays_below_its_budget() -> None:
    few, many = peak_mb(FEW), peak_mb(MANY)
    grown = max(0.0, many - few) / (MANY - FEW)
    assert 20 < few + grown * (MILLION - FEW) < BUDGET_MB, f"{few:.1f} MB for {FEW}, {many:.1f} MB for {MANY}"

"""A whole local run against both sandboxes: a seeded company's masters, orders, invoices, until nothing is due.

`python -m benchmarks.local_run [--profile] [--again]` times what `ml-connector local run` does in a process of its own,
with the simulated vendors in another one. `--again`: a second run over the same state, which finds nothing new.
`--profile` runs it here and shows where the time goes, over all threads.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from infra.sandbox import basware, sap_b1
from infra.sandbox.fixtures import COMPANY, PASSWORD, USER, seeded_systems
from infra.sandbox.server import serving

SERVE = "serve"


def serve() -> None:
    """Be the vendors until the input ends."""
    world = seeded_systems(1)
    with ExitStack() as stack:
        erp = stack.enter_context(serving(sap_b1.create_app(world.erp)))
        ap = stack.enter_context(serving(basware.create_app(world.ap)))
        print(json.dumps({"erp": erp, "ap": ap}), flush=True)
        sys.stdin.read()


@contextmanager
def vendors() -> Iterator[dict[str, str]]:
    """Start the vendors in a process of their own; gives their addresses."""
    command = [sys.executable, "-m", "benchmarks.local_run", SERVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdin is not None and process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def write_secrets(folder: Path, at: dict[str, str]) -> None:
    """Onboard one tenant."""
    made: dict[str, dict[str, Any]] = {
        "sap_b1": {
            "service_layer_url": f"{at['erp']}/b1s/v2",
            "company_db": COMPANY,
            "user_name": USER,
            "password": PASSWORD,
            "timezone": "Europe/Berlin",
            "rounding_account": "400110",
        },
        "basware": {
            "region": "EU",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "companies": ["1000"],
            "source_system": "SAPB1",
            "base_url": at["ap"],
        },
    }
    (folder / "acme").mkdir()
    for system, secret in made.items():
        (folder / "acme" / f"{system}.json").write_text(json.dumps(secret))


def run_here(folder: Path) -> dict[str, int]:
    """Do one run in this process; gives its totals."""
    from infra.local.runner import Runner  # noqa: PLC0415 - the vendors' process needs none of it
    from infra.local.state import locked_state  # noqa: PLC0415
    from ml_connector.engine.ledger.control_totals import totals  # noqa: PLC0415

    with locked_state(folder) as state:
        runner = Runner(state)
        runner.once(240)
        return dict(totals(runner.sheets().values()))


def run_there(folder: Path) -> str:
    """Do one run as a person does; gives the last line that it prints."""
    code = "from infra.ops.main import main; main()"
    command = [sys.executable, "-c", code, "local", "run", "--secrets", str(folder), "--max-seconds", "240"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own program
    return ran.stdout.strip().rpartition("\n")[2]


def profiled(work: Callable[[], Any]) -> None:
    """Show where the time goes: the profilers of all threads, added up."""
    profiles: list[cProfile.Profile] = []

    def begin(*_: Any) -> None:
        profiles.append(cProfile.Profile(time.thread_time))
        sys.setprofile(None)
        profiles[-1].enable()

    threading.setprofile(begin)
    begin()
    print(work())
    threading.setprofile(None)
    for profile in profiles:
        profile.disable()
    stats = pstats.Stats(profiles[0])
    for profile in profiles[1:]:
        stats.add(profile)
    stats.sort_stats("tottime").print_stats(25)
    stats.sort_stats("cumtime").print_stats(70)


def main() -> None:
    """Print seconds, or a profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, vendors() as at:
        folder = Path(name)
        write_secrets(folder, at)
        for _ in range(2 if options.again else 1):
            if options.profile:
                profiled(lambda: run_here(folder))
            else:
                began = time.perf_counter()
                said = run_there(folder)
                print(f"{time.perf_counter() - began:.1f} s: {said}")


if __name__ == "__main__":
    if sys.argv[1:] == [SERVE]:
        serve()
    else:
        main()

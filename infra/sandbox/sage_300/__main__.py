"""Serves the seeded company: `python -m infra.sandbox.sage_300 --port 0 --seed 1` prints one JSON line."""

from __future__ import annotations

import argparse
import json
import signal
import threading

from ..server import serving
from .app import create_app
from .seed import COMPANY, COST_CENTER_SEGMENT, PASSWORD, USER, seeded_world


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--password", default=PASSWORD)
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    world = seeded_world(options.seed, options.password)
    with serving(create_app(world), options.port) as address:
        line = {
            "url": f"{address}/Sage300WebApi/v1.0/-",
            "control": f"{address}/_sandbox",
            "company": COMPANY,
            "user": USER,
            "password": options.password,
            "cost_center_segment": COST_CENTER_SEGMENT,
        }
        print(json.dumps(line), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()

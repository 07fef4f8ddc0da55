"""Serves a seeded sandbox: `python -m infra.sandbox.basware --port 0 --seed 1` prints its address as JSON.

The client is `sandbox-client` with the secret `sandbox-secret`; `control` tells how to steer it over HTTP.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading

from ..server import serving
from . import create_app, deliver, seed


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.basware")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--company", action="append", help="a company code that is known (default 1000)")
    options = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    world = seed.seeded_world(options.seed, companies=options.company or ("1000",))
    with serving(create_app(world), options.port) as url, deliver.delivering(world):
        print(json.dumps({"url": url}), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()

"""Serves a seeded sandbox: `python -m infra.sandbox.basware --port 0 --seed 1` prints its address as JSON.

The client is `sandbox-client` with the secret `sandbox-secret`; `control` tells how to steer it over HTTP.
"""

from __future__ import annotations

from ..kit.command import parser, serve
from . import create_app, deliver, seed


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser(__doc__)
    options.add_argument("--company", action="append", help="a company code that is known (default 1000)")
    given = options.parse_args()
    world = seed.seeded_world(given.seed, companies=given.company or ("1000",))
    serve(create_app(world), given.port, lambda address: {"url": address}, deliver.delivering(world))


if __name__ == "__main__":
    main()

"""Serves the seeded company: `python -m infra.sandbox.sage_300 --port 0 --seed 1` prints one JSON line."""

from __future__ import annotations

from ..kit.command import parser, serve
from .app import create_app
from .seed import COMPANY, COST_CENTER_SEGMENT, PASSWORD, USER, seeded_world


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser(__doc__)
    options.add_argument("--password", default=PASSWORD)
    given = options.parse_args()

    def line(address: str) -> dict[str, str]:
        urls = {"url": f"{address}/Sage300WebApi/v1.0/-", "control": f"{address}/_sandbox"}
        login = {"company": COMPANY, "user": USER, "password": given.password}
        return urls | login | {"cost_center_segment": COST_CENTER_SEGMENT}

    serve(create_app(seeded_world(given.seed, given.password)), given.port, line)


if __name__ == "__main__":
    main()

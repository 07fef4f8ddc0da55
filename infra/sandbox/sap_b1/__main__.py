"""Serves the seeded company: `python -m infra.sandbox.sap_b1 --port 0 --seed 1` prints one JSON line."""

from __future__ import annotations

from ..kit.command import parser, serve
from .app import create_app
from .seed import COMPANY, PASSWORD, USER, seeded_world


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser(__doc__)
    options.add_argument("--password", default=PASSWORD)
    given = options.parse_args()

    def line(address: str) -> dict[str, str]:
        urls = {"url": f"{address}/b1s/v2", "v1_url": f"{address}/b1s/v1", "control": f"{address}/_sandbox"}
        return urls | {"company_db": COMPANY, "user_name": USER, "password": given.password}

    serve(create_app(seeded_world(given.seed, given.password)), given.port, line)


if __name__ == "__main__":
    main()

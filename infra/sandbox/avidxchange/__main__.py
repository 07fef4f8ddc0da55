"""Serves the seeded customer: `python -m infra.sandbox.avidxchange --port 0 --seed 1` prints one JSON line."""

from __future__ import annotations

from typing import Any

from ..kit.command import parser, serve
from .app import create_app
from .seed import CLIENT, GATEWAY_KEY, HEADER_TOKENS, PASSWORD, SECRET, USER, seeded_world, small_world


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser(__doc__)
    options.add_argument("--small", action="store_true", help="begin without vendors, codes and documents")
    given = options.parse_args()

    def line(address: str) -> dict[str, Any]:
        urls = {"base_url": address, "token_url": f"{address}/token", "control": f"{address}/_sandbox"}
        oauth2 = {"client_id": CLIENT, "client_secret": SECRET}
        login = {"user": USER, "password": PASSWORD, "gateway_key": GATEWAY_KEY}
        return urls | oauth2 | login | {"token_headers": HEADER_TOKENS}

    serve(create_app(small_world() if given.small else seeded_world(given.seed)), given.port, line)


if __name__ == "__main__":
    main()

"""Serves the seeded folder: `python -m infra.sandbox.sage_x3 --port 0 --seed 1` prints one JSON line."""

from __future__ import annotations

from ..kit.command import parser, serve
from .app import create_app
from .seed import APP_ID, APP_SECRET, CLIENT_ID, CLIENT_SECRET, FOLDER, PASSWORD, POOL, USER, seeded_world


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser(__doc__)
    options.add_argument("--password", default=PASSWORD)
    given = options.parse_args()
    world = seeded_world(given.seed, given.password)

    def line(address: str) -> dict[str, str]:
        world.logins.applications[CLIENT_ID].url = f"{address}/xtrem/api"
        login = {"folder": FOLDER, "user": USER, "password": given.password, "pool": POOL}
        login |= {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "audience": f"{address}/xtrem/api"}
        login |= {"app_id": APP_ID, "app_secret": APP_SECRET, "refresh_token": world.logins.paired[APP_ID].refresh}
        return {"url": address, "gateway": f"{address}/v1", "control": f"{address}/_sandbox"} | login

    serve(create_app(world), given.port, line)


if __name__ == "__main__":
    main()

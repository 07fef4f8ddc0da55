"""Serves the seeded company: `python -m infra.sandbox.syspro --port 0 --seed 1` prints one JSON line."""

from __future__ import annotations

from ..kit.command import parser, serve
from .app import create_app
from .seed import COMPANY, ODATA_PASSWORD, ODATA_USER, OPERATOR, PASSWORD, seeded_world


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parser(__doc__)
    options.add_argument("--password", default=PASSWORD)
    given = options.parse_args()

    def line(address: str) -> dict[str, str]:
        urls = {"url": f"{address}/SYSPROWCFService/Rest", "odata_url": f"{address}/SYSPRO8Odata/SYSPROOData"}
        login = {"company": COMPANY, "operator": OPERATOR, "password": given.password}
        odata = {"odata_user": ODATA_USER, "odata_password": ODATA_PASSWORD}
        return urls | {"control": f"{address}/_sandbox"} | login | odata

    serve(create_app(seeded_world(given.seed, given.password)), given.port, line)


if __name__ == "__main__":
    main()

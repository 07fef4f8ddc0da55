"""Reads supplier pages from a loopback server: the adapter's whole way, and a bare loop that keeps nothing exact.

The server is a process of its own. What counts is the reader's processor time, the median of some rounds taken in
turn: on a busy machine both sides take longer, and the ratio stays.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

from infra.sandbox.server import serving
from ml_connector.connection import master_source
from ml_connector.context import AdapterContext
from ml_connector.embedded.clock import SystemClock, SystemRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.engine.ledger.fingerprint import fingerprint
from ml_connector.records import Supplier
from ml_connector.systems import sap_b1

PAGE, PAGES, ROUNDS = 500, 100, 15
SERVE = "serve"


def row(n: int) -> dict[str, Any]:
    """Make one business partner, about 400 bytes as JSON."""
    return {
        "CardCode": f"V{n:07d}",
        "CardName": f"Supplier number {n} of the benchmark",
        "CardType": "cSupplier",
        "Currency": "EUR",
        "Valid": "tYES",
        "Frozen": "tNO",
        "PayTermsGrpCode": 3,
        "UpdateDate": "2026-01-05T00:00:00Z",
        "UpdateTime": "10:00:00",
        "FederalTaxID": f"DE{n:09d}",
        "EmailAddress": f"ap{n}@example.com",
        "Phone1": "+49 30 123456",
        "Website": "https://example.com",
        "BPAddresses": [],
        "BPBankAccounts": [],
    }


def app() -> Callable[..., Any]:
    """Serve prepared pages, a login and nothing else."""
    rows = [json.dumps(row(n)) for n in range(PAGE * PAGES)]
    bodies: dict[int, str] = {}  # made once for each place, so that the server costs both sides the same

    def body(skip: int) -> str:
        link = f',"@odata.nextLink":"BusinessPartners?$skip={skip + PAGE}"' if skip + PAGE < len(rows) else ""
        return f'{{"value":[{",".join(rows[skip : skip + PAGE])}]{link}}}'

    def serve(environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path.endswith("/Login"):
            answer = Response('{"SessionId":"x","SessionTimeout":30}', content_type="application/json")
            answer.headers.add("Set-Cookie", "B1SESSION=x;HttpOnly;")
            return answer(environ, start_response)
        skip = int(request.args.get("$skip", 0))
        if skip not in bodies:
            bodies[skip] = body(skip)
        return Response(bodies[skip], content_type="application/json")(environ, start_response)

    return serve


def ours(url: str) -> int:
    """Read, parse, validate, turn into canonical records and fingerprint."""
    clock, rng = SystemClock(), SystemRandom()
    store = SqliteStore(":memory:")
    breaker = Breaker(store, clock, tenant="t", system="sap_b1", version="1", boot="b", sole=True)
    sessions = Sessions(store, MemoryVault(), clock, breaker, name="t", version="1", boot="b")
    settings = sap_b1.Settings.model_validate(
        {"service_layer_url": f"{url}/b1s/v2", "company_db": "C", "user_name": "u", "password": "p"}
    )
    context = AdapterContext(tenant="t", integration="i", clock=clock, rng=rng, sessions=sessions, insecure=True)
    connection = sap_b1.connect(settings, context)
    count = sum(
        1 for page in master_source(connection, Supplier).pages(None, None) for r in page.records if fingerprint(r, "e")
    )
    connection.close()
    return count


def bare(url: str) -> int:
    """Fetch by requests and parse; do nothing with the rows."""
    count, skip = 0, 0
    with requests.Session() as client:
        while True:
            page = client.get(f"{url}/b1s/v2/BusinessPartners?$skip={skip}", timeout=30).json()
            count += len(page["value"])
            skip += PAGE
            if "@odata.nextLink" not in page:
                return count


def rate(work: Callable[[str], int], url: str) -> float:
    """Give rows for each second of this process."""
    began = time.process_time()
    rows = work(url)
    return rows / (time.process_time() - began)


@contextmanager
def server() -> Iterator[str]:
    """Serve from another process; gives the address."""
    command = [sys.executable, "-m", "benchmarks.masters", SERVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdin is not None and process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def rates(rounds: int = ROUNDS) -> list[dict[str, float]]:
    """Measure both in turn; gives the rates of each round. One before them warms up the server, and is left out."""
    ways = {"bare": bare, "ours": ours}
    with server() as url:
        return [{name: rate(way, url) for name, way in ways.items()} for _ in range(rounds + 1)][1:]


def spread(values: list[float], form: str) -> str:
    """Write the median, with the least and the most."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def main() -> None:
    """Print both rates and their ratio, medians with what they lie between, or serve."""
    if sys.argv[1:] == [SERVE]:
        with serving(app()) as url:
            print(url, flush=True)
            sys.stdin.read()
        return
    found = rates()
    for name in found[0]:
        print(f"{name}: {spread([one[name] for one in found], ',.0f')} rows/s")
    print(f"ratio: {spread([one['ours'] / one['bare'] for one in found], '.2f')}")


if __name__ == "__main__":
    main()

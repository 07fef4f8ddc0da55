"""Simulated vendors on loopback, and a folder of secrets that leads to them: for trying the product by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local.demo_books import Books, SageBooks, SapBooks
from infra.sandbox import basware
from infra.sandbox.basware.deliver import delivering
from infra.sandbox.server import serving

ERPS: dict[str, type[Books]] = {"sap_b1": SapBooks, "sage_300": SageBooks}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Occupied(Exception):
    """The folder holds a tenant's real secrets, which must not be overwritten."""


@contextmanager
def standing(books: Books, port: int = 0) -> Iterator[dict[str, str]]:
    """Serve an ERP at `port` and Basware at the next (0: any free ones), and yield their addresses by system."""
    with ExitStack() as stack:
        erp = stack.enter_context(serving(books.app, port))
        ap = stack.enter_context(serving(basware.create_app(books.world.ap), port + 1 if port else 0))
        stack.enter_context(delivering(books.world.ap))
        yield {books.system: erp, "basware": ap}


def write_secrets(folder: Path, tenant: str, books: Books, urls: dict[str, str]) -> None:
    """Write the tenant's secrets, readable by their owner alone.

    Raises `Occupied` where one of them leads to a real system.
    """
    platform = {
        "region": "EU", "client_id": "sandbox-client", "client_secret": "sandbox-secret", "companies": ["1000"],
        "source_system": books.source_system, "base_url": urls["basware"],
    }  # fmt: skip
    secrets = {books.system: books.secret(urls[books.system]), "basware": platform}
    files = {folder / tenant / f"{system}.json": secret for system, secret in secrets.items()}
    for path in files:
        if path.exists() and not _is_ours(path):
            raise Occupied(
                f"{path} does not lead to a simulated vendor, so it is not overwritten. Name another folder with "
                "--secrets, or another tenant with --tenant."
            )
    (folder / tenant).mkdir(parents=True, exist_ok=True, mode=0o700)
    for path, secret in files.items():
        path.touch(mode=0o600)
        path.write_text(json.dumps(secret, indent=2) + "\n", encoding="utf-8")


def _is_ours(path: Path) -> bool:
    """Tell whether a secret leads to this machine and nowhere else."""
    try:
        secret: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        hosts = {urlsplit(v).hostname for k, v in secret.items() if isinstance(v, str) and k.endswith("url")}
    except (ValueError, AttributeError):
        return False
    return bool(hosts) and hosts <= LOOPBACK

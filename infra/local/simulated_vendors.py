"""Simulated vendors on loopback, and a folder of secrets that leads to them: for trying the product by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from ml_connector.embedded import private
from ml_connector.listing import KNOWN

from ..sandbox.basware.deliver import delivering
from ..sandbox.server import serving
from .demo_books import CLIENT, Books, SageBooks, SapBooks, SysproBooks, X3Books
from .submitted_books import SubmittedBooks

KINDS: dict[tuple[str, str], type[Books]] = {
    (kind.system, kind.platform_system): kind for kind in (SapBooks, SageBooks, SysproBooks, X3Books, SubmittedBooks)
}
"""By ERP and platform."""
PLATFORMS = tuple(dict.fromkeys(platform for _, platform in KINDS))
ANSWER = 2.0
"""Seconds within which a simulated vendor on this machine answers."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Occupied(Exception):
    """The folder holds something beside which this sandbox cannot stand; the text says what to do."""


@contextmanager
def standing(books: Books, port: int = 0) -> Iterator[dict[str, str]]:
    """Serve an ERP at `port` and its platform at the next (0: any free ones), and yield their addresses by system."""
    with ExitStack() as stack:
        erp = stack.enter_context(serving(books.app, port))
        ap = stack.enter_context(serving(books.platform_app(), port + 1 if port else 0))
        if books.platform_system == "basware":
            stack.enter_context(delivering(books.world.ap))
        yield {books.system: erp, books.platform_system: ap}


def make_room(folder: Path, tenant: str, books: Books) -> list[str]:
    """Check that the folder takes this tenant beside those that it has; gives what to know of those that it has.

    Raises `Occupied` for another ERP or platform of the same tenant, vendors of it that are still simulated, and real
    secrets; for a tenant that is new there also where the simulated vendors of another one have ended: each run on the
    folder would wait for those.
    """
    new = not (folder / tenant).exists()
    its_own = {books.platform_system, "settings", books.system}
    other = next((s for s in sorted(KNOWN - its_own) if _path(folder, tenant, s).exists()), None)
    if other is not None:
        raise Occupied(
            f"The tenant {tenant} in {folder} has {other} already, and a simulated tenant has one ERP and one "
            "platform. Name another tenant with --tenant, or another folder with --secrets."
        )
    platform = _path(folder, tenant, books.platform_system)
    for path in (_path(folder, tenant, books.system), platform):
        if path.exists() and not _is_ours(path):
            raise Occupied(
                f"{path} does not lead to a simulated vendor, so it is not overwritten. Name another folder with "
                "--secrets, or another tenant with --tenant."
            )
    if (its := _simulated_at(platform)) and _answers(its):
        raise Occupied(
            f"The vendors of the tenant {tenant} are being simulated already, with {books.platform_title} at {its}. "
            "Work with those, end them first, or name another tenant with --tenant or another folder with --secrets."
        )
    others = sorted(path for name in PLATFORMS for path in folder.glob(f"[!.]*/{name}.json"))
    ended = [_ended(path) for path in others if path.parent.name != tenant]
    whys = [why for why in ended if why]
    if new and whys:
        raise Occupied(" ".join([*whys, "Or name another folder with --secrets."]))
    return whys


def _ended(path: Path) -> str | None:
    """Say of a neighbour whose simulated vendors have ended what to do; real ones are not ours to judge."""
    its = _simulated_at(path)
    if its is None or _answers(its):
        return None
    return (
        f"The simulated vendors of the tenant {path.parent.name} in {path.parents[1]} have ended, and each run on this "
        f"folder waits for them in vain: delete {path.parent}, or start them again."
    )


def write_secrets(folder: Path, tenant: str, books: Books, urls: dict[str, str]) -> None:
    """Write the tenant's secrets, readable by their owner alone; see `make_room`."""
    platform = books.platform_system
    secrets = {books.system: books.secret(urls[books.system]), platform: books.platform_secret(urls[platform])}
    files = {_path(folder, tenant, system): secret for system, secret in secrets.items()}
    private.folder(folder / tenant)
    for path, secret in files.items():
        private.write(path, (json.dumps(secret, indent=2) + "\n").encode())


def _path(folder: Path, tenant: str, system: str) -> Path:
    return folder / tenant / f"{system}.json"


def _is_ours(path: Path) -> bool:
    """Tell whether a secret leads to this machine and nowhere else."""
    secret = _read(path)
    try:
        hosts = {urlsplit(v).hostname for k, v in secret.items() if isinstance(v, str) and k.endswith("url")}
    except ValueError:
        return False
    return bool(hosts) and hosts <= LOOPBACK


def _simulated_at(path: Path) -> str | None:
    """Give the address of the simulated platform to which a secret leads; None where it is no such secret."""
    secret = _read(path)
    return str(secret["base_url"]) if secret.get("client_id") == CLIENT["client_id"] and _is_ours(path) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        secret = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return secret if isinstance(secret, dict) else {}


def _answers(url: str) -> bool:
    """Tell whether a simulated platform is there, and no other program that was given its port since."""
    try:
        return httpx.get(f"{url}/_sandbox/state", timeout=ANSWER, trust_env=False).status_code == 200
    except (httpx.HTTPError, httpx.InvalidURL):
        return False

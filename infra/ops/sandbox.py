"""`sandbox`: simulated vendors to try the product on, without any system of one's own."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import terminal

if TYPE_CHECKING:
    from ..local.demo_books import Books

DEFAULT = Path("sandbox-secrets")
HIGHEST = 65_534
"""The highest port for the ERP: the platform takes the next one."""


def sandbox(
    system: Annotated[
        str,
        typer.Option("--system", metavar="ERP", help="Which ERP is simulated: sap_b1, sage_300, syspro or sage_x3."),
    ] = "sap_b1",
    platform: Annotated[
        str,
        typer.Option("--platform", metavar="AP", help="With which platform: basware; sage_x3 also with avidxchange."),
    ] = "basware",
    secrets: Annotated[
        Path, typer.Option("--secrets", metavar="DIR", help="The folder that is made, with one tenant's secrets.")
    ] = DEFAULT,
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant",
            metavar="NAME",
            help="The tenant's name. Default: acme, acme-sage, acme-syspro, acme-x3 or acme-avid.",
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=HIGHEST, help="The ERP's port, Basware or AvidXchange takes the next; 0: any free ones."
        ),
    ] = 0,
) -> None:
    """Start simulated vendors on this machine and write the secrets that lead to them; Ctrl-C ends it.

    They are full of suppliers, orders and invoices, some of them wrong, and begin from scratch with each start.

    Example: ml-connector sandbox --secrets ./sandbox-secrets
    """
    from ml_connector.embedded.secrets import TENANT
    from ml_connector.errors import Misconfigured

    from ..local.simulated_vendors import Occupied, make_room, standing, write_secrets

    books = _books(system, platform)
    name = tenant or books.tenant
    if not TENANT.fullmatch(name):
        raise Misconfigured(
            f"{name!r} cannot be the name of a tenant: lower-case letters, digits and hyphens, 41 at most, and a "
            "letter or digit first."
        )
    try:
        warnings = make_room(secrets, name, books)
    except Occupied as error:
        raise Misconfigured(str(error)) from None
    with standing(books, port) as urls:
        write_secrets(secrets, name, books, urls)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        for line in (*(f"! {warning}" for warning in warnings), *_said(books, urls, secrets, name, port)):
            terminal.line(line)
        stop.wait()
    terminal.line("The simulated vendors have ended, and what they held is gone.")


def _books(system: str, platform: str) -> Books:
    """Fill an ERP and its platform. Raises `Misconfigured` where they are not simulated together."""
    from ml_connector.errors import Misconfigured

    from ..local.simulated_vendors import KINDS
    from .suggest import suggest

    erps, platforms = dict.fromkeys(erp for erp, _ in KINDS), [ap for erp, ap in KINDS if erp == system]
    if system not in erps:
        raise Misconfigured(f"There is no simulated ERP '{system}'; {suggest(system, erps)}")
    if platform not in platforms:
        raise Misconfigured(f"{system} is not simulated with '{platform}'; {suggest(platform, platforms)}")
    return KINDS[system, platform]()


def _said(books: Books, urls: dict[str, str], secrets: Path, tenant: str, port: int) -> Iterator[str]:
    where = f"--secrets {shlex.quote(str(secrets))}"
    yield f"{books.title} is simulated at {urls[books.system]}"
    yield f"{books.platform_title} is simulated at {urls[books.platform_system]}"
    yield f"The secrets of the tenant {tenant} are in {secrets / tenant}."
    if port and (secrets / ".state").exists():
        yield (
            f"The vendors begin from scratch, but {secrets / '.state'} remembers what was delivered to these addresses "
            "before: delete that folder to begin from scratch too."
        )
    yield ""
    yield "Now in another terminal:"
    yield f"  ml-connector ping {where}"
    yield f"  ml-connector local run {where} --dry-run"
    yield f"  ml-connector local run {where} --report report.html"
    yield f"  ml-connector held {where}"
    if books.target:
        yield f"  ml-connector mappings set {tenant} account 6999 {books.target} {where}"
        yield f"  ml-connector local run {where}"
    yield ""
    yield "Ctrl-C ends it."

"""`local run` and `local serve`: the whole product on this machine."""

from __future__ import annotations

import math
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from . import advice, completion, options, terminal
from .summary import conclude

if TYPE_CHECKING:
    from ..local.runner import Runner
    from ..local.selection import Selection

__all__ = ["conclude", "local_app"]

local_app = typer.Typer(no_args_is_help=True, help="The whole product on this machine, against the systems you name.")

SecretsDir = Annotated[
    Path,
    typer.Option(
        "--secrets",
        metavar="DIR",
        envvar=options.SECRETS_VARIABLE,
        callback=options.noted,
        help="Folder with TENANT/SYSTEM.json (and TENANT/settings.json).",
    ),
]
StateDir = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", callback=options.noted, help="Where the state is kept; default DIR/.state."),
]


@local_app.command("run")
def run(
    secrets: SecretsDir,
    state: StateDir = None,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="NAME", autocompletion=completion.tenants, help="Only this tenant."),
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option(
            "--flow",
            metavar="NAME",
            autocompletion=completion.flows,
            help="Only this flow, such as invoices or sap_b1-basware/invoices.",
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report here (.json or .html).")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Stop after this long; what is left stays pending.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, map and report; write nothing anywhere.")] = False,
    engine: Annotated[Literal["embedded", "ministack"], typer.Option(help="Where the functions run.")] = "embedded",
) -> None:
    """Run every flow once and work until nothing is due.

    With --tenant or --flow, only that: what is open of other tenants and flows stays as it is.

    Example: ml-connector local run --secrets ./secrets --report report.html
    """
    from ..local.report import unwritable

    _check_folder(secrets)
    if report is not None and (why := unwritable(report)):
        _leave(why, 2)
    if max_seconds is not None and not (math.isfinite(max_seconds) and max_seconds > 0):
        _leave(f"--max-seconds is {max_seconds:g}; give a number of seconds above 0, or leave it out.", 2)
    if engine == "ministack":
        given = {"--tenant": tenant, "--flow": flow, "--dry-run": dry_run or None}
        if wrong := [option for option, value in given.items() if value is not None]:
            _leave(
                f"{' and '.join(wrong)} cannot be given with --engine ministack, which runs every flow of every "
                "tenant and writes to their systems. Leave --engine out.",
                2,
            )
        from ..local.stack_run import run_on_stack

        say = lambda line: terminal.line(line, err=True)  # noqa: E731
        raise typer.Exit(run_on_stack(secrets, state, report, max_seconds, say))
    from ..local.selection import Selection

    raise typer.Exit(_embedded(secrets, state, report, max_seconds, dry_run, Selection(tenant, flow)))


def _embedded(
    secrets: Path,
    state: Path | None,
    report: Path | None,
    max_seconds: float | None,
    dry_run: bool,
    selection: Selection,
) -> int:
    from ml_connector.errors import Misconfigured

    from ..local import worker_threads
    from ..local.progress import Progress
    from ..local.runner import Runner
    from ..local.state import locked_state

    try:
        with locked_state(secrets, state) as opened:
            _log_to(opened.folder)
            runner = Runner(opened, dry_run=dry_run, selection=selection)
            _stop_on_signal(runner)
            runner.once(max_seconds, Progress(terminal.ready, live=sys.stderr.isatty()))
            outcome = runner.outcome()
            outcome.where = advice.place()
            code = conclude(outcome, report)
            if runner.left_behind:
                worker_threads.leave(code)  # before the lock is given back: a thread may still write
    except Misconfigured as error:
        _leave(str(error), 2)
    return code


def _log_to(folder: Path) -> None:
    """Keep what only a developer wants to read beside the state, and off the screen."""
    import logging

    from ml_connector.embedded import private

    from ..local.plain import PlainFormatter

    logging.raiseExceptions = False  # a log that cannot be written must not fill the screen with tracebacks
    path = folder / "ml-connector.log"
    private.file(path)
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _stop_on_signal(runner: Runner) -> None:
    def stop(_number: int, _frame: Any) -> None:
        runner.cut = True
        runner.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _check_folder(secrets: Path) -> None:
    from ml_connector.embedded.disk import told

    with told(secrets, "read"):
        there = secrets.is_dir()
    if not there:
        what = "is not a folder; name one" if secrets.exists() else "does not exist; make it as a folder"
        _leave(f"{secrets} {what}, with TENANT/SYSTEM.json for each system.", 2)


def _leave(message: str, code: int) -> None:
    terminal.lines(advice.pasteable(message), err=True)
    raise typer.Exit(code)


@local_app.command("serve")
def serve(
    secrets: SecretsDir,
    state: StateDir = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The webhook's port on this machine; 0 takes any free one.")
    ] = 8080,
) -> None:
    """Stay running: schedules fire and webhooks are received at /webhooks/basware/TENANT.

    Example: ml-connector local serve --secrets ./secrets --port 8080
    """
    from ml_connector.errors import Misconfigured

    from ..local import worker_threads
    from ..local.serve import Server
    from ..local.state import locked_state

    _check_folder(secrets)
    try:
        with locked_state(secrets, state) as opened:
            _log_to(opened.folder)
            server = Server(opened, port)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: server.stop())
            terminal.line(f"Listening on http://127.0.0.1:{server.port}/webhooks/basware/TENANT")
            if not server.run():
                worker_threads.leave(0)
    except Misconfigured as error:
        _leave(str(error), 2)

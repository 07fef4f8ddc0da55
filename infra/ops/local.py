"""`local run` and `local serve`: the whole product on this machine."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from infra.local.report import Outcome
    from infra.local.runner import Runner

local_app = typer.Typer(no_args_is_help=True, help="The whole product on this machine, against the systems you name.")

SecretsDir = Annotated[
    Path, typer.Option("--secrets", help="Folder with TENANT/SYSTEM.json (and TENANT/settings.json).")
]


@local_app.command("run")
def run(
    secrets: SecretsDir,
    state: Annotated[Path | None, typer.Option(help="Where the state is kept; default DIR/.state.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report here (.json or .html).")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Stop after this long; what is left stays pending.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, map and report; write nothing anywhere.")] = False,
    engine: Annotated[Literal["embedded", "ministack"], typer.Option(help="Where the functions run.")] = "embedded",
) -> None:
    """Run every flow once and work until nothing is due.

    Example: ml-connector local run --secrets ./secrets --report report.html
    """
    if not secrets.is_dir():
        _leave(f"The folder {secrets} does not exist; make it, with TENANT/SYSTEM.json for each system.", 2)
    if engine == "ministack":
        from infra.local.stack_run import run_on_stack

        raise typer.Exit(run_on_stack(secrets, state, report, max_seconds))
    raise typer.Exit(_embedded(secrets, state, report, max_seconds, dry_run))


def _embedded(secrets: Path, state: Path | None, report: Path | None, max_seconds: float | None, dry_run: bool) -> int:
    from infra.local.runner import Runner
    from infra.local.state import locked_state
    from ml_connector.errors import Misconfigured

    try:
        with locked_state(secrets, state) as opened:
            _log_to(opened.folder)
            runner = Runner(opened, dry_run=dry_run)
            _stop_on_signal(runner)
            runner.once(max_seconds, _progress if sys.stderr.isatty() else None)
            outcome = runner.outcome()
    except Misconfigured as error:
        _leave(str(error), 2)
    return conclude(outcome, report)


def conclude(outcome: Outcome, report: Path | None) -> int:
    """Write the report, print what a person wants to know first, and give the exit code."""
    from infra.local import report as reports

    made = reports.report(outcome)
    if report is not None:
        reports.save(made, report)
    _show(made, outcome)
    return reports.exit_code(outcome, made)


def _log_to(folder: Path) -> None:
    """Keep what only a developer wants to read beside the state, and off the screen."""
    import logging

    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(filename=folder / "ml-connector.log", level=logging.WARNING, format=form)


def _stop_on_signal(runner: Runner) -> None:
    def stop(_number: int, _frame: Any) -> None:
        runner.cut = True
        runner.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _progress(runner: Runner) -> None:
    from ml_connector.engine.balance import totals

    sums = totals(runner.sheets().values())
    line = ", ".join(f"{count} {place}" for place, count in sums.items() if count or place == "read")
    typer.echo(f"\r\x1b[K{line}", err=True, nl=False)


def _show(made: dict[str, Any], outcome: Outcome) -> None:
    """Print what a person wants to know first."""
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", err=True, nl=False)
    for tenant in outcome.tenants:
        if tenant.problem and not tenant.faults:
            typer.echo(f"✗ {tenant.problem}")
    for tenant, integrations in made["tenants"].items():
        for integration, flows in integrations.items():
            typer.echo(f"{tenant}  {integration}")
            for name, row in flows.items():
                parts = [f"{row[p]} {p}" for p in row if p not in {"error", "amounts", "read"} and row[p]]
                typer.echo(f"  {name:<16} {row['read']:>6} read   {', '.join(parts)}")
                if row["error"]:
                    typer.echo(f"    ✗ {row['error']}")
    for line in made["held"]:
        amount = f" ({line['amount']} {line['currency']})" if line["amount"] else ""
        typer.echo(f"held  {line['flow']} {line.get('number') or line['key']}{amount}: {line['reason']}")
    if not made["tenants"]:
        typer.echo("Nothing to run: no tenant has both secrets of an integration (TENANT/sap_b1.json and "
                   "TENANT/basware.json).")  # fmt: skip
        return
    verdict = "balanced" if made["balanced"] else "NOT BALANCED"
    typer.echo(f"{verdict} after {made['elapsed_seconds']} s" + (", cut short" if outcome.cut else ""))


def _leave(message: str, code: int) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(code)


@local_app.command("serve")
def serve(
    secrets: SecretsDir,
    state: Annotated[Path | None, typer.Option(help="Where the state is kept; default DIR/.state.")] = None,
    port: Annotated[int, typer.Option(help="The webhook's port on this machine; 0 takes any free one.")] = 8080,
) -> None:
    """Stay running: schedules fire and webhooks are received at /webhooks/basware/TENANT.

    Example: ml-connector local serve --secrets ./secrets --port 8080
    """
    from infra.local.serve import Server
    from infra.local.state import locked_state
    from ml_connector.errors import Misconfigured

    if not secrets.is_dir():
        _leave(f"The folder {secrets} does not exist; make it, with TENANT/SYSTEM.json for each system.", 2)
    try:
        with locked_state(secrets, state) as opened:
            _log_to(opened.folder)
            server = Server(opened, port)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: server.stop())
            typer.echo(f"Listening on http://127.0.0.1:{server.port}/webhooks/basware/TENANT")
            server.run()
    except Misconfigured as error:
        _leave(str(error), 2)

"""`demo`: see it work, in a few minutes, without any system of your own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    report: Annotated[Path, typer.Option(help="Where the report is written (.html or .json).")] = Path("report.html"),
) -> None:
    """Start simulated vendors and the real template on this machine, run a tenant for each ERP, and prove the balance.

    Example: ml-connector demo --report report.html
    """
    from infra.local import demo as story
    from infra.ops.local import conclude

    outcome, faults = story.play(_tell)
    _tell("")
    code = conclude(outcome, report)
    for fault in faults:
        typer.echo(f"✗ {fault}")
    if not faults:
        typer.echo("✓ All vendors hold what they should: nothing is missing, nothing is there twice.")
    typer.echo(f"The report is in {report}.")
    raise typer.Exit(1 if faults else code)


def _tell(line: str) -> None:
    """Print a line; one that begins with a carriage return replaces the one before on a terminal."""
    live = sys.stdout.isatty()
    if line.startswith("\r"):
        if live:
            sys.stdout.write(f"\r\x1b[K{line[1:]}")
            sys.stdout.flush()
        return
    if live:
        sys.stdout.write("\r\x1b[K")
    typer.echo(line)

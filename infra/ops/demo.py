"""`demo`: see it work, in a few minutes, without any system of your own."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from . import terminal

EVERY = 20.0
"""Seconds between two lines about how far it is, where no terminal shows them."""


def demo(
    report: Annotated[Path, typer.Option(help="Where the report is written (.html or .json).")] = Path("report.html"),
) -> None:
    """Run a tenant for each ERP on simulated vendors and the real template, and reconcile what came of everything.

    Example: ml-connector demo --report report.html
    """
    from ml_connector.errors import Misconfigured

    from ..local import demo as story
    from ..local.report import unwritable
    from .summary import conclude

    if why := unwritable(report):
        raise Misconfigured(why)
    tell = Teller()
    outcome, faults = story.play(tell)
    tell("")
    code = conclude(outcome, report, tables=False)
    for fault in faults:
        terminal.line(f"✗ {fault}")
    if not faults:
        terminal.line("✓ All vendors hold what they should: nothing is missing, nothing is there twice.")
    terminal.line(f"The report is in {report}.")
    raise typer.Exit(1 if faults else code)


class Teller:
    """Prints lines. One that begins with a carriage return tells how far it is: on a terminal it replaces the one
    before, elsewhere it is printed now and then.
    """

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._live, self._said = sys.stdout.isatty(), time.monotonic()

    def __call__(self, line: str) -> None:
        """Print a line."""
        passing, line = line.startswith("\r"), line.removeprefix("\r")
        if line.startswith("\n"):
            self(line[:0])
        if self._live:
            width = shutil.get_terminal_size().columns - 1  # a line that wraps could not be replaced
            terminal.replace(line[:width] if passing else line, nl=not passing, err=False)
        elif not passing or time.monotonic() - self._said > EVERY:
            terminal.line(f"  {line}" if passing else line)
            self._said = time.monotonic()

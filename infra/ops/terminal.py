"""The only place that writes to the terminal: what a document says is shown there, and never obeyed.

`infra/local/plain.py` tells what that is.
"""

from __future__ import annotations

import typer

from ..local import plain

WIPE = "\r\x1b[K"
"""Goes back to the beginning of the line and clears it."""


def line(text: str = "", *, err: bool = False, mark: str = "", colour: str | None = None) -> None:
    """Print one line; `mark` stands before it, in a colour."""
    before = f"  {typer.style(mark, fg=colour)} " if mark else ""
    typer.echo(before + plain.line(text), err=err)


def block(text: str, *, nl: bool = True) -> None:
    """Print several lines that were made by us: a table, JSON, a file."""
    typer.echo(plain.plain(text), nl=nl)


def lines(text: str, *, err: bool = False) -> None:
    """Print a message of ours that may have several lines.

    Those after the first are set in, so that none looks like a message of its own.
    """
    first, *more = text.splitlines() or [""]
    line(first, err=err)
    for one in more:
        typer.echo(f"  {plain.line(one.strip())}", err=err)


def ready(text: str) -> None:
    """Print what was made for a terminal already, to where errors go."""
    typer.echo(text, err=True, nl=False)


def replace(text: str, *, nl: bool, err: bool) -> None:
    """Put a line in the place of the one that stands there."""
    typer.echo(WIPE + plain.line(text), err=err, nl=nl)


def wipe() -> None:
    """Clear the line that tells how far a run is."""
    typer.echo(WIPE, err=True, nl=False)


def confirm(question: str) -> bool:
    """Ask; "no" by default."""
    return typer.confirm(plain.line(question), err=True)

"""The options that many commands share, and the question before a change."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from . import advice, completion, terminal


def noted(option: typer.CallbackParam, value: Any) -> Any:
    """Remember where a command works, for the commands that its texts suggest (`advice.py`)."""
    advice.note(str(option.name), value)
    return value


Secrets = Annotated[Path | None, typer.Option("--secrets", metavar="DIR", callback=noted, help="Work on a local state: the folder with TENANT/SYSTEM.json.")]  # fmt: skip # noqa: E501
State = Annotated[Path | None, typer.Option("--state", metavar="DIR", callback=noted, help="Where the local state is; default SECRETS/.state.")]  # fmt: skip # noqa: E501
Stack = Annotated[str | None, typer.Option("--stack", metavar="NAME", callback=noted, help="Work on a deployed stack, by its CloudFormation name.")]  # fmt: skip # noqa: E501
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does this, for the record; default: your user name.")]  # fmt: skip # noqa: E501
Integration = Annotated[str | None, typer.Option("--integration", metavar="NAME", autocompletion=completion.integrations, help="Which integration, such as sap_b1-basware; needed where a tenant has several.")]  # fmt: skip # noqa: E501
Tenant = Annotated[
    str | None, typer.Argument(metavar="[TENANT]", autocompletion=completion.tenants, help="One tenant; default: all.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most this many.")]


def who(by: str | None) -> str:
    """Name the person for the record: `--by`, else the user of the operating system."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def confirm(question: str, *, yes: bool) -> None:
    """Ask before a change or deletion; "no" ends the command with 1.

    Every command that changes or destroys something comes through here. Raises `Misconfigured` where nobody can be
    asked: what a script changes, it must say with `--yes`.
    """
    from ml_connector.errors import Misconfigured

    if yes:
        return
    if not sys.stdin.isatty():
        raise Misconfigured(
            f"Nothing was changed, since there is no terminal to ask on: {question} Add --yes to do it without a "
            "question."
        )
    if not terminal.confirm(question):
        terminal.line("Nothing was changed.", err=True)
        raise typer.Exit(1)

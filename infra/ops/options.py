"""The options that many commands share, and the question before a change."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from . import advice, completion, terminal

SECRETS_VARIABLE, STACK_VARIABLE = "ML_CONNECTOR_SECRETS", "ML_CONNECTOR_STACK"
"""Environment variables that stand for `--secrets` and `--stack` where neither is typed."""
ALTERNATIVES = {"secrets": "stack", "stack": "secrets"}


def noted(ctx: typer.Context, option: typer.CallbackParam, value: Any) -> Any:
    """Remember where a command works, for the commands that its texts suggest (`advice.py`).

    An option that is typed passes over the environment variable of the other: typed ones are processed first.
    """
    name = str(option.name)
    if name in ALTERNATIVES and _from(ctx, name) == "ENVIRONMENT" and _from(ctx, ALTERNATIVES[name]) == "COMMANDLINE":
        value = None
    advice.note(name, value)
    return value


def _from(ctx: typer.Context, name: str) -> str:
    """Tell where the value of an option comes from; empty where it was not looked for yet."""
    source = ctx.get_parameter_source(name)
    return source.name if source is not None else ""


Secrets = Annotated[
    Path | None,
    typer.Option(
        "--secrets",
        metavar="DIR",
        envvar=SECRETS_VARIABLE,
        callback=noted,
        help="Work on a local state: the folder with TENANT/SYSTEM.json.",
    ),
]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", callback=noted, help="Where the local state is; default SECRETS/.state."),
]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        envvar=STACK_VARIABLE,
        callback=noted,
        help="Work on a deployed stack, by its CloudFormation name.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal.")]
By = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who does this, for the record; default: your user name.")
]
Integration = Annotated[
    str | None,
    typer.Option(
        "--integration",
        metavar="NAME",
        autocompletion=completion.integrations,
        help="Which integration, such as sap_b1-basware; needed where a tenant has several.",
    ),
]
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

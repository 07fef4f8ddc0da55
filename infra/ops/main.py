"""The `ml-connector` command line. Exit codes: 0 done, 1 failed or found trouble, 2 wrong use or secret."""

from __future__ import annotations

import errno
import logging
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ml_connector.errors import ConnectorError, Misconfigured

from . import (
    advice,
    audit,
    confirm_deactivation,
    dlq,
    documents,
    endpoint,
    held,
    mappings,
    ping,
    purge,
    replay,
    resolve,
    runs,
    tenants,
    terminal,
    version,
)
from .local import local_app

RENAMED = {"deliveries": "documents", "approve": "confirm-deactivation"}
"""Commands that had another name."""


class Group(TyperGroup):
    """Says every expected error in a sentence; a traceback is left for faults of ours."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that was named; of one that was renamed, say its name of today."""
        if (now := RENAMED.get(args[0])) is not None:
            ctx.fail(f"No such command '{args[0]}': it was renamed to '{now}'.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        with advice.command():
            try:
                return super().invoke(ctx)
            except ConnectorError as error:
                terminal.lines(advice.pasteable(str(error)), err=True)
                raise typer.Exit(2 if isinstance(error, Misconfigured) else 1) from error
            except typer.BadParameter as error:
                error.message = plain(error.message)
                raise
            except OSError as error:
                if error.errno == errno.EPIPE or error.filename is None:
                    raise  # whoever read our output has gone; or it is about no file
                terminal.line(f"{error.filename} cannot be used: {error.strerror}.", err=True)
                raise typer.Exit(1) from error


def plain(message: str) -> str:
    """Say what is wrong with a value without the words of the library that checks it."""
    message = message.removeprefix("Value error, ").replace("Input should be", "it must be")
    return message.split(", unable to parse")[0]


logging.getLogger("ml_connector").addHandler(logging.NullHandler())  # what a person is to read is printed

# No markup in help texts, where brackets mean "optional"; no frames around errors; no values in tracebacks.
app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        terminal.line(f"ml-connector {version.version()}")
        raise typer.Exit


@app.callback()
def _root(
    _version_wanted: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version, in a checkout with its commit."
        ),
    ] = False,
) -> None:
    """Join an ERP to an accounts-payable platform, and see what moved.

    Commands take --secrets DIR (a local state) or --stack NAME (a deployed stack). To try it without any system of
    your own: `demo`, or by hand `sandbox`.
    """


app.command("ping")(ping.ping)
app.command("tenants")(tenants.tenants)
app.command("runs")(runs.runs)
app.command("documents")(documents.documents)
app.command("held")(held.held)
app.command("audit")(audit.audit)
app.command("replay")(replay.replay)
app.command("resolve")(resolve.resolve)
app.command("purge")(purge.purge)
app.command("confirm-deactivation")(confirm_deactivation.confirm_deactivation)
app.add_typer(mappings.app, name="mappings")
app.add_typer(dlq.app, name="dlq")
app.add_typer(endpoint.app, name="endpoint")
app.add_typer(local_app, name="local")


def _register(name: str) -> None:
    """Add a command that a bare installation, without the simulated vendors, does not have."""
    try:
        command = getattr(import_module(f".{name}", __package__), name)
    except ModuleNotFoundError:
        return
    app.command(name)(command)


_register("sandbox")
_register("demo")


def main() -> None:
    """Run the command line; the console script `ml-connector`."""
    app()


if __name__ == "__main__":
    main()

"""`mappings`: which code of the platform is which of the ERP."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion, options, table, terminal

if TYPE_CHECKING:
    from .mapping_table import MappingTable

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Which code of Basware (CODE) is which of the ERP (TARGET). "
    "KIND is account, cost_center, supplier, term, tax, company, branch or currency.",
)

TenantName = Annotated[str, typer.Argument(metavar="TENANT", autocompletion=completion.tenants, help="The tenant.")]
Kind = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        autocompletion=completion.kinds,
        help="account, cost_center, supplier, term, tax, company, branch or currency.",
    ),
]
AnyKind = Annotated[
    str | None, typer.Argument(metavar="[KIND]", autocompletion=completion.kinds, help="Only this kind; default: all.")
]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Basware's code.")]
Target = Annotated[str, typer.Argument(metavar="TARGET", help="The ERP's code.")]
File = Annotated[
    Path | None, typer.Option("--file", "-f", metavar="FILE", help="A CSV file; default: standard input or output.")
]
Force = Annotated[bool, typer.Option("--force", help="Also a TARGET that the ERP does not have as far as it was read.")]
COLUMNS = ("integration", "kind", "code", "target", "origin", "by", "at")
MOST = 20
"""Doubtful targets that are named."""
CHANGES = ("at", "integration", "kind", "code", "before", "after", "by")


def _codebook(
    tenant: str, kind: str | None, secrets: Path | None, state: Path | None, stack: str | None
) -> MappingTable:
    from .mapping_table import MappingTable, check_kind
    from .workspace import open_workspace

    if kind is not None:
        check_kind(kind)
    return MappingTable(open_workspace(secrets, state, stack), tenant)


@app.command("list")
def list_(
    tenant: TenantName,
    kind: AnyKind = None,
    integration: options.Integration = None,
    history: Annotated[bool, typer.Option("--history", help="Every change: who, when, before and after.")] = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """List mappings: those that people made, and (origin sync) those that delivered master records provide.

    With --history every change is listed, also of mappings that are gone, the latest first.

    Example: ml-connector mappings list acme account --history --secrets ./secrets
    """
    book = _codebook(tenant, kind, secrets, state, stack)
    if history:
        changes = book.history(kind, integration)
        lines = changes if as_json else [{**r, "at": table.moment(r["at"])} for r in changes]
        table.show(lines, CHANGES, as_json=as_json, empty="No mapping was changed yet.")
        return
    rows = book.rows(kind, integration)
    shown = rows if as_json else [{**r, "at": table.moment(r["at"])} for r in rows]
    table.show(shown, COLUMNS, as_json=as_json, empty="There is no mapping yet; what has none waits in `held`.")


@app.command("set")
def set_(
    tenant: TenantName,
    kind: Kind,
    code: Code,
    target: Target,
    integration: options.Integration = None,
    force: Force = False,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Map a code of Basware to one of the ERP; what waits for it resumes with the next run.

    Accounts, cost centers and suppliers are compared with what the ERP was read to have: a TARGET that it has not is
    refused, with the nearest ones, unless --force is given.

    Example: ml-connector mappings set acme account 6100 _SYS00000000123 --secrets ./secrets
    """
    from .mapping_table import check_code

    check_code("CODE", code)
    check_code("TARGET", target)
    book = _codebook(tenant, kind, secrets, state, stack)
    where = book.integration(integration)
    before = book.get(where, kind, code)
    _check_targets([book.doubtful(where, kind, target)], force=force, yes=yes)
    if before is not None and before.target != target:
        options.confirm(f"Change the mapped {kind} {code} -> {before.target} of {tenant} to {target}?", yes=yes)
    mapped = before is not None and before.target == target
    if not mapped:  # whoever mapped it first stays on record
        book.set(where, kind, code, target, options.who(by))
    released = book.release(where, {(kind, code, target)}, options.who(by))
    if as_json:
        table.dump({"integration": where, "kind": kind, "code": code, "target": target, "released": released})
    else:
        what = f"{kind} {code} -> {target} for {tenant} ({where})"
        said = f"Nothing was changed: {what} is mapped already." if mapped else f"Mapped {what}."
        terminal.line(f"{said} {goes_on(released)}")


@app.command()
def remove(
    tenant: TenantName,
    kind: Kind,
    code: Code,
    integration: options.Integration = None,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
) -> None:
    """Remove a mapping that a person made; what delivered master records provide counts again.

    Example: ml-connector mappings remove acme account 6100 --secrets ./secrets
    """
    from .workspace import NotThere

    book = _codebook(tenant, kind, secrets, state, stack)
    where = book.integration(integration)
    before = book.get(where, kind, code)
    if before is None:
        raise NotThere(
            f"Nobody mapped {kind} {code} of {tenant}; `ml-connector mappings list {tenant} {kind}` shows all."
        )
    options.confirm(f"Remove the mapped {kind} {code} -> {before.target} of {tenant}?", yes=yes)
    book.remove(where, kind, code, options.who(by))
    terminal.line(f"{tenant} ({where}): {kind} {code} is no longer mapped; it was {before.target}.")


@app.command("export")
def export(
    tenant: TenantName,
    kind: AnyKind = None,
    integration: options.Integration = None,
    file: File = None,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
) -> None:
    """Write mappings as CSV: `integration,kind,code,target,origin`.

    Example: ml-connector mappings export acme account --file accounts.csv --secrets ./secrets
    """
    from ml_connector.embedded.disk import told

    from .mapping_table import to_csv

    book = _codebook(tenant, kind, secrets, state, stack)
    text = to_csv(book.rows(kind, integration))
    if file is None:
        terminal.block(text, nl=False) if sys.stdout.isatty() else typer.echo(text, nl=False)
    else:
        with told(file):
            file.write_text(text, encoding="utf-8", newline="")
        terminal.line(f"Written to {file}.", err=True)


@app.command("import")
def import_(
    tenant: TenantName,
    kind: AnyKind = None,
    csv_file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The CSV file, as with --file.")] = None,
    integration: options.Integration = None,
    file: File = None,
    force: Force = False,
    by: options.By = None,
    yes: options.Yes = False,
    secrets: options.Secrets = None,
    state: options.State = None,
    stack: options.Stack = None,
    as_json: options.Json = False,
) -> None:
    """Read mappings from CSV as `export` writes it. Lines of origin sync are left out.

    Where any line is wrong, nothing is written.

    Example: ml-connector mappings import acme account --file accounts.csv --secrets ./secrets
    """
    from ml_connector.engine.ledger.mappings import KINDS

    from .mapping_table import read_csv

    if kind is not None and kind not in KINDS and (file or csv_file) is None and Path(kind).is_file():
        file, kind = Path(kind), None  # the kind was left out
    book = _codebook(tenant, kind, secrets, state, stack)
    entries, left_out = read_csv(book, file or csv_file, kind, integration)
    doubts = [(e, book.doubtful(e[0], e[1], e[3])) for e in entries]
    _check_targets([f"{k} {code} -> {to}: {why}" for (_, k, code, to), why in doubts if why], force=force, yes=yes)
    count = table.counted(len(entries), "mapping")
    options.confirm(f"Write {count} of {tenant}?", yes=yes)
    for where, its_kind, code, target in entries:
        before = book.get(where, its_kind, code)
        if before is None or before.target != target:
            book.set(where, its_kind, code, target, options.who(by))
    names = {e[0] for e in entries}
    released = sum(book.release(w, {e[1:] for e in entries if e[0] == w}, options.who(by)) for w in names)
    if as_json:
        table.dump({"imported": len(entries), "left_out": left_out, "released": released})
    else:
        skipped = f", {left_out} of origin sync left out" if left_out else ""
        terminal.line(f"{tenant}: {count} written{skipped}. {goes_on(released)}")


def _check_targets(whys: Sequence[str | None], *, force: bool, yes: bool) -> None:
    """Ask about targets that are probably none; raises `Misconfigured` where nobody can be asked."""
    from ml_connector.errors import Misconfigured

    doubts = [why for why in whys if why]
    if force or not doubts:
        return
    listed = "\n".join([*doubts[:MOST], *([f"and {len(doubts) - MOST} more"] if len(doubts) > MOST else [])])
    if yes or not sys.stdin.isatty():
        raise Misconfigured(
            f"Nothing was written. {listed} Correct TARGET, or add --force if the ERP has it all the same."
        )
    options.confirm(f"{listed} Map it all the same?", yes=False)


def goes_on(released: int) -> str:
    """Say what a change set free."""
    if not released:
        return "Nothing was on hold for it."
    return f"{table.counted(released, 'record')} on hold will be retried in the next run."

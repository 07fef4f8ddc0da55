"""What a run came to, on a terminal: figures, what could not run, what waits for somebody, the verdict."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from infra.local.report import Outcome

MOST = 30
"""Lines of held, rejected and dead records that are printed of each; the report has them all."""
NO_COUNTS = frozenset({"error", "amounts", "read", "would_send"})
FURTHER = {
    "held": "ml-connector held",
    "rejected": "ml-connector deliveries --outcome rejected",
    "dead": "ml-connector dlq list",
}


def conclude(outcome: Outcome, report: Path | None) -> int:
    """Write the report, print what a person wants to know first, and give the exit code."""
    from infra.local import report as reports

    made = reports.report(outcome)
    if report is not None:
        reports.save(made, report, outcome)
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", err=True, nl=False)
    for line in _lines(made, outcome):
        typer.echo(line)
    return reports.exit_code(outcome, made)


def _lines(made: dict[str, Any], outcome: Outcome) -> Iterator[str]:
    if outcome.dry_run:
        yield "Dry run: nothing is written to either system; what would be sent is pending."
    for tenant in outcome.tenants:
        if tenant.problem and not tenant.faults:
            yield f"✗ {tenant.problem}"
    for name in made["tenants"]:
        yield from _tenant(made, name)
    for kind in FURTHER:
        yield from _listed(kind, made[kind], outcome)
    if made["tenants"]:
        yield _verdict(made, outcome)
    else:
        yield "Nothing to run: no tenant has both secrets of a pair, as TENANT/sap_b1.json and TENANT/basware.json are."


def _tenant(made: dict[str, Any], name: str) -> Iterator[str]:
    from infra.local import report as reports

    for integration, flows in made["tenants"][name].items():
        yield f"{name}  {integration}"
        for flow, row in flows.items():
            yield f"  {flow:<16} {row['read']:>6} read   {_became(row)}".rstrip()
    every = len(list(reports.flows_of(made, name)))
    for error, stopped in reports.errors(made, name):
        which = "all flows" if len(stopped) == every else ", ".join(stopped)
        yield f"  ✗ could not run: {error} ({which})"


def _became(row: dict[str, Any]) -> str:
    parts = [f"{row[p]} {p}" for p in row if p not in NO_COUNTS and row[p]]
    if row["error"]:
        parts.append("could not run")
    return ", ".join(parts)


def _listed(kind: str, lines: list[dict[str, Any]], outcome: Outcome) -> Iterator[str]:
    from infra.ops import advice

    for line in lines[:MOST]:
        known = outcome.rejections.get((line["tenant"], line["integration"], line["flow"], line["key"]))
        number = (known and known.number) or line.get("number") or line["key"]
        amount, currency = line.get("amount") or (known and known.amount), line.get("currency")
        money = f" ({amount} {currency or (known and known.currency)})" if amount else ""
        whose = f"{line['tenant']} " if len(outcome.tenants) > 1 else ""
        yield f"{kind}  {whose}{line['flow']} {number}{money}: {line.get('reason') or line.get('cause') or ''}"
    if len(lines) > MOST:
        more = f"and {len(lines) - MOST} more {kind}: `{FURTHER[kind]}`"
        yield advice.pasteable(more, outcome.where) + " lists them all"


def _verdict(made: dict[str, Any], outcome: Outcome) -> str:
    from infra.local import report as reports

    colour, sentence = reports.verdict(made)
    said = "balanced" if colour == "good" else sentence.rstrip(".")
    return f"{said} after {made['elapsed_seconds']} s" + (", cut short" if outcome.cut else "")

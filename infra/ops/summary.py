"""What a run came to, on a terminal: figures, what could not run, what waits for somebody, the verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import terminal

if TYPE_CHECKING:
    from ..local.report import Outcome

MOST = 30
"""Lines of held, rejected and failed records that are printed of each; the report has them all."""
NO_COUNTS = frozenset({"error", "amounts", "read", "would_send"})
QUEUED = frozenset({"queued", "under way"})
"""States of what a run that was cut short has not come to: the figures say how much that is."""
FURTHER = {
    "held": "ml-connector held",
    "rejected": "ml-connector documents --outcome rejected",
    "failed": "ml-connector dlq list",
    "open": "ml-connector held",
}


def conclude(outcome: Outcome, report: Path | None, *, tables: bool = True) -> int:
    """Write the report, print what a person wants to know first, and give the exit code.

    `tables`: also the figures of each flow.
    """
    from ..local import report as reports

    made = reports.report(outcome)
    kept = report is None or _saved(made, report, outcome)
    if sys.stderr.isatty():
        terminal.wipe()
    for line in _lines(made, outcome, tables):
        terminal.line(line)
    if not kept:
        terminal.block(json.dumps(made, indent=2, ensure_ascii=False))
    return max(reports.exit_code(outcome, made), 0 if kept else 1)


def _saved(made: dict[str, Any], path: Path, outcome: Outcome) -> bool:
    """Write the report; where that fails after all, say so: it is printed then, and not lost."""
    from ..local import page

    try:
        page.save(made, path, outcome)
    except OSError as error:
        terminal.line(
            f"! The report cannot be written to {path}: {error.strerror}. It is printed below, as JSON.", err=True
        )
        return False
    return True


def figures(outcome: Outcome) -> Iterator[str]:
    """Say what a run came to, flow by flow."""
    from ..local import report as reports

    made = reports.report(outcome)
    for name in made["tenants"]:
        yield from _tenant(made, name)


def _lines(made: dict[str, Any], outcome: Outcome, tables: bool) -> Iterator[str]:
    from ..local import report as reports
    from . import advice

    if outcome.dry_run:
        yield "Dry run: nothing is written to either system; what would be sent is pending."
    for tenant in outcome.tenants:
        if tenant.options.shadow and tenant.pairs and not outcome.dry_run:
            yield f"{tenant.name} is in shadow: nothing is written to either system; what would be sent is pending."
        if tenant.problem and not tenant.faults:
            yield f"✗ {advice.pasteable(tenant.problem, outcome.where)}"
    for name in made["tenants"] if tables else ():
        yield from _tenant(made, name)
    for kind in FURTHER:
        yield from _listed(kind, made, outcome)
    for remark in reports.remarks(made, outcome):
        yield f"! {remark}" if remark not in outcome.notes else remark
    for why in reports.standing(outcome):
        yield f"! {why}"
    yield _verdict(made, outcome)


def _tenant(made: dict[str, Any], name: str) -> Iterator[str]:
    from ..local import report as reports

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


def _listed(kind: str, made: dict[str, Any], outcome: Outcome) -> Iterator[str]:
    from ..local import report as reports
    from ..local.causes import grouped
    from . import advice

    lines = grouped(kind, [line for line in made[kind] if line.get("state") not in QUEUED])
    for line in lines[:MOST]:
        what = f"{line['flow']} {reports.short(line.get('number') or line['key'])}"
        if "count" in line:
            what = f"{line['count']:,} records ({line['flow']}): {line['label']}"
        amount = f"{line['amount']} {line['currency']}" if line.get("amount") else line.get("money")
        money = f" ({amount})" if amount else ""
        whose = f"{line['tenant']} " if len(outcome.tenants) > 1 else ""
        yield f"{kind}  {whose}{what}{money}: {reports.said_of(line, made)}"
    if len(lines) > MOST:
        more = f"and {sum(line.get('count', 1) for line in lines[MOST:])} more {kind}: `{FURTHER[kind]}`"
        yield advice.pasteable(more, outcome.where) + " lists them all"


def _verdict(made: dict[str, Any], outcome: Outcome) -> str:
    from ..local import report as reports

    colour, sentence = reports.verdict(made)
    said = "reconciled" if colour == "good" else sentence.rstrip(".")
    if not made["tenants"]:
        return said
    return f"{said} after {made['elapsed_seconds']} s" + (", cut short" if outcome.cut else "")

"""The report of a run, as data; `page.py` makes it a page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ml_connector.embedded import private
from ml_connector.engine.endpoints import Earlier
from ml_connector.engine.ledger.control_totals import PLACES, FlowTotals, money, total
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.integrations import INTEGRATIONS
from ml_connector.tenant import Tenant

from ..ops import advice
from .rejections import Named, Rejection
from .selection import EVERYTHING, Selection
from .standstill import standstill

LONGEST = 40
"""Characters of a document's number that people are shown."""


@dataclass
class Outcome:
    """What a run came to: sheets by (tenant, integration, flow), and whether it was cut short.

    `where` are the options of the command line that lead to its state, for the commands that reasons suggest. `notes`:
    what a reader should know of the figures. `earlier`: what is known under endpoints that were left. `selection`: what
    the run was asked to move.
    """

    tenants: list[Tenant]
    sheets: dict[tuple[str, str, str], FlowTotals]
    seconds: float
    cut: bool = False
    dry_run: bool = False
    where: str = ""
    notes: tuple[str, ...] = ()
    earlier: list[tuple[TenantIntegration, Earlier]] = field(default_factory=list)
    rejections: dict[Named, Rejection] = field(default_factory=dict)
    selection: Selection = EVERYTHING
    ended: datetime = field(default_factory=lambda: datetime.now(UTC).astimezone())


def report(outcome: Outcome) -> dict[str, Any]:
    """Give the report of a run: see `docs/report.md` for its fields."""
    sheets, where = dict(outcome.sheets), outcome.where
    _explain_faults(outcome.tenants, sheets, outcome.selection)
    rows: dict[str, Any] = {}
    for (tenant, integration, flow), sheet in sheets.items():
        row = advice.row(sheet.as_row() | {"tenant": tenant}, where)
        rows.setdefault(tenant, {}).setdefault(integration, {})[flow] = {k: v for k, v in row.items() if k != "tenant"}
    return {
        "reconciled": all(s.reconciled for s in sheets.values()),
        "elapsed_seconds": round(outcome.seconds, 1),
        "tenants": rows,
        "held": _lines(sheets, "held", where),
        "rejected": [_named(line, outcome.rejections) for line in _lines(sheets, "rejected", where)],
        "failed": _lines(sheets, "failed", where),
        "open": _lines(sheets, "open", where),
        "rounding_differences": _rounding(_lines(sheets, "rounding", where)),
        "earlier_endpoints": [_earlier(pair, one, where) for pair, one in outcome.earlier],
    }


def _rounding(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Sort the documents of which an ERP holds another total than was approved by currency, with their sum."""
    found: dict[str, Any] = {}
    for line in sorted(lines, key=lambda one: str(one["currency"])):
        one = found.setdefault(str(line["currency"]), {"total": Decimal(0), "documents": []})
        one["total"] = total((one["total"], Decimal(line["difference"])))
        one["documents"].append({name: value for name, value in line.items() if name != "currency"})
    return {currency: {**one, "total": money(one["total"], currency)} for currency, one in found.items()}


def _earlier(pair: TenantIntegration, one: Earlier, where: str) -> dict[str, Any]:
    return {
        "tenant": pair.tenant,
        "integration": pair.integration.name,
        "systems": list(one.changed),
        "documents": one.documents,
        "endpoint": one.systems,
        "reason": advice.pasteable(one.sentence(pair), where),
    }


def remarks(made: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """Say what a reader should know beside the figures."""
    return [*outcome.notes, *(one["reason"] for one in made["earlier_endpoints"])]


def _explain_faults(
    tenants: list[Tenant], sheets: dict[tuple[str, str, str], FlowTotals], selection: Selection
) -> None:
    """List every flow of an integration whose secrets cannot be used, with zeros and the reason."""
    for tenant in tenants:
        for name, fault in tenant.faults.items():
            integration = next(i for i in INTEGRATIONS if i.name == name)
            for flow in (one for one in integration.flows if selection.takes(integration, one)):
                sheet = sheets.setdefault((tenant.name, name, flow.name), FlowTotals(flow))
                sheet.error = fault


def _lines(sheets: dict[tuple[str, str, str], FlowTotals], name: str, where: str) -> list[dict[str, Any]]:
    return [
        advice.row({"tenant": tenant, "integration": integration, "flow": flow, **line}, where)
        for (tenant, integration, flow), sheet in sorted(sheets.items())
        for line in getattr(sheet, name)
    ]


def _named(line: dict[str, Any], rejections: Mapping[Named, Rejection]) -> dict[str, Any]:
    """Add number and amount of a rejected document, as far as they are known."""
    names = ("tenant", "integration", "flow", "key")
    known = rejections.get((line["tenant"], line["integration"], line["flow"], line["key"]), Rejection())
    return {**{name: line[name] for name in names}, **asdict(known), "reason": line["reason"]}


def standing(outcome: Outcome) -> list[str]:
    """Say of each tenant that has nothing to run why that is, and what to do."""
    return [advice.pasteable(why, outcome.where) for why in standstill(outcome.tenants, outcome.selection)]


def exit_code(outcome: Outcome, made: dict[str, Any]) -> int:
    """Tell 2 for a secret that cannot be used, 1 for an error, an imbalance or a cut, 0 else."""
    if any(t.faults or t.problem for t in outcome.tenants):
        return 2
    return 1 if outcome.cut or not made["reconciled"] else 0


def unwritable(path: Path) -> str | None:
    """Say why a report could not be written to a path; asked before a run, so that its result has a place."""
    if path.is_dir():
        return f"--report {path} is a folder; name a file in it, such as {path / 'report.html'}."
    try:
        if path.exists():  # a file, or a pipe or terminal, whose folder is nobody's concern
            writable = os.access(path, os.W_OK)
            return None if writable else f"--report {path} cannot be written by this user; name another file."
        if not path.parent.is_dir():
            private.folder(path.parent)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        return f"--report {path} cannot be written: {why}. Name a file in a folder that this user may write to."
    return None


# ── what stands in words on the page and on the screen ───────────────────────────────────────────────────────


def flows_of(made: Mapping[str, Any], tenant: str | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give (tenant, flow, figures) of every flow of a report, or of one tenant's."""
    for name, integrations in made["tenants"].items():
        if tenant in {None, name}:
            for flows in integrations.values():
                yield from ((name, flow, row) for flow, row in flows.items())


def short(number: str) -> str:
    """Cut a number that is longer than any document's: there is one line for it."""
    return number if len(number) <= LONGEST else f"{number[:LONGEST]}…"


def said_of(line: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """Say why a record is in a list; of one that is not completed, how it stands, since when, and what comes next.

    What keeps a whole flow from running is said with the flow, and not again for each of its records.
    """
    reason = str(line.get("reason") or line.get("cause") or "")
    if not line.get("state"):
        return reason
    known = [error for error, _ in errors(made, line["tenant"])]
    if any(_same(error, reason) for error in known):
        reason = "see the error above."
    soon = f", next retry {advice.wall_time(line['next_retry'])}" if line.get("next_retry") else ""
    return f"{line['state']} since {advice.wall_time(line['since'])}{soon}: {reason}"


def adds_up(row: Mapping[str, Any]) -> bool:
    """Tell whether the figures of a flow agree, to the row and the cent."""
    more = row.get("rounding_differences", {})
    right = all(
        total((Decimal(s["read"]), Decimal(more.get(currency, 0)))) == total(Decimal(s[p]) for p in PLACES[1:])
        for currency, s in row.get("amounts", {}).items()
    )
    return bool(right and row["read"] == sum(row[p] for p in PLACES[1:]))


def errors(made: Mapping[str, Any], tenant: str) -> list[tuple[str, list[str]]]:
    """Give each distinct error of a tenant once, with the flows that it keeps from running.

    One system gives the same reason to each of its flows; what the door to it adds (until when work waits, what
    opens a login) makes no other error.
    """
    found: list[tuple[str, list[str]]] = []
    for _, flow, row in flows_of(made, tenant):
        if row["error"]:
            _sort_in(found, row["error"], flow)
    return found


def _sort_in(found: list[tuple[str, list[str]]], error: str, flow: str) -> None:
    for n, (known, flows) in enumerate(found):
        if _same(known, error):
            found[n] = (max(known, error, key=len), [*flows, flow])
            return
    found.append((error, [flow]))


def _same(one: str, other: str) -> bool:
    return _core(one).startswith(_core(other)) or _core(other).startswith(_core(one))


def _core(error: str) -> str:
    return error.partition(" Work waits until ")[0]


def verdict(made: Mapping[str, Any]) -> tuple[str, str]:
    """Say in words what a run came to: `good`, `warn` or `bad`, and a sentence."""
    if not any(True for _ in flows_of(made)):
        return "warn", "Nothing was run."
    stopped = sum(1 for _, _, row in flows_of(made) if row["error"])
    if not all(adds_up(row) for _, _, row in flows_of(made)):
        return (
            "bad",
            "NOT RECONCILED: what was read differs from what became of it. Please report this internal error.",
        )
    if stopped:
        flows = "1 flow" if stopped == 1 else f"{stopped} flows"
        return "warn", f"{flows} could not run. What was read is reconciled."
    return "good", "Everything reconciles."

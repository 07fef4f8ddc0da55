"""The report of a run, as data and as a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

from ml_connector.bootstrap import Tenant
from ml_connector.engine.balance import PLACES, Sheet
from ml_connector.integrations import INTEGRATIONS


@dataclass
class Outcome:
    """What a run came to: sheets by (tenant, integration, flow), and whether it was cut short."""

    tenants: list[Tenant]
    sheets: dict[tuple[str, str, str], Sheet]
    seconds: float
    cut: bool = False


def report(outcome: Outcome) -> dict[str, Any]:
    """Give the report of a run: see `docs/report.md` for its fields."""
    sheets = dict(outcome.sheets)
    _explain_faults(outcome.tenants, sheets)
    rows: dict[str, Any] = {}
    for (tenant, integration, flow), sheet in sheets.items():
        rows.setdefault(tenant, {}).setdefault(integration, {})[flow] = sheet.as_row()
    return {
        "balanced": all(s.balanced for s in sheets.values()),
        "elapsed_seconds": round(outcome.seconds, 1),
        "tenants": rows,
        **{name: _lines(sheets, name) for name in ("held", "rejected", "dead")},
    }


def _explain_faults(tenants: list[Tenant], sheets: dict[tuple[str, str, str], Sheet]) -> None:
    """List every flow of an integration whose secrets cannot be used, with zeros and the reason."""
    for tenant in tenants:
        for name, fault in tenant.faults.items():
            integration = next(i for i in INTEGRATIONS if i.name == name)
            for flow in integration.flows:
                sheet = sheets.setdefault((tenant.name, name, flow.name), Sheet(flow))
                sheet.error = fault


def _lines(sheets: dict[tuple[str, str, str], Sheet], name: str) -> list[dict[str, Any]]:
    return [
        {"tenant": tenant, "integration": integration, "flow": flow, **line}
        for (tenant, integration, flow), sheet in sorted(sheets.items())
        for line in getattr(sheet, name)
    ]


def exit_code(outcome: Outcome, made: dict[str, Any]) -> int:
    """Tell 2 for a secret that cannot be used, 1 for an error, an imbalance or a cut, 0 else."""
    if any(t.faults or t.problem for t in outcome.tenants):
        return 2
    return 1 if outcome.cut or not made["balanced"] else 0


def save(made: dict[str, Any], path: Path) -> None:
    """Write the report; `.html` makes a page, anything else JSON."""
    text = page(made) if path.suffix == ".html" else json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


_STYLE = """
:root{color-scheme:light dark;--ink:#1d2530;--dim:#66707d;--line:#d9dee5;--bad:#b3261e;--good:#1b7f4b;--warn:#9a6700;
--paper:#fff;--soft:#f5f7fa}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf0;--dim:#9aa5b1;--line:#333c47;--paper:#14181d;--soft:#1c2229;
--bad:#ff8a80;--good:#6fd6a0;--warn:#e3b341}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:2rem auto;max-width:70rem;
padding:0 1rem}h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:.35rem .6rem;text-align:right;
border-bottom:1px solid var(--line)}th{font-weight:600;color:var(--dim);background:var(--soft)}
th:first-child,td:first-child,.text{text-align:left}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
td.zero{color:var(--dim)}td{white-space:nowrap}td.why{text-align:left;white-space:normal;overflow-wrap:anywhere}.scroll{overflow-x:auto}
"""


def page(made: dict[str, Any]) -> str:
    """Make the report a page that a controller can read: one table for each tenant and integration."""
    verdict = ("good", "Everything balances.") if made["balanced"] else ("bad", "Something does not balance.")
    body = [
        "<h1>ml-connector: the balance of a run</h1>",
        f'<p class="{verdict[0]}"><strong>{verdict[1]}</strong> <span class="dim">{made["elapsed_seconds"]} s; '
        "read = delivered + unchanged + held + rejected + dead + pending</span></p>",
    ]
    for tenant, integrations in made["tenants"].items():
        for integration, flows in integrations.items():
            body += [f"<h2>{escape(tenant)} · {escape(integration)}</h2>", _figures(flows), _money(flows)]
    for name, title in (("held", "Held: waiting for somebody"), ("rejected", "Rejected"), ("dead", "Given up")):
        body += _list(title, made[name])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>ml-connector report</title><style>{_STYLE}</style><body>{''.join(body)}</body></html>\n"
    )


def _figures(flows: dict[str, Any]) -> str:
    head = "".join(f"<th>{p}</th>" for p in PLACES)
    rows = []
    for name, row in flows.items():
        cells = "".join(f'<td class="{"zero" if not row[p] else ""}">{row[p]:,}</td>' for p in PLACES)
        rows.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
        if row["error"]:
            rows.append(f'<tr><td class="bad text" colspan="{len(PLACES) + 1}">{escape(row["error"])}</td></tr>')
    return f'<div class="scroll"><table><tr><th>flow</th>{head}</tr>{"".join(rows)}</table></div>'


def _money(flows: dict[str, Any]) -> str:
    rows = [
        f"<tr><td>{escape(name)}, {escape(currency)}</td>"
        + "".join(f"<td>{Decimal(sums[p]):,}</td>" for p in PLACES)
        + "</tr>"
        for name, row in flows.items()
        for currency, sums in row.get("amounts", {}).items()
    ]
    head = "".join(f"<th>{p}</th>" for p in PLACES)
    return f'<div class="scroll"><table><tr><th>money</th>{head}</tr>{"".join(rows)}</table></div>' if rows else ""


def _list(title: str, lines: list[dict[str, Any]]) -> list[str]:
    if not lines:
        return []
    rows = "".join(
        f'<tr><td>{escape(line["tenant"])}</td><td class="text">{escape(line["flow"])}</td>'
        f'<td class="text">{escape(str(line.get("number") or line["key"]))}</td>'
        f"<td>{escape(str(line.get('amount') or ''))} {escape(str(line.get('currency') or ''))}</td>"
        f'<td class="why">{escape(str(line.get("reason") or line.get("cause") or ""))}</td></tr>'
        for line in lines
    )
    left = "".join(f'<th class="text">{name}</th>' for name in ("flow", "document"))
    head = f'<tr><th>tenant</th>{left}<th>amount</th><th class="text">why</th></tr>'
    return [f"<h2>{title} ({len(lines)})</h2>", f'<div class="scroll"><table>{head}{rows}</table></div>']

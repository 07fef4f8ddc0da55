"""The report as one page of HTML, for a controller: readable on a telephone, on paper and by a screen reader."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ml_connector.embedded import private
from ml_connector.engine.ledger.control_totals import PLACES, total

from .causes import grouped
from .plain import plain
from .report import Outcome, errors, remarks, said_of, short, standing, verdict

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2530;--dim:#5a6470;--line:#d9dee5;--bad:#b3261e;--good:#176f43;--warn:#855800;
--paper:#fff;--soft:#f5f7fa}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf0;--dim:#a3adb9;--line:#333c47;--paper:#14181d;--soft:#1c2229;
--bad:#ff8a80;--good:#6fd6a0;--warn:#e3b341}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:2rem auto;max-width:72rem;
padding:0 1rem}
h1{font-size:1.5rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0}
code{font-family:ui-monospace,monospace;font-size:.9em;background:var(--soft);padding:.05rem .25rem;border-radius:3px;
overflow-wrap:anywhere}
.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.mark{display:inline-block;border:1px solid var(--warn);color:var(--warn);border-radius:3px;padding:0 .4rem;
font-size:.85rem;font-weight:600}
.error{border-left:3px solid var(--bad);padding:.2rem .6rem;margin:.5rem 0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;margin:.5rem 0 1rem}
caption{text-align:left;color:var(--dim);padding:.2rem 0}
th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}
thead th{font-weight:600;color:var(--dim);background:var(--soft)}tbody th{font-weight:400}
th:first-child,td:first-child,.text{text-align:left}td.zero{color:var(--dim)}
td.why{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:16rem}
@media(max-width:46rem){body{margin:1rem auto}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,caption,tbody,tr,th,td{display:block;width:100%}
tr{border:1px solid var(--line);border-radius:6px;margin:0 0 .6rem;overflow:hidden}
tbody th{font-weight:600;background:var(--soft)}
td{display:flex;justify-content:space-between;gap:1rem;border-bottom:0;padding:.15rem .6rem;text-align:right;
white-space:normal;overflow-wrap:anywhere}
td::before{content:attr(data-label);color:var(--dim);flex:none}td.zero,td.empty{display:none}
td.why{display:block;min-width:0}td.why::before{display:block}}
@media print{body{max-width:none;margin:0}tr{break-inside:avoid}}
"""


def escape(text: str) -> str:
    """Write text into the page: neither markup nor marks of direction are obeyed."""
    return html.escape(plain(text))


def page(made: dict[str, Any], outcome: Outcome) -> str:
    """Make the page: one table for each tenant and integration, then who waits, what was refused and given up."""
    options = {tenant.name: tenant.options for tenant in outcome.tenants}
    body = list(_head(made, outcome))
    for tenant, integrations in made["tenants"].items():
        stopped = errors(made, tenant)
        for integration, flows in integrations.items():
            marks = [m for m in ("shadow", "paused") if tenant in options and getattr(options[tenant], m)]
            body += _pair(tenant, integration, flows, marks)
        body += [_error(error, flows) for error, flows in stopped]
    body += _list("Held: waiting for somebody", "held", made)
    body += _list("Rejected", "rejected", made)
    body += _list("Failed", "failed", made)
    body += _list("Not completed yet", "open", made)
    body += _rounding(made["rounding_differences"])
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>ml-connector report, {outcome.ended:%Y-%m-%d %H:%M}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


def _head(made: dict[str, Any], outcome: Outcome) -> Iterator[str]:
    colour, sentence = verdict(made)
    began = outcome.ended.astimezone()
    offset = f"{began:%z}"
    zone = f"{began:%Z} (UTC{offset[:3]}:{offset[3:5]})" if began.utcoffset() else "UTC"
    yield "<h1>ml-connector: the control totals of a run</h1>"
    yield f'<p class="{colour}"><strong>{escape(sentence)}</strong></p>'
    if outcome.dry_run:
        yield '<p><span class="mark">Dry run</span> Nothing was written; what would be sent is pending.</p>'
    if outcome.cut:
        yield '<p><span class="mark">Cut short</span> The run ended before its work did; the rest is pending.</p>'
    yield (
        f'<p class="dim">Ended <time datetime="{began.isoformat(timespec="seconds")}">'
        f"{began:%Y-%m-%d %H:%M:%S} {escape(zone)}</time> after {_seconds(made['elapsed_seconds'])}. "
        "read = delivered + unchanged + held + rejected + failed + pending</p>"
    )
    yield from (f"<p>{_prose(note)}</p>" for note in (*remarks(made, outcome), *standing(outcome)))


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds} s"


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────


def _pair(tenant: str, integration: str, flows: dict[str, Any], marks: Sequence[str]) -> Iterator[str]:
    said = "".join(f' <span class="mark">{mark}</span>' for mark in marks)
    name = f"{escape(tenant)} · {escape(integration)}"
    yield f"<h2>{name}{said}</h2>"
    columns = [*PLACES, *(["would send"] if any("would_send" in row for row in flows.values()) else [])]
    rows = [(_flow(flow, row), [_count(row, column) for column in columns]) for flow, row in flows.items()]
    yield _table("Records of each flow", "flow", columns, rows)
    sums = [
        (f"{escape(flow)}, {escape(currency)}", [(f"{Decimal(s[p]):,}", not Decimal(s[p])) for p in PLACES])
        for flow, row in flows.items()
        for currency, s in row.get("amounts", {}).items()
    ]
    if sums:
        yield _table("Money, gross in document currency", "flow, currency", PLACES, sums)


def _flow(name: str, row: dict[str, Any]) -> str:
    return f'{escape(name)} <span class="bad">could not run</span>' if row["error"] else escape(name)


def _count(row: dict[str, Any], column: str) -> tuple[str, bool]:
    count = row.get(column.replace(" ", "_")) or 0
    return f"{count:,}", not count and column != "read"


def _table(caption: str, first: str, columns: Sequence[str], rows: Sequence[tuple[str, list[tuple[str, bool]]]]) -> str:
    """Lay out figures; each line begins with its own heading, each cell names its column for narrow screens."""
    lines = "".join(
        _row(name, (_cell(c, text, "zero" if zero else "") for c, (text, zero) in zip(columns, cells, strict=True)))
        for name, cells in rows
    )
    return _framed(caption, [(first, ""), *((column, "") for column in columns)], lines)


def _framed(caption: str, columns: Sequence[tuple[str, str]], lines: str) -> str:
    """Frame lines with a caption and column headings (name, class).

    The roles are those that the elements have by themselves: browsers take them away from a table that is laid out as
    blocks, as on a narrow screen.
    """
    head = "".join(f'<th scope="col" role="columnheader"{_class(kind)}>{name}</th>' for name, kind in columns)
    return (
        f'<table role="table"><caption>{caption}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n<tbody role="rowgroup">{lines}</tbody></table>'
    )


def _row(name: str, cells: Iterable[str]) -> str:
    return f'<tr role="row"><th scope="row" role="rowheader">{name}</th>{"".join(cells)}</tr>\n'


def _cell(column: str, text: str, kind: str = "") -> str:
    """Make a cell that names its column, for narrow screens, where the headings are out of sight."""
    return f'<td role="cell" data-label="{column}"{_class(kind)}>{text}</td>'


def _error(error: str, flows: Sequence[str]) -> str:
    return (
        f'<p class="error"><strong class="bad">Could not run:</strong> {escape(", ".join(flows))}. {_prose(error)}</p>'
    )


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────


def _list(title: str, kind: str, made: dict[str, Any]) -> list[str]:
    lines: list[dict[str, Any]] = made[kind]
    if not lines:
        return []
    names = ("document", "tenant", "flow", "amount", "why")
    kinds = {"tenant": "text", "flow": "text", "why": "text"}
    columns = [(name, kinds.get(name, "")) for name in names]
    return [
        f"<h2>{title} ({len(lines):,})</h2>",
        _framed(_total(lines), columns, "".join(_line(line, made) for line in grouped(kind, lines))),
    ]


def _rounding(found: dict[str, Any]) -> list[str]:
    """Show the documents of which an ERP holds another total than was approved."""
    columns = ("document", "tenant", "posted as", "approved", "posted", "difference")
    tables = []
    for currency, one in found.items():
        lines = "".join(
            _row(
                escape(short(str(line["number"] or line["key"]))),
                [
                    _cell("tenant", escape(line["tenant"])),
                    _cell("posted as", escape(str(line["posted_as"] or ""))),
                    *(_cell(name, f"{Decimal(line[name]):,}") for name in columns[3:]),
                ],
            )
            for line in one["documents"]
        )
        caption = f"Total {Decimal(one['total']):,} {escape(currency)}"
        tables.append(_framed(caption, [(name, "") for name in columns], lines))
    return ["<h2>Rounding differences: what the ERP holds more or less</h2>", *tables] if tables else []


def _line(line: dict[str, Any], made: dict[str, Any]) -> str:
    money = f"{Decimal(line['amount']):,} {line.get('currency') or ''}" if line.get("amount") else line.get("money")
    amount = escape(str(money or ""))
    why = _prose(said_of(line, made))
    cells = (
        _cell("tenant", escape(line["tenant"]), "text"),
        _cell("flow", escape(line["flow"]), "text"),
        _cell("amount", amount, "" if amount else "empty"),
        _cell("why", why, "why"),
    )
    name = (
        f"{line['count']:,} records: {line['label']}" if "count" in line else short(line.get("number") or line["key"])
    )
    return _row(escape(name), cells)


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _total(lines: list[dict[str, Any]]) -> str:
    """Add up the money of a list by currency."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line.get("amount"):
            currency = str(line["currency"])
            sums[currency] = total((sums.get(currency, Decimal(0)), Decimal(line["amount"])))
    together = ", ".join(f"{value:,} {escape(currency)}" for currency, value in sorted(sums.items()))
    return f"Total {together}" if together else "No amounts"


def _prose(text: str) -> str:
    """Show what stands in backquotes, a command, as such."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 and n < len(parts) - 1 else part for n, part in enumerate(parts))


def save(made: dict[str, Any], path: Path, outcome: Outcome) -> None:
    """Write the report; `.html` makes a page, anything else JSON."""
    as_json = plain(json.dumps(made, indent=2, ensure_ascii=False))  # spelled as JSON spells it: the same data
    text = page(made, outcome) if path.suffix == ".html" else f"{as_json}\n"
    if not path.parent.is_dir():
        private.folder(path.parent)
    private.write(path, text.encode())

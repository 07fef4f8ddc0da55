"""Listings as aligned text for people, or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from . import advice, terminal

GAP = "  "


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Print a listing: whole rows as JSON, or `columns` as text; `empty` is said where there is nothing.

    Commands in its sentences are completed, so that they work as pasted.
    """
    rows = [advice.row(row) for row in rows]
    if as_json:
        dump(rows)
    elif rows:
        terminal.block(text(rows, columns))
    else:
        terminal.line(advice.pasteable(empty))


def dump(data: Any) -> None:
    """Print JSON; decimals as strings, so that no digit is lost."""
    terminal.block(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Align columns; the last one may be as long as it likes. Wide characters count as two."""
    head = [column.replace("_", " ") for column in columns]
    cells = [head, *([cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(cell_len(line[n]) for line in cells) for n in range(len(columns))]
    return "\n".join(_line(line, widths) for line in cells)


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(c + " " * (width - cell_len(c)) for c, width in zip(line, widths, strict=True)).rstrip()


def cell(value: Any) -> str:
    """Say a value in one line: nothing for None, yes or nothing for a flag, times to the second."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return " ".join(str(value).split())


def counted(count: int, one: str) -> str:
    """Say a number of things: 1 record, 2 records."""
    return f"{count} {one}" + ("" if count == 1 else "s")


def moment(time: str | None) -> str:
    """Shorten a time for people: to the second, UTC."""
    return f"{time[:10]} {time[11:19]}Z" if time else ""


def money(amounts: Mapping[str, Any]) -> str:
    """Say sums by currency."""
    return ", ".join(f"{value} {currency}" for currency, value in sorted(amounts.items()))

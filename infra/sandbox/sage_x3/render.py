"""How a record looks in api1: X3's codes, its blanks, `$` properties, lines with `$uuid` (dossier 1.4, 1.5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from .representations import Representation
from .tables import TABLES, Column, Key, Record
from .world import World

_TITLES = {"CUR": "", "BPSNUM": "BPSNAM", "BPR": ""}
"""Columns that are shown a second time, as NAME_REF, with the title of what they name."""


def value(world: World, column: Column, found: Any) -> Any:
    """Give one value as JSON has it."""
    if isinstance(found, datetime):
        return found.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(found, date):
        return found.isoformat()
    if column.kind == "l":
        shown = [text or world.blank for text in found]
        return shown if world.arrays == "list" else (shown or [world.blank])[0]
    if found is None:
        return world.no_day if column.kind == "d" else f"{world.no_day}T00:00:00Z"
    return (found or world.blank) if column.kind == "a" else found


def key_text(key: Key) -> str:
    """Write a key: its parts joined by `~`."""
    return "~".join(part_text(part) for part in key)


def part_text(part: Any) -> str:
    """Write one part of a key, or a value of the sort key."""
    if isinstance(part, datetime):
        return part.strftime("%Y-%m-%dT%H:%M:%SZ")
    return part.isoformat() if isinstance(part, date) else str(part if part is not None else "")


def row_of(world: World, shown: Representation, table: str, row: Record) -> Record:
    """Give what is shown of a row, without its lines."""
    columns = shown.columns(table, world.stamp)
    return {"$uuid": row["AUUID"]} | {name: value(world, column, row[column.name]) for name, column in columns.items()}


def address(call_root: str, endpoint: str, cls: str, key: str, name: str, facet: str) -> str:
    """Give the address of a record."""
    return f"{call_root}/api1/x3/erp/{endpoint}/{cls}('{quote(key)}')?representation={name}.${facet}"


def listed(world: World, shown: Representation, row: Record) -> Record:
    """Give a record as the query facet has it."""
    key = key_text(TABLES[shown.cls].key_of(row))
    head = row_of(world, shown, shown.cls, row)
    url = address("", world.endpoint, shown.cls, key, shown.name, "details")
    return {
        "$uuid": head.pop("$uuid"),
        "$etag": row["UPDDATTIM"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "$key": key,
        "$url": url,
    } | head


def detailed(world: World, shown: Representation, row: Record) -> Record:
    """Give a record with its lines, and the lines of these."""
    found = listed(world, shown, row)
    for name in _TITLES.keys() & found.keys():
        found[f"{name}_REF"] = {"$title": str(found.get(_TITLES[name]) or found[name])}
    return found | _lines(world, shown, shown.cls, row)


def _lines(world: World, shown: Representation, table: str, row: Record) -> Record:
    found: Record = {}
    for child in shown.lines(table):
        if table == "PINVOICE" and child not in world.invoice_lines:
            continue
        lines = world.lines(child, table, row)
        if world.nested_limit:
            lines = lines[: world.nested_limit]
        name = world.collections.get(child, child)
        found[name] = [row_of(world, shown, child, line) | _lines(world, shown, child, line) for line in lines]
    return found


def prototype(world: World, shown: Representation, facet: str) -> Record:
    """Give the metadata of a facet."""
    types = {"m": "x-integer", "i": "x-integer", "n": "x-decimal", "d": "x-date", "t": "x-datetime", "l": "x-array"}
    columns = shown.columns(shown.cls, world.stamp)
    properties: Record = {
        name: {
            "$title": name,
            "$type": f"application/{types.get(column.kind, 'x-string')}",
            "$isMandatory": name in TABLES[shown.cls].key,
            **({"$maxLength": column.length} if column.kind == "a" else {}),
        }
        for name, column in columns.items()
    }
    for child in shown.lines(shown.cls):
        properties[world.collections.get(child, child)] = {"$title": child, "$type": "application/x-array"}
    return {"$descriptor": shown.cls, "$representation": f"{shown.name}.${facet}", "$properties": properties}

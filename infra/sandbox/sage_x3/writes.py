"""What the body of a creation or change says, in the types of the tables; and who acts on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from . import entries, payments
from .errors import Refusal, Wrong
from .representations import Representation
from .tables import TABLES, Column, Record
from .world import World


def typed(world: World, table: str, body: Any, shown: Representation) -> Record:
    """Give the values of a JSON body by X3's codes, lines by their table; raises a 400 for what cannot be read."""
    if not isinstance(body, dict):
        raise Refusal(400, "An object is expected")
    lines = {world.collections.get(child, child): child for child in TABLES[table].children}
    columns = shown.columns(table, world.stamp)
    found: Record = {}
    for name, value in body.items():
        if name in lines:
            if not isinstance(value, list):
                raise Refusal(400, f"{name} is a list of lines")
            found[lines[name]] = [typed(world, lines[name], line, shown) for line in value]
        elif name == "$uuid":
            found[name] = value
        elif name.startswith("$") or name.endswith("_REF"):
            continue
        elif name not in columns:
            raise Refusal(400, f"Unknown property {name}")
        else:
            found[name] = one(columns[name], value)
    return found


def one(column: Column, value: Any) -> Any:
    """Give one value as its column has it: an exact number, a date, an integer of a menu."""
    bad = Refusal(400, f"{column.name} : incorrect value {value!r}")
    if column.kind == "a":
        if not isinstance(value, str):
            raise bad
        if len(value.rstrip(" ")) > column.length:
            raise Wrong(f"{column.name} : {column.length} characters at most")
        return value.rstrip(" ")
    if column.kind == "l":
        found = value if isinstance(value, list) else [value]
        if not all(isinstance(code, str) for code in found):
            raise bad
        return [code.rstrip(" ") for code in found]
    if column.kind in "mi" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if column.kind == "n" and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if column.kind in "dt" and isinstance(value, str):
        return moment(column.kind, value, bad)
    raise bad


def moment(kind: str, text: str, bad: Exception) -> Any:
    """Read a day, or a moment with its zone; nothing is none."""
    if not text.strip():
        return None
    try:
        if kind == "d":
            day = date.fromisoformat(text) if len(text) == 10 else None
            if day is None:
                raise bad
            return day if day.year >= 1900 else None
        found = datetime.fromisoformat(text)
    except ValueError:
        raise bad from None
    if found.tzinfo is None:
        raise bad
    return found.astimezone(UTC)


def create(world: World, table: str, values: Record) -> Record:
    """Make a record; what this folder cannot make through a class is refused."""
    if table == "GACCENTRY":
        return entries.create(world, values)
    if table == "PAYMENTH":
        return payments.create(world, values)
    raise Wrong(f"{table} cannot be created here")


def change(world: World, table: str, row: Record, values: Record) -> Record:
    """Change a record by what is given; lines with `$uuid` are changed, others become new ones (dossier 1.6)."""
    key = TABLES[table].key
    if any(name in values and values[name] != row[name] for name in key):
        raise Wrong("A key cannot be changed")
    values = {name: value for name, value in values.items() if name not in key and name != "$uuid"}
    if table == "GACCENTRY":
        return entries.change(world, row, values)
    if table == "GACCDUDATE":
        return _approve(world, row, values)
    lines = {child: values.pop(child) for child in TABLES[table].children if child in values}
    for child, given in lines.items():
        known = {line["AUUID"]: line for line in world.lines(child, table, row)}
        for line in given:
            target = known.get(str(line.pop("$uuid", "")))
            if target is None:
                raise Wrong(f"Lines cannot be added to {table}: $uuid of the line is missing")
            world.change(child, target, line)
    return world.change(table, row, values)


def _approve(world: World, row: Record, values: Mapping[str, Any]) -> Record:
    """Set the level of payment approval of an open item, as high as the user may."""
    for name, value in values.items():
        if name != "FLGPAZ" and value != row[name]:
            raise Wrong(f"{name} cannot be changed in an open item")
    level = values.get("FLGPAZ", row["FLGPAZ"])
    if level not in range(1, 5):
        raise Wrong("FLGPAZ : Incorrect value")
    if level > world.user_pay_level:
        raise Wrong(f"FLGPAZ : your level of approval is {world.user_pay_level}")
    return world.change("GACCDUDATE", row, {"FLGPAZ": level})


def delete(world: World, table: str, row: Record) -> None:
    """Delete a record, where X3 lets one."""
    if table != "GACCENTRY":
        raise Wrong(f"{table} cannot be deleted here")
    entries.delete(world, row)

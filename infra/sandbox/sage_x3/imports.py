"""AOWSIMPORT and AOWSEXPORT: files of records by a template; nothing guards against a repetition (dossier 5, E)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from . import entries, payments
from .errors import Soap, Wrong
from .tables import TABLES, Column, Record
from .templates import Template
from .world import World

_DAYS = {"YYYYMMDD": "%Y%m%d", "DDMMYY": "%d%m%y"}
_CRITERION = re.compile(r"\s*(\w+)\s*(=|<>|>=|<=)\s*(?:'([^']*)'|\"([^\"]*)\"|([\d.]+))\s*")


def run_import(world: World, inputs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Import each document of a file for itself: one that is refused stops no other; gives number, status, log."""
    given = inputs.get("GRP1") or {}
    template = _template(world, given, "I_MODIMP")
    if not template.imports:
        raise Soap(f"Template {template.code} is not open to imports")
    log = [f"Import of {template.code}"]
    failed = False
    for number, records in enumerate(_documents(template, given), 1):
        try:
            log.append(f"{number} : {_imported(world, template, records)}")
        except Wrong as error:
            failed = True
            log.append(f"{number} : {error.text}")
    told = "\n".join(log) if world.import_messages else ""
    status = world.import_status if failed else 0
    shown = {name: value for name, value in given.items() if name != "I_FILE"}
    return {"GRP1": shown | {"O_REQNUM": world.number("import"), "O_STATUS": status, "O_MESSA": told}}


def _template(world: World, given: dict[str, Any], name: str) -> Template:
    template = world.templates.get(str(given.get(name, "")))
    if template is None or not template.active:
        raise Soap(f"Template {given.get(name, '')} does not exist or is not active")
    if str(given.get("I_EXEC", "REALTIME")) not in ("REALTIME", "BATCH"):
        raise Soap("I_EXEC : REALTIME or BATCH expected")
    return template


def _documents(template: Template, given: dict[str, Any]) -> list[list[list[str]]]:
    """Cut a file into documents of records of fields; the file ends with END."""
    separator, file = str(given.get("I_RECORDSEP") or "|"), str(given.get("I_FILE", ""))
    records = [record for record in file.split(separator) if record.strip()]
    if not records or records[-1].strip() != "END":
        raise Soap("I_FILE : END is missing")
    first, documents = next(iter(template.records)), []  # type: ignore[var-annotated]
    for fields in csv.reader(records[:-1], delimiter=";"):
        if fields[0] == first or not documents:
            documents.append([])
        documents[-1].append(fields)
    return documents


def _imported(world: World, template: Template, records: list[list[str]]) -> str:
    """Make or change one document; gives what the log says."""
    document: Record = {}
    path: list[tuple[str, Record]] = []
    for letter, *fields in records:
        if letter not in template.records:
            raise Wrong(f"Record {letter} : unknown")
        table, columns = template.records[letter]
        values = _values(world, template, table, columns, fields)
        if table == template.table:
            document, path = values, [(table, values)]
            continue
        while path and table not in TABLES[path[-1][0]].children:
            path.pop()
        if not path:
            raise Wrong(f"Record {letter} : nothing stands above it")
        path[-1][1].setdefault(table, []).append(values)
        path.append((table, values))
    return _written(world, template, document)


def _values(world: World, template: Template, table: str, columns: list[str], fields: list[str]) -> Record:
    """Read the fields of a record; those that no screen takes are dropped in silence."""
    if len(fields) > len(columns):
        raise Wrong(f"{table} : {len(fields)} fields, and the template has {len(columns)}")
    found: Record = {}
    for name, text in zip(columns, fields, strict=False):
        column = TABLES[table].columns.get(name)
        if column is None or name in world.not_entered or not text.strip():
            continue
        value = _value(template, column, text.strip())
        found[name] = [*found.get(name, []), value] if column.kind == "l" else value
    return found


def _value(template: Template, column: Column, text: str) -> Any:
    try:
        if column.kind in "mi":
            return int(text)
        if column.kind == "n":
            return Decimal(text)
        if column.kind == "d":
            return datetime.strptime(text, _DAYS[template.days]).date()  # noqa: DTZ007 - a day has no zone
    except (ValueError, ArithmeticError):
        raise Wrong(f"{column.name} : incorrect value {text}") from None
    if column.kind == "a" and len(text) > column.length:
        raise Wrong(f"{column.name} : {column.length} characters at most")
    return text


def _written(world: World, template: Template, document: Record) -> str:
    key = [document.get(name, "") for name in TABLES[template.table].key]
    if all(key) and world.get(template.table, *key) is not None:
        if not template.updates:
            raise Wrong(f"{' '.join(key)} : Record already exists")
        texts: Record = {name: document[name] for name in ("DESVCR", "REF", "REFINT") if name in document}
        world.change(template.table, world.find(template.table, *key), texts)
        return f"{' '.join(key)} changed"
    if template.table == "GACCENTRY":
        row = entries.create(world, document, entries.IMPORTED)
        return f"{row['TYP']} {row['NUM']} created"
    return f"{payments.imported(world, document)['NUM']} created"


# ── exports ─────────────────────────────────────────────────────────────────────────────────────────────────────


def run_export(world: World, inputs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Write the records that fulfil all criteria, with their lines, as a file of the template."""
    template = _template(world, inputs.get("GRP1") or {}, "I_MODEXP")
    texts = [str(line.get("I_TCRITERE", "")) for line in inputs.get("GRP2") or []]
    tests = [_criterion(template, text) for text in texts if text.strip()]
    separator = str((inputs.get("GRP3") or {}).get("I_RECORDSEP") or "|")
    rows = [row for row in world.rows(template.table) if all(test(row) for test in tests)]
    file = "".join(f"{record}{separator}" for row in rows for record in _exported(world, template, template.table, row))
    return {"GRP1": {"O_FILE": f"{file}END", "O_REQNUM": world.number("export"), "O_STATUS": 0}}


def _criterion(template: Template, text: str) -> Callable[[Record], bool]:
    match = _CRITERION.fullmatch(text)
    column = TABLES[template.table].columns.get(match[1]) if match else None
    if match is None or column is None:
        raise Soap(f"I_TCRITERE : {text} cannot be read")
    wanted: Any = Decimal(match[5]) if match[5] else match[3] if match[3] is not None else match[4]
    tests: dict[str, Callable[[Any], bool]] = {
        "=": lambda value: value == wanted,
        "<>": lambda value: value != wanted,
        ">=": lambda value: value >= wanted,
        "<=": lambda value: value <= wanted,
    }
    test, name = tests[match[2]], match[1]
    return lambda row: isinstance(row[name], str) == isinstance(wanted, str) and test(row[name])


def _exported(world: World, template: Template, table: str, row: Record) -> list[str]:
    found = []
    for letter, (name, columns) in template.records.items():
        if name == table:
            taken: dict[str, int] = {}
            fields = [_field(template, row, column, taken) for column in columns]
            found.append(";".join([letter, *fields]))
    for child in TABLES[table].children:
        found += [text for line in world.lines(child, table, row) for text in _exported(world, template, child, line)]
    return found


def _field(template: Template, row: Record, name: str, taken: dict[str, int]) -> str:
    """Write one field; a column that comes several times gives one code of its list after the other."""
    value = row.get(name, "")
    if isinstance(value, list):
        place = taken[name] = taken.get(name, -1) + 1
        return value[place] if place < len(value) else ""
    if isinstance(value, date):
        return value.strftime(_DAYS[template.days])
    text = "" if value is None else str(value)
    return f'"{text}"' if ";" in text else text


PUBLISHED = {"AOWSIMPORT": run_import, "AOWSEXPORT": run_export}
"""The subprograms that are published as web services."""

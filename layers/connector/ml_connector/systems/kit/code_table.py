"""Cost centers in a table of a name that the secret gives: which columns hold code and name shows from theirs."""

from __future__ import annotations

import re
from functools import cache

from ml_connector.errors import Misconfigured
from ml_connector.records import CostCenter
from ml_connector.systems.kit.masters import Masters
from ml_connector.systems.kit.tables import Query, Row, Tables, text

_CODE = re.compile(r"cost_?cent(?:re|er)$|code$", re.IGNORECASE)
_NAME = re.compile(r"desc|name", re.IGNORECASE)


def code_table(tables: Tables, table: str, setting: str) -> Masters[Row, CostCenter]:
    """Read the codes of a table, all of them every time. `setting` names the field of the secret that says which."""
    asked = cache(lambda: _columns(tables, table, setting))
    return Masters(
        lambda _, place: tables.pages(asked(), place),
        lambda keys: tables.by_keys(asked(), keys),
        lambda row: _center(row, *asked().columns),
    )


def _center(row: Row, code: str, name: str = "") -> CostCenter:
    key = row[code]
    return CostCenter(key=key, code=key.strip(), name=text(row, name) or key.strip())


def _columns(tables: Tables, table: str, setting: str) -> Query:
    columns = tables.columns(table)
    if not columns:
        raise Misconfigured(f"Table {table} is empty, so it holds no cost centers. Correct {setting}, or leave it out.")
    code = next((one for one in columns if _CODE.search(one)), columns[0])
    name = next((one for one in columns if _NAME.search(one) and one != code), None)
    return Query(table, (code, *([name] if name else [])), (code,))

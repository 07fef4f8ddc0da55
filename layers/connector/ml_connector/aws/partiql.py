"""Conditional writes of up to 25 rows in one call: the only such call that DynamoDB has.

`BatchWriteItem` takes no conditions, and a transaction costs twice as much and fails as a whole.
"""

from __future__ import annotations

from typing import Any

from ml_connector.aws.items import to_attributes
from ml_connector.ports import Item

BATCH = 25


def statement(table: str, item: Item) -> dict[str, Any]:
    """Give the statement that writes a row's data under its condition, in documented forms only.

    An UPDATE has several `SET`, each before its path, as an example of AWS has it; `SET` beside `REMOVE` is shown
    nowhere, so nothing is removed here. Source: DynamoDB Developer Guide, "PartiQL update statements" and "PartiQL
    insert statements".
    """
    return _insert(table, item) if item.rev == 0 else _update(table, item)


def _insert(table: str, item: Item) -> dict[str, Any]:
    attributes = to_attributes(item)
    fields = ", ".join(f"'{name}': ?" for name in attributes)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{fields}}}', "Parameters": list(attributes.values())}


def _update(table: str, item: Item) -> dict[str, Any]:
    attributes = to_attributes(item)
    pk, sk = attributes.pop("pk"), attributes.pop("sk")
    sets = " ".join(f'SET "{name}" = ?' for name in attributes)
    where = 'WHERE "pk" = ? AND "sk" = ? AND "rev" = ?'
    return {
        "Statement": f'UPDATE "{table}" {sets} {where}',
        "Parameters": [*attributes.values(), pk, sk, {"N": str(item.rev)}],
    }

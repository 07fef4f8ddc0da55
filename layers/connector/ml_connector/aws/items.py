"""How a row looks in DynamoDB: its attributes, and the limits that an item has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ml_connector.ports import Item

Attributes = dict[str, dict[str, Any]]

ITEM_BYTES, PK_BYTES, SK_BYTES = 400 * 1024, 2048, 1024
"""Limits of DynamoDB. The names of attributes count too: 34 bytes for a row that has them all."""
OVERHEAD = 100


def key(pk: str, sk: str) -> Attributes:
    """Give the primary key of a row."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def to_attributes(item: Item) -> Attributes:
    """Give a row as it is stored next: with its revision bumped, and without what is None.

    Raises `ValueError` where it is larger than DynamoDB takes; the embedded store refuses the same.
    """
    data = msgspec.json.encode(item.data)
    _check(item, len(data))
    found: Attributes = {**key(item.pk, item.sk), "data": {"S": data.decode()}, "rev": {"N": str(item.rev + 1)}}
    if item.due_pk is not None:
        found["due_pk"] = {"S": item.due_pk}
    if item.due_at is not None:
        found["due_at"] = {"S": item.due_at}
    if item.ttl is not None:
        found["ttl"] = {"N": str(item.ttl)}
    if item.blob is not None:
        found["blob"] = {"B": bytes(item.blob)}
    return found


def to_item(attributes: Mapping[str, Any]) -> Item:
    """Give the row that was stored."""
    ttl = attributes.get("ttl", {}).get("N")
    return Item(
        pk=attributes["pk"]["S"],
        sk=attributes["sk"]["S"],
        data=msgspec.json.decode(attributes["data"]["S"]),
        rev=int(attributes["rev"]["N"]),
        due_pk=attributes.get("due_pk", {}).get("S"),
        due_at=attributes.get("due_at", {}).get("S"),
        ttl=None if ttl is None else int(ttl),
        blob=attributes.get("blob", {}).get("B"),
    )


def _check(item: Item, data: int) -> None:
    pk, sk = len(item.pk.encode()), len(item.sk.encode())
    if not (0 < pk <= PK_BYTES and 0 < sk <= SK_BYTES):
        raise ValueError(f"The keys {item.pk[:80]!r}, {item.sk[:80]!r} are empty or longer than an item's may be.")
    size = pk + sk + data + len(item.blob or b"") + OVERHEAD
    if size > ITEM_BYTES:
        raise ValueError(f"The item {item.pk} {item.sk} has {size:,} bytes; an item takes {ITEM_BYTES:,}.")

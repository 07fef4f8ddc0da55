"""Batches of PartiQL for moto, whose own parser takes neither a parameter in an INSERT nor several SETs."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import ClientError

_TABLE = re.compile(r'(?:INTO|UPDATE) "([^"]+)"')


def answered(client: Any, statements: list[dict[str, Any]]) -> dict[str, Any]:
    """Carry out what the store writes, each statement under its condition, and answer as DynamoDB does."""
    return {"Responses": [_one(client, s["Statement"], s["Parameters"]) for s in statements]}


def _one(client: Any, statement: str, values: list[Any]) -> dict[str, Any]:
    table = str(_TABLE.search(statement)[1])  # type: ignore[index]
    if statement.startswith("INSERT"):
        item = dict(zip(re.findall(r"'(\w+)': \?", statement), values, strict=True))
        return _put(client, table, item, "DuplicateItem", ConditionExpression="attribute_not_exists(pk)")
    sets, where = statement.split(" WHERE ")
    names = re.findall(r'SET "(\w+)" = \?', sets)
    assert where == '"pk" = ? AND "sk" = ? AND "rev" = ?', where
    *given, pk, sk, rev = values
    there = client.get_item(TableName=table, Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item", {})
    item = {**there, **dict(zip(names, given, strict=True)), "pk": pk, "sk": sk}
    more = {"ConditionExpression": "rev = :rev", "ExpressionAttributeValues": {":rev": rev}}
    return _put(client, table, item, "ConditionalCheckFailed", **more)


def _put(client: Any, table: str, item: dict[str, Any], refusal: str, **condition: Any) -> dict[str, Any]:
    try:
        client.put_item(TableName=table, Item=item, **condition)
    except ClientError as error:
        return {"Error": {"Code": refusal, "Message": str(error)}}
    return {"TableName": table}

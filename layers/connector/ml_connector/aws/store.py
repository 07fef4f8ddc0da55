"""The rows on DynamoDB: one table with a sparse index named `due`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from ml_connector.aws.errors import MISSING, PASSING, REFUSED, code_of, translated
from ml_connector.aws.items import Attributes, key, to_attributes, to_item
from ml_connector.aws.partiql import BATCH, statement
from ml_connector.errors import Conflict, Misconfigured, Transient
from ml_connector.ports import Clock, Item, check_batch, may_be_row

INDEX = "due"
KEYS = 100
TRIES = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between the tries of what DynamoDB left undone in a batch: doubled each time."""

IS_NEW = "attribute_not_exists(pk) OR #ttl <= :now"
"""DynamoDB removes an expired row up to days later; until then a new one takes its place."""
IS_UNCHANGED = "rev = :rev"


class DynamoStore:
    """Rows in one table: keys `pk` and `sk`, index `due` over (`due_pk`, `due_at`) with all attributes.

    A row whose `ttl` has passed is absent. Every method raises `Transient` while AWS throttles or is not reached,
    after botocore's own tries; a write that raised it may have taken effect. A `Conflict` (or False) may also come
    from our own write, where its first answer was lost: read again.
    """

    def __init__(self, table: str, client: Any, clock: Clock) -> None:
        """`client` is boto3's for `dynamodb`; `clock` tells what has expired, and waits between tries."""
        self._table, self._client, self._clock = table, client, clock
        self._what = f"the table {table}"

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one row, consistently."""
        if not may_be_row(pk, sk):
            return None
        with translated(self._what):
            answer = self._client.get_item(TableName=self._table, Key=key(pk, sk), ConsistentRead=True)
        return next(iter(self._alive([answer["Item"]])), None) if "Item" in answer else None

    def get_many(self, pk: str, sks: Sequence[str], *, consistent: bool = False) -> dict[str, Item]:
        """Read many rows of one partition by sort key; absent ones are left out."""
        wanted = [sk for sk in dict.fromkeys(sks) if may_be_row(pk, sk)]
        found: dict[str, Item] = {}
        for start in range(0, len(wanted), KEYS):
            keys = [key(pk, sk) for sk in wanted[start : start + KEYS]]
            found.update((item.sk, item) for item in self._alive(self._batch_get(keys, consistent)))
        return found

    def put(self, item: Item) -> Item:
        """Write under the condition that the row still has `item.rev`. Raises `Conflict`; `ValueError` if too large."""
        condition = _new(self._now()) if item.rev == 0 else _unchanged(item.rev)
        with translated(self._what):
            try:
                self._client.put_item(TableName=self._table, Item=to_attributes(item), **condition)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                raise Conflict(f"The item {item.pk} {item.sk} was changed by another writer; read it again.") from None
        return replace(item, rev=item.rev + 1)

    def put_many(self, items: Sequence[Item]) -> list[bool]:
        """Write the data of many rows, 25 a call, each under its own condition; tells which took effect.

        Not one transaction: after `Transient` some rows may be written. Raises `ValueError` as `check_batch` does, or
        where one is too large; then none is written.
        """
        check_batch(items)
        statements = [statement(self._table, item) for item in items]
        done: list[bool] = []
        for start in range(0, len(items), BATCH):
            some = slice(start, start + BATCH)
            done += self._batch_put(items[some], statements[some])
        return done

    def delete(self, pk: str, sk: str) -> None:
        """Remove a row; removing an absent one is no error."""
        with translated(self._what):
            self._client.delete_item(TableName=self._table, Key=key(pk, sk))

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[Item]:
        """Read rows of one partition in the order of their sort keys' UTF-8 bytes; `after` is exclusive."""
        if after is not None and not after.startswith(prefix):
            if (after < prefix) is reverse:
                return  # all rows with the prefix lie before it
            after = None  # all lie behind it, and DynamoDB refuses a start outside of the range
        if after == "" and reverse:
            return
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if prefix:
            condition += " AND begins_with(sk, :prefix)"
            values[":prefix"] = {"S": prefix}
        request: dict[str, Any] = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not reverse,
            "ConsistentRead": True,
        }
        if after:
            request["ExclusiveStartKey"] = key(pk, after)
        yield from self._pages(request, limit)

    def due(self, due_pk: str, until: str, limit: int = 200, *, after: Item | None = None) -> list[Item]:
        """Read the rows of the due index up to `until` (inclusive), oldest first; lags behind writes."""
        request: dict[str, Any] = {
            "IndexName": INDEX,
            "KeyConditionExpression": "due_pk = :pk AND due_at <= :until",
            "ExpressionAttributeValues": {":pk": {"S": due_pk}, ":until": {"S": until}},
        }
        if after is not None and after.due_at is not None:
            if after.due_at > until:
                return []  # DynamoDB refuses a start outside of the range
            place = {"due_pk": {"S": due_pk}, "due_at": {"S": after.due_at}}
            request["ExclusiveStartKey"] = key(after.pk, after.sk) | place
        return list(self._pages(request, limit))

    def _pages(self, request: dict[str, Any], limit: int | None) -> Iterator[Item]:
        """Read page after page. `Limit` counts before expired rows are left out, so it may take more of them."""
        while limit is None or limit > 0:
            bound = {} if limit is None else {"Limit": limit}
            with translated(self._what):
                page = self._client.query(TableName=self._table, **request, **bound)
            items = self._alive(page["Items"])
            yield from items
            if "LastEvaluatedKey" not in page:
                return
            request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}
            limit = None if limit is None else limit - len(items)

    def _batch_get(self, keys: list[Attributes], consistent: bool) -> list[Attributes]:
        """Read up to 100 rows. What a 16 MB answer or a throttle left out is asked again."""
        found: list[Attributes] = []
        tries = 0
        while keys:
            request = {self._table: {"Keys": keys, "ConsistentRead": consistent}}
            with translated(self._what):
                answer = self._client.batch_get_item(RequestItems=request)
            got = answer["Responses"].get(self._table, [])
            found += got
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            tries = 0 if got else tries + 1
            if keys and not got:
                self._pause(tries)
        return found

    def _batch_put(self, items: Sequence[Item], statements: list[dict[str, Any]]) -> list[bool]:
        done = [False] * len(items)
        left = list(range(len(items)))
        tries = 0
        while left:
            with translated(self._what):
                answer = self._client.batch_execute_statement(Statements=[statements[i] for i in left])
            codes = {i: one.get("Error") for i, one in zip(left, answer["Responses"], strict=True)}
            for i, error in codes.items():
                done[i] = error is None or self._despite(items[i], error)
            left = [i for i, error in codes.items() if error and error.get("Code") in PASSING]
            if left:
                tries += 1
                self._pause(tries)
        return done

    def _despite(self, item: Item, error: dict[str, Any]) -> bool:
        """Tell whether a row was written although its statement failed. Raises where no condition was the reason."""
        code = error.get("Code", "")
        if code in PASSING or code == "ConditionalCheckFailed":
            return False
        if code == "DuplicateItem":
            return self._replace_expired(item)
        refusal = f"DynamoDB refuses the item {item.pk} {item.sk} in {self._what}: {code}, {error.get('Message', '')}"
        raise Misconfigured(refusal) if code in REFUSED | MISSING else ValueError(refusal)

    def _replace_expired(self, item: Item) -> bool:
        """Write over a row that DynamoDB has not removed yet: an INSERT takes no condition."""
        try:
            self.put(item)
        except Conflict:
            return False
        return True

    def _pause(self, tries: int) -> None:
        if tries >= TRIES:
            raise Transient(f"AWS throttles {self._what}; it is tried again later.")
        self._clock.sleep(min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE))

    def _alive(self, found: list[Attributes]) -> list[Item]:
        now = self._now()
        return [item for item in map(to_item, found) if item.ttl is None or item.ttl > now]

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _new(now: int) -> dict[str, Any]:
    return {
        "ConditionExpression": IS_NEW,
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {":now": {"N": str(now)}},
    }


def _unchanged(rev: int) -> dict[str, Any]:
    return {"ConditionExpression": IS_UNCHANGED, "ExpressionAttributeValues": {":rev": {"N": str(rev)}}}

"""DynamoDB, SQS and S3 in memory, as far as the product calls them, with a meter of what AWS would charge.

A DynamoDB item counts with its names and values (Developer Guide, "item sizes and formats"); each write also pays for
the `due` index, twice where the index key changes ("GSI throughput considerations"). What is not called is not there.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

Row = dict[str, dict[str, Any]]
INDEX = ("due_pk", "due_at")
PAGE_BYTES = 1024 * 1024


class Meter:
    """Units by kind (see `prices.py`), and calls by name."""

    def __init__(self) -> None:
        """Begin with zero."""
        self.units: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.calls: Counter[str] = Counter()

    def add(self, kind: str, count: Decimal | int, call: str) -> None:
        """Count a call and its units."""
        self.units[kind] += count
        self.calls[call] += 1


def size(row: Row) -> int:
    """Give an item's size in bytes; a number of up to 38 digits takes a byte for two of them, and one more."""
    total = 0
    for name, typed in row.items():
        ((kind, value),) = typed.items()
        total += len(name) + (
            (len(value) + 1) // 2 + 1 if kind == "N" else len(value.encode() if kind == "S" else value)
        )
    return total


def _units(length: int, unit: int) -> int:
    return max(1, -(-length // unit))


class MeteredDynamo:
    """One table with the sparse index `due`."""

    def __init__(self, meter: Meter) -> None:
        """Begin empty."""
        self._meter = meter
        self._rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self._order: dict[str, list[str]] = defaultdict(list)
        self._due: dict[str, list[tuple[str, str, str]]] = defaultdict(list)  # by due_pk: (due_at, pk, sk) in order

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def get_item(self, *, TableName: str, Key: Row, ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803, ARG002
        """Read one item."""
        row = self._row(Key)
        self._read(size(row or {}), ConsistentRead, "GetItem")
        return {"Item": row} if row else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Read up to 100 items; each is charged by itself."""
        ((table, request),) = RequestItems.items()
        found = [self._row(key) for key in request["Keys"]]
        for row in found:
            self._read(size(row or {}), request["ConsistentRead"], "BatchGetItem, items")
        return {"Responses": {table: [row for row in found if row]}}

    def query(self, *, KeyConditionExpression: str, ExpressionAttributeValues: Row, **rest: Any) -> dict[str, Any]:  # noqa: N803, ARG002
        """Read a page of one partition, or of the index; the sum of what is read is charged."""
        pk = ExpressionAttributeValues[":pk"]["S"]
        if rest.get("IndexName") == "due":
            rows = self._of_index(pk, ExpressionAttributeValues[":until"]["S"], rest.get("ExclusiveStartKey"))
        else:
            rows = self._of_partition(pk, ExpressionAttributeValues.get(":prefix", {"S": ""})["S"], rest)
        page, read = [], 0
        for row in rows:
            page.append(row)
            read += size(row)
            if read >= PAGE_BYTES or len(page) == rest.get("Limit"):
                break
        self._read(read, rest.get("ConsistentRead", False), "Query")
        more = (
            {"LastEvaluatedKey": {k: page[-1][k] for k in ("pk", "sk", *INDEX) if k in page[-1]}}
            if page and len(page) < len(rows)
            else {}
        )
        return {"Items": page, **more}

    def _of_index(self, pk: str, until: str, start: Row | None) -> list[Row]:
        mine = self._due[pk]
        begin = bisect_right(mine, tuple(start[n]["S"] for n in ("due_at", "pk", "sk"))) if start else 0
        return [self._rows[p][s] for _, p, s in mine[begin : bisect_right(mine, (until + "\U0010ffff",))]]

    def _of_partition(self, pk: str, prefix: str, rest: Mapping[str, Any]) -> list[Row]:
        names = self._order[pk]
        begin = bisect_left(names, prefix)
        end = bisect_left(names, prefix + "\U0010ffff")
        start = rest.get("ExclusiveStartKey")
        if rest.get("ScanIndexForward", True):
            names = names[max(begin, bisect_right(names, start["sk"]["S"]) if start else 0) : end]
        else:
            names = names[begin : min(end, bisect_left(names, start["sk"]["S"])) if start else end][::-1]
        return [self._rows[pk][sk] for sk in names]

    def _read(self, length: int, consistent: bool, call: str) -> None:
        units = Decimal(_units(length, 4096))
        self._meter.add("dynamodb read units", units if consistent else units / 2, call)

    def _row(self, key: Row) -> Row | None:
        return self._rows[key["pk"]["S"]].get(key["sk"]["S"])

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def put_item(self, *, Item: Row, ConditionExpression: str, **rest: Any) -> None:  # noqa: N803 - AWS's names
        """Write under one of the store's two conditions."""
        before = self._row(Item)
        if ConditionExpression.startswith("attribute_not_exists"):
            now = int(rest["ExpressionAttributeValues"][":now"]["N"])
            good = before is None or int(before.get("ttl", {"N": now + 1})["N"]) <= now
        else:
            good = before is not None and before["rev"] == rest["ExpressionAttributeValues"][":rev"]
        self._write(Item if good else before, Item, "PutItem")
        if not good:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")

    def batch_execute_statement(self, *, Statements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Write each statement's item; as much is charged as for the same writes one by one."""
        return {"Responses": [self._execute(s["Statement"], s["Parameters"]) for s in Statements]}

    def delete_item(self, *, TableName: str, Key: Row) -> None:  # noqa: N803, ARG002 - AWS's names
        """Remove an item; its size is charged."""
        self._write(None, Key, "DeleteItem")

    def _execute(self, text: str, values: list[Any]) -> dict[str, Any]:
        names = re.findall(r"'(\w+)': \?" if text.startswith("INSERT") else r'"(\w+)" = \?', text)
        given = dict(zip(names, values[: len(names)], strict=True))
        if text.startswith("INSERT"):
            code, fresh = ("DuplicateItem" if self._row(given) else None), given
        else:
            before = self._row(given)
            code = None if before and before["rev"] == values[-1] else "ConditionalCheckFailed"
            sets = dict(zip(re.findall(r'SET "(\w+)" = \?', text), values, strict=False))
            fresh = {**(before or {}), **sets}
        self._write(self._row(given) if code else fresh, given, "BatchExecuteStatement, items")
        return {"Error": {"Code": code}} if code else {}

    def _write(self, fresh: Row | None, key: Row, call: str) -> None:
        pk, sk = key["pk"]["S"], key["sk"]["S"]
        before = self._rows[pk].get(sk)
        units = _units(max(size(before or {}), size(fresh or {})), 1024) + _of_index(before, fresh)
        self._meter.add("dynamodb write units", units, call)
        if fresh is None:
            if self._rows[pk].pop(sk, None) is not None:
                del self._order[pk][bisect_left(self._order[pk], sk)]
        elif before is None:
            insort(self._order[pk], sk)
        if fresh is not None:
            self._rows[pk][sk] = fresh
        if before is not None and _indexed(before):
            mine = self._due[before["due_pk"]["S"]]
            del mine[bisect_left(mine, (before["due_at"]["S"], pk, sk))]
        if fresh is not None and _indexed(fresh):
            insort(self._due[fresh["due_pk"]["S"]], (fresh["due_at"]["S"], pk, sk))


def _indexed(row: Row | None) -> bool:
    return row is not None and all(name in row for name in INDEX)


def _of_index(before: Row | None, fresh: Row | None) -> int:
    """Give the write units of the index: nothing where nothing it shows has changed."""
    old = _units(size(before), 1024) if before is not None and _indexed(before) else 0
    new = _units(size(fresh), 1024) if fresh is not None and _indexed(fresh) else 0
    if before == fresh:
        return 0
    same_key = old and new and all((before or {})[n] == (fresh or {})[n] for n in INDEX)
    return max(old, new) if same_key else old + new


class MeteredQueue:
    """A queue that hands its messages to `sink`; each is received and deleted by a request of its own."""

    def __init__(self, meter: Meter, sink: Callable[[str, str], None]) -> None:
        """`sink` takes group and body."""
        self._meter, self._sink = meter, sink

    def send_message(self, *, MessageBody: str, MessageGroupId: str, **_: Any) -> None:  # noqa: N803 - AWS's names
        """Take one message."""
        self._take([(MessageGroupId, MessageBody)])

    def send_message_batch(self, *, Entries: list[dict[str, str]], **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Take up to ten."""
        self._take([(e["MessageGroupId"], e["MessageBody"]) for e in Entries])
        return {"Successful": [{"Id": e["Id"]} for e in Entries]}

    def _take(self, messages: list[tuple[str, str]]) -> None:
        self._meter.add("sqs requests", _units(sum(len(body.encode()) for _, body in messages), 65_536), "SendMessage")
        for group, body in messages:
            self._meter.add("sqs requests", 2, "ReceiveMessage and DeleteMessage")
            self._sink(group, body)


class MeteredBucket:
    """Objects that are only written."""

    def __init__(self, meter: Meter) -> None:
        """Begin with nothing."""
        self._meter = meter
        self.bytes = 0

    def put_object(self, *, Body: bytes, **_: Any) -> None:  # noqa: N803 - AWS's names
        """Store an object."""
        self.bytes += len(Body)
        self._meter.add("s3 puts", 1, "PutObject")

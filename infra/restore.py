"""Bring a stack's table back to a point in time: `python -m infra.restore STACK --to 2026-03-02T06:00:00Z`.

DynamoDB restores into a new table, and the stack goes on using its own. So the functions are stopped, the rows are
copied back over the stack's table, and the functions started again. Each step may be repeated: `--step` names one, and
`--from-table` a table that was restored before. What the rows then do not know is looked for before it is sent again;
see "Restore from a backup" in docs/operations.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import boto3

KEPT = ("breaker#", "chain#", "stopped-functions")
"""Rows that stay as they are: a login that was refused since then must not be tried again, or the user is locked; and
of refresh tokens only the latest is good.
"""
LONGEST = 300
"""Seconds that a function may go on after it was stopped: the longest timeout in the template."""
IN_DOUBT = 900
"""Seconds after which a vendor has carried out what was sent, or never will: the longest `in_doubt_seconds`."""
Row = dict[str, Any]


class Restore:
    """The steps, on boto3 clients; `client` makes one by its service's name, `say` takes a line for the person."""

    def __init__(self, stack: str, client: Callable[[str], Any], say: Callable[[str], None] = print) -> None:
        """Find what the stack is made of. Raises `LookupError` where it has no table."""
        self._lambda, self._table, self._sqs = client("lambda"), client("dynamodb"), client("sqs")
        self._say = say
        found = _resources(client("cloudformation"), stack)
        self.functions = [name for kind, name in found if kind == "AWS::Lambda::Function"]
        self.queues = [name for kind, name in found if kind == "AWS::SQS::Queue"]
        tables = [name for kind, name in found if kind == "AWS::DynamoDB::Table"]
        if len(tables) != 1:
            raise LookupError(f"The stack {stack} has {len(tables)} tables, and should have one; check its name.")
        self.table = tables[0]

    def stop(self) -> None:
        """Let no function start, and note what each was allowed before, so that `start` gives it back."""
        known = self._noted()
        for name in self.functions:
            if name not in known:
                known[name] = self._lambda.get_function_concurrency(FunctionName=name).get(
                    "ReservedConcurrentExecutions", -1
                )
                self._note(known)
            self._lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        self._say(f"{len(self.functions)} functions are stopped. What is under way ends within {LONGEST} s.")

    def bring(self, to: datetime, target: str) -> None:
        """Restore the table as it was at a time into a new one, and wait until it is there."""
        self._table.restore_table_to_point_in_time(
            SourceTableName=self.table, TargetTableName=target, RestoreDateTime=to
        )
        self._table.get_waiter("table_exists").wait(TableName=target, WaiterConfig={"Delay": 20, "MaxAttempts": 720})
        self._say(f"{target} is {self.table} as it was at {to.isoformat()}.")

    def copy(self, source: str) -> tuple[int, int]:
        """Make the rows of the stack's table those of another; returns how many were written and removed.

        A row that is the same is not written, so a copy that was cut short is finished by the next one. Raises
        `RuntimeError` while a function may start, since it would write over what is copied.
        """
        for name in self.functions:
            found = self._lambda.get_function_concurrency(FunctionName=name)
            if found.get("ReservedConcurrentExecutions") != 0:
                raise RuntimeError(f"{name} may still start. Run this with --step stop first.")
        written = removed = 0
        for row in self._rows(source):
            key = _key(row)
            if (
                not _is_kept(row)
                and self._table.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item") != row
            ):
                self._table.put_item(TableName=self.table, Item=row)
                written += 1
        for row in self._rows(self.table):
            if not _is_kept(row) and "Item" not in self._table.get_item(
                TableName=source, Key=_key(row), ConsistentRead=True
            ):
                self._table.delete_item(TableName=self.table, Key=_key(row))
                removed += 1
        self._say(f"{written} entries of {self.table} were brought back, and {removed} newer ones removed.")
        return written, removed

    def empty_queues(self) -> None:
        """Remove what waits in the queues: it belongs to rows that are others now. Rows that are due notify again."""
        for url in self.queues:
            self._sqs.purge_queue(QueueUrl=url)
        self._say(f"{len(self.queues)} queues are empty.")

    def start(self) -> None:
        """Give each function what it was allowed before."""
        for name, before in self._noted().items():
            if before < 0:
                self._lambda.delete_function_concurrency(FunctionName=name)
            else:
                self._lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)
        self._table.delete_item(TableName=self.table, Key=_NOTE)
        self._say("The functions run again. `ml-connector tenants` and `runs` show what they do.")

    def _noted(self) -> dict[str, int]:
        item = self._table.get_item(TableName=self.table, Key=_NOTE, ConsistentRead=True).get("Item")
        return {name: int(value["N"]) for name, value in item["functions"]["M"].items()} if item else {}

    def _note(self, known: dict[str, int]) -> None:
        functions = {"M": {name: {"N": str(value)} for name, value in known.items()}}
        self._table.put_item(TableName=self.table, Item={**_NOTE, "functions": functions})

    def _rows(self, table: str) -> Iterator[Row]:
        for page in self._table.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


_NOTE: Row = {"pk": {"S": "stopped-functions"}, "sk": {"S": "stopped-functions"}}


def _key(row: Row) -> Row:
    return {"pk": row["pk"], "sk": row["sk"]}


def _is_kept(row: Row) -> bool:
    return str(row["pk"]["S"]).startswith(KEPT)


def _resources(cloudformation: Any, stack: str) -> list[tuple[str, str]]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [(r["ResourceType"], r["PhysicalResourceId"]) for page in pages for r in page["StackResourceSummaries"]]


def main(arguments: list[str] | None = None) -> int:
    """Run all steps, or one; returns the exit code."""
    parser = argparse.ArgumentParser(description="Bring a stack's table back to a point in time.")
    parser.add_argument("stack")
    parser.add_argument("--to", type=datetime.fromisoformat, help="the time, such as 2026-03-02T06:00:00+00:00")
    parser.add_argument("--from-table", help="the restored table; made from --to where it is not named")
    parser.add_argument("--step", choices=["stop", "restore", "copy", "queues", "start"], help="only this one")
    options = parser.parse_args(arguments)
    if options.step in {None, "restore"} and options.to is None and options.from_table is None:
        parser.error("name the time with --to, or a table that was restored before with --from-table")
    if options.step == "copy" and options.from_table is None:
        parser.error("name the restored table with --from-table")
    if options.to is not None and options.to.tzinfo is None:
        parser.error("--to needs a time zone, such as +00:00")
    try:
        client: Any = boto3.client
        _run(Restore(options.stack, client), options)
    except (LookupError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(restore: Restore, options: argparse.Namespace) -> None:
    every, table = options.step is None, options.from_table
    if every or options.step == "stop":
        restore.stop()
    stopped = time.monotonic()
    if (every or options.step == "restore") and table is None:
        table = f"{restore.table}-restored-{options.to:%Y%m%dT%H%M%S}"
        restore.bring(options.to, table)
    if every:
        _wait(stopped + LONGEST, "the functions have ended")
    if every or options.step == "copy":
        restore.copy(table)
    if every or options.step == "queues":
        restore.empty_queues()
    if every:
        _wait(stopped + LONGEST + IN_DOUBT, "what was sent last is carried out, or never will be")
    if every or options.step == "start":
        restore.start()


def _wait(until: float, why: str) -> None:
    seconds = until - time.monotonic()
    if seconds > 0:
        print(f"Waiting {seconds:.0f} s, until {why}.")
        time.sleep(seconds)


if __name__ == "__main__":
    sys.exit(main())

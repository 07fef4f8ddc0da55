"""Writes: one wake-up message, one chunk, one attempt. It reports on the row and never raises for a vendor's sake."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from math import ceil
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError

from ml_connector.aws import emf, logs
from ml_connector.aws.assembly import Aws, Names
from ml_connector.engine.access.calls import taken
from ml_connector.engine.ledger.enqueue import read_wake_up
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.replay import reopen
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write import deferred_audit
from ml_connector.engine.write.worker import write
from ml_connector.errors import Misconfigured
from ml_connector.flow import Flow
from ml_connector.integration_cache import REDRIVEN, IntegrationCache

aws = Aws(Names.from_environment())
logger = logs.logger(aws.names.stage)
metrics = Metrics()
AFTER_LEASE = timedelta(seconds=5)
"""By then the row of a process that died is free, and its ring finds it so."""
processor = SqsFifoPartialProcessor()
processor.raise_on_entire_batch_failure = False
"""A message that fails comes back by itself. A function that fails makes Lambda read its queue more slowly, for all."""


@cache
def pairs() -> IntegrationCache:
    """Keep the pairs of this process; made at the first message: clients and settings are most of a cold start."""
    return IntegrationCache(aws.runtime, aws.secrets, aws.tools)


def work(record: SQSRecord) -> None:
    """Work on the chunk that a wake-up message names; a letter that came back from the dead opens its row first."""
    message = read_wake_up(record.body)
    if message is None:
        logger.warning("a wake-up message that cannot be read is skipped", extra={"body": record.body[:500]})
        return
    try:
        if deferred_audit.answer(aws.runtime, message):
            return
        with pairs().lent(message["tenant"], message["integration"], message["flow"]) as (pair, flow):
            _write(pair, flow, message)
    except Exception:
        logger.exception("a message comes back", extra={"tenant": message["tenant"], "chunk": message["id"]})
        emf.returned(aws.names.stack, "write")
        raise


def _write(pair: TenantIntegration | None, flow: Flow, message: dict[str, Any]) -> None:
    if pair is None and _put_off(flow, message):
        return
    if pair is None or pair.scope != message["scope"] or flow.name not in pair.active:
        logger.info(
            "no such integration now", extra={"tenant": message["tenant"], "integration": message["integration"]}
        )
        return
    if "cause" in message:
        reopen(pair.ledger(flow.name), message["id"], REDRIVEN, message["death"])
    chunk = write(pair, flow, message["id"])
    _count_refusals(pair)
    _count_calls()
    if chunk is not None:
        _tell(chunk)
        _count(flow.target, chunk)


def _put_off(flow: Flow, message: dict[str, Any]) -> bool:
    """Write on the row why there is no pair; tells whether there is a reason. It is this tenant's trouble."""
    chunk, why = pairs().put_off(message, flow)
    if why is None:
        return False
    logger.warning(
        "%s: its secrets cannot be used",
        message["tenant"],
        extra={"tenant": message["tenant"], "integration": message["integration"], "reason": str(why)},
    )
    if isinstance(why, Misconfigured):
        emf.tenant_fault(aws.names.stack, message["tenant"], "secret")
    if chunk is not None:
        _tell(chunk)
    return True


def _tell(chunk: Chunk) -> None:
    logger.info(
        "chunk",
        extra={
            "tenant": chunk.tenant,
            "flow": chunk.flow,
            "chunk": chunk.id,
            "state": chunk.state,
            "reason": chunk.reason,
        },
    )


def _count(system: str, chunk: Chunk) -> None:
    """Count what became of records, by system: the dashboard shows it."""
    counts = {
        "Delivered": chunk.delivered,
        "Rejected": chunk.rejected,
        "Held": int(bool(chunk.waiting_for)),
        "Failed": int(chunk.state == "failed"),
    }
    metrics.set_default_dimensions(stack=aws.names.stack, system=system)
    for name, count in counts.items():
        if count:
            metrics.add_metric(name, MetricUnit.Count, count)


def _free_lane(event: dict[str, Any]) -> None:
    """Let a message come back right after the lease of this process, should it be killed: its lane waits for it.

    The queue's own visibility timeout is six times the function's, as AWS recommends for invocations that are
    throttled. It concerns messages that no process has begun to work on; one that has knows when it ends.
    """
    hidden = aws.runtime.lease_ends() - aws.clock.now() + AFTER_LEASE
    for record in event.get("Records", []):
        try:
            aws.clients.get("sqs").change_message_visibility(
                QueueUrl=aws.names.records_queue,
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=ceil(hidden.total_seconds()),
            )
        except (BotoCoreError, ClientError) as error:  # the lane waits longer if this process is killed, no more
            logger.warning("a message keeps its visibility timeout", extra={"reason": str(error)})


def _count_refusals(pair: TenantIntegration) -> None:
    """Count the logins that a system refused, under that system; work that waits behind the closed door is none."""
    for system, breaker in pair.breakers.items():
        refused, breaker.refusals = breaker.refusals, 0
        if refused:
            dimensions = {"stack": aws.names.stack, "system": system}
            with single_metric("Unauthorized", MetricUnit.Count, refused, default_dimensions=dimensions):
                pass


def _count_calls() -> None:
    """Count the calls to systems that allow so many a day."""
    for system, calls in taken(aws.runtime.kept).items():
        dimensions = {"stack": aws.names.stack, "system": system}
        with single_metric("Calls", MetricUnit.Count, calls, default_dimensions=dimensions):
            pass


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: Any) -> Any:
    """Take wake-up messages from the queue, one at a time."""
    aws.runtime.deadline.begin(aws.clock.now(), context.get_remaining_time_in_millis() / 1000)
    _free_lane(event)
    return process_partial_response(event, work, processor, context)

"""Reads one system: on the minute it asks for runs of the tenants that are due, and each run reads their flows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from ml_connector.aws import emf, logs
from ml_connector.aws.assembly import Aws, Names, share_of
from ml_connector.aws.queue import ask_for_runs
from ml_connector.engine.access.calls import taken
from ml_connector.prefetch import prefetch
from ml_connector.runs import Run, tick

aws = Aws(Names.from_environment())
logger = logs.logger(aws.names.stage)
metrics = Metrics()
metrics.set_default_dimensions(stack=aws.names.stack, system=aws.names.system)
processor = SqsFifoPartialProcessor()
processor.raise_on_entire_batch_failure = False
"""A message that fails comes back by itself. A function that fails makes Lambda read its queue more slowly, for all."""
SHARE = 0.4
"""Of the time that a tick has: who is due and not reached until then is the first of the next."""


def send(asked: Sequence[tuple[str, str]]) -> None:
    """Ask for runs (tenant, id); the same request within five minutes is one."""
    ask_for_runs(aws.clients.get("sqs"), aws.names.runs_queue, asked)


def run(record: SQSRecord) -> None:
    """Read one tenant's due flows."""
    work = Run(aws.runtime, aws.secrets, aws.tools, aws.names.system, prefetch)
    try:
        work.of(record.body)
    except Exception:
        logger.exception("a run request comes back", extra={"tenant": record.body})
        emf.returned(aws.names.stack, f"poll-{aws.names.system}")
        raise
    metrics.add_metric("Unauthorized", MetricUnit.Count, work.refused)
    for calls in taken(aws.runtime.kept).values():
        metrics.add_metric("Calls", MetricUnit.Count, calls)
    if work.faults:
        emf.tenant_fault(aws.names.stack, record.body, "run")
    if work.late is not None:
        metrics.add_metric("CadenceLateSeconds", MetricUnit.Seconds, work.late)


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: Any) -> Any:
    """Take a tick of the schedule or a run request from the queue."""
    aws.runtime.deadline.begin(aws.clock.now(), context.get_remaining_time_in_millis() / 1000)
    if "Records" not in event:
        ticked = tick(aws.runtime, aws.names.system, send, share_of(aws.clock, context, SHARE))
        metrics.add_metric("CadenceLateSeconds", MetricUnit.Seconds, ticked.late)
        return {"runs": ticked.runs}
    return process_partial_response(event, run, processor, context)

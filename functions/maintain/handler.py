"""Keeps things moving: rings what is due, keeps the roster, and measures. It calls no vendor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from ml_connector import enrol
from ml_connector.aws import emf, logs
from ml_connector.aws.assembly import Aws, Names
from ml_connector.engine.maintain import ages, ring_due
from ml_connector.engine.roster import wanted

aws = Aws(Names.from_environment())
logger = logs.logger(aws.names.stage)
metrics = Metrics()
metrics.set_default_dimensions(stack=aws.names.stack)
ROSTER = timedelta(minutes=5)
_last: list[Any] = []


def keep_roster(force: bool = False) -> None:
    """Rebuild the roster every five minutes, and whenever it is asked for."""
    now = aws.clock.now()
    if force or not _last or now - _last[-1] >= ROSTER:
        for tenant in enrol.rebuild(aws.world, aws.secrets, aws.tools):
            if tenant.problem:
                logger.warning("%s: unusable secrets", tenant.name, extra={"tenant": tenant.name,
                               "reason": tenant.problem})  # fmt: skip
                emf.tenant_fault(aws.names.stack, tenant.name, "registry")
        _last[:] = [now]


def measure() -> None:
    """Tell how old the oldest due and the oldest held chunk are, by target system."""
    for system, (due, held) in ages(aws.world, wanted(aws.store)).items():
        for name, value in (("OldestDueSeconds", due), ("OldestHeldSeconds", held)):
            with single_metric(
                name, MetricUnit.Seconds, value, default_dimensions={"stack": aws.names.stack, "system": system}
            ):
                pass


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001 - Lambda's signature
    """Take the minute's tick; `{"roster": true}` rebuilds the roster at once."""
    try:
        keep_roster(bool(event.get("roster")))
    finally:  # while secrets cannot be read, the work goes on
        rung = ring_due(aws.world, wanted=wanted(aws.store))
        metrics.add_metric("Rung", MetricUnit.Count, rung)
    measure()
    return {"rung": rung}

"""Keeps things moving: queues what is due, and measures. It calls no vendor and reads no secret."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from ml_connector.aws import logs
from ml_connector.aws.assembly import Aws, Names, share_of
from ml_connector.engine.schedule.gauges import gauges_of, registry_age
from ml_connector.engine.schedule.tenant_rows import wanted
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.integrations import INTEGRATIONS
from ml_connector.keeping import ending

aws = Aws(Names.from_environment())
logger = logs.logger(aws.names.stage)
metrics = Metrics()
metrics.set_default_dimensions(stack=aws.names.stack)
SYSTEMS = sorted({system for table in INTEGRATIONS for system in (table.erp, table.platform)})
SHARE = 0.4
"""Of the time that a tick has: what is due and not queued until then is the first of the next."""


def measure() -> None:
    """Tell CloudWatch the gauges, each of each system also where it is nothing: one that is missing is an alarm."""
    for system, gauges in gauges_of(aws.runtime, SYSTEMS).items():
        _tell({name: (_unit(name), value) for name, value in gauges.values.items()}, system=system)
        for currency, amount in gauges.held.items():
            _tell({"HeldAmount": (MetricUnit.Count, float(amount))}, system=system, currency=currency)
    _tell({"RefreshTokensEnding": (MetricUnit.Count, ending(aws.runtime, SYSTEMS))})
    if (age := registry_age(aws.runtime)) is not None:
        _tell({"RegistryAgeSeconds": (MetricUnit.Seconds, age)})


def _tell(values: dict[str, tuple[MetricUnit, float]], **dimensions: str) -> None:
    told = EphemeralMetrics()
    told.set_default_dimensions(stack=aws.names.stack, **dimensions)
    for name, (unit, value) in values.items():
        told.add_metric(name, unit, value)
    told.flush_metrics()


def _unit(name: str) -> MetricUnit:
    return MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001 - Lambda's signature
    """Take the minute's tick: queue what is due first, then measure."""
    try:
        notified = wake_due(aws.runtime, wanted(aws.store), share_of(aws.clock, context, SHARE))
        metrics.add_metric("Notified", MetricUnit.Count, notified)
    finally:  # what cannot be queued is watched all the same
        measure()
    return {"notified": notified}

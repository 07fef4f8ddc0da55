"""Keeps things moving: rings what is due, keeps the roster, and measures. It calls no vendor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from ml_connector import enrol
from ml_connector.aws import emf, logs
from ml_connector.aws.assembly import Aws, Names
from ml_connector.engine.gauges import gauges_of, registry_age, registry_kept
from ml_connector.engine.maintain import ring_due
from ml_connector.engine.roster import wanted
from ml_connector.integrations import INTEGRATIONS

aws = Aws(Names.from_environment())
logger = logs.logger(aws.names.stage)
metrics = Metrics()
metrics.set_default_dimensions(stack=aws.names.stack)
ROSTER = timedelta(minutes=5)
SYSTEMS = sorted({system for table in INTEGRATIONS for flow in table.flows for system in (flow.source, flow.target)})
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
        registry_kept(aws.world)
        _last[:] = [now]


def measure() -> None:
    """Tell CloudWatch the gauges, each of each system also where it is nothing: one that is missing is an alarm."""
    for system, gauges in gauges_of(aws.world, SYSTEMS).items():
        _tell({name: (_unit(name), value) for name, value in gauges.values.items()}, system=system)
        for currency, amount in gauges.held.items():
            _tell({"HeldAmount": (MetricUnit.Count, float(amount))}, system=system, currency=currency)
    if (age := registry_age(aws.world)) is not None:
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
    """Take the minute's tick; `{"roster": true}` rebuilds the roster at once."""
    try:
        keep_roster(bool(event.get("roster")))
    finally:  # while secrets cannot be read, the work goes on, and is watched
        rung = ring_due(aws.world, wanted=wanted(aws.store))
        metrics.add_metric("Rung", MetricUnit.Count, rung)
        measure()
    return {"rung": rung}

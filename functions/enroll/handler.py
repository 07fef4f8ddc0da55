"""Keeps the registry of tenants: their rows and schedules, made from the secrets. It calls no vendor.

A function of its own, so that however many tenants there are, what is due does not wait for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from ml_connector.aws import emf, logs
from ml_connector.aws.assembly import Aws, Names, share_of
from ml_connector.engine.schedule.gauges import registry_kept
from ml_connector.registry import Pass, problems

aws = Aws(Names.from_environment())
logger = logs.logger(aws.names.stage)
metrics = Metrics()
metrics.set_default_dimensions(stack=aws.names.stack)
EVERY = timedelta(minutes=5) - timedelta(seconds=10)
"""Between two passes over all tenants; less the seconds by which a tick may be early."""
SHARE = 0.4
"""Of the time that a tick has: what is left then is the next tick's, and it ends within half."""
_last: list[Any] = []


@logger.inject_lambda_context
@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Take the minute's tick: a pass every five minutes, or what the last one left; `{"registry": true}`: one now."""
    now = aws.clock.now()
    if _last and now - _last[0] < EVERY and not event.get("registry"):
        return {"made": 0, "left": 0}
    _last.clear()
    done = Pass(aws.runtime, aws.secrets, aws.tools, until=share_of(aws.clock, context, SHARE)).run()
    for tenant, problem in problems(done.made):
        logger.warning("%s: unusable secrets", tenant, extra={"tenant": tenant, "reason": problem})
        emf.tenant_fault(aws.names.stack, tenant, "registry")
    metrics.add_metric("TenantsLeft", MetricUnit.Count, done.left)
    if not done.left:
        _last.append(now)
        registry_kept(aws.runtime)
    return {"made": len(done.made), "left": done.left}

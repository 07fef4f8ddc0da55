"""Metrics in CloudWatch's embedded format: a line of the log, and so cheaper to import than a library for it."""

from __future__ import annotations

import json
import os
import time

TENANT_FAULTS = "TenantFaults"
"""Counts what is wrong with one tenant and stays with it: a secret, a key, a setting."""


def tenant_fault(stack: str, tenant: str, what: str) -> None:
    """Count a tenant's fault; `what` says in a word or two which. The tenant is a field of the log, no dimension.

    One count for the stack: a dimension for each tenant would cost more than everything else.
    """
    metric = {"Name": TENANT_FAULTS, "Unit": "Count"}
    space = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "MlConnector")
    told = {"Namespace": space, "Dimensions": [["stack"]], "Metrics": [metric]}
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]},
        "stack": stack, TENANT_FAULTS: 1, "tenant": tenant, "fault": what,
    }  # fmt: skip
    print(json.dumps(line))  # noqa: T201 - standard output is where CloudWatch reads it

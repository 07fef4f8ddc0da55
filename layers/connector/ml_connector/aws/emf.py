"""Metrics in CloudWatch's embedded format: a line of the log, and so cheaper to import than a library for it."""

from __future__ import annotations

import json
import os
import time

TENANT_FAULTS = "TenantFaults"
"""Counts what is wrong with one tenant and stays with it: a secret, a key, a setting."""


RETURNED = "Returned"
"""Counts messages that a function failed on, and that come back to it: they are no errors of the function to AWS."""


def tenant_fault(stack: str, tenant: str, what: str) -> None:
    """Count a tenant's fault; `what` says in a word or two which. The tenant is a field of the log, no dimension.

    One count for the stack: a dimension for each tenant would cost more than everything else.
    """
    _count(TENANT_FAULTS, {"stack": stack}, tenant=tenant, fault=what)


def returned(stack: str, function: str) -> None:
    """Count a message that comes back to a function, named as in the template without the stack (`poll-sap_b1`)."""
    _count(RETURNED, {"stack": stack, "function": function})


def _count(name: str, dimensions: dict[str, str], **beside: str) -> None:
    metric = {"Name": name, "Unit": "Count"}
    space = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "MlConnector")
    told = {"Namespace": space, "Dimensions": [list(dimensions)], "Metrics": [metric]}
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]},
        **dimensions,
        name: 1,
        **beside,
    }
    print(json.dumps(line))  # noqa: T201 - standard output is where CloudWatch reads it

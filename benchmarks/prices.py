"""What AWS asks in us-east-1, in US dollars, without any free tier. Source: the public price pages, 2026.

On-demand DynamoDB (standard table class), SQS FIFO, S3 standard, KMS, Secrets Manager (calls, not storage), CloudWatch,
Lambda on arm64.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

MILLION = Decimal(1_000_000)
PRICES = {
    "dynamodb write units": Decimal("0.625") / MILLION,
    "dynamodb read units": Decimal("0.125") / MILLION,
    "sqs requests": Decimal("0.50") / MILLION,
    "s3 puts": Decimal("0.005") / 1000,
    "s3 gets": Decimal("0.0004") / 1000,
    "kms requests": Decimal("0.03") / 10_000,
    "secrets calls": Decimal("0.05") / 10_000,
    "log bytes": Decimal("0.50") / 1024**3,
    "metrics": Decimal("0.30"),
    "alarms": Decimal("0.10"),
}
"""By kind of unit. DynamoDB counts by size: writes by 1 KB, reads by 4 KB, half where they may be a little old.
Logs by what is taken in; metrics and alarms by the month."""
LAMBDA_GB_SECOND = Decimal("0.0000133334")
LAMBDA_REQUEST = Decimal("0.20") / MILLION


def dollars(units: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Price what was counted, by kind. Raises `KeyError` for a kind that has no price."""
    return {kind: count * PRICES[kind] for kind, count in units.items()}

"""Cold imports in fresh interpreters, against `import boto3` and one client."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 5
CODES = {
    "boto3 and a client": "import boto3; boto3.client('sqs', region_name='eu-west-1')",
    "webhook": "import boto3; boto3.client('sqs', region_name='eu-west-1'); import ml_connector.receive, "
    "ml_connector.aws.assembly",
    "writer": "import boto3; boto3.client('sqs', region_name='eu-west-1'); import ml_connector.pairs, "
    "ml_connector.engine.write, ml_connector.aws.assembly, ml_connector.systems.sap_b1, "
    "ml_connector.systems.basware.connection, aws_lambda_powertools.utilities.batch",
}


def seconds(code: str) -> float:
    """Time one fresh interpreter, less one that does nothing."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code
    whole = time.perf_counter() - began
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return whole - (time.perf_counter() - began)


def main() -> None:
    """Print medians and ratios."""
    medians = {name: statistics.median(seconds(code) for _ in range(ROUNDS)) for name, code in CODES.items()}
    base = medians["boto3 and a client"]
    for name, value in medians.items():
        print(f"{name:<20} {value * 1000:6.0f} ms  {value / base:.2f}")


if __name__ == "__main__":
    main()

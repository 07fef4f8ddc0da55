"""Cold imports of the four functions in fresh interpreters, against `import boto3` and one client.

As they are deployed: what Lambda's runtime brings (`.venv-lambda`), and before it the layer with its bytecode, built
for this interpreter (`make setup layer-local`).

What counts is the processor's time (user and system), least of some rounds taken in turn: a busy machine lengthens
both sides and does not change which is longer. `a first pair` is no import: it is what the writer's first wake-up
message adds (its clients, the settings' models, both adapters), shown so that nothing hides behind a late import.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from infra.local import layer
from infra.local.ministack import LOCAL_LAYER

ROOT = Path(__file__).parents[1]
ROUNDS = 5
PYTHON = str(ROOT / ".venv-lambda/bin/python")
BASE = "boto3 and a client"
FUNCTIONS = ("basware_webhook", "write", "poll", "maintain")
FIRST_PAIR = "write, with a first pair"
ENVIRONMENT = {
    "ML_TABLE": "t",
    "ML_RECORDS_QUEUE": "q",
    "ML_RECORDS_DLQ": "d",
    "ML_AUDIT_BUCKET": "b",
    "ML_KMS_KEY": "k",
    "ML_SECRET_PREFIX": "p",
    "ML_SYSTEM": "sap_b1",
    "ML_RUNS_QUEUE": "r",
    "POWERTOOLS_METRICS_NAMESPACE": "n",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "PYTHONPATH": str(LOCAL_LAYER / "python"),
    "PYTHONNOUSERSITE": "1",
}


def codes() -> dict[str, str]:
    """Give the programs, each begun in an interpreter of its own."""
    imports = {f: f"import sys; sys.path.insert(0, {str(ROOT / 'functions' / f)!r}); import handler" for f in FUNCTIONS}
    adapters = "import ml_connector.systems.sap_b1.connection, ml_connector.systems.basware.connection"
    return {
        "nothing": "pass",
        BASE: "import boto3; boto3.client('sqs')",
        **imports,
        FIRST_PAIR: f"{imports['write']}; handler.pairs(); {adapters}",
    }


def seconds(code: str) -> float:
    """Give the processor's time of one fresh interpreter."""
    process = subprocess.Popen([PYTHON, "-c", code], env={**os.environ, **ENVIRONMENT})  # noqa: S603 - our own program
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"The program ended with {process.returncode}: {code}")
    return usage.ru_utime + usage.ru_stime


def ratios(names: Iterable[str], rounds: int = ROUNDS) -> dict[str, float]:
    """Give the time of programs by that of the base, both less an interpreter's own."""
    programs = {name: code for name, code in codes().items() if name in {"nothing", BASE, *names}}
    taken = [{name: seconds(code) for name, code in programs.items()} for _ in range(rounds)]
    least = {name: min(one[name] for one in taken) for name in programs}
    base = least[BASE] - least["nothing"]
    return {name: (value - least["nothing"]) / base for name, value in least.items() if name != "nothing"}


def main() -> None:
    """Print the ratios."""
    layer.refresh(LOCAL_LAYER)
    for name, ratio in ratios([*FUNCTIONS, FIRST_PAIR]).items():
        print(f"{name:<26} {ratio:.2f}")


if __name__ == "__main__":
    main()

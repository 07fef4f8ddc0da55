"""The functions as they are deployed: their handlers, loaded as Lambda does, on the simulated ports.

A container is a module of its own with what it keeps from one invocation to the next; so two workers, of which one
comes in between the other, share nothing but the ports. What is replaced in a module is what stands for AWS, and a few
names: `write` notes what came of a chunk, `prefetch` reads pages in line (threads have no seed), `measure`, `metrics`
and `emf` only tell CloudWatch, and what is printed goes into the log.
"""

from __future__ import annotations

import base64
import importlib.util
import logging
import os
import warnings
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from ml_connector.engine.poll.state import inline
from ml_connector.engine.runtime import Runtime
from ml_connector.ports import Queue, Secrets, Store, Vault
from ml_connector.receive import Receiver
from ml_connector.systems.basware.webhook import HEADER
from ml_connector.tenant import BootstrapOptions
from tests.simulation.machine import OurClock

FOLDER = Path(__file__).parents[2] / "functions"
NAMES = ("TABLE", "RECORDS_QUEUE", "RECORDS_DLQ", "AUDIT_BUCKET", "KMS_KEY", "SECRET_PREFIX", "SYSTEM", "RUNS_QUEUE")
LOGGERS = ("ml_connector", "ml-connector")
"""The product's, and the one that the handlers share."""
CONTEXT = SimpleNamespace(
    function_name="simulated",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 120_000,
)
REPLACED = {
    "prefetch": inline,
    "measure": lambda: None,
    "emf": SimpleNamespace(tenant_fault=lambda *_: None, returned=lambda *_: None),
    "single_metric": lambda *_, **__: nullcontext(SimpleNamespace(add_dimension=lambda *_, **__: None)),
    "metrics": SimpleNamespace(add_metric=lambda *_: None, set_default_dimensions=lambda **_: None),
}
NEVER = 100
"""A level that no message has."""
_idle: dict[str, list[ModuleType]] = defaultdict(list)
"""Modules of containers that are gone: loading one takes milliseconds."""


@dataclass
class SimAws:
    """Stands for `ml_connector.aws.assembly.Aws` in a container."""

    store: Store
    queue: Queue
    vault: Vault
    secrets: Secrets
    tools: BootstrapOptions
    clock: OurClock
    start: Callable[[], Runtime]
    send: Callable[[str, str], None]
    system: str = ""

    @cached_property
    def runtime(self) -> Runtime:
        """The ports of this container, made when something asks for them."""
        return self.start()

    @property
    def names(self) -> Any:
        """What the template tells a function."""
        return SimpleNamespace(stage="dev", stack="dev", system=self.system, runs_queue="runs", records_queue="records")

    @property
    def clients(self) -> dict[str, Any]:
        """Boto's clients: of SQS, the one call that a handler makes itself."""
        return {"sqs": SimpleNamespace(send_message_batch=self._asked, change_message_visibility=lambda **_: None)}

    def _asked(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        assert QueueUrl == "runs"
        assert len(Entries) <= 10
        for entry in Entries:
            assert entry["MessageGroupId"] == entry["MessageBody"]
            self.send(entry["MessageBody"], entry["MessageDeduplicationId"])
        return {}


class Container:
    """One process of one function."""

    def __init__(self, name: str, aws: SimAws, said: Callable[[str], None]) -> None:
        """`said` takes what the function prints."""
        self.name, self.module = name, _idle[name].pop() if _idle[name] else _loaded(name)
        module: Any = self.module
        module.aws, module.print = aws, lambda *texts: said(" ".join(map(str, texts)))

    def end(self) -> None:
        """Give the module back, without what it kept."""
        if "pairs" in vars(self.module):
            self.module.pairs.cache_clear()
        vars(self.module).update(aws=None, receiver=None, noted=None)
        _idle[self.name].append(self.module)

    # ── one method for each function ────────────────────────────────────────────────────────────────────────

    def write(self, body: str, received: int, noted: Callable[[Any], None]) -> None:
        """Hand over a wake-up message; `noted` is told the chunk that was worked on."""
        vars(self.module)["noted"] = noted
        self._batch(body, received)

    def poll(self, tenant: str, received: int) -> None:
        """Hand over a run request."""
        self._batch(tenant, received)

    def tick(self) -> None:
        """Hand over the minute's tick of a poll function."""
        self.module.handler({"source": "aws.scheduler"}, CONTEXT)

    def maintain(self) -> None:
        """Hand over the minute's tick of the maintain function."""
        self.module.handler({"source": "aws.scheduler"}, CONTEXT)

    def enroll(self) -> None:
        """Let the enroll function look at all tenants."""
        self.module.handler({"registry": True}, CONTEXT)

    def receive(self, tenant: str, body: bytes, signature: str | None) -> int:
        """Hand over a request of API Gateway, which spells some bodies as base64; gives the status."""
        aws: SimAws = self.module.aws
        self.module.receiver = Receiver(aws.store, aws.queue, aws.vault, aws.clock)  # type: ignore[assignment]
        packed = len(body) % 2 == 1
        event = {
            "pathParameters": {"tenant": tenant},
            "isBase64Encoded": packed,
            "headers": {HEADER.title(): signature} if signature is not None else {},
            "body": base64.b64encode(body).decode() if packed else body.decode(),
        }
        return int(self.module.handler(event, None)["statusCode"])

    def _batch(self, body: str, received: int) -> None:
        """Hand over a batch of one. What the handler reports as failed is raised, as SQS would see it."""
        record = {
            "messageId": "1",
            "receiptHandle": "1",
            "body": body,
            "eventSource": "aws:sqs",
            "awsRegion": "eu-central-1",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:queue.fifo",
            "messageAttributes": {},
            "attributes": {"ApproximateReceiveCount": str(received), "MessageGroupId": "group"},
            "md5OfBody": "",
        }
        answer = self.module.handler({"Records": [record]}, CONTEXT)
        if answer["batchItemFailures"]:
            _, cause, _ = self.module.processor.exceptions[0]
            raise cause from None
        assert answer == {"batchItemFailures": []}, answer


def load() -> None:
    """Load each function once. Before anybody listens to the log: a handler's logger must find its own outlet first."""
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "simulated")
    warnings.filterwarnings("ignore", category=UserWarning, module="aws_lambda_powertools")
    for name in sorted(path.name for path in FOLDER.iterdir() if (path / "handler.py").exists()):
        if not _idle[name]:
            _idle[name].append(_loaded(name))


def _loaded(name: str) -> ModuleType:
    """Load a function, and replace in it what the simulation does not run."""
    module = deployed(name)
    vars(module).update({known: other for known, other in REPLACED.items() if known in vars(module)})
    if "write" in vars(module):
        vars(module)["write"] = _telling(module, module.write)
    return module


def deployed(name: str) -> ModuleType:
    """Load a function, and take back what it did to this process: its environment, and its way of logging."""
    kept, (product, shared) = dict(os.environ), map(logging.getLogger, LOGGERS)
    before = list(product.handlers), product.level, product.propagate
    os.environ.update({f"ML_{n}": "x" for n in NAMES} | {"AWS_DEFAULT_REGION": "eu-central-1"})
    try:
        spec = importlib.util.spec_from_file_location(f"simulated_{name}", FOLDER / name / "handler.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        os.environ.clear()
        os.environ.update(kept)
        product.handlers[:], product.level, product.propagate = before
        for own in shared.handlers[:1]:  # powertools' own; not removed, since the next module looks for it
            own.setLevel(NEVER)
    return module


def _telling(module: ModuleType, write: Callable[..., Any]) -> Callable[..., Any]:
    """Tell of each chunk what came of it."""

    def telling(*args: Any) -> Any:
        chunk = write(*args)
        if chunk is not None:
            module.noted(chunk)
        return chunk

    return telling

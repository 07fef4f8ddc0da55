"""The deployed functions minute by minute: the real handlers on ports in memory, and what CloudWatch would be given.

What the handlers print (EMF) is read as CloudWatch reads it. What AWS itself measures (calls, errors and throttles of
functions, depth and age of queues, answers of the API) follows from how the calls end and what lies in the queues.
Sources answer as the test says, in place of a poll's pages; the writer's requests end at a network that says the same.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from aws_lambda_powertools import Metrics

from ml_connector import runs
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.secrets import MemorySecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.ledger.enqueue import enqueue, lane
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import tenant_rows
from ml_connector.flow import ListedDocument
from ml_connector.receive import Receiver
from ml_connector.records import Supplier
from ml_connector.tenant import BootstrapOptions
from tests.clock import Clock
from tests.simulation.functions import CONTEXT, SimAws, deployed
from tests.template.cloudwatch import Point

BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLDS = {"runs": timedelta(seconds=1800), "records": timedelta(seconds=720)}
"""For how long a message is hidden that its function failed on."""
MOST = 5
FUNCTIONS = {"Write": "write", "Maintain": "maintain", "Enroll": "enroll", "BaswareWebhook": "basware_webhook"}
ERPS = {
    "sap_b1": ("SapB1", {"service_layer_url": "https://erp.test/b1s/v2", "user_name": "manager", "password": "p"}),
    "sage_300": ("Sage300", {"api_url": "https://erp.test/Sage300WebApi/v1.0/-", "user": "WEBAPI", "password": "P"}),
}
SYSTEMS = {
    "sap_b1": "SapB1",
    "sage_300": "Sage300",
    "syspro": "Syspro",
    "sage_x3": "SageX3",
    "avidxchange": "AvidXchange",
    "basware": "Basware",
}


@dataclass
class Message:
    """A message of a queue: whom it is for, since when it is there, how often it was received, until when hidden."""

    body: str
    group: str
    sent: datetime
    received: int = 0
    hidden_until: datetime = BEGIN


@dataclass
class Operating:
    """A stack with some tenants of one ERP. What fails is set from outside; time passes by `minutes`."""

    erp: str
    tenants: int
    points: list[Point] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)
    """What the source of a tenant raises."""
    network: dict[str, str] = field(default_factory=dict)
    """By tenant, what the writer meets: `away` or `refuses`."""
    stopped: set[str] = field(default_factory=set)
    """What does not run: `ticks`, `maintain`, `runs` and `records` (the queues' mappings)."""
    crashing: set[str] = field(default_factory=set)
    """Tenants whose run ends with the process, as at a fault of ours."""
    throttled: set[str] = field(default_factory=set)
    """Functions that AWS does not start."""
    killed: set[str] = field(default_factory=set)
    """Functions whose process ends without an answer, as at a timeout."""

    def __post_init__(self) -> None:
        self.clock = Clock(BEGIN)
        self.store, self.blobs, self.secrets = SqliteStore(":memory:", self.clock), MemoryBlobs(), MemorySecrets()
        self.vault, self.rng = MemoryVault(), SeededRandom(1)
        self.queues: dict[str, list[Message]] = {
            name: []
            for name in ("records", "records-dlq", *(f"runs-{s}" for s in SYSTEMS), *(f"runs-{s}-dlq" for s in SYSTEMS))
        }
        self.names = [f"t{n:02}" for n in range(self.tenants)]
        for name in self.names:
            self._onboard(name)
        self.modules = {
            ("enroll", ""): self._loaded("enroll"),
            ("maintain", ""): self._loaded("maintain"),
            ("write", ""): self._loaded("write"),
            ("basware_webhook", ""): self._loaded("basware_webhook"),
            **{("poll", s): self._loaded("poll", s) for s in SYSTEMS},
        }
        self.depths = dict.fromkeys(self.queues, False)

    def _onboard(self, name: str) -> None:
        settings = dict(ERPS[self.erp][1])
        settings["company_db" if self.erp == "sap_b1" else "company"] = name.upper()
        self.secrets.write(name, self.erp, json.dumps(settings))
        basware = {"region": "EU", "client_id": name, "client_secret": "s", "companies": ["1000"], "source_system": "E"}
        self.secrets.write(name, "basware", json.dumps(basware))
        schedules = dict.fromkeys(("invoices", "payments"), "rate(15 minutes)")  # a third of the runs by default
        if self.erp == "sage_300":
            del schedules["payments"]
        self.secrets.write(name, "settings", json.dumps({"schedules": schedules}))

    def _loaded(self, name: str, system: str = "") -> Any:
        for shared in (Metrics._metrics, Metrics._dimensions, Metrics._default_dimensions, Metrics._metadata):
            shared.clear()
        module: Any = deployed(name)
        runtime = Runtime(self.store, self, self.blobs, self.clock, self.rng, boot=f"{name}{system}")
        tools = BootstrapOptions(
            self.vault, transport=lambda tenant, _: httpx.MockTransport(lambda r: self._network(tenant, r))
        )

        asked: set[str] = set()

        def send(tenant: str, request: str) -> None:
            if request not in asked:  # the queue takes the same request once
                asked.add(request)
                self.queues[f"runs-{system}"].append(Message(tenant, tenant, self.clock.now()))

        module.aws = SimAws(
            self.store, self, self.vault, self.secrets, tools, self.clock, lambda: runtime, send, system
        )
        if name == "basware_webhook":
            module.receiver = Receiver(self.store, self, self.vault, self.clock)
        return module

    # ── what the functions meet ─────────────────────────────────────────────────────────────────────────────

    def notify(self, group: str, message: Any) -> None:
        """Take a wake-up message, as the port of the queue does."""
        self.queues["records"].append(Message(json.dumps(message), group, self.clock.now()))

    def notify_many(self, queue: Any) -> None:
        """Take many."""
        for group, message in queue:
            self.notify(group, message)

    def dead_letter(self, group: str, message: Any) -> None:
        """Take a dead letter."""
        self.queues["records-dlq"].append(Message(json.dumps(message), group, self.clock.now()))

    def _network(self, tenant: str, request: httpx.Request) -> httpx.Response:
        if self.network.get(tenant) == "refuses":
            return httpx.Response(401, json={"error": {"code": "invalid_client", "message": {"value": "no"}}})
        raise httpx.ConnectError("Connection refused", request=request)

    def source(self, pair: Any, *_: Any) -> Any:
        """Stand for a poll of one flow."""
        error = self.broken.get(pair.tenant)

        class Source:
            def read(self) -> bool:
                if error is not None:
                    raise error
                return True

        return Source()

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────

    def minutes(self, count: int) -> None:
        """Let minutes pass, with all that runs in them."""
        for _ in range(count):
            self.minute()

    def jump(self, **delta: float) -> None:
        """Let time pass in which nothing runs and nobody looks."""
        self.clock.moment += timedelta(**delta)

    def minute(self) -> None:
        """Let one minute pass."""
        ticked = {("enroll", ""): "maintain"} | {("poll", s): "ticks" for s in SYSTEMS} | {("maintain", ""): "maintain"}
        for function, switch in ticked.items():
            if switch not in self.stopped:
                self.call(function, {"source": "aws.events"})
        for system in SYSTEMS:
            if "runs" not in self.stopped:
                self._drain(f"runs-{system}", ("poll", system))
        if "records" not in self.stopped:
            self._drain("records", ("write", ""))
        self._measure_queues()
        self.clock.moment += MINUTE

    def _drain(self, name: str, function: tuple[str, str]) -> None:
        blocked, queue = set(), self.queues[name]
        for message in list(queue):
            if message.group in blocked or message.hidden_until > self.clock.now():
                blocked.add(message.group)
                continue
            if message.received >= MOST:
                queue.remove(message)
                self.queues[f"{name}-dlq"].append(Message(message.body, message.group, self.clock.now()))
                continue
            message.received += 1
            if self.call(function, {"Records": [_record(message)]}):
                queue.remove(message)
            else:
                message.hidden_until = self.clock.now() + HOLDS[name.partition("-")[0]]
                blocked.add(message.group)

    def call(self, function: tuple[str, str], event: dict[str, Any]) -> bool:
        """Call a function as Lambda does; tells whether it took what it was given."""
        name = self._logical(function)
        if name in self.throttled:
            self._point("AWS/Lambda", "Throttles", {"FunctionName": name}, 1)
            return False
        self._point("AWS/Lambda", "Invocations", {"FunctionName": name}, 1)
        module, said = self.modules[function], io.StringIO()
        Metrics._default_dimensions.clear()
        Metrics._dimensions.clear()
        if "metrics" in vars(module):  # each function has a process of its own, and so its own dimensions
            own = {"system": function[1]} if function[0] == "poll" else {}
            module.metrics.set_default_dimensions(stack="dev", **own)
        ended = handled = name not in self.killed
        with contextlib.redirect_stdout(said):
            try:
                if not ended:
                    raise TimeoutError
                answer = module.handler(event, CONTEXT)
                handled = not (isinstance(answer, dict) and answer.get("batchItemFailures"))
            except Exception:
                ended = handled = False
        self._point("AWS/Lambda", "Errors", {"FunctionName": name}, 0 if ended else 1)
        for line in said.getvalue().splitlines():
            self._hear(line)
        return handled

    def send_webhook(self, tenant: str) -> None:
        """Send a notification. API Gateway answers with a server error where the function fails or does not start."""
        event = {"pathParameters": {"tenant": tenant}, "headers": {}, "body": "{}"}
        ended = self.call(("basware_webhook", ""), event)
        self._point("AWS/ApiGateway", "5xx", {"ApiId": "WebhookApi"}, 0 if ended else 1)

    def _logical(self, function: tuple[str, str]) -> str:
        return (
            f"Poll{SYSTEMS[function[1]]}"
            if function[0] == "poll"
            else {v: k for k, v in FUNCTIONS.items()}[function[0]]
        )

    # ── what CloudWatch is given ────────────────────────────────────────────────────────────────────────────

    def _hear(self, line: str) -> None:
        """Read a line of EMF: each metric of each set of dimensions."""
        if "CloudWatchMetrics" not in line:
            return
        told = json.loads(line)
        for directive in told["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: told[name] for name in names}
                for metric in directive["Metrics"]:
                    values = told[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        self._point(directive["Namespace"], metric["Name"], dimensions, value)

    def _point(self, namespace: str, metric: str, dimensions: dict[str, str], value: float) -> None:
        self.points.append(Point(self.clock.now(), namespace, metric, frozenset(dimensions.items()), value))

    def _measure_queues(self) -> None:
        """Tell what SQS tells of a queue that was ever used."""
        now = self.clock.now()
        for name, queue in self.queues.items():
            self.depths[name] = self.depths[name] or bool(queue)
            if self.depths[name]:
                seen = sum(message.hidden_until <= now for message in queue)
                self._point("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": name}, seen)
                oldest = max(((now - message.sent).total_seconds() for message in queue), default=0)
                self._point("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": name}, oldest)

    # ── work for the writer ─────────────────────────────────────────────────────────────────────────────────

    def ledger(self, tenant: str, flow: str) -> Ledger:
        """The rows of one flow of a tenant."""
        row = tenant_rows.row(self.store, tenant)
        assert row is not None
        ((name, pair),) = row.pairs.items()
        return Ledger(self.store, self.clock, tenant=tenant, integration=name, scope=pair.scope, flow=flow)

    def work(self, tenant: str, key: str = "one", **as_it_is: Any) -> None:
        """Put an invoice on its way to the ERP and a supplier to Basware; `as_it_is`: what their rows say already."""
        invoices, vendors = self.ledger(tenant, "invoices"), self.ledger(tenant, "vendors")
        offer = ListedDocument(key, stamp=None, refers=None, amount=None, currency=None)
        enqueue(invoices, offer, run="", in_lane=lane(tenant, self.erp, 1, key))
        vendors.add(
            Chunk(
                id=key,
                tenant=tenant,
                integration=vendors.integration,
                flow="vendors",
                seq=1,
                run="",
                count=1,
                lane=f"{tenant}.basware.master",
                created=vendors.now(),
            ),
            {"records": [Supplier(key=key, code=key, name="Meyer")]},
        )

        def change(row: Chunk) -> bool:
            for name, value in as_it_is.items():
                setattr(row, name, value)
            return True

        for ledger in (invoices, vendors):
            ledger.change(key, change)

    def masters_are_through(self, tenant: str) -> None:
        """Let nothing wait for master data any more."""
        for flow in ("vendors", "accounts", "cost_centers"):
            ledger = self.ledger(tenant, flow)
            cursor, item = ledger.cursor()
            cursor.passes = 1
            ledger.save_cursor(cursor, item)


def _record(message: Message) -> dict[str, Any]:
    return {
        "messageId": "1",
        "receiptHandle": "1",
        "body": message.body,
        "eventSource": "aws:sqs",
        "md5OfBody": "",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:queue.fifo",
        "awsRegion": "eu-central-1",
        "messageAttributes": {},
        "attributes": {"ApproximateReceiveCount": str(message.received), "MessageGroupId": message.group},
    }


@contextlib.contextmanager
def operating(erp: str, tenants: int) -> Iterator[Operating]:
    """A stack that has taken its tenants on and read them once, and works as it should."""
    kept = os.environ.get("POWERTOOLS_METRICS_NAMESPACE")
    os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "MlConnector"
    real_poll, real_subscribe, real_of = runs.Poll, runs.subscribe, runs.Run.of
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            stack = Operating(erp, tenants)

            def of(run: Any, name: str) -> None:
                if name in stack.crashing:
                    raise RuntimeError("a fault of ours")
                real_of(run, name)

            runs.Poll, runs.subscribe, runs.Run.of = stack.source, lambda *_: [], of  # type: ignore[assignment]
            yield stack
    finally:
        runs.Poll, runs.subscribe, runs.Run.of = real_poll, real_subscribe, real_of  # type: ignore[method-assign]
        os.environ.pop("POWERTOOLS_METRICS_NAMESPACE")
        if kept is not None:
            os.environ["POWERTOOLS_METRICS_NAMESPACE"] = kept
        for shared in (Metrics._metrics, Metrics._dimensions, Metrics._default_dimensions, Metrics._metadata):
            shared.clear()

"""What runs on a schedule, with 10, 1,000 and 10,000 tenants on one stack: `python -m benchmarks.growth 10 1000 10000`.

The functions are the deployed ones, loaded as Lambda does, over services in memory on which every call takes 15 ms of a
clock that is turned by hand (`timed.py`). Ticks and the enrolment run for all tenants. A run reads both vendors'
sandboxes for a few tenants; for the others the same handler runs, and the reading of a flow takes the time that it took
for those.
"""

from __future__ import annotations

import contextlib
import heapq
import importlib.util
import io
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from benchmarks.growth_table import Measured, RunCost, table
from benchmarks.prices import LAMBDA_GB_SECOND, LAMBDA_REQUEST, PRICES
from benchmarks.timed import Cloud, TimedWire
from infra.sandbox.basware.app import create_app as basware_app
from infra.sandbox.basware.world import World as Basware
from infra.sandbox.sap_b1.app import create_app as sap_app
from infra.sandbox.sap_b1.world import World as SapB1
from ml_connector.aws.assembly import Aws, Names
from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.poll.state import inline
from ml_connector.engine.schedule.cron import jitter
from ml_connector.enroll import plan
from ml_connector.runs import Run
from ml_connector.tenant import BootstrapOptions

FOLDER = Path(__file__).parents[1] / "functions"
SYSTEMS = ("sap_b1", "basware", "sage_300")
TIMEOUTS = {"maintain": 50, "enroll": 120, "poll": 300}
SLOTS = 50
"""Runs of a system at a time: the template's `PollConcurrency`."""
REAL = 5
"""Tenants whose runs read the sandboxes."""
RUNS = ("run", "brief run")
GIGABYTES = Decimal("0.5")
CPU_SECONDS = Decimal("0.1")
"""What a call of a function computes beside waiting, at 512 MB: taken, not measured here, and on the high side."""
LINES = 340
"""Bytes that Lambda itself logs of a call: START, END, REPORT."""
MONTH = timedelta(days=30)


@dataclass
class Called:
    """Calls of one function: seconds of each, and bytes logged."""

    seconds: list[float] = field(default_factory=list)
    logged: int = 0


@dataclass
class Stack:
    """One stack with `count` tenants; `minute` lets a minute pass."""

    count: int
    cloud: Cloud = field(default_factory=Cloud)
    called: dict[str, Called] = field(default_factory=lambda: defaultdict(Called))
    units: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """What was charged, by function: `run` is that of runs that read the sandboxes."""
    begun: dict[tuple[str, str], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """When runs of a tenant and system began."""
    late: list[float] = field(default_factory=list)
    """What the functions said of `CadenceLateSeconds`."""

    def __post_init__(self) -> None:
        """Load the functions and write the tenants' secrets."""
        self.start = self.cloud.clock.now()
        self.sandboxes: dict[tuple[str, str], Any] = {}
        self.flow_seconds: dict[str, list[float]] = defaultdict(list)
        self.functions = {name: self._loaded(name) for name in ("maintain", "enroll")}
        self.functions |= {f"poll {system}": self._loaded("poll", system) for system in SYSTEMS}
        self._slots: dict[str, list[datetime]] = {system: [self.start] * SLOTS for system in SYSTEMS}
        for n in range(self.count):
            self.onboard(f"tenant-{n:05d}", real=n < REAL)

    # ── what there is ───────────────────────────────────────────────────────────────────────────────────────

    def onboard(self, name: str, *, real: bool) -> None:
        """Write a tenant's secrets, with a sandbox of its own at each system where its runs are real."""
        if real:
            sap, basware = SapB1(clock=self.cloud.clock.now), Basware(clock=self.cloud.clock.now, sleep=lambda _: None)
            sap.sessions.accounts["user"] = "password"
            self.sandboxes |= {(name, "sap_b1"): sap_app(sap), (name, "basware"): basware_app(basware)}
        write = self.cloud.secrets.write
        write(
            f"p/{name}/basware",
            json.dumps(
                {
                    "region": "EU",
                    "client_id": "sandbox-client",
                    "client_secret": "sandbox-secret",
                    "companies": ["1000"],
                    "source_system": "S",
                    "base_url": f"https://{name}.basware.test",
                }
            ),
        )
        write(
            f"p/{name}/sap_b1",
            json.dumps(
                {
                    "service_layer_url": f"https://{name}.sap.test/b1s/v2",
                    "company_db": "SBODEMO",
                    "user_name": "user",
                    "password": "password",
                    "timezone": "Europe/Berlin",
                }
            ),
        )

    def _loaded(self, name: str, system: str = "") -> ModuleType:
        same = ("TABLE", "RECORDS_QUEUE", "RECORDS_DLQ", "AUDIT_BUCKET", "KMS_KEY", "SYSTEM")
        own = {"ML_SECRET_PREFIX": "p", "ML_RUNS_QUEUE": f"runs {system}", "ML_SYSTEM": system}
        powertools = {"POWERTOOLS_METRICS_NAMESPACE": "MlConnector", "AWS_DEFAULT_REGION": "us-east-1"}
        with _environment({f"ML_{n}": n for n in same} | own | powertools):
            spec = importlib.util.spec_from_file_location(f"growing_{name}_{system}", FOLDER / name / "handler.py")
            assert spec is not None
            assert spec.loader is not None
            module: Any = importlib.util.module_from_spec(spec)
            with contextlib.redirect_stdout(io.StringIO()):
                spec.loader.exec_module(module)
            aws = Aws(Names.from_environment(), self.cloud)  # type: ignore[arg-type]
        aws.clock = self.cloud.clock  # type: ignore[assignment]
        vars(aws)["tools"] = self._tools(aws)
        module.aws = aws
        if name == "poll":
            module.Run, module.prefetch = self._brief(system), inline  # threads would turn the clock at random
        return module  # type: ignore[no-any-return]

    def _tools(self, aws: Aws) -> BootstrapOptions:
        return BootstrapOptions(aws.vault, transport=self._wire, shadow_ledger=True, session_vault=aws.session_vault)

    def _wire(self, tenant: str, system: str) -> TimedWire:
        return TimedWire(self.sandboxes.get((tenant, system)), self.cloud.clock)

    def _brief(self, system: str) -> type[Run]:
        stack = self

        class Brief(Run):
            """A run whose reading of a flow takes as long as those that were real took."""

            def _flow(self, tenant: Any, options: Any, integration: Any, flow: Any, deadline: Any) -> bool | None:
                began, known = self.runtime.clock.now(), stack.flow_seconds[system]
                if (tenant.name, system) not in stack.sandboxes:
                    self.runtime.clock.sleep(sum(known) / len(known) if known else 1.0)
                    return True
                done = super()._flow(tenant, options, integration, flow, deadline)
                assert done, self.failures
                known.append((self.runtime.clock.now() - began).total_seconds())
                return done

        return Brief

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────

    def minute(self, *, polls: bool = True) -> None:
        """Let the ticks of a minute fire side by side, and the runs that begin within it take place."""
        now = self.cloud.clock.now()
        for name, module in self.functions.items():
            kind = name.partition(" ")[0]
            if kind == "poll" and not polls:
                continue
            self._call(f"{name} tick" if kind == "poll" else name, module, {}, now, TIMEOUTS[kind])
        self._runs(now + timedelta(minutes=1))
        self.cloud.clock.time = now + timedelta(minutes=1)

    def _runs(self, until: datetime) -> None:
        """Start the runs in the order of their messages, each in the slot that is free first."""
        for system in SYSTEMS:
            queue, slots = self.cloud.queues.there[f"runs {system}"], self._slots[system]
            while queue:
                sent, tenant, body = queue[0]
                start = max(sent, slots[0])
                if start >= until:
                    break
                queue.popleft()
                self.begun[tenant, system].append(start)
                real = (tenant, system) in self.sandboxes
                heapq.heapreplace(slots, (self._run if real else self._brief_run)(system, body, start))

    def _run(self, system: str, body: str, start: datetime) -> datetime:
        module: Any = self.functions[f"poll {system}"]
        for name in ("secrets", "vault"):  # as in a container that has not seen this tenant
            vars(module.aws).pop(name, None)
        vars(module.aws)["tools"] = self._tools(module.aws)
        return self._call("run", module, {"Records": [_record(body)]}, start, TIMEOUTS["poll"])

    def _brief_run(self, system: str, body: str, start: datetime) -> datetime:
        """What the handler does for each record, without what wraps it: that takes most of a brief run's real time."""
        module: Any = self.functions[f"poll {system}"]
        self.cloud.clock.time = start
        module.run(SimpleNamespace(body=body))
        self.late += module.metrics.metric_set.pop("CadenceLateSeconds", {"Value": []})["Value"]
        module.metrics.clear_metrics()
        self.called["brief run"].seconds.append((self.cloud.clock.now() - start).total_seconds())
        return self.cloud.clock.now()

    def _call(self, name: str, module: Any, event: Any, start: datetime, timeout: int) -> datetime:
        clock, meter = self.cloud.clock, self.cloud.meter
        clock.time = start
        before, printed = dict(meter.units), io.StringIO()
        ends = start + timedelta(seconds=timeout)
        context = SimpleNamespace(
            function_name=name,
            memory_limit_in_mb=512,
            invoked_function_arn="arn",
            aws_request_id="request",
            get_remaining_time_in_millis=lambda: int((ends - clock.now()).total_seconds() * 1000),
        )
        with contextlib.redirect_stdout(printed), _environment({"POWERTOOLS_METRICS_NAMESPACE": "MlConnector"}):
            module.handler(event, context)
        self.called[name].seconds.append((clock.now() - start).total_seconds())
        self.called[name].logged += len(printed.getvalue()) + LINES
        self._heard(printed.getvalue())
        for kind, count in meter.units.items():
            self.units[name][kind] += count - before.get(kind, 0)  # type: ignore[assignment]
        return clock.now()

    def _heard(self, text: str) -> None:
        for line in text.splitlines():
            if "CadenceLateSeconds" in line:
                self.late += json.loads(line)["CadenceLateSeconds"]

    def enrolled(self) -> int:
        """Count the tenants that have a row."""
        dynamo = self.cloud.get("dynamodb")._client
        return len(dynamo._rows["tenants"])

    def forget(self) -> None:
        """Count from here on."""
        self.called.clear()
        self.units.clear()
        self.begun.clear()
        self.late.clear()

    def spread(self) -> None:
        """Have tenants due at times spread over five minutes, as their first runs would have left them."""
        dynamo, store = self.cloud.get("dynamodb")._client, self.functions["enroll"].aws.store
        for system in SYSTEMS:
            for _, pk, sk in list(dynamo._due[f"tick#{system}"]):
                item = store.get(pk, sk)
                due = iso(self.start + self.passed + timedelta(seconds=jitter(pk + sk, 300)))
                plan(store, item, dict.fromkeys(item.data["flows"], due))

    @property
    def passed(self) -> timedelta:
        """How long the stack has been there, in whole minutes."""
        return (self.cloud.clock.now() - self.start) // timedelta(minutes=1) * timedelta(minutes=1)

    def all_due(self) -> float:
        """Take a tick of each poll function at which all tenants are due, as after an outage; gives the longest."""
        now = self.cloud.clock.now() + timedelta(days=1)
        names = [name for name in self.functions if name.startswith("poll")]
        ended = [self._call("outage", self.functions[n], {}, now, TIMEOUTS["poll"]) for n in names]
        return max((end - now).total_seconds() for end in ended)


@contextlib.contextmanager
def _environment(named: dict[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    os.environ.update(named)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def _record(body: str) -> dict[str, Any]:
    return {
        "messageId": "1",
        "receiptHandle": "1",
        "body": body,
        "eventSource": "aws:sqs",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:runs.fifo",
        "messageAttributes": {},
        "md5OfBody": "",
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": body},
    }


# ── the measure ─────────────────────────────────────────────────────────────────────────────────────────────────


def measure(count: int, cycles: int = 1, run: RunCost | None = None) -> Measured:
    """Enrol the tenants, then let some times five minutes pass in which nothing changes; `run`: what runs cost."""
    stack, enrolled = Stack(count), 0
    while stack.enrolled() < count:
        stack.minute(polls=False)
        enrolled += 1
        assert enrolled <= 60, f"{stack.enrolled()} of {count} tenants are enrolled after an hour"
    enrolling, minutes = _longest(stack), 5 * cycles
    before = stack.cloud.clock.now()
    stack.spread()
    stack.cloud.clock.time = before
    for _ in range(10):  # until the first runs, which read more, are through, and all are in their rhythm
        stack.minute()
    begun = {key: times[-1:] for key, times in stack.begun.items()}
    stack.forget()
    stack.begun.update(begun)
    for _ in range(minutes):
        stack.minute()
    gaps = [(b - a).total_seconds() for times in stack.begun.values() for a, b in pairwise(times)]
    run = run or run_cost(stack)
    busy = sum(sum(stack.called[n].seconds) for n in RUNS) / (minutes * 60) / 2
    calls, dollars = bill(stack, minutes, run)
    ticks, late = _longest(stack), max(stack.late)
    return Measured(
        count,
        enrolled,
        enrolling,
        ticks,
        stack.all_due(),
        late,
        (min(gaps), max(gaps)),
        float(run.seconds),
        busy,
        calls,
        dollars,
        run,
    )


def _longest(stack: Stack) -> dict[str, float]:
    return {name: max(its.seconds) for name, its in stack.called.items() if "run" not in name}


METRICS, ALARMS = 111, 107
"""Of a stack, whatever the number of tenants. Metrics: 8 gauges, refusals, lateness and what became of records (4),
each of 6 systems; amounts on hold in 3 currencies of each; 9 of the stack as a whole. Alarms: those of `template.yaml`.
"""
EMPTY_RECEIVES = 7 * 15 * 60 * 24 * 30
"""Lambda asks each of the seven queues with five long polls of 20 seconds, also where nothing is in it."""


def run_cost(stack: Stack) -> RunCost:
    """Take the average of the real runs since `forget`."""
    its, number = stack.called["run"], Decimal(len(stack.called["run"].seconds))
    units = {kind: Decimal(count) / number for kind, count in stack.units["run"].items()}
    return RunCost(Decimal(sum(its.seconds)) / number, its.logged / number, units)


def bill(stack: Stack, minutes: int, run: RunCost) -> tuple[dict[str, int], dict[str, Decimal]]:
    """Scale what was called up to 30 days: calls and dollars by service. Runs cost as `run` says."""
    share = Decimal(MONTH / timedelta(minutes=minutes))
    runs = share * sum(len(stack.called[name].seconds) for name in RUNS)
    units = Counter({kind: count * runs for kind, count in run.units.items()})
    calls, seconds, logged = runs, runs * (run.seconds + CPU_SECONDS), runs * run.logged
    for name, its in stack.called.items():
        if name in RUNS:
            continue
        calls += len(its.seconds) * share
        seconds += (Decimal(sum(its.seconds)) + CPU_SECONDS * len(its.seconds)) * share
        logged += its.logged * share
        for kind, count in stack.units[name].items():
            units[kind] += count * share  # type: ignore[assignment]
    units["sqs requests"] += EMPTY_RECEIVES
    priced = {kind: count * PRICES[kind] for kind, count in units.items()}
    dollars = {
        "Lambda": calls * LAMBDA_REQUEST + seconds * GIGABYTES * LAMBDA_GB_SECOND,
        "SQS": priced["sqs requests"],
        "DynamoDB": priced["dynamodb write units"] + priced["dynamodb read units"],
        "Secrets Manager": priced["secrets calls"],
        "KMS, S3": priced.get("kms requests", Decimal()) + priced.get("s3 puts", Decimal()),
        "CloudWatch": logged * PRICES["log bytes"] + METRICS * PRICES["metrics"] + ALARMS * PRICES["alarms"],
    }
    return {"Lambda": int(calls), **{kind: int(count) for kind, count in units.items()}}, dollars


def measured(counts: list[int]) -> list[Measured]:
    """Measure stacks of several sizes; the first one for an hour, and so what a run comes to."""
    first = measure(counts[0], cycles=12)
    return [first, *(measure(count, run=first.run) for count in counts[1:])]


def main() -> None:
    """Print the table."""
    print(table(measured([int(count) for count in sys.argv[1:] or ("10", "1000", "10000")])))


if __name__ == "__main__":
    main()

"""`local run --engine ministack`: the real template, deployed on this machine, runs every flow once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ml_connector import bootstrap, enroll
from ml_connector.aws.assembly import Aws, Names
from ml_connector.aws.clients import Clients
from ml_connector.embedded import private
from ml_connector.embedded.secrets import FolderSecrets
from ml_connector.engine.endpoints import note
from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.ledger.ledger import LONGEST_OUT, SENT, Ledger, due_rows
from ml_connector.engine.ledger.rows import Chunk, iso
from ml_connector.engine.replay import keys_of
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import Misconfigured
from ml_connector.flow import Flow
from ml_connector.ports import Item
from ml_connector.tenant import Tenant

from ..ops.chunk_state import open_lines
from . import layer, ministack
from .rejections import rejections
from .report import Outcome
from .runner import HORIZON

NAME = "ml-connector"
FUNCTIONS = ("maintain", "enroll", "write", "basware-webhook")
ENDED = "This state ended with the run; the commands named here work on that of a run without `--engine ministack`."
TELL_EVERY = 3.0
"""Seconds; adding up all that was done is work for the emulator, too."""


@dataclass
class LocalStack:
    """The deployed template and its ports, as an operator's machine would reach them."""

    stack: ministack.Stack
    aws: Aws
    started: str
    tenants: list[Tenant] = field(default_factory=list)
    due_at: str = ""

    @property
    def outputs(self) -> dict[str, str]:
        """The template's outputs."""
        return self.stack.outputs

    def webhook_url(self, tenant: str) -> str:
        """Give the address to which notifications of a tenant go."""
        return f"{self.stack.api_url(self.outputs['WebhookApiId'])}/webhooks/basware/{tenant}"

    def put_secret(self, tenant: str, system: str, text: str) -> None:
        """Write a tenant's secret: this is the onboarding."""
        client, name = self.stack.client("secretsmanager"), f"{self.aws.names.secret_prefix}/{tenant}/{system}"
        try:
            client.create_secret(Name=name, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=name, SecretString=text)

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Call a function and give its answer; raises `RuntimeError` with its error."""
        answer = self.stack.client("lambda").invoke(FunctionName=f"{NAME}-{function}", Payload=json.dumps(event))
        said = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise RuntimeError(f"{function} failed: {said}")
        return said

    def enroll(self) -> None:
        """Have the tenant registry rebuilt from the secrets, and read the tenants here for the report."""
        self.invoke("enroll", {"registry": True})
        self.aws.secrets.__dict__["_reads"].clear()
        self.tenants = bootstrap.tenants(self.aws.runtime, self.aws.secrets, self.aws.tools)

    def start_flows(self) -> None:
        """Make every active flow due now, and fire the tick without waiting for its minute."""
        now = self.due_at = iso(self.aws.clock.now())
        for tenant in self.tenants:
            for system in bootstrap.SYSTEMS:
                item = self.aws.store.get(f"schedule#{tenant.name}", system)
                if item is not None:
                    enroll.plan(self.aws.store, item, dict.fromkeys(item.data["flows"], now))
        erps_first = sorted(bootstrap.SYSTEMS, key=lambda s: s in bootstrap.PLATFORMS)
        # what invoices point at comes first; the emulator handles one wake-up message at a time
        for system in erps_first:
            self.invoke(f"poll-{system}", {})
            self._until_read(system)

    def _until_read(self, system: str) -> None:
        ends = time.monotonic() + 120
        while time.monotonic() < ends and any(i.sk == system and self._asked(i) for i in self._schedules()):
            time.sleep(0.2)

    def until_idle(self, max_seconds: float, tell: Callable[[LocalStack], None] | None = None) -> bool:
        """Queue what is due every second until nothing is; false where time ran out."""
        ends, told = time.monotonic() + max_seconds, 0.0
        while time.monotonic() < ends:
            self.invoke("maintain", {})
            if tell is not None and time.monotonic() - told > TELL_EVERY:
                tell(self)
                told = time.monotonic()
            if not self._busy():
                return True
            time.sleep(0.5)
        return False

    def _busy(self) -> bool:
        if any(self._asked(item) for item in self._schedules()):
            return True
        now = self.aws.clock.now()
        soon, out = iso(now + HORIZON), now + LONGEST_OUT + HORIZON
        mine = {pair.ledger(flow.name).pk for pair, flow in self._streams()}  # an endpoint that was left has no worker
        rows = (item for item in due_rows(self.aws.store, out, 1000) if item.pk in mine)
        return any(
            item.data.get("state") == "sending"
            or (item.due_at or "") <= soon
            or (item.data.get(SENT) and str(item.data.get("due_at")) <= soon)  # its wake-up is in the queue
            for item in rows
        )

    def _asked(self, item: Item) -> bool:
        """Tell whether a run that `start_flows` asked for has not ended yet."""
        return item.due_at is not None and item.due_at <= self.due_at

    def _schedules(self) -> Iterator[Item]:
        for tenant in self.tenants:
            yield from self.aws.store.query(f"schedule#{tenant.name}")

    def now(self) -> str:
        """Write the time as rows do."""
        return iso(self.aws.clock.now())

    def outcome(self, cut: bool, since: str | None = None) -> Outcome:
        """Add up what has come of all work, or of what was read and open since a time as `now` writes it."""
        since = since or self.started
        sheets = self.sheets(since)
        named = rejections((p, f, sheets[p.tenant, p.integration.name, f.name]) for p, f in self._streams())
        for pair, flow in self._streams():
            sheet = sheets[pair.tenant, pair.integration.name, flow.name]
            sheet.open = list(open_lines(pair.ledger(flow.name), flow, frozenset(sheet.listed)))
        seconds = (self.aws.clock.now() - datetime.fromisoformat(since)).total_seconds()
        earlier = [(p, one) for t in self.tenants for p in t.pairs for one in note(p)]
        return Outcome(self.tenants, sheets, seconds, cut, rejections=named, earlier=earlier)

    def sheets(self, since: str) -> dict[tuple[str, str, str], FlowTotals]:
        """Add up the figures of every flow since a time."""
        return {(p.tenant, p.integration.name, f.name): _sheet(p, f, since) for p, f in self._streams()}

    def _streams(self) -> list[tuple[TenantIntegration, Flow]]:
        return [(p, f) for t in self.tenants for p in t.pairs for f in p.integration.flows]


def _sheet(pair: TenantIntegration, flow: Flow, since: str) -> FlowTotals:
    sheet, ledger = FlowTotals(flow), pair.ledger(flow.name)
    sheet.add_cursor(ledger, since)
    left = list(ledger.unfinished())
    for chunk in (*left, *ledger.finished(since)):
        sheet.add_chunk(chunk, keys_of(ledger, chunk) if chunk.waiting_for or chunk.state == "failed" else ())
    if pair.shadow:
        sheet.would_send = sheet.would_send or 0
    sheet.error = _error(pair, sheet, ledger, left)
    return sheet


def _error(pair: TenantIntegration, sheet: FlowTotals, ledger: Ledger, left: list[Chunk]) -> str | None:
    """Tell why a flow could not run: what its reader said last, or why its work could not be written."""
    said = ledger.cursor()[0].figures.error
    parked = [c.reason for c in left if c.state == "waiting" and c.cause in {"login", "away", "setup"}]
    if left:
        parked += [pair.breakers[s].trouble_now() for s in (sheet.flow.source, sheet.flow.target)]
    return said or next((reason for reason in parked if reason), None)


@contextmanager
def deployed(state: Path) -> Iterator[LocalStack]:
    """Start ministack, deploy the template with today's layer, and stop it again at the end.

    Raises `Misconfigured` where there is no checkout, as in an installed package.
    """
    template = ministack.ROOT / "template.yaml"
    if not template.is_file():
        raise Misconfigured(
            "The local stack deploys the template of a checkout of ml-connector, and this is an installed package. Run "
            "this in a checkout after `make setup`, or try the product here with `ml-connector sandbox`."
        )
    private.folder(state)
    layer.refresh(ministack.LOCAL_LAYER)
    with ministack.start(state) as stack:
        outputs = stack.deploy(template, {"AllowInsecureEndpoints": "true"}, name=NAME)
        names = Names(
            table=outputs["TableName"],
            records_queue=outputs["RecordsQueueUrl"],
            records_dlq=outputs["RecordsDlqUrl"],
            audit_bucket=outputs["AuditBucketName"],
            kms_key=outputs["KeyArn"],
            secret_prefix=outputs["SecretPrefix"],
            insecure=True,
        )
        aws = Aws(names, _Clients(stack))
        yield LocalStack(stack, aws, iso(aws.clock.now() - timedelta(seconds=1)))


class _Clients(Clients):
    """Clients of the local stack."""

    def __init__(self, stack: ministack.Stack) -> None:
        super().__init__(ministack.REGION, stack.endpoint_url)
        self._stack = stack

    def get(self, service: str) -> Any:
        """Give the stack's own client."""
        if service not in self._made:
            self._made[service] = self._stack.client(service)
        return self._made[service]


def run_on_stack(
    secrets: Path, state: Path | None, report: Path | None, max_seconds: float | None, say: Callable[[str], None]
) -> int:
    """Run a folder of secrets on the deployed template; gives the exit code. Its state ends with it.

    `say` is told what is under way.
    """
    from ..ops import advice
    from ..ops.summary import conclude

    folder = FolderSecrets(secrets)
    say("Starting the local stack and deploying template.yaml.")
    with deployed((state or secrets / ".state") / "ministack") as local:
        for tenant, system in folder.names():
            secret = folder.read(tenant, system)
            if secret is not None:
                local.put_secret(tenant, system, secret.text)
        local.enroll()
        say("Reading every flow once, then working until nothing is due.")
        local.start_flows()
        done = local.until_idle(max_seconds or 900)
        outcome = local.outcome(not done)
        outcome.where, outcome.notes = advice.place(), (ENDED,)
        return conclude(outcome, report)

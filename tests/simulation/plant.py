"""The product as it runs in Lambda: functions, containers that are kept warm or die, queues, ticks, the webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.sandbox.basware.model import Notification
from infra.sandbox.basware.notify import SIGNATURE_HEADER
from ml_connector.bootstrap import complete_integration
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.ledger.enqueue import read_wake_up
from ml_connector.engine.ledger.rows import Chunk
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import tenant_rows
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import LeaseLost, Transient
from ml_connector.tenant import BootstrapOptions
from tests.simulation.fifo import Fifo, Letter, RecordQueue, taken
from tests.simulation.functions import Container, SimAws
from tests.simulation.machine import Killed, Machine, OurClock, Process
from tests.simulation.ports import SimBlobs, SimSecrets, SimStore
from tests.simulation.wire import Line, Wire
from tests.simulation.worlds import Office

SCHEDULES = {
    "vendors": "rate(9 hours)",
    "suppliers": "rate(9 hours)",
    "accounts": "rate(11 hours)",
    "cost_centers": "rate(13 hours)",
    "dimensions": "rate(13 hours)",
    "purchase_orders": "rate(7 hours)",
    "invoices": "rate(3 hours)",
    "payments": "rate(5 hours)",
}
WRITE, POLL, MAINTAIN, ENROLL, HOOK = 120, 300, 50, 120, 10
"""Timeouts of the functions, as the template has them."""
WARM = 3
PASSING = (Transient, LeaseLost)
"""What a function may end with: AWS throttles, or somebody else has the row. The message comes again."""


def basic(user: str, password: str) -> str:
    """Spell credentials as they go over the wire."""
    return base64.b64encode(f"{user}:{password}".encode()).decode().rstrip("=")


class LogKeeper(logging.Handler):
    """Keeps what was logged, with what was logged along."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.unexpected: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.getMessage()} {record.__dict__}"
        passing = record.exc_info is not None and isinstance(record.exc_info[1], PASSING)
        if record.exc_info and not passing:
            text += logging.Formatter().formatException(record.exc_info)
            self.unexpected.append(text[-600:])
        self.lines.append(text)


REQUISITIONS = {
    "purchase_order_target": "purchase_requisitions",
    "requisition_owner_email": "purchasing@acme.test",
    "category_code": "GOODS",
}


class Plant:
    """Everything of ours. `release` is the version that is deployed: it spells the messages of the queue."""

    def __init__(
        self,
        machine: Machine,
        offices: list[Office],
        lines: dict[tuple[str, str], Line],
        later: Any,
        schedules: dict[str, str],
        first: Plant | None = None,
        **queue: Any,
    ) -> None:
        """`first` is the installation that stands already, where this is a second one for the same company."""
        self.machine, self.lines, self.later, self.schedules = machine, lines, later, schedules
        self.store, self.blobs, self.secrets = SimStore(machine), SimBlobs(machine), SimSecrets(machine)
        self.records = Fifo(machine, "records", visibility=720, most=5, **queue)
        systems = sorted({system for _, system in lines})
        self.runs = {s: Fifo(machine, f"runs-{s}", visibility=1800, most=5, **queue) for s in systems}
        self.queues = [self.records, *self.runs.values()]
        self.vault = MemoryVault()
        self.tools = BootstrapOptions(self.vault, transport=lambda t, s: Wire(machine, lines[t, s]))
        self.rng = SeededRandom(machine.seed + (first is not None) * 10**9)
        self.offices, self.boots, self.release = offices, 0, 1
        self.log = LogKeeper()
        self.warm: list[Container] = []
        self.plain: dict[str, dict[str, dict[str, Any]]] = {}
        self.options: dict[str, dict[str, Any]] = {}
        self.planted: set[str] = set()
        self.raised: list[str] = []
        self.hooks: list[tuple[str, bytes, str]] = []
        self.paused_until: datetime | None = None
        self.stranger = first is not None
        if first is not None:
            self.secrets, self.vault, self.tools = first.secrets, first.vault, first.tools
            self.plain, self.options, self.planted = first.plain, first.options, first.planted
            return
        for office in offices:
            self._onboard(office)
            office.ap.deliver = self._deliver(office)

    # ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────

    def _onboard(self, office: Office) -> None:
        name = office.name
        hook = f"hidden-webhook-{name}"
        self.plain[name] = {
            "basware": {
                "region": "EU",
                "base_url": f"https://basware.{name}.test",
                "client_id": f"client-{name}",
                "companies": ["1000"],
                "source_system": "ERP",
                **(REQUISITIONS if office.erp.requisitions else {"purchase_order_target": "matching_orders"}),
                "webhook_secret": hook,
                "webhook_url": f"https://us.test/webhooks/basware/{name}",
            },
            office.erp.system: office.erp.settings(office.dice),
        }
        self.planted.add(hook)
        self.options[name] = {}
        names = {flow.name for flow in office.erp.table.flows}
        schedules = {flow: every for flow, every in (SCHEDULES | self.schedules).items() if flow in names}
        self.options[name]["schedules"] = schedules
        self.write_secrets(office)

    def write_secrets(self, office: Office, wrong: str = "") -> None:
        """Write the credentials that the servers know now into the secrets; or a `wrong` password for the ERP."""
        plain, (client, password) = self.plain[office.name], next(iter(office.ap.clients.items()))
        written = wrong or office.erp.password
        self.planted |= {password, office.erp.password, written}
        self.planted |= {basic(client, password), basic(office.erp.user, written)}
        basware = {**plain["basware"], "client_id": client, "client_secret": password, "language": office.language}
        books = office.erp.with_password(plain[office.erp.system], written)
        for system in ("basware", office.erp.system):
            self.lines[office.name, system].refused.clear()  # another version of a secret may be tried, even the same
        self.write_settings(office)
        self.secrets.write(office.name, "basware", json.dumps(basware))
        self.secrets.write(office.name, office.erp.system, json.dumps(books))

    def write_settings(self, office: Office) -> None:
        """Write how a tenant's flows run."""
        self.secrets.write(office.name, "settings", json.dumps(self.options[office.name]))

    # ── invocations ─────────────────────────────────────────────────────────────────────────────────────────

    def runtime(self) -> Runtime:
        """Start a process: its own boot, the shared state."""
        self.boots += 1
        queue = RecordQueue(self.records, self._spelt)
        return Runtime(self.store, queue, self.blobs, OurClock(self.machine), self.rng, boot=f"boot{self.boots}")

    def _spelt(self, message: Any) -> dict[str, Any]:
        """Spell a message as the deployed release does: the second one calls the chunk by another name."""
        spelt = dict(message)
        if self.release == 2:
            spelt |= {"v": 2, "chunk": spelt.pop("id")}
        return spelt

    def invoke(self, name: str, seconds: float, call: Callable[[], Any]) -> bool:
        """Run a function to its end, or to the end of its process; false where it died or raised."""
        machine = self.machine
        process = Process(name, machine.now() + timedelta(seconds=seconds), machine.now(), stranger=self.stranger)
        machine.note(name)
        machine.stack.append(process)
        try:
            call()
        except Killed:
            return False
        except PASSING as error:
            machine.note(f"{name} failed: {error}")
            return False
        except Exception as error:
            self.raised.append(f"{name}: {type(error).__name__}: {error}")
            machine.note(f"{name} raised {type(error).__name__}: {error}")
            return False
        finally:
            machine.stack.pop()
            process.end(machine.upsets())
        return True

    def container(self, name: str, system: str = "") -> Container:
        """Start a container of a function."""

        def send(tenant: str, request: str) -> None:
            taken(self.machine, "run request", lambda: self.runs[system].send(tenant, {"tenant": tenant}, request))

        queue, clock = RecordQueue(self.records, self._spelt), OurClock(self.machine)
        aws = SimAws(self.store, queue, self.vault, self.secrets, self.tools, clock, self.runtime, send, system)
        return Container(name, aws, self.log.lines.append)

    def once(self, name: str, seconds: float, container: Container, call: Callable[[], Any]) -> bool:
        """Run a function in a container that is not kept."""
        try:
            return self.invoke(name, seconds, call)
        finally:
            container.end()

    def ticked(self, system: str) -> None:
        """Take the minute's tick of a poll function."""
        container = self.container("poll", system)
        self.once(f"tick {system}", POLL, container, container.tick)

    def maintained(self) -> None:
        """Take the minute's tick of the maintain function."""
        container = self.container("maintain")
        self.once("maintain", MAINTAIN, container, container.maintain)

    def enrolled(self) -> None:
        """Look at all tenants."""
        container = self.container("enroll")
        self.once("enroll", ENROLL, container, container.enroll)

    def handle(self, queue: Fifo) -> bool:
        """Take one message from a queue and work on it; false where there is none."""
        letter = queue.receive()
        if letter is None:
            return False
        if queue is self.records:
            self.written(letter)
        else:
            self.polled(queue, letter)
        return True

    def polled(self, queue: Fifo, letter: Letter) -> None:
        """Run what is due for a tenant."""
        system, tenant = queue.name.removeprefix("runs-"), letter.message["tenant"]
        container = self.container("poll", system)
        run = lambda: container.poll(tenant, letter.received)  # noqa: E731
        if self.once(f"poll {system} {tenant}", POLL, container, run):
            queue.done(letter)

    def written(self, letter: Letter) -> None:
        """Work on a wake-up message in a warm container, or in a new one; a container that dies is gone."""
        container = self.warm.pop() if self.warm else self.container("write")
        message, body = letter.message, letter.body
        if self.release == 1 and read_wake_up(body) is None:
            self.machine.fault("ours: message of a release that was rolled back")
            container.write(body, letter.received, self._unmeant)
            self.records.done(letter)
            container.end()
            return
        if self.release == 2:  # it reads both forms, and is played by the release at hand
            message = {**message, "id": message.get("id", message.get("chunk")), "v": 1}
            body = json.dumps(message)
        write = lambda: container.write(body, letter.received, self._noted)  # noqa: E731
        if self.invoke(f"write {message['flow']} {message['id']}", WRITE, write):
            self.records.done(letter)
            if len(self.warm) < WARM:
                self.warm.insert(0, container)
                return
        container.end()

    def _noted(self, chunk: Chunk) -> None:
        self.machine.note(
            f"chunk {chunk.flow} {chunk.id}: {chunk.state} {chunk.step} {chunk.waiting_for or ''} "
            f"{(chunk.reason or '')[:150]}"
        )

    def _unmeant(self, chunk: Chunk) -> None:
        self.raised.append(f"a ring of another release led to work on {chunk.id}")

    def interrupt(self, count: int) -> None:
        """Let other workers in between: the next messages, or the one that is being handled once more."""
        for _ in range(count):
            self.records.again()
            self.handle(self.records)

    # ── the webhook ─────────────────────────────────────────────────────────────────────────────────────────

    def _deliver(self, office: Office) -> Callable[[Notification], int]:
        def deliver(notification: Notification) -> int:
            machine = self.machine
            if machine.hit(machine.weather.hook):
                machine.fault("world: webhook lost")
                return 0
            signature = notification.headers[SIGNATURE_HEADER]
            self.hooks.append((office.name, notification.body, signature))
            if machine.hit(machine.weather.hook):
                machine.fault("world: webhook late, out of order")
                again = (office.name, notification.body, signature)
                self.later(machine.dice.uniform(10, 7200), "webhook comes late", lambda: self.received(*again))
                return 200
            status = self.received(office.name, notification.body, signature)
            if machine.hit(machine.weather.hook):
                machine.fault("world: webhook doubled")
                self.received(office.name, notification.body, signature)
            return status

        return deliver

    def received(self, tenant: str, body: bytes, signature: str | None) -> int:
        """Answer one request at the door; 502 where the process died."""
        if self.paused_until is not None and self.machine.now() < self.paused_until:
            return 503
        said: list[int] = []
        door = self.container("basware_webhook")
        self.once(f"webhook {tenant}", HOOK, door, lambda: said.append(door.receive(tenant, body, signature)))
        if said == [200]:
            self._promised(tenant, body)
        return said[0] if said else 502

    def _promised(self, tenant: str, body: bytes) -> None:
        """See that a notification which was answered is written down: its document has a row, old or new.

        One that comes again after a move may have its row under the identity that was left; a poll finds the document.
        """
        row, key = tenant_rows.row(self.store, tenant), json.loads(body).get("documentId")
        paper = next((o.papers.get(key) for o in self.offices if o.name == tenant), None)
        if row is None or paper is None or paper.forgotten or json.loads(body).get("taskType") != "AccountingDocuments":
            return
        for name, pair in row.pairs.items():
            flow = f"f#{tenant}#{name}#invoices#"
            if any(self.store.base.get(flow + pair.scope, sk) is not None for sk in (f"c#{key}", f"r#{key}")):
                continue
            if not any(pk.startswith(flow) and sk[2:] == key for pk, sk, _, _ in self.store.dump()):
                self.raised.append(f"a notification of {key} was answered 200, and no row tells of it")

    def forge(self, office: Office) -> int:
        """Send an old notification again, then one that somebody else signed; gives the answer to the forged one."""
        mine = [hook for hook in self.hooks if hook[0] == office.name]
        if mine:
            self.machine.fault("world: old webhook")
            self.received(*office.dice.choice(mine))
        paper = office.dice.choice(sorted(office.papers))
        body = json.dumps({"taskId": "forged", "taskType": "AccountingDocuments", "documentId": paper}).encode()
        signature = hmac.new(b"guessed", body, hashlib.sha256).hexdigest()
        return self.received(office.name, body, signature)

    # ── for people and the checker ──────────────────────────────────────────────────────────────────────────

    def pair(self, office: Office) -> TenantIntegration:
        """Wire a tenant's pair as an operator's command does."""
        return complete_integration(self.runtime(), self.secrets, self.tools, office.name, office.erp.table)

    def restart(self) -> None:
        """End all containers: the next invocations start again."""
        while self.warm:
            self.warm.pop().end()

    def next_tick(self, prefix: str) -> datetime | None:
        """Tell when the next minute is in which a part of the due index has something."""
        due = self.store.earliest(prefix)
        if due is None:
            return None
        moment = max(datetime.fromisoformat(due), self.machine.now())
        whole = moment.replace(second=0, microsecond=0)
        return whole if whole == moment else whole + timedelta(minutes=1)

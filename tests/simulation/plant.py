"""The product as it runs in Lambda: functions, containers that are kept warm or die, queues, ticks, the webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.sandbox.basware.model import Notification
from infra.sandbox.basware.notify import SIGNATURE_HEADER
from ml_connector import enrol
from ml_connector.bootstrap import Toolbox, whole_pair
from ml_connector.embedded.clock import SeededChance
from ml_connector.embedded.secrets import MemorySecrets
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.maintain import ring_due
from ml_connector.engine.pair import Pair, World
from ml_connector.engine.redrive import reopen
from ml_connector.engine.write import write
from ml_connector.errors import ConnectorError
from ml_connector.integrations import INTEGRATIONS
from ml_connector.pairs import Pairs
from ml_connector.receive import Receiver
from ml_connector.runs import Run, tick
from tests.simulation.fifo import Fifo, Letter, RecordRings
from tests.simulation.machine import Killed, Machine, Process
from tests.simulation.ports import SimBlobs, SimStore
from tests.simulation.wire import Line, Wire
from tests.simulation.worlds import Office

SYSTEMS = ("basware", "sap_b1")
SCHEDULES = {
    "vendors": "rate(9 hours)", "accounts": "rate(11 hours)", "cost_centers": "rate(13 hours)",
    "purchase_orders": "rate(7 hours)", "invoices": "rate(3 hours)", "payments": "rate(5 hours)",
}  # fmt: skip
WRITE, POLL, MAINTAIN, HOOK = 120, 300, 50, 10
"""Timeouts of the functions, as the template has them."""
WARM = 3


class LogKeeper(logging.Handler):
    """Keeps what was logged, with what was logged along."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.unexpected: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.getMessage()} {record.__dict__}"
        if record.exc_info:
            text += logging.Formatter().formatException(record.exc_info)
            self.unexpected.append(text[-600:])
        self.lines.append(text)


class Plant:
    """Everything of ours. `made` hooks let a weakening put its own functions in."""

    def __init__(self, machine: Machine, offices: list[Office], lines: dict[tuple[str, str], Line], later: Any) -> None:
        self.machine, self.lines, self.later = machine, lines, later
        self.store, self.blobs = SimStore(machine), SimBlobs(machine)
        self.records = Fifo(machine, "records", visibility=720, most=5)
        self.runs = {s: Fifo(machine, f"runs-{s}", visibility=1800, most=5) for s in SYSTEMS}
        self.queues = [self.records, *self.runs.values()]
        self.vault, self.secrets = MemoryVault(), MemorySecrets()
        self.tools = Toolbox(self.vault, transport=lambda t, s: Wire(machine, lines[t, s], later))
        self.chance = SeededChance(machine.seed)
        self.boots = 0
        self.warm: list[Pairs] = []
        self.versions: dict[str, dict[str, Any]] = {}
        self.planted: set[str] = set()
        self.raised: list[str] = []
        self.hooks: list[tuple[str, bytes, str]] = []
        for office in offices:
            self._secrets(office)
            office.ap.deliver = self._deliver(office)

    # ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────

    def _secrets(self, office: Office) -> None:
        name, dice = office.name, office.dice
        hook = f"hidden-webhook-{name}"
        self.versions[name] = {
            "basware": {
                "region": "EU", "base_url": f"https://basware.{name}.test", "client_id": f"client-{name}",
                "companies": ["1000"], "source_system": "SAP", "webhook_secret": hook,
                "webhook_url": f"https://us.test/webhooks/basware/{name}",
            },
            "sap_b1": {
                "service_layer_url": f"https://sap.{name}.test/b1s/{dice.choice(('v1', 'v2'))}",
                "company_db": office.erp.company, "user_name": "manager", "timezone": "Europe/Berlin",
                **({"external_id_field": "U_ExtId"} if dice.random() < 0.4 else {}),
            },
        }  # fmt: skip
        office.erp.user_fields["PurchaseCreditNotes"] = ["U_ExtId"]
        self.planted.add(hook)
        self.secrets.write(name, "settings", json.dumps({"schedules": SCHEDULES}))
        self.write_secrets(office)

    def write_secrets(self, office: Office) -> None:
        """Write the credentials that the servers know now into the secrets."""
        plain, (client, password) = self.versions[office.name], next(iter(office.ap.clients.items()))
        self.planted |= {password, office.password}
        basware = {**plain["basware"], "client_id": client, "client_secret": password}
        self.secrets.write(office.name, "basware", json.dumps(basware))
        self.secrets.write(office.name, "sap_b1", json.dumps({**plain["sap_b1"], "password": office.password}))

    # ── invocations ─────────────────────────────────────────────────────────────────────────────────────────

    def world(self) -> World:
        """Start a process: its own boot, the shared state."""
        self.boots += 1
        return World(
            self.store, RecordRings(self.records), self.blobs, self.machine, self.chance, boot=f"boot{self.boots}"
        )

    def invoke(self, name: str, seconds: float, call: Callable[[], Any]) -> bool:
        """Run a function to its end, or to the end of its process; false where it died or raised."""
        machine = self.machine
        process = Process(name, machine.now() + timedelta(seconds=seconds))
        machine.note(name)
        machine.stack.append(process)
        try:
            call()
        except Killed:
            return False
        except Exception as error:
            self.raised.append(f"{name}: {type(error).__name__}: {error}")
            machine.note(f"{name} raised {type(error).__name__}: {error}")
            return False
        finally:
            machine.stack.pop()
        return True

    def ticked(self, system: str) -> None:
        """Take the minute's tick of a poll function."""

        def send(tenant: str, request: str) -> None:
            self.machine.touch("before run request")
            self.runs[system].send(tenant, {"tenant": tenant}, request)
            self.machine.touch("after run request")

        self.invoke(f"tick {system}", POLL, lambda: tick(self.world(), system, send))

    def maintained(self) -> None:
        """Take the minute's tick of the maintain function."""
        self.invoke("maintain", MAINTAIN, lambda: ring_due(self.world()))

    def enrolled(self) -> None:
        """Rebuild the roster."""
        self.invoke("roster", MAINTAIN, lambda: enrol.rebuild(self.world(), self.secrets, self.tools))

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
        system, tenant = queue.name.removeprefix("runs-"), letter.message["tenant"]
        run = Run(self.world(), self.secrets, self.tools, system)
        if self.invoke(f"poll {system} {tenant}", POLL, lambda: run.of(tenant)):
            queue.done(letter)

    def written(self, letter: Letter) -> None:
        """Work on a ring in a warm container, or in a new one; a container that dies is gone."""
        pairs = self.warm.pop() if self.warm else Pairs(self.world(), self.secrets, self.tools)
        message = letter.message
        if self.invoke(f"write {message['flow']} {message['id']}", WRITE, lambda: self._write(pairs, message)):
            self.records.done(letter)
            if len(self.warm) < WARM:
                self.warm.insert(0, pairs)

    def _write(self, pairs: Pairs, message: Any) -> None:
        pair, flow = pairs.of(message["tenant"], message["integration"], message["flow"])
        if pair is None or pair.scope != message["scope"]:
            return
        if "cause" in message:
            reopen(pair.ledger(flow.name), message["id"], "redriven from the queue", message["death"])
        chunk = write(pair, flow, message["id"])
        if chunk is not None:
            self.machine.note(f"chunk {chunk.flow} {chunk.id}: {chunk.state} {chunk.step} {chunk.waiting_for or ''} "
                              f"{(chunk.reason or '')[:150]}")  # fmt: skip

    def interrupt(self) -> None:
        """Let another worker in between: the next message, or the one that is being handled once more."""
        self.machine.sleep(self.machine.dice.choice((0.0, 0.0, 5.0, 45.0)))
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
            status = self.received(office.name, notification.body, signature)
            if machine.hit(machine.weather.hook):
                machine.fault("world: webhook doubled")
                self.received(office.name, notification.body, signature)
            return status

        return deliver

    def received(self, tenant: str, body: bytes, signature: str | None) -> int:
        """Answer one request at the door; 0 where the process died."""
        said: list[int] = []
        door = Receiver(self.store, RecordRings(self.records), self.vault, self.machine)
        self.invoke(f"webhook {tenant}", HOOK, lambda: said.append(door.receive(tenant, body, signature)[0]))
        return said[0] if said else 502

    def forge(self, office: Office) -> int:
        """Send an old notification again, then one that somebody else signed; gives the answer to the forged one."""
        mine = [hook for hook in self.hooks if hook[0] == office.name]
        if mine:
            self.received(*office.dice.choice(mine))
        paper = office.dice.choice(sorted(office.papers))
        body = json.dumps({"taskId": "forged", "taskType": "AccountingDocuments", "documentId": paper}).encode()
        signature = hmac.new(b"guessed", body, hashlib.sha256).hexdigest()
        return self.received(office.name, body, signature)

    # ── for people and the checker ──────────────────────────────────────────────────────────────────────────

    def pair(self, office: Office) -> Pair:
        """Wire a tenant's pair as an operator's command does."""
        return whole_pair(self.world(), self.secrets, self.tools, office.name, INTEGRATIONS[0])

    def next_tick(self, prefix: str) -> datetime | None:
        """Tell when the next minute is in which a part of the due index has something."""
        due = self.store.earliest(prefix)
        if due is None:
            return None
        moment = max(datetime.fromisoformat(due), self.machine.now())
        whole = moment.replace(second=0, microsecond=0)
        return whole if whole == moment else whole + timedelta(minutes=1)


def unreachable(error: Exception) -> bool:
    """Tell whether an operator's command failed for the weather."""
    return isinstance(error, ConnectorError)

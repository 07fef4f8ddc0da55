"""Sage X3 and AvidXchange in one seeded history: supplier invoices submitted once, followed, and paid once in X3.

The documents go the other way than with Basware, so this history has a small machinery of its own: the engine, both
clients, both simulated vendors, the store and the queue of the simulation, but no handlers, webhook or secrets.
`python -m tests.simulation --erp sage_x3_avid` runs it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from infra.sandbox.avidxchange import back_office, create_app, paying
from infra.sandbox.avidxchange.seed import CLIENT, SECRET
from infra.sandbox.fixtures_avidxchange import seeded_systems, unpaid, with_masters
from infra.sandbox.sage_x3 import back_office as clerk
from infra.sandbox.sage_x3 import create_app as x3_app
from infra.sandbox.sage_x3 import supplier_invoices
from infra.sandbox.sage_x3.entries import NO
from infra.sandbox.sage_x3.seed import COMPANY, FOLDER, PASSWORD, USER
from infra.sandbox.sage_x3.supplier_invoices import Line
from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.worker import write
from ml_connector.errors import ConnectorError
from ml_connector.integrations.sage_x3_avidxchange import SAGE_X3_AVIDXCHANGE as TABLE
from ml_connector.records import Account, Supplier, SupplierInvoice
from ml_connector.systems.avidxchange import connection as ap_side
from ml_connector.systems.avidxchange.settings import Settings as ApSettings
from ml_connector.systems.sage_x3 import connection as erp_side
from ml_connector.systems.sage_x3.settings import Settings as ErpSettings
from ml_connector.systems.settings import parse
from tests.simulation.fifo import Fifo, RecordQueue
from tests.simulation.machine import Killed, Machine, OurClock, Process, Weather
from tests.simulation.ports import SimStore
from tests.simulation.submitted_wire import SETTLE, SimWire
from tests.unit.engine.bench import CHUNKING

VARIANTS = ("looks, key honored", "looks, key ignored", "no look-up, key honored", "no look-up, no key")
OF_X3 = (Supplier, Account, SupplierInvoice)
WAY: dict[str, Any] = {
    "write_via": "api1",
    "payment": {"type": "VIRMT", "bank": "BNK01", "site": "FR011"},
    "classes": {
        "payment": {"representation": "ZPAYMENTH"},
        "open_item": {"representation": "ZGACCDUDATE"},
        "supplier_invoice": {"representation": "ZPINVOICE"},
    },
}


class Connections:
    """Both connections of one process."""

    def __init__(self, history: Submitted) -> None:
        self.erp, self.ap = history.connect_erp(), history.connect_ap()

    def source(self, record: type) -> Any:
        return (self.erp if record in OF_X3 else self.ap).source(record)

    def target(self, record: type) -> Any:
        return (self.ap if record in OF_X3 else self.erp).target(record)

    def close(self) -> None:
        self.erp.close()
        self.ap.close()


class Submitted:
    """One history of the integration: a storm with people at work, a quiet phase, and what must hold in the end."""

    def __init__(self, seed: int) -> None:
        self.machine = machine = Machine(seed)
        dice = machine.dice
        self.variant = dice.choice(VARIANTS)
        both = with_masters(seeded_systems(seed % 5 + 1, clock=machine.now))
        self.erp, self.ap = both.erp, both.ap
        self.erp.clock = self.ap.clock = machine.now
        self.erp.sleep = self.ap.sleep = machine.sleep
        self.ap.idempotency = "honoured" if self.variant.endswith("key honored") else "ignored"
        self.ap.duplicates = "allowed"  # nothing but our own care prevents a second one
        self.ap.visible_seconds = dice.choice((0, 0, 60))
        self.erp_wire = SimWire(machine, x3_app(self.erp), "x3")
        self.ap_wire = SimWire(machine, create_app(self.ap), "avid")
        self.store, self.vault, self.blobs = SimStore(machine), MemoryVault(), MemoryBlobs()
        self.queue = Fifo(machine, "records", visibility=720, most=50)
        self.clock = OurClock(machine)
        self.boots = self.runs = self.entered = 0
        self.paid_before = {row["NUM"] for row in self.erp.rows("PAYMENTH")}
        self.by_hand: set[str] = set()
        self.wrong: list[str] = []
        self.acts = (self.post, self.post, self.approve, self.reject, self.pay, self.pay, self.void, self.pay_in_x3)
        self.acts += (self.reverse, self.pay_other, self.change_vendor, self.deactivate_account)

    # ── the product ─────────────────────────────────────────────────────────────────────────────────────────

    def _context(self, system: str, wire: SimWire) -> AdapterContext:
        boot = f"boot{self.boots}"
        breaker = Breaker(self.store, self.clock, tenant="acme", system=system, version="1", boot=boot, sole=False)
        name = f"acme#{system}"
        sessions = Sessions(self.store, self.vault, self.clock, breaker, name=name, version="1", boot=boot)
        return AdapterContext(
            tenant="acme", integration=TABLE.name, clock=self.clock, rng=SeededRandom(self.machine.seed),
            sessions=sessions, options=TenantSettings(), transport=wire, insecure=True,
        )  # fmt: skip

    def connect_erp(self) -> Any:
        plain = {
            "url": "https://x3.example", "folder": FOLDER, "company": COMPANY, "timezone": "Europe/Paris",
            "auth": {"type": "basic", "user": USER, "password": PASSWORD}, "cost_center_dimension": "CCT", **WAY,
        }  # fmt: skip
        return erp_side.Connection(ErpSettings.model_validate(plain), self._context("sage_x3", self.erp_wire))

    def connect_ap(self) -> Any:
        host = "https://avidxchange.example"
        secret: dict[str, Any] = {"base_url": f"{host}{self.ap.prefix}", "token_url": f"{host}/token"}
        secret |= {"client_id": CLIENT, "client_secret": SECRET}
        if self.variant.startswith("no look-up"):
            secret["profile"] = {"paths": {"invoices.find": None}}
        if self.variant.endswith("no key"):
            secret["idempotency_header"] = ""
        settings = parse(ApSettings, json.dumps(secret), "acme/avidxchange", insecure=True)
        return ap_side.Connection(settings, self._context("avidxchange", self.ap_wire))

    def pair(self) -> TenantIntegration:
        """Start a process: its own boot, the shared state."""
        self.boots += 1
        boot = f"boot{self.boots}"
        runtime = Runtime(
            self.store, RecordQueue(self.queue), self.blobs, self.clock, SeededRandom(self.machine.seed), boot=boot
        )
        systems = (TABLE.erp, TABLE.platform)
        return TenantIntegration(
            runtime=runtime,
            tenant="acme",
            integration=TABLE,
            scope="s",
            breakers={
                s: Breaker(self.store, self.clock, tenant="acme", system=s, version="1", boot=boot, sole=False)
                for s in systems
            },
            connectors=dict.fromkeys(systems, lambda: Connections(self)),
            active=frozenset(flow.name for flow in TABLE.flows),
            epoch="e",
            companies=(COMPANY,),
            erp_company=COMPANY,
            is_currency=lambda code: len(code) == 3,
            chunking=CHUNKING,
            in_doubt_seconds=dict.fromkeys(systems, SETTLE),
        )

    def written(self, flow: str, chunk: str) -> bool:
        """Work on one wake-up message."""
        return self.process(f"write {flow} {chunk}", 120, lambda: write(self.pair(), TABLE.flow(flow), chunk))

    def process(self, name: str, seconds: float, call: Callable[[], Any]) -> bool:
        """Run a process to its end, or to its death."""
        machine = self.machine
        machine.note(name)
        machine.stack.append(Process(name, machine.now() + timedelta(seconds=seconds), machine.now()))
        try:
            call()
        except Killed:
            return False
        except ConnectorError as error:
            machine.note(f"{name} failed: {error}")
            return False
        finally:
            machine.stack.pop()
        return True

    def poll(self, name: str, *, full: bool = False) -> None:
        self.runs += 1
        run = f"run{self.runs}"
        self.process(f"poll {name}", 300, lambda: Poll(self.pair(), TABLE.flow(name), run, full=full).read())

    def work(self, hours: float, step: float = 120) -> None:
        """Handle wake-up messages as they come; who dies leaves its message to another one."""
        end = self.machine.now() + timedelta(hours=hours)
        while self.machine.now() < end:
            self.process("maintain", 50, lambda: wake_due(self.pair().runtime))
            while (letter := self.queue.receive()) is not None:
                if self.written(letter.message["flow"], letter.message["id"]):
                    self.queue.done(letter)
            self.machine.jump(self.machine.now() + timedelta(seconds=step))

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────

    def post(self) -> None:
        self.entered += 1
        supplier = self.machine.dice.choice(["V10000", "V10001", "V10002"])
        line = Line("400001", Decimal(self.machine.dice.randint(10, 900)), tax="FRNOR", center="CC101", text="Cleaning")
        supplier_invoices.enter(self.erp, supplier, f"SIM-{self.entered}", (line,))

    def _one(self, *states: str) -> Any:
        found = [one for one in self.ap.invoices.values() if one.external_id and one.state in states and one.amount > 0]
        return self.machine.dice.choice(found) if found else None

    def approve(self) -> None:
        if one := self._one("received"):
            back_office.approve(self.ap, one.id)

    def reject(self) -> None:
        if one := self._one("received"):
            back_office.reject(self.ap, one.id, "Wrong order")

    def pay(self) -> None:
        if one := self._one("approved"):
            paying.clear(self.ap, paying.pay(self.ap, [one.id]).id)

    def void(self) -> None:
        paid = [one for one in self.ap.payments.values() if one.state == "Cleared" and one.parts[0].external_id]
        if paid:
            paying.void(self.ap, self.machine.dice.choice(paid).id)

    def _open(self) -> str | None:
        found = [row["NUM"] for row in unpaid(self.erp) if row["BPRVCR"].startswith("SIM-")]
        return self.machine.dice.choice(found) if found else None

    def pay_in_x3(self) -> None:
        if number := self._open():
            self.by_hand.add(clerk.pay(self.erp, number)["NUM"])

    def reverse(self) -> None:
        """The one change of an invoice that X3 allows after it was posted."""
        if number := self._open():
            try:
                clerk.reverse(self.erp, "PIINV", number)
            except Exception as error:
                self.machine.note(f"X3 refuses: {error}")

    def pay_other(self) -> None:
        amount = Decimal(self.machine.dice.randint(1, 50))
        paying.pay_other(self.ap, "V10001", [(f"OTHER-{self.runs}", amount)], state="Cleared")

    def change_vendor(self) -> None:
        clerk.change(self.erp, "BPSUPPLIER", self.erp.find("BPSUPPLIER", "V10003") | {"BPSNAM": f"New {self.runs}"})

    def deactivate_account(self) -> None:
        row = next(row for row in self.erp.rows("GACCOUNT") if row["ACC"] == "400002")
        clerk.change(self.erp, "GACCOUNT", row | {"ENAFLG": NO})

    # ── the history ─────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> list[str]:
        """Live through it; gives what does not hold in the end."""
        machine, dice = self.machine, self.machine.dice
        self.pair().mappings.set(Mapping(integration=TABLE.name, kind="company", code=COMPANY, target=COMPANY))
        self.pair().mappings.set(Mapping(integration=TABLE.name, kind="cost_center", code="CC101", target="CC101"))
        strength = dice.choice((0.3, 1.0, 2.0))
        machine.weather = Weather(
            wire=0.03 * strength, crash=0.002 * strength, lost=0.03, doubled=0.05, delayed=0.05,
            throttle=0.002 * strength, unheard=0.002 * strength, stale=0.01, lag=0.02,
        )  # fmt: skip
        names = [flow.name for flow in TABLE.flows]
        for hour in range(dice.randint(8, 20)):
            for _ in range(dice.randint(0, 3)):
                act = dice.choice(self.acts)
                machine.note(f"people: {act.__name__}")
                act()
            for name in names:
                if hour == 0 or dice.random() < 0.6:
                    self.poll(name)
            self.work(1)
        machine.peace()
        for _ in range(4):
            for name in names:
                self.poll(name, full=True)
            self.work(12, 600)
        self.judge()
        before = len(self.erp_wire.writes), len(self.ap_wire.writes)
        for name in names:
            self.poll(name, full=True)
        self.work(1)
        again = self.erp_wire.writes[before[0] :] + self.ap_wire.writes[before[1] :]
        if again:
            self.wrong.append(f"a second run writes: {again[:5]}")
        return self.wrong

    def counts(self) -> Counter[str]:
        """Count what came of it, so that a history in which nothing moved shows."""
        states = Counter(f"at AvidXchange: {o.state}" for o in self.ap.invoices.values() if o.external_id)
        states["entered in X3: payments"] = len(self.erp.rows("PAYMENTH")) - len(self.paid_before)
        for flow in TABLE.flows:
            for chunk in self.pair().ledger(flow.name).unfinished():
                states[f"held: {flow.name} {(chunk.waiting_for or chunk.state).partition(':')[0]}"] += 1
        return states

    # ── what must hold ──────────────────────────────────────────────────────────────────────────────────────

    def judge(self) -> None:
        pair = self.pair()
        sent, paid = pair.ledger("supplier_invoices"), pair.ledger("payments")
        waiting = {c.key: c.reason for c in sent.unfinished()}
        paid_waiting = {c.key: c.reason for c in paid.unfinished()}
        here = {(row["BPR"], row["BPRVCR"]): row["NUM"] for row in self.erp.rows("PINVOICE")}
        for (vendor, number), key in here.items():
            there = [o for o in self.ap.invoices.values() if o.external_id and (o.vendor, o.number) == (vendor, number)]
            if len(there) > 1:
                self.wrong.append(f"DOUBLED: {key} ({number}) stands at AvidXchange {len(there)} times")
        for row in unpaid(self.erp):
            self._submitted(row, sent, waiting)
        self._paid(here, paid_waiting)

    def _submitted(self, row: Any, sent: Any, waiting: dict[str, str | None]) -> None:
        key = row["NUM"]
        if any(
            o.external_id and (o.vendor, o.number) == (row["BPR"], row["BPRVCR"]) for o in self.ap.invoices.values()
        ):
            return
        known = sent.rows([key]).get(key)
        item = next(one for one in self.erp.rows("GACCDUDATE") if one["NUM"] == key)
        outcome = known[0].outcome if known else None
        if item["FLGCLE"] == 2 or waiting.get(key) or outcome in {"rejected", "held", "failed"}:
            return
        self.wrong.append(f"LOST: {key} ({row['BPRVCR']}), outcome {outcome}")

    def _paid(self, here: dict[Any, str], waiting: dict[str, str | None]) -> None:
        lines: dict[str, set[str]] = {}
        for line in self.erp.rows("PAYMENTD"):
            if (
                line["NUM"] not in self.by_hand | self.paid_before
                and self.erp.find("PAYMENTH", line["NUM"])["STA"] != 10
            ):
                lines.setdefault(line["VCRNUM"], set()).add(line["NUM"])
        ours = set[str]()
        for payment in self.ap.payments.values():
            for part in payment.parts:
                if not part.external_id or (payment.vendor, part.number) not in here:
                    continue
                ours.add(number := here[payment.vendor, part.number])
                if payment.state == "Cleared":
                    held = any(key.startswith(f"{payment.id}~") and why for key, why in waiting.items())
                    if not lines.get(number) and not held:
                        self.wrong.append(f"LOST: payment {payment.id} of {number} is neither in X3 nor held")
        for number, made in lines.items():
            if len(made) > 1:
                self.wrong.append(f"DOUBLED: {number} is paid in X3 by {sorted(made)}")
        for number in lines.keys() - ours:
            self.wrong.append(f"{number} is paid in X3, and nobody paid it at AvidXchange")

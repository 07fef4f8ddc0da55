"""A small world: the embedded ports in memory, a clock that is turned by hand, and two systems made of lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ml_connector.embedded.queue import MemoryQueue
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.ledger.ledger import due_rows
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule.wake_up import wake_due
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.engine.write.worker import write
from ml_connector.errors import Held, Rejected, Unexplained
from ml_connector.flow import (
    Chunking,
    Document,
    DocumentPage,
    Flow,
    Found,
    Integration,
    ListedDocument,
    Page,
    Prepared,
    Rendered,
    Sent,
    Verdict,
)
from ml_connector.folding import fold
from ml_connector.records import Account, CodingRow, Invoice, Supplier, SupplierEnrichment
from tests.clock import Clock

ACCOUNTS = Flow("accounts", Account, "erp", "ap", "master", "masters", maps="account")
INVOICES = Flow("invoices", Invoice, "ap", "erp", "document", "documents", after=("accounts",), money=True)
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TABLE = Integration("erp-ap", "erp", "ap", (ACCOUNTS, INVOICES))
CHUNKING: Chunking = {Account: (4, lambda _: 1), Supplier: (16, lambda _: 1), SupplierEnrichment: (1, lambda _: 1)}


@dataclass
class Systems:
    """Both systems, as lists and dictionaries, with a place to put faults."""

    accounts: dict[str, Account] = field(default_factory=dict)
    broken: list[Any] = field(default_factory=list)
    taken: dict[str, Account] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)
    mapped: dict[str, str] = field(default_factory=dict)
    drafts: bool = False
    rounds: Decimal = Decimal(0)
    cancelled: set[str] = field(default_factory=set)
    answers: list[tuple[str, Any]] = field(default_factory=list)
    booked: list[tuple[str, Prepared]] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    sends: list[list[str]] = field(default_factory=list)
    faults: list[Any] = field(default_factory=list)
    late: list[Any] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    deactivated: list[str] = field(default_factory=list)

    def fault(self, where: str) -> None:
        if self.faults and self.faults[0][0] == where:
            raise self.faults.pop(0)[1]


class Accounts:
    """Source and target of the master flow."""

    stages, once = ("accounts",), False

    def __init__(self, systems: Systems) -> None:
        self.s = systems

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Account]]:
        rows, size = [a for a in self.s.accounts.values() if a.key not in self.s.hidden], 3
        for start in range(int(position or 0), max(len(rows), 1), size):
            self.s.fault("read")
            more = start + size < len(rows)
            yield Page(
                rows[start : start + size], self.s.broken if not more else (), str(start + size) if more else None
            )

    def reread(self, keys: list[str]) -> Iterator[Page[Account]]:
        self.s.fault("reread")
        yield Page([self.s.accounts[k] for k in keys if k in self.s.accounts])

    def deactivate(self, keys: list[str]) -> Sent:
        self.s.fault("retire")
        self.s.deactivated += keys
        return Sent(("off",))

    def deactivated(self, keys: list[str], tokens: Any) -> dict[str, Verdict] | None:
        self.s.fault("verdict")
        return {k: Verdict("rejected", "It is in use.") for k in keys if k == "kept"}

    def render(self, record: Account, codes: Any, touch: str | None = None) -> Rendered:
        if record.name == "wrong":
            raise Rejected("The name is wrong.")
        if record.name == "waits":
            codes.erp("cost_center", "CC1")
        return Rendered(record.key, record.code, {"accounts": [{"name": record.name, "code": record.code}]})

    def send(self, stage: str, batch: list[Rendered]) -> Sent:
        self.s.sends.append([r.key for r in batch])
        if any(self.s.accounts[r.key].name == "poison" for r in batch if r.key in self.s.accounts):
            raise Rejected("Something in it is refused, and nobody knows what.")
        if any(self.s.accounts[r.key].name == "trouble" for r in batch if r.key in self.s.accounts):
            raise Unexplained("An unexpected error.")
        self.s.fault("send")
        for r in batch:
            (sent,) = r.entities["accounts"]
            self.s.taken[r.key] = Account(key=r.key, code=sent["code"], name=sent["name"])
        return Sent(("token",))

    def verdicts(self, stage: str, batch: list[Rendered], tokens: Any) -> dict[str, Verdict] | None:
        self.s.fault("verdict")
        return {r.key: Verdict("delivered") for r in batch}


class Papers:
    """Source and target of the document flow."""

    answers = True
    refuses_duplicates = False
    title = "The ERP"

    def __init__(self, systems: Systems) -> None:
        self.s = systems

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        rows = [
            ListedDocument(k, i.version)
            for k, i in self.s.invoices.items()
            if self.s.standing.get(k, "offered") == "offered"
        ]
        yield DocumentPage(rows)

    def taken(self) -> list[str]:
        return [k for k, s in self.s.standing.items() if s == "acknowledged"]

    def fetch(self, key: str) -> Document[Invoice]:
        self.s.fault("fetch")
        invoice = self.s.invoices.get(key)
        standing: Any = self.s.standing.get(key, "offered") if invoice else "gone"
        return Document(invoice, standing, invoice.version if invoice else None)

    def acknowledge(self, key: str) -> None:
        self.s.fault("acknowledge")
        self.s.acknowledged.append(key)
        self.s.standing[key] = "acknowledged"

    def answer(self, key: str, answer: Any) -> str:
        self.s.fault("answer")
        if (key, answer) not in self.s.answers:
            self.s.answers.append((key, answer))
        self.s.standing[key] = "transferred" if answer.success else "refused"
        return "t"

    def answered(self, key: str, token: str | None, answer: Any) -> Verdict | None:
        return Verdict("delivered")

    def prepare(self, record: Invoice, codes: Any) -> Prepared:
        for row in record.rows:
            codes.erp("account", row.account)
        return self._identity(record)

    def trace(self, record: Invoice, codes: Any) -> Prepared:
        return self._identity(record)

    def _identity(self, record: Invoice) -> Prepared:
        partner = self.s.mapped.get(record.supplier, record.supplier)
        kind = "credit note" if record.gross < 0 else "invoice"
        return Prepared(
            record.key,
            {"n": record.number},
            {"card": partner, "n": record.number, "kind": kind},
            record.gross,
            record.currency,
            natural=f"{partner}~{fold(record.number)}",
            dated=record.invoice_date,
            partner=partner,
            reference=record.number,
            kind=kind,
        )

    def _row(self, number: str, one: Prepared) -> Found:
        state: Any = "draft" if number.startswith("draft") else "posted"
        return Found(
            number,
            number,
            one.amount + self.s.rounds,
            one.currency,
            dated=one.dated,
            partner=one.partner,
            reference=one.reference,
            kind=one.kind,
            state=state,
        )

    def _live(self) -> list[tuple[str, Prepared]]:
        return [(number, one) for number, one in self.s.booked if number not in self.s.cancelled]

    def look(self, prepared: Prepared) -> list[Found]:
        self.s.fault("look")
        return [self._row(n, one) for n, one in self._live() if self._is(one, prepared)]

    def _is(self, one: Prepared, prepared: Prepared) -> bool:
        alike = one.partner in {"", prepared.partner} and one.kind in {"", prepared.kind}
        return alike and fold(one.lookup["n"]) == fold(prepared.lookup["n"])

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        return [self._row(n, one) for n, one in self._live() if n == number and one.partner == prepared.partner]

    def stands(self, found: Found) -> bool:
        return found.id not in self.s.cancelled

    def send(self, prepared: Prepared) -> Found:
        if self.s.faults and self.s.faults[0][0] == "post-acted":
            self._book(prepared)
            raise self.s.faults.pop(0)[1]
        self.s.fault("post")
        return self._book(prepared)

    def _book(self, prepared: Prepared) -> Found:
        number = f"{'draft' if self.s.drafts else ''}{100 + len(self.s.booked)}"
        self.s.booked.append((number, prepared))
        if self.s.drafts:
            raise Held(f"approval:{prepared.key}", "It awaits approval.")
        return Found(number, number, prepared.amount, prepared.currency)

    def read_back(self, found: Found) -> Found:
        self.s.fault("read_back")
        row = self._row(found.id, dict(self.s.booked)[found.id])
        return replace(row, state="cancelled") if found.id in self.s.cancelled else row


class Place:
    """A connection to both systems at once."""

    def __init__(self, systems: Systems) -> None:
        self.parts = {Account: Accounts(systems), Invoice: Papers(systems)}

    def source(self, record: type) -> Any:
        return self.parts[record]

    target = source

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Bench:
    """The world, the systems, and the few moves that a test makes."""

    runtime: Runtime
    systems: Systems
    clock: Clock
    queue: MemoryQueue
    runs: int = 0
    shadow: bool = False
    companies: tuple[str, ...] = ("1000",)

    @property
    def table(self) -> Integration:
        """The table of flows."""
        return TABLE

    def place(self) -> Any:
        """Connect to both systems."""
        return Place(self.systems)

    def pair(self) -> TenantIntegration:
        breakers = {
            s: Breaker(self.runtime.store, self.clock, tenant="acme", system=s, version="1", boot="b", sole=True)
            for s in ("erp", "ap")
        }
        return TenantIntegration(
            runtime=self.runtime,
            tenant="acme",
            integration=self.table,
            scope="s",
            breakers=breakers,
            connectors=dict.fromkeys(("erp", "ap"), self.place),
            active=frozenset(flow.name for flow in self.table.flows),
            epoch="e",
            companies=self.companies,
            erp_company="DB",
            is_currency=lambda code: code in {"EUR", "COP"},
            chunking=CHUNKING,
            in_doubt_seconds={"erp": 900, "ap": 0},
            shadow=self.shadow,
        )

    def poll(self, flow: Flow, *, full: bool = False) -> None:
        self.runs += 1
        Poll(self.pair(), flow, f"run{self.runs}", full=full).read()

    def compare(self, flow: Flow) -> None:
        """A full comparison, and the work that it leads to."""
        self.poll(flow, full=True)
        self.work(0.1)

    def work(self, hours: float = 0) -> None:
        """Handle every wake-up message, and every row that falls due within the time."""
        end = self.clock.now() + timedelta(hours=hours)
        pair = self.pair()
        while True:
            wake_due(self.runtime)
            while (queued := self.queue.take()) is not None:
                write(pair, self.table.flow(queued.message["flow"]), queued.message["id"])
                self.queue.done(queued)
            if self.clock.now() >= end:
                return
            self.clock.moment = self._next_look(end)

    def _next_look(self, end: datetime) -> datetime:
        """Give the next of the looks, one every 30 seconds, at which there is something to do; `end` at the latest."""
        now, every = self.clock.now(), timedelta(seconds=30)
        due = [datetime.fromisoformat(item.due_at) for item in due_rows(self.runtime.store, end, 1) if item.due_at]
        queue = self.queue.next_at()
        soon = min([end, *due, *([queue] if queue else [])])
        return min(now + max(1, -((now - soon) // every)) * every, end)

    def sheet(self, flow: Flow) -> FlowTotals:
        sheet, ledger = FlowTotals(flow), self.pair().ledger(flow.name)
        sheet.add_cursor(ledger, f"run{self.runs}")
        for chunk in (*ledger.unfinished(), *ledger.finished()):
            sheet.add_chunk(chunk)
        return sheet

    def counts(self, flow: Flow) -> dict[str, int]:
        sheet = self.sheet(flow)
        assert sheet.reconciled
        return {k: v for k, v in sheet.counts.items() if v and k != "read"}


def account(key: str, name: str = "Travel") -> Account:
    return Account(key=key, code=key, name=name)


def invoice(key: str, gross: str = "119.00", account: str = "6100", number: str | None = None) -> Invoice:
    return Invoice(
        key=key,
        number=number or f"R-{key}",
        company="1000",
        supplier="V1",
        currency="EUR",
        version="1",
        invoice_date=date(2026, 3, 1),
        gross=Decimal(gross),
        rows=(CodingRow(key="1", account=account, net=Decimal(gross)),),
    )


class Killed(BaseException):
    """The process died here: no handler may catch it."""

"""A platform that pays: invoices are sent to it once, and it says how they stand and what it paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ml_connector.errors import NotOurs, Rejected
from ml_connector.flow import Document, DocumentPage, Flow, Found, Integration, ListedDocument, Prepared
from ml_connector.records import InvoiceStatus, Payment, SupplierInvoice
from tests.unit.engine.bench import Bench

SENT = Flow("supplier_invoices", SupplierInvoice, "erp", "ap", "document", "documents", money=True, once=True)
STATUS = Flow("status", InvoiceStatus, "ap", "erp", "document", "documents", concerns="supplier_invoices", asks=True)
PAID = Flow(
    "payments", Payment, "ap", "erp", "document", "documents", concerns="supplier_invoices", money=True, once=True
)
TABLE = Integration("erp-ap", "erp", "ap", (SENT, STATUS, PAID))


@dataclass
class Platform:
    """What stands where. `invoices`: the ERP's, with their change stamps; `sent`: what the platform has of them."""

    invoices: dict[str, tuple[SupplierInvoice, str]] = field(default_factory=dict)
    void: set[str] = field(default_factory=set)
    sent: dict[str, Prepared] = field(default_factory=dict)
    creates: int = 0
    updates: list[str] = field(default_factory=list)
    takes_updates: bool = False
    gone: set[str] = field(default_factory=set)
    statuses: dict[str, str] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    payments: dict[str, tuple[Payment, tuple[str, ...]]] = field(default_factory=dict)
    written: list[Any] = field(default_factory=list)
    number: str = "sent-1"


class Source:
    answers = False

    def __init__(self, platform: Platform, record: type) -> None:
        self.p, self.record = platform, record

    def list_documents(self, since: str | None, position: str | None) -> Iterator[DocumentPage]:
        p = self.p
        if self.record is SupplierInvoice:
            yield DocumentPage([ListedDocument(k, s, void=k in p.void) for k, (_, s) in p.invoices.items()])
        else:
            rows = [ListedDocument(k, str(one.state), void=one.cancelled) for k, (one, _) in p.payments.items()]
            yield DocumentPage(rows)

    def asked(self, ids: Sequence[str]) -> list[ListedDocument] | None:
        if self.record is not InvoiceStatus:
            return None
        if ids:
            self.p.asked.append(list(ids))
        return [ListedDocument(i, self.p.statuses[i], final=self.p.statuses[i] == "paid") for i in ids]

    def fetch(self, key: str) -> Document[Any]:
        if self.record is SupplierInvoice:
            if key not in self.p.invoices:
                return Document(None, "gone", detail="It was cancelled.")
            record, stamp = self.p.invoices[key]
            return Document(record, "offered", stamp, void=key in self.p.void)
        if self.record is InvoiceStatus:
            status: Any = self.p.statuses[key]
            return Document(InvoiceStatus(key=key, number=key, status=status), "offered", status, refers=(key,))
        payment, refers = self.p.payments[key]
        return Document(payment, "offered", str(payment.state), refers=refers, void=payment.cancelled)


class Target:
    refuses_duplicates = False
    title = "The platform"

    def __init__(self, platform: Platform) -> None:
        self.p = platform

    def prepare(self, record: SupplierInvoice, codes: Any) -> Prepared:
        if record.description == "sour":
            raise Rejected("It is sour.")
        body = {"amount": str(record.gross), "text": record.description}
        lookup = {"own": f"own-{record.key}"}
        natural = f"{record.supplier}~{record.number}"
        return Prepared(record.key, body, lookup, record.gross, record.currency, natural=natural)

    trace = prepare

    def look(self, prepared: Prepared) -> list[Found]:
        there = [i for i, one in self.p.sent.items() if one.lookup == prepared.lookup and i not in self.p.gone]
        return [Found(i, i, self.p.sent[i].amount, ours=True) for i in there]

    def numbered(self, number: str, prepared: Prepared) -> list[Found]:
        return [one for one in self.look(prepared) if one.id == number]

    def stands(self, found: Found) -> bool:
        return found.id not in self.p.gone

    def send(self, prepared: Prepared) -> Found:
        self.p.creates += 1
        name = f"sent-{self.p.creates}"
        self.p.sent[name], self.p.statuses[name] = prepared, "received"
        return Found(name, name, prepared.amount, ours=True)

    def read_back(self, found: Found) -> Found:
        return replace(found, amount=self.p.sent[found.id].amount)

    def update(self, target: str, prepared: Prepared) -> bool:
        if self.p.takes_updates:
            self.p.updates.append(target)
            self.p.sent[target] = prepared
        return self.p.takes_updates


class Written:
    """What the ERP takes of statuses and payments: only for documents that it knows."""

    refuses_duplicates = True
    title = "The ERP"

    def __init__(self, platform: Platform) -> None:
        self.p = platform

    def prepare(self, record: Any, codes: Any) -> Prepared:
        if record.document is None:
            raise NotOurs(f"{record.key} belongs to no invoice here.")
        word = getattr(record, "status", "") or getattr(record, "state", "")
        return Prepared(record.key, {"word": word}, {"key": record.key}, getattr(record, "amount", 0), "EUR")

    trace = prepare

    def look(self, prepared: Prepared) -> list[Found]:
        return []

    def stands(self, found: Found) -> bool:
        return True

    def send(self, prepared: Prepared) -> Found:
        self.p.written.append((prepared.key, prepared.body["word"]))
        return Found(f"{prepared.key}:{len(self.p.written)}", prepared.key, ours=True)

    def read_back(self, found: Found) -> Found:
        return found


class Place:
    def __init__(self, platform: Platform) -> None:
        self.p = platform

    def source(self, record: type) -> Any:
        return Source(self.p, record)

    def target(self, record: type) -> Any:
        return Target(self.p) if record is SupplierInvoice else Written(self.p)

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Following(Bench):
    platform: Platform = field(default_factory=Platform)

    @property
    def table(self) -> Integration:
        return TABLE

    def place(self) -> Any:
        return Place(self.platform)

    def run(self, flow: Flow, *, full: bool = False, hours: float = 0.1) -> None:
        self.poll(flow, full=full)
        self.work(hours)

"""A bench with suppliers that people change on both sides: an ERP of rows, a platform of vendors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.ledger.mappings import Mapping as Mapped
from ml_connector.enrichment import ErpSupplier
from ml_connector.flow import Flow, Integration, Page, Rendered, Sent, Verdict
from ml_connector.records import Supplier, SupplierEnrichment
from tests.unit.engine.bench import Bench, Killed

ENRICHMENT = Flow(
    "enrichment",
    SupplierEnrichment,
    "ap",
    "erp",
    "master",
    "masters",
    after=("suppliers",),
    codes=("term",),
    enriches="suppliers",
)
SUPPLIERS = Flow("suppliers", Supplier, "erp", "ap", "master", "masters", maps="supplier", codes=("term",))
SHARING = Integration("erp-ap", "erp", "ap", (ENRICHMENT, SUPPLIERS))
COLUMNS = {"payment_term": "Terms", "tax_id": "TaxNo"}


@dataclass
class Sides:
    """Both systems. `erp`: rows by key; `ap`: vendors by code; `written`, `sent`: what went to each."""

    erp: dict[str, dict[str, str]] = field(default_factory=dict)
    ap: dict[str, dict[str, str]] = field(default_factory=dict)
    written: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults: list[tuple[str, BaseException]] = field(default_factory=list)
    spoils: str = ""
    deaf: bool = False

    def fault(self, where: str) -> None:
        if self.faults and self.faults[0][0] == where:
            raise self.faults.pop(0)[1]

    def record(self, code: str) -> SupplierEnrichment:
        return SupplierEnrichment(key=code, **{name: self.ap[code].get(name) or None for name in (*COLUMNS,)})


class Suppliers:
    """The ERP's suppliers, and the platform as their target."""

    stages, once = ("vendors",), False

    def __init__(self, sides: Sides) -> None:
        self.s = sides

    def _record(self, key: str) -> Supplier:
        row = self.s.erp[key]
        return Supplier(key=key, code=key, name=row["Name"], payment_term=row["Terms"], tax_id=row["TaxNo"])

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Supplier]]:
        yield Page([self._record(key) for key in self.s.erp])

    def reread(self, keys: list[str]) -> Iterator[Page[Supplier]]:
        yield Page([self._record(key) for key in keys if key in self.s.erp])

    def render(self, record: Supplier, codes: Any, touch: str | None = None) -> Rendered:
        term = codes.platform("term", record.payment_term) if record.payment_term else ""
        body = {"name": record.name, "payment_term": term, "tax_id": record.tax_id or ""}
        return Rendered(record.key, record.code, {"vendors": [body]})

    def send(self, stage: str, batch: list[Rendered]) -> Sent:
        self.s.fault("send")
        for one in batch:
            (body,) = one.entities["vendors"]
            assert one.keep is not None
            there = self.s.record(one.key) if one.key in self.s.ap else None
            kept = one.keep(there)
            body = {name: value for name, value in body.items() if name not in kept}
            self.s.sent.append((one.key, body))
            self.s.ap[one.key] = {**self.s.ap.get(one.key, {}), **body}
        return Sent(("token",))

    def verdicts(self, stage: str, batch: list[Rendered], tokens: Any) -> dict[str, Verdict]:
        self.s.fault("verdict")
        return {one.key: Verdict("delivered") for one in batch}


class Vendors:
    """The platform's vendors, as a source."""

    def __init__(self, sides: Sides) -> None:
        self.s = sides

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[SupplierEnrichment]]:
        self.s.fault("list")
        yield Page([self.s.record(code) for code in self.s.ap])

    def reread(self, keys: list[str]) -> Iterator[Page[SupplierEnrichment]]:
        self.s.fault("reread")
        yield Page([self.s.record(code) for code in keys if code in self.s.ap])


class Maintenance:
    """The ERP, taking changes."""

    fields = ("payment_term", "tax_id")

    def __init__(self, sides: Sides) -> None:
        self.s = sides

    def read(self, key: str) -> ErpSupplier | None:
        self.s.fault("read")
        row = self.s.erp.get(key)
        return row and ErpSupplier({name: row[column] for name, column in COLUMNS.items()}, dict(row), COLUMNS)

    def write(self, key: str, changes: Mapping[str, str]) -> None:
        self.s.fault("write")
        self.s.written.append((key, dict(changes)))
        if not self.s.deaf:
            self.s.erp[key] |= {COLUMNS[name]: value for name, value in changes.items()}
        if self.s.spoils:
            self.s.erp[key][self.s.spoils] = ""
        self.s.fault("written")


class Both:
    """A connection to both systems at once."""

    def __init__(self, sides: Sides) -> None:
        self._suppliers, self._vendors, self._maintenance = Suppliers(sides), Vendors(sides), Maintenance(sides)

    def source(self, record: type) -> Any:
        return self._vendors if record is SupplierEnrichment else self._suppliers

    def target(self, record: type) -> Any:
        return self._maintenance if record is SupplierEnrichment else self._suppliers

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class SharingBench(Bench):
    """The bench over these two systems."""

    flows: tuple[Flow, ...] = SHARING.flows
    sides: Sides = field(default_factory=Sides)
    last: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> Integration:
        return replace(SHARING, flows=self.flows)

    def place(self) -> Any:
        return Both(self.sides)

    def supplier(self, key: str, term: str = "", tax: str = "", name: str = "Meyer") -> None:
        """Enter a supplier in the ERP."""
        self.sides.erp[key] = {"Name": name, "Terms": term, "TaxNo": tax, "Bank": "DE1"}

    def poll(self, flow: Flow, *, full: bool = False) -> None:
        super().poll(flow, full=full)
        self.last[flow.name] = f"run{self.runs}"

    def counts(self, flow: Flow) -> dict[str, int]:
        """Count what the flow's last run came to, and nothing of earlier ones."""
        sheet, ledger = FlowTotals(flow), self.pair().ledger(flow.name)
        sheet.add_cursor(ledger, self.last[flow.name])
        for chunk in (*ledger.unfinished(), *ledger.finished()):
            if chunk.run == self.last[flow.name]:
                sheet.add_chunk(chunk)
        assert sheet.reconciled
        return {k: v for k, v in sheet.counts.items() if v and k != "read"}

    def run(self, *, full: bool = False) -> None:
        """Read both flows in the order of the table, and do the work that follows."""
        for flow in self.table.flows:
            self.poll(flow, full=full)
            self.work()
        self.work(0.1)

    def die(self) -> None:
        """Work until the process dies, and let another one take over."""
        with pytest.raises(Killed):
            self.work(0.1)
        self.runtime = type(self.runtime)(**{**self.runtime.__dict__, "boot": "another"})
        for queued in list(self.queue._taken.values()):
            self.queue.done(queued)

    def term(self, code: str, target: str) -> None:
        """Map a payment term of the platform as a person does."""
        self.pair().mappings.set(_mapping(self.pair().integration.name, code, target))
        for flow in self.table.flows:
            self.pair().ledger(flow.name).compare_everything()


def _mapping(integration: str, code: str, target: str) -> Any:
    return Mapped(integration=integration, kind="term", code=code, target=target)

"""The whole way: an invoice of the ERP is submitted once whatever breaks, and what becomes of it comes back to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from infra.sandbox.avidxchange import back_office, paying
from infra.sandbox.avidxchange.model import Invoice
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.flow import Flow
from ml_connector.records import InvoiceStatus, Payment, SupplierInvoice
from tests.contract.avidxchange.conftest import Bench as Desk
from tests.unit.avidxchange.conftest import invoice
from tests.unit.engine.bench import Systems
from tests.unit.engine.followed import PAID, SENT, STATUS, Following, Place, Source


class Joined(Place):
    """The ERP of the engine's bench, and the client of AvidXchange."""

    def __init__(self, following: Along) -> None:
        super().__init__(following.platform)
        self.desk = following.desk

    def source(self, record: type) -> Any:
        return Source(self.p, record) if record is SupplierInvoice else self.desk.connect().source(record)

    def target(self, record: type) -> Any:
        return self.desk.connect().target(record) if record is SupplierInvoice else super().target(record)


@dataclass
class Along(Following):
    desk: Desk = field(default=None)  # type: ignore[assignment]

    def place(self) -> Any:
        return Joined(self)

    def pair(self) -> TenantIntegration:
        made = replace(super().pair(), is_currency=lambda code: code == "USD", in_doubt_seconds={"erp": 0, "ap": 60})
        for kind, code in (("supplier", "V10000"), ("account", "6100")):
            made.mappings.set(Mapping(integration="erp-ap", kind=kind, code=code, target=code))
        return made

    def go(self, flow: Flow, hours: float = 1, *, full: bool = False) -> None:
        self.run(flow, full=full, hours=hours)

    @property
    def there(self) -> list[Invoice]:
        return list(self.desk.world.invoices.values())

    def held(self, flow: Flow = SENT) -> list[str | None]:
        return [chunk.waiting_for for chunk in self.pair().ledger(flow.name).unfinished()]


@pytest.fixture
def along(bench: Desk) -> Along:
    store, queue = SqliteStore(":memory:", bench.clock), MemoryQueue(bench.clock)
    runtime = Runtime(store, queue, MemoryBlobs(), bench.clock, SeededRandom(1), boot="b", sole=True, crash_limit=2)
    made = Along(runtime, Systems(), bench.clock, queue, desk=bench)
    made.platform.invoices = {"BISFAC-1": (invoice(company="101"), "1")}
    return made


@pytest.mark.parametrize("fault", ["drop", "truncated", "500", "late"])
@pytest.mark.parametrize("idempotency", ["honoured", "ignored"])
def test_whatever_breaks_it_is_submitted_once(along: Along, fault: str, idempotency: str) -> None:
    along.desk.world.idempotency, along.desk.world.duplicates = idempotency, "allowed"
    along.desk.world.faults.add(fault, "/invoices", "POST", times=2)
    along.go(SENT, 30)
    along.go(SENT, 30)
    assert len(along.there) == 1 and along.held() == []
    row = along.pair().ledger(SENT.name).rows(["BISFAC-1"])["BISFAC-1"][0]
    assert (row.outcome, row.target) == ("delivered", str(along.there[0].id))


def test_what_people_captured_there_meanwhile_is_not_submitted_in_addition(along: Along) -> None:
    """The same invoice came to AvidXchange by paper: the day, the amount and all else agree."""
    day = invoice().invoice_date
    back_office.capture(along.desk.world, "V10000", "INV-7731", [("6100", Decimal(250))], dated=day)
    along.go(SENT)
    assert len(along.there) == 1 and along.held() == []


def test_a_changed_invoice_is_a_conflict_and_never_a_second_one(along: Along) -> None:
    along.desk.world.idempotency, along.desk.world.duplicates = "ignored", "allowed"
    along.go(SENT)
    record, _ = along.platform.invoices["BISFAC-1"]
    rows = (msgspec.structs.replace(record.rows[0], net=Decimal(300)),)
    changed = msgspec.structs.replace(record, gross=Decimal(300), rows=rows)
    along.platform.invoices["BISFAC-1"] = (changed, "2")
    along.go(SENT, 30)
    assert len(along.there) == 1 and along.held() == ["conflict:BISFAC-1"]


def test_status_and_payment_come_back_to_the_erps_invoice(along: Along) -> None:
    world = along.desk.world
    along.go(SENT)
    along.go(STATUS)
    (one,) = along.there
    back_office.approve(world, one.id)
    along.go(STATUS)
    payment = paying.pay(world, [one.id])
    paying.issue(world, payment.id)
    along.go(PAID)
    assert [word for _, word in along.platform.written] == ["received", "approved"]
    paying.clear(world, payment.id)
    along.go(PAID)
    along.go(STATUS)
    assert [word for _, word in along.platform.written] == ["received", "approved", "paid", "paid"]


def test_a_reissue_is_no_second_payment_and_other_peoples_are_unchanged(along: Along) -> None:
    world = along.desk.world
    along.go(SENT)
    (one,) = along.there
    back_office.approve(world, one.id)
    payment = paying.pay(world, [one.id])
    paying.clear(world, payment.id)
    paying.pay_other(world, "V10001", [("OTHER", Decimal(5))], state="Cleared")
    along.go(PAID)
    assert along.sheet(PAID).counts["delivered"] == along.sheet(PAID).counts["unchanged"] == 1
    paying.give_back(world, payment.id)
    paying.reissue(world, payment.id, keep_id=True)
    paying.clear(world, payment.id)
    along.go(PAID)
    along.go(PAID, full=True)
    assert [word for _, word in along.platform.written] == ["paid"]


@pytest.mark.parametrize("record", [InvoiceStatus, Payment])
def test_both_are_sources_that_take_no_answer(along: Along, record: type) -> None:
    assert along.place().source(record).answers is False

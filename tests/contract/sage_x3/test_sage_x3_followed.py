"""Supplier invoices the whole way, between both simulated systems: submitted, approved, paid, and paid in Sage X3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.avidxchange import add_code, add_vendor, back_office, paying
from infra.sandbox.avidxchange.model import Company
from infra.sandbox.sage_x3 import back_office as clerk
from ml_connector.context import TenantSettings
from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.flow import Flow
from ml_connector.records import SupplierInvoice
from tests.contract.avidxchange.conftest import Bench as Desk
from tests.contract.avidxchange.conftest import bench as desk  # noqa: F401 - a fixture
from tests.contract.conformance.wire import acted, breaks
from tests.contract.sage_x3.conftest import Bench, Maker
from tests.contract.sage_x3.submitting import enter, item, opened, ways
from tests.unit.engine.bench import Systems
from tests.unit.engine.followed import PAID, SENT, STATUS, Following

STARTS = {"supplier_invoices": date(2026, 2, 10)}
OPTIONS = TenantSettings(start_dates={SENT.name: date(2026, 2, 10)})


class Both:
    """The connection of each side, by what is asked of it."""

    def __init__(self, joined: Joined) -> None:
        self.joined = joined

    def source(self, record: type) -> Any:
        return self._side(record is SupplierInvoice).source(record)

    def target(self, record: type) -> Any:
        return self._side(record is not SupplierInvoice).target(record)

    def _side(self, erp: bool) -> Any:
        return self.joined.erp.again().connection if erp else self.joined.desk.connect()

    def close(self) -> None:
        """What is open is closed with the benches."""


@dataclass
class Joined(Following):
    erp: Bench = field(default=None)  # type: ignore[assignment]
    desk: Desk = field(default=None)  # type: ignore[assignment]

    def place(self) -> Any:
        return Both(self)

    def pair(self) -> TenantIntegration:
        made = replace(
            super().pair(),
            is_currency=lambda code: code == "EUR",
            in_doubt_seconds={"erp": 60, "ap": 60},
            options=OPTIONS,
        )
        for kind, code in (
            ("supplier", "V10000"),
            ("account", "400001"),
            ("company", "FR10"),
            ("cost_center", "CC101"),
        ):
            made.mappings.set(Mapping(integration="erp-ap", kind=kind, code=code, target=code))
        return made

    def go(self, flow: Flow, hours: float = 1, *, full: bool = False) -> None:
        self.run(flow, full=full, hours=hours)

    def held(self, flow: Flow) -> list[str | None]:
        return [chunk.waiting_for for chunk in self.pair().ledger(flow.name).unfinished()]

    def reasons(self, flow: Flow) -> list[str | None]:
        return [chunk.reason for chunk in self.pair().ledger(flow.name).unfinished()]

    def entered(self, invoice: str) -> list[dict[str, Any]]:
        """The payments of an invoice in X3 that stand."""
        world = self.erp.world
        paid = {line["NUM"] for line in world.rows("PAYMENTD") if line["VCRNUM"] == invoice}
        return [row for row in world.rows("PAYMENTH") if row["NUM"] in paid and row["STA"] != 10]


def joined(make: Maker, there: Desk, way: str = "api1", **more: Any) -> Joined:
    erp = opened(make, way, starts=STARTS, **more)
    erp.clock, erp.world.clock, erp.world.sleep = there.clock, there.clock.now, there.clock.sleep
    erp.context = replace(erp.context, clock=there.clock)
    there.world.companies.append(Company("FR10", "FR10"))
    add_vendor(there.world, "V10000")
    add_code(there.world, "400001")
    add_code(there.world, "CC101", "CCT")
    store, queue = SqliteStore(":memory:", there.clock), MemoryQueue(there.clock)
    runtime = Runtime(store, queue, MemoryBlobs(), there.clock, SeededRandom(1), boot="b", sole=True, crash_limit=2)
    return Joined(runtime, Systems(), there.clock, queue, erp=erp.again(), desk=there)


@pytest.fixture
def join(make: Maker, desk: Desk) -> Iterator[Any]:  # noqa: F811
    yield lambda way="api1", **more: joined(make, desk, way, **more)


def submitted(along: Joined) -> tuple[dict[str, Any], Any]:
    row = enter(along.erp)
    along.go(SENT)
    assert along.reasons(SENT) == []
    return row, next(one for one in along.desk.world.invoices.values())


@ways
def test_an_invoice_is_submitted_once_and_counts_as_paid_in_x3_once_it_is(join: Any, way: str) -> None:
    along = join(way, invoice_status_field="YAPSTA", hold_in_x3=True)
    row, there = submitted(along)
    assert (there.number, there.amount, len(along.desk.world.invoices)) == (row["BPRVCR"], Decimal("119.00"), 1)
    along.go(STATUS)
    assert item(along.erp, row["NUM"])["FLGPAZ"] == 3
    back_office.approve(along.desk.world, there.id)
    payment = paying.pay(along.desk.world, [there.id])
    paying.issue(along.desk.world, payment.id)
    along.go(PAID)
    assert along.entered(row["NUM"]) == [], "issued is not paid"
    paying.clear(along.desk.world, payment.id)
    along.go(PAID)
    along.go(STATUS)
    (made,) = along.entered(row["NUM"])
    assert item(along.erp, row["NUM"])["TMPCUR"] == 119 and along.reasons(PAID) == []
    assert along.erp.world.find("PINVOICE", row["NUM"])["YAPSTA"] == "paid"
    clerk.post_payment(along.erp.world, made["NUM"])
    for flow in (SENT, STATUS, PAID):
        along.go(flow, full=True)
        assert along.reasons(flow) == []
    assert len(along.entered(row["NUM"])) == len(along.desk.world.invoices) == 1


@ways
def test_whatever_breaks_a_payment_is_entered_once(join: Any, way: str) -> None:
    along = join(way)
    row, there = submitted(along)
    where = "CAdxWebService" if way == "soap" else "PAYMENTH"
    along.erp.wire.spoil(
        acted(breaks(httpx.ReadTimeout)), lambda r: r.method == "POST" and where in r.url.path, times=1
    )
    back_office.approve(along.desk.world, there.id)
    payment = paying.pay(along.desk.world, [there.id])
    paying.clear(along.desk.world, payment.id)
    along.go(PAID)
    assert along.reasons(PAID) == [] and len(along.entered(row["NUM"])) == 1


def test_a_payment_that_is_void_after_it_was_entered_waits_until_it_is_cancelled_in_x3(join: Any) -> None:
    along = join()
    row, there = submitted(along)
    back_office.approve(along.desk.world, there.id)
    payment = paying.pay(along.desk.world, [there.id])
    paying.clear(along.desk.world, payment.id)
    along.go(PAID)
    (made,) = along.entered(row["NUM"])
    clerk.post_payment(along.erp.world, made["NUM"])
    paying.void(along.desk.world, payment.id)
    along.go(PAID)
    assert along.held(PAID) == [f"conflict:{made['NUM']}"] and len(along.entered(row["NUM"])) == 1
    clerk.void_payment(along.erp.world, made["NUM"])
    along.work(30)
    assert along.reasons(PAID) == [] and along.entered(row["NUM"]) == []
    along.go(PAID, full=True)
    assert along.entered(row["NUM"]) == [] and item(along.erp, row["NUM"])["PAYCUR"] == 0


def test_what_x3_takes_back_after_it_was_submitted_is_a_conflict_before_it_is_paid(join: Any) -> None:
    along = join()
    row, _ = submitted(along)
    clerk.reverse(along.erp.world, "PIINV", row["NUM"])
    along.go(SENT)
    assert along.held(SENT) == [f"conflict:{row['NUM']}"]
    assert "before it is paid" in (along.reasons(SENT)[0] or "")


def test_what_x3_pays_itself_meanwhile_is_not_submitted(join: Any) -> None:
    along = join()
    row = enter(along.erp)
    along.poll(SENT)
    clerk.pay(along.erp.world, row["NUM"])
    along.work(1)
    assert not along.desk.world.invoices and along.reasons(SENT) == []


def test_a_rejected_invoice_stays_stopped_and_goes_on_once_it_is_approved_after_all(join: Any) -> None:
    along = join(hold_in_x3=True)
    row, there = submitted(along)
    back_office.reject(along.desk.world, there.id, "Wrong order")
    along.go(STATUS)
    assert along.held(STATUS) == [f"conflict:{row['NUM']}"] and item(along.erp, row["NUM"])["FLGPAZ"] == 3
    there.state = "approved"
    along.work(30)
    assert along.reasons(STATUS) == []

"""What the people of SAP Business One do in the simulation: edit masters, enter orders, receive goods, pay."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from infra.sandbox import sap_b1
from infra.sandbox.sap_b1 import back_office, payments
from infra.sandbox.sap_b1.errors import Refusal
from tests.simulation.erp_sap_b1 import SapB1

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.worlds import Office


def _world(office: Office) -> sap_b1.World:
    assert isinstance(office.erp, SapB1)
    return office.erp.world


def rename_supplier(history: History, office: Office) -> None:
    """A supplier changes; at times its stamp lies in the past, by hours (a long commit) or by days."""
    world = _world(office)
    code = office.dice.choice(office.erp.suppliers())
    office.edits += 1
    row = world.tables["BusinessPartners"][code]
    before = {k: row.get(k) for k in ("UpdateDate", "UpdateTime")}
    row = world.upsert("BusinessPartners", {"CardCode": code, "CardName": f"{office.name} renamed {office.edits}"})
    kind = office.dice.random()
    if kind < 0.2 and not history.short:
        row |= before
        history.machine.fault("world: back-dated edit")
    elif kind < 0.5:
        begun = history.machine.now() - timedelta(hours=office.dice.uniform(0.1, 12))
        row |= {"UpdateDate": begun.date().isoformat(), "UpdateTime": begun.strftime("%H:%M:%S")}
        history.machine.fault("world: long commit")


def rename_account(history: History, office: Office) -> None:
    office.edits += 1
    rows = _world(office).tables["ChartOfAccounts"]
    rows[office.dice.choice(sorted(rows))]["Name"] = f"{office.name} account {office.edits} renamed"


def rename_center(history: History, office: Office) -> None:
    office.edits += 1
    rows = _world(office).tables["ProfitCenters"]
    rows[office.dice.choice(sorted(rows))]["CenterName"] = f"{office.name} centre {office.edits} renamed"


def bulk_stamp(history: History, office: Office) -> None:
    """A batch job touches every supplier: all stamps move, hardly anything changes."""
    world = _world(office)
    for code in office.erp.suppliers():
        world.upsert("BusinessPartners", {"CardCode": code})
    history.machine.fault("world: bulk stamp")


def burst(history: History, office: Office) -> None:
    """An import enters suppliers with one stamp, more than a page of them."""
    for _ in range(7):
        office.edits += 1
        office.erp.enter_supplier(f"B{office.name[:3].upper()}{office.edits:03d}")
    history.machine.fault("world: burst with one stamp")


def delete_account(history: History, office: Office) -> None:
    """A row disappears and the pages move; it comes back later."""
    rows = _world(office).tables["ChartOfAccounts"]
    code = office.dice.choice(sorted(rows))
    if rows[code]["FormatCode"] in {"157600", "180000"}:
        row = rows.pop(code)
        history.machine.fault("world: row deleted")
        history.meanwhile(office.dice.uniform(30, 7200), f"enter {code} again", lambda: rows.setdefault(code, row))


def new_order(history: History, office: Office) -> None:
    assert isinstance(office.erp, SapB1)
    code = office.dice.choice(office.erp.suppliers())
    office.erp.enter_order(code, office.dice, service=office.dice.random() < 0.3)


def receive_goods(history: History, office: Office) -> None:
    world = _world(office)
    rows = [
        r
        for r in world.rows("PurchaseOrders")
        if r["DocumentStatus"] == "bost_Open" and r["DocType"] == "dDocument_Items"
    ]
    if rows:
        order = office.dice.choice(rows)
        line = next(line for line in order["DocumentLines"] if line["LineStatus"] == "bost_Open")
        part = max(Decimal(1), line["RemainingOpenQuantity"] // 2)
        back_office.receive(world, order["DocEntry"], {line["LineNum"]: part})


def pay(history: History, office: Office) -> None:
    """Pay an open invoice, whole or in part."""
    world = _world(office)
    rows = [r for r in world.rows("PurchaseInvoices") if r["DocumentStatus"] == "bost_Open"]
    if rows:
        row = office.dice.choice(rows)
        total, paid = ("DocTotalFc", "PaidToDateFC") if row["DocCurrency"] != "EUR" else ("DocTotal", "PaidToDate")
        left = row[total] - row[paid]
        part = (left / 2).quantize(Decimal("0.01")) if office.dice.random() < 0.4 else left
        if part > 0:
            with suppress(Refusal):  # a document that a person cancelled
                back_office.pay(world, row["DocEntry"], part)


def unpay(history: History, office: Office) -> None:
    world = _world(office)
    rows = [r for r in world.rows("VendorPayments") if r["Cancelled"] == "tNO"]
    if rows:
        payments.cancel_payment(world, office.dice.choice(rows)["DocEntry"])


ACTS = (
    rename_supplier,
    rename_supplier,
    rename_account,
    rename_center,
    bulk_stamp,
    burst,
    delete_account,
    new_order,
    receive_goods,
    pay,
    pay,
    unpay,
)

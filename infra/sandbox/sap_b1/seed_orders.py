"""Purchase orders, goods receipts and returns of the seeded company."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from . import back_office, changes, codes, documents
from .fields import Record
from .world import World

ORDERS = 200


def add_orders(world: World, rng: Random, today: date) -> None:
    """Post the orders, then receive a third of them, return a few, close and cancel some."""
    world.items |= {f"I{1000 + number}" for number in range(400)}
    suppliers = [
        row["CardCode"]
        for row in world.rows("BusinessPartners")
        if row["CardType"] == "cSupplier" and codes.counts(row, "Valid", "Frozen", today.isoformat())
    ]
    for number in range(ORDERS):
        order = _order(world, rng, number, rng.choice(suppliers[:120]))
        _date(order, today - timedelta(days=rng.randrange(5, 200)), rng)
    _end_some(world, rng, today)
    _receive_some(world, rng, today)


def _date(document: Record, day: date, rng: Random) -> None:
    """Move a document into the past: its dates and its stamps."""
    stated = day.isoformat()
    due = (day + timedelta(days=30)).isoformat()
    document |= {"DocDate": stated, "TaxDate": stated, "DocDueDate": due, "CreationDate": stated}
    document |= {"UpdateDate": (day + timedelta(days=rng.randrange(3))).isoformat()}
    document["UpdateTime"] = f"{rng.randrange(6, 20):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    document["DocumentInstallments"][0]["DueDate"] = due


def _order(world: World, rng: Random, number: int, supplier: str) -> Record:
    service = number % 6 == 5
    wanted = 1 + (number * 7 + rng.randrange(3)) % 25
    lines = [_line(rng, service) for _ in range(wanted)]
    body: Record = {"CardCode": supplier}
    body["DocType"] = "dDocument_Service" if service else "dDocument_Items"
    body |= {"Comments": f"Bestellung {number + 1}", "DocumentLines": lines}
    order = documents.keep(world, "PurchaseOrders", documents.build(world, "PurchaseOrders", body))
    _leave_gaps(order, rng)
    return order


def _line(rng: Random, service: bool) -> Record:
    account = rng.randrange(120)
    code = f"{400000 + account}" if account < 117 else f"_SYS{account:011d}"
    line: Record = {"VatGroup": rng.choice(("V2", "V2", "V2", "V1", "V0")), "AccountCode": code}
    line["CostingCode"] = f"CC{100 + rng.randrange(19)}"
    if rng.random() < 0.2:
        line["CostingCode2"] = f"PR{1 + rng.randrange(3)}"
    if service:
        total = Decimal(rng.randrange(500, 900000)) / 100
        return line | {"ItemDescription": f"Wartung & Prüfung {account}", "LineTotal": total}
    line |= {"ItemCode": f"I{1000 + rng.randrange(400)}", "ItemDescription": f"Schraube M{account % 20} × 40"}
    line["Quantity"] = Decimal(rng.randrange(1, 200))
    return line | {"UnitPrice": Decimal(5 + rng.randrange(5, 50000) // 20) / 100, "WarehouseCode": "01"}


def _leave_gaps(order: Record, rng: Random) -> None:
    """Number the lines as if some had been deleted: LineNum is not the position."""
    number = 0
    for line in order["DocumentLines"]:
        number += 1 if rng.random() < 0.15 else 0
        line["LineNum"] = number
        number += 1


def _end_some(world: World, rng: Random, today: date) -> None:
    orders = world.rows("PurchaseOrders")
    for position, order in enumerate(rng.sample(orders, 20)):
        changes.act(world, "PurchaseOrders", order["DocEntry"], "Close" if position < 12 else "Cancel")
        order["UpdateDate"] = (today - timedelta(days=rng.randrange(2, 5))).isoformat()


def _receive_some(world: World, rng: Random, today: date) -> None:
    candidates = [row for row in world.rows("PurchaseOrders") if _can_be_received(row)]
    for position, order in enumerate(rng.sample(candidates, ORDERS // 3)):
        open_lines = {line["LineNum"]: line["RemainingOpenQuantity"] for line in order["DocumentLines"]}
        if position % 3 == 2:
            # Partly: only some of the lines, and of those half.
            open_lines = {number: max(Decimal(1), quantity // 2) for number, quantity in list(open_lines.items())[:3]}
        receipt = back_office.receive(world, order["DocEntry"], open_lines)
        _date(receipt, today - timedelta(days=rng.randrange(2, 5)), rng)
        if position % 12 == 0:
            first = receipt["DocumentLines"][0]
            back_office.give_back(world, receipt["DocEntry"], {first["LineNum"]: Decimal(1)})


def _can_be_received(order: Record) -> bool:
    return bool(order["DocumentStatus"] == "bost_Open" and order["DocType"] == "dDocument_Items")

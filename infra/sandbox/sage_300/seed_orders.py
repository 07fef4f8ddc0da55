"""Purchase orders of the seeded company: of every type, some received, a few given back, some completed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from . import back_office, purchasing
from .fields import Record
from .world import World

ORDERS = 200


def add_orders(world: World, rng: Random, today: date) -> None:
    """Enter `ORDERS` orders of 1 to 25 lines, receive and return some, complete some by hand."""
    world.items |= {f"A1-{100 + n}/0": f"Fluorescent desk lamp {n} × {n % 7}″" for n in range(300)}
    vendors = [
        row["VendorNumber"]
        for row in world.rows("APVendors")
        if row["Status"] == "Active" and row["VendorNumber"].startswith("V")
    ]
    for number in range(ORDERS):
        _order(world, rng, number, rng.choice(vendors[:120]), today)
    orders = world.rows(purchasing.ORDERS)
    for order in rng.sample(orders, 12):
        back_office.complete(world, order["PurchaseOrderSequenceKey"])
        _back(order, today - timedelta(days=rng.randrange(2, 5)))
    _receive_some(world, rng, today)
    for number, order in enumerate(rng.sample([o for o in orders if o["Completed"] == "No"], 12)):
        order["OnHold"] = "Yes" if number < 6 else "No"
        order["PurchaseOrderType"] = "Active" if number < 6 else ("Standing", "Future", "Blanket")[number % 3]
    for number in range(5):
        invoice = {
            "InvoiceSequenceKey": 40001 + number,
            "InvoiceNumber": f"PI{number + 1:06d}",
            "Vendor": vendors[number],
        }
        world.put("POInvoices", invoice | {"InvoiceDate": (today - timedelta(days=30)).isoformat(), "Currency": "EUR"})


def _order(world: World, rng: Random, number: int, vendor: str, today: date) -> None:
    day = today - timedelta(days=rng.randrange(5, 200))
    wanted = 1 + (number * 7 + rng.randrange(3)) % 25
    lines = [_line(rng, day) for _ in range(wanted)]
    body: Record = {"PurchaseOrderDate": day.isoformat(), "Vendor": vendor, "Description": f"Order {number + 1}"}
    body |= {"Reference": f"REQ-{number:04d}", "PurchaseOrderLines": lines}
    order = purchasing.order(world, body)
    order["ExpectedArrivalDate"] = (day + timedelta(days=21)).isoformat()


def _line(rng: Random, day: date) -> Record:
    account = f"{400000 + rng.randrange(117)}CC{100 + rng.randrange(20)}"
    return {
        "ItemNumber": f"A1-{100 + rng.randrange(300)}/0",
        "Location": "1",
        "UnitOfMeasure": "Ea.",
        "QuantityOrdered": Decimal(rng.randrange(1, 200)),
        "UnitCost": Decimal(5 + rng.randrange(5, 50000) // 20) / 100,
        "ExpenseAccount": account,
        "ExpectedArrivalDate": (day + timedelta(days=21)).isoformat(),
    }


def _back(order: Record, day: date) -> None:
    """Move what happened today to the day when it did."""
    order["LastPostingDate"] = day.isoformat()
    if order["Completed"] == "Yes":
        order["DateCompleted"] = day.isoformat()


def _receive_some(world: World, rng: Random, today: date) -> None:
    waiting = [row for row in world.rows(purchasing.ORDERS) if row["Completed"] == "No"]
    for position, order in enumerate(rng.sample(waiting, ORDERS // 3)):
        wanted = None
        if position % 3 != 0:
            # Partly: only some of the lines, and of those half.
            wanted = {line["LineNumber"]: _half(line) for line in order["PurchaseOrderLines"][:3]}
        receipt = back_office.receive(world, order["PurchaseOrderSequenceKey"], wanted)
        day = today - timedelta(days=rng.randrange(2, 5))
        receipt |= {"ReceiptDate": day.isoformat(), "LastPostingDate": day.isoformat()}
        _back(order, day)
        if position % 12 == 0:
            line = receipt["ReceiptLine2s"][0]
            back = back_office.give_back(world, receipt["ReceiptSequenceKey"], {line["ItemNumber"]: Decimal(1)})
            back |= {"ReturnDate": day.isoformat(), "LastPostingDate": day.isoformat()}


def _half(line: Record) -> Decimal:
    return Decimal(max(Decimal(1), line["QuantityOrdered"] // 2))

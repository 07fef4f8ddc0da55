"""Purchase orders of the seeded company: some received, some complete, some cancelled in either spelling."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from . import back_office
from .seed_masters import SEPARATOR
from .tables import Record
from .world import World

ORDERS = 200


def add_orders(world: World, rng: Random, today: date) -> None:
    """Enter `ORDERS` orders of 1 to 25 lines, receive of some, complete some and cancel some."""
    suppliers = [row["Supplier"] for row in world.rows("ApSupplier") if row["Supplier"].startswith("V")]
    for number in range(ORDERS):
        day = (today - timedelta(days=rng.randrange(5, 200))).isoformat()
        lines = [_line(rng) for _ in range(1 + (number * 7 + rng.randrange(3)) % 25)]
        if number % 15 == 4:
            lines += [{"LineType": "6", "NComment": "Deliver to gate 4 & ring"}]
        if number % 15 == 9:
            lines += [{"LineType": "5", "NComment": "Pallets", "NMscChargeValue": Decimal("25.00")}]
        back_office.order(world, rng.choice(suppliers[:120]), lines, dated=day)
    numbers = [row["PurchaseOrder"] for row in world.rows("PorMasterHdr")]
    for position, number in enumerate(rng.sample(numbers, ORDERS // 3)):
        lines = back_office.lines_of(world, number)
        half = {line["Line"]: max(Decimal(1), line["MOrderQty"] // 2) for line in lines[:3] if line["LineType"] == "1"}
        made = back_office.receive(world, number, half if position % 3 else None)
        if position % 12 == 0 and made:
            back_office.receive(world, number, {int(made[0]["PurchaseOrderLin"]): Decimal(-1)})
    for position, number in enumerate(rng.sample(numbers, 24)):
        if position % 2:
            back_office.complete(world, number)
        else:
            back_office.cancel_order(world, number, "*" if position % 4 else "/")
    for row in world.rows("PorMasterHdr"):
        if row["DatePoCompleted"]:
            row["DatePoCompleted"] = (today - timedelta(days=rng.randrange(2, 5))).isoformat()
    for row in world.rows("GrnDetails"):
        row["OrigReceiptDate"] = (today - timedelta(days=rng.randrange(2, 5))).isoformat()


def _line(rng: Random) -> Record:
    stock = rng.randrange(300)
    return {
        "MStockCode": f"A1-{100 + stock}/0",
        "MStockDes": f"Fluorescent desk lamp {stock}",
        "MOrderQty": Decimal(rng.randrange(1, 200)),
        "MPrice": Decimal(5 + rng.randrange(5, 50000) // 20) / 100,
        "MTaxCode": rng.choice("ABZ"),
        "MProductClass": "LAMP",
        "MGlCode": f"{400000 + rng.randrange(117)}{SEPARATOR}CC{100 + rng.randrange(20)}",
    }

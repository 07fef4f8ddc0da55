"""Purchase orders, receipts and supplier invoices of the seeded folder."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from . import back_office, supplier_invoices
from .entries import YES
from .seed_masters import CENTERS
from .supplier_invoices import Line
from .tables import Record
from .world import World

ORDERS, INVOICES = 80, 40
TAXES = ("FRNOR", "FRRED", "FREXO")


def add_orders(world: World, rng: Random, today: date) -> None:
    """Enter orders of 1 to 25 lines, some contracts and foreign ones among them; receive of some, close some."""
    active = [row["BPSNUM"] for row in world.rows("BPSUPPLIER") if row["ENAFLG"] == YES and row["BPSNUM"][0] == "V"]
    for number in range(ORDERS):
        day = today - timedelta(days=rng.randrange(5, 200))
        lines = [_line(rng) for _ in range(1 + (number * 7 + rng.randrange(3)) % 25)]
        center = f"CC{100 + rng.randrange(CENTERS - 1)}"
        row = back_office.order(
            world,
            rng.choice(active[:100]),
            lines,
            dated=day,
            center=center,
            project="P001" if number % 4 == 0 else "",
        )
        if number % 16 == 11:
            world.change("PORDER", row, {"POHTYP": 2})
    numbers = [row["POHNUM"] for row in world.rows("PORDER") if row["POHTYP"] == 1]
    for position, number in enumerate(rng.sample(numbers, ORDERS // 2)):
        rows = world.lines("PORDERQ", "PORDER", world.find("PORDER", number))
        half = {row["POPLIN"]: max(Decimal(1), row["QTYPUU"] // 2) for row in rows[:3]}
        back_office.receive(world, number, half if position % 3 == 0 else None)
    for number in rng.sample(numbers, 8):
        back_office.close_order(world, number)


def _line(rng: Random) -> Record:
    item = rng.randrange(300)
    return {
        "ITMREF": f"ITM{100 + item}",
        "ITMDES1": f"Lampe de bureau {item}",
        "QTYUOM": Decimal(rng.randrange(1, 200)),
        "NETPRI": Decimal(5 + rng.randrange(5, 50000) // 20) / 100,
        "VAT": rng.choice(TAXES),
    }


def add_invoices(world: World, rng: Random, today: date) -> None:
    """Key in invoices of both kinds; most are posted, some paid, some approved only in part."""
    orders = [row for row in world.rows("PORDER") if row["RCPFLG"] > 1 and row["CUR"] == world.currency]
    active = [row["BPSNUM"] for row in world.rows("BPSUPPLIER") if row["ENAFLG"] == YES]
    for number in range(INVOICES):
        day = today - timedelta(days=rng.randrange(1, 25))
        bought = number % 2 and orders
        order = rng.choice(orders) if bought else None
        lines = _ordered(world, rng, order) if order else [_service(rng) for _ in range(rng.choice((1, 2, 3)))]
        row = supplier_invoices.enter(
            world,
            order["BPSNUM"] if order else rng.choice(active),
            f"FA-{rng.randrange(1000, 9999)}{number:02d}",
            lines,
            kind="PIH" if order else "BIS",
            dated=day,
            credit=number % 13 == 12,
            posted=number % 9 != 8,
        )
        if number % 10 == 5 and row["STA"] == supplier_invoices.POSTED and row["INVTYP"] == 1:
            paid = back_office.pay(world, row["NUM"])
            if number % 20 == 5:
                back_office.post_payment(world, paid["NUM"])


def _service(rng: Random) -> Line:
    account, center = f"{400000 + rng.randrange(100)}", f"CC{100 + rng.randrange(CENTERS - 1)}"
    return Line(account, Decimal(rng.randrange(1_00, 9000_00)) / 100, rng.choice(TAXES), center, "Prestation")


def _ordered(world: World, rng: Random, order: Record) -> list[Line]:
    prices = {row["POPLIN"]: row for row in world.lines("PORDERP", "PORDER", order)}
    rows = world.lines("PORDERQ", "PORDER", order)[:5]
    account = f"{400000 + rng.randrange(100)}"
    return [
        Line(
            account,
            row["LINAMT"],
            prices[row["POPLIN"]]["VAT"],
            order["CCE"][0],
            prices[row["POPLIN"]]["ITMDES1"],
            order["POHNUM"],
            row["POPLIN"],
            row["QTYUOM"],
            row["ITMREF"],
        )
        for row in rows
        if row["LINAMT"] > 0
    ]

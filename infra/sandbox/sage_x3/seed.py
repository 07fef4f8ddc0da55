"""A seeded folder, SEED, that looks like a customer's, and what tests elsewhere need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from ..kit.seeding import seed_once
from .entries import YES
from .logins import Application, Paired
from .seed_masters import add_masters
from .seed_orders import add_invoices, add_orders
from .tables import Record
from .world import World

ENDPOINT = FOLDER = "SEED"
COMPANY, SITE, CHART = "FR10", "FR011", "FRA"
USER, PASSWORD = "mlconn", "sandbox-only"
CLIENT_ID, CLIENT_SECRET = "connected-app-1", "connected-secret-1"
APP_ID, APP_SECRET = "registry-app-1", "registry-secret-1"
POOL = "WSPOOL"


@dataclass(frozen=True)
class OrderLine:
    """An order line as an invoice elsewhere must state it; amounts are in the order's currency.

    open: neither the order nor the line is closed. received: anything was.
    """

    order_number: str
    line_number: int
    supplier: str
    currency: str
    item: str
    description: str
    quantity: Decimal
    received_quantity: Decimal
    price: Decimal
    amount: Decimal
    tax_code: str
    percent: Decimal
    cost_center: str
    open: bool
    received: bool


def add_users(world: World, password: str = PASSWORD, audience: str = "") -> None:
    """Let our user in by Basic, by a connected application, and by an app that is paired; small worlds use it too."""
    world.logins.users |= {USER: password, "admin": "admin-only"}
    url = audience or "https://x3.example/xtrem/api"
    world.logins.applications[CLIENT_ID] = Application(CLIENT_ID, CLIENT_SECRET, url, {USER})
    paired = Paired(APP_ID, APP_SECRET, ["businessDomain.ALL", "api.graphQL"], [world.folder])
    world.logins.paired[APP_ID] = paired
    world.logins.answer(paired)


def seeded_world(seed: int = 1, password: str = PASSWORD, clock: Callable[[], datetime] | None = None) -> World:
    """A full folder; the same seed and the same day give the same records. All dates lie before today."""
    world = World(rng=Random(seed)) if clock is None else World(clock, Random(seed))

    def build() -> None:
        rng = Random(f"{FOLDER}/{seed}")
        add_masters(world, rng)
        add_orders(world, rng, world.today())
        add_invoices(world, rng, world.today())
        _age(world, rng)

    seed_once(world, ("X3", FOLDER, seed, world.today()), build)
    add_users(world, password)
    return world


def _age(world: World, rng: Random) -> None:
    """Spread the moments of change over the days before today, several rows at each."""
    now = world.clock().replace(minute=0, second=0, microsecond=0)
    for name in ("BPSUPPLIER", "BPARTNER", "GACCOUNT", "CACCE", "GDIE", "PORDER", "PRECEIPT", "PINVOICE", "GACCENTRY"):
        for number, row in enumerate(world.rows(name)):
            moment = now - timedelta(days=2 + rng.randrange(1, 20), minutes=number // 3)
            row |= {"UPDDATTIM": moment, "UPDDAT": moment.date(), "CREDATTIM": moment, "CREDAT": moment.date()}


def order_lines(world: World) -> list[OrderLine]:
    """Every line of every purchase order, by order and line."""
    return [
        _order_line(world, order, row)
        for order in sorted(world.rows("PORDER"), key=lambda row: row["POHNUM"])
        if order["POHTYP"] == 1
        for row in world.lines("PORDERQ", "PORDER", order)
    ]


def _order_line(world: World, order: Record, row: Record) -> OrderLine:
    price = next(one for one in world.lines("PORDERP", "PORDER", order) if one["POPLIN"] == row["POPLIN"])
    return OrderLine(
        order_number=order["POHNUM"],
        line_number=row["POPLIN"],
        supplier=order["BPSNUM"],
        currency=order["CUR"],
        item=row["ITMREF"],
        description=price["ITMDES1"],
        quantity=row["QTYPUU"],
        received_quantity=row["RCPQTYPUU"],
        price=price["NETPRI"],
        amount=row["LINAMT"],
        tax_code=price["VAT"],
        percent=world.tax_rates.get(price["VAT"], Decimal(0)),
        cost_center=order["CCE"][0],
        open=order["CLEFLG"] != YES and row["LINCLEFLG"] != YES,
        received=row["RCPQTYPUU"] > 0,
    )

"""A seeded company, SAMLTD, that looks like a customer's, and what tests elsewhere need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from random import Random

from ..kit.seeding import seed_once
from .fields import Record
from .seed_masters import add_masters
from .seed_orders import add_orders
from .world import World

COMPANY = "SAMLTD"
USER = "WEBAPI"
PASSWORD = "Sandbox-Only"  # noqa: S105 - opens nothing but this sandbox
COST_CENTER_SEGMENT = "2"


@dataclass(frozen=True)
class OrderLine:
    """An order line as an invoice elsewhere must state it; amounts are in the order's currency.

    account is the unformatted G/L account, natural and cost_centre its segments. open: order and line still wait for
    goods or an invoice, and the order is an active one that is not on hold.
    """

    order_number: str
    order_key: int
    line_number: int
    vendor: str
    currency: str
    item: str
    description: str
    quantity: Decimal
    outstanding: Decimal
    unit_cost: Decimal
    extended: Decimal
    tax_group: str
    percent: Decimal
    account: str
    natural: str
    cost_centre: str
    open: bool
    received: bool


def seeded_world(
    seed: int = 1,
    password: str = PASSWORD,
    clock: Callable[[], datetime] | None = None,
    zone: tzinfo = UTC,
) -> World:
    """A full company; the same seed and the same day give the same records. All dates lie before today.

    Users: WEBAPI with all rights, ADMIN (who may not use the Web API), APONLY with the right for A/P only.
    """
    world = World(rng=Random(seed), zone=zone) if clock is None else World(clock, Random(seed), zone)
    world.users.add(USER, password)
    world.users.add("ADMIN", password)
    world.users.add("APONLY", password, {"AP"})

    def build() -> None:
        rng = Random(f"{COMPANY}/{seed}")
        add_masters(world, rng, world.today())
        add_orders(world, rng, world.today())

    seed_once(world, (COMPANY, seed, zone, world.today()), build)
    return world


def order_lines(world: World) -> list[OrderLine]:
    """Every line of every purchase order, by order and line."""
    orders = world.rows("POPurchaseOrders")
    return [_order_line(world, order, line) for order in orders for line in order["PurchaseOrderLines"]]


def _order_line(world: World, order: Record, line: Record) -> OrderLine:
    account = world.find("GLAccounts", line["ExpenseAccount"])
    waiting = order["Completed"] == "No" and order["OnHold"] == "No" and order["PurchaseOrderType"] == "Active"
    return OrderLine(
        order_number=order["PurchaseOrderNumber"],
        order_key=order["PurchaseOrderSequenceKey"],
        line_number=line["LineNumber"],
        vendor=order["Vendor"],
        currency=order["Currency"],
        item=line["ItemNumber"],
        description=line["ItemDescription"],
        quantity=line["QuantityOrdered"],
        outstanding=line["QuantityOutstanding"],
        unit_cost=line["UnitCost"],
        extended=line["ExtendedCost"],
        tax_group=order["TaxGroup"],
        percent=line["TaxRate1"],
        account=line["ExpenseAccount"],
        natural=account["AccountSegmentCode1"],
        cost_centre=account.get("AccountSegmentCode2", ""),
        open=waiting and line["Completed"] == "No",
        received=line["QuantityReceived"] > 0,
    )

"""A seeded company, A, that looks like a customer's, and what tests elsewhere need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from random import Random

from ..kit.seeding import seed_once
from .back_office import OPEN
from .ledger import cents
from .seed_masters import OTHER_COMPANY, SEPARATOR, add_masters
from .seed_orders import add_orders
from .tables import Record
from .world import World

COMPANY = "A"
OPERATOR = "MLCONN"
PASSWORD = "sandbox-only"  # noqa: S105 - opens nothing but this sandbox
ODATA_USER = "mlconn.odata"
ODATA_PASSWORD = "sandbox-odata"  # noqa: S105


@dataclass(frozen=True)
class OrderLine:
    """An order line as an invoice elsewhere must state it; amounts are in the order's currency.

    account and cost_center are the sections of `ledger_code`. open: the order is neither complete nor cancelled, and
    goods or money are still to come for the line. received: anything was. grn: its supplier's invoices must be matched.
    """

    order_number: str
    line_number: int
    supplier: str
    currency: str
    stock_code: str
    description: str
    quantity: Decimal
    received_quantity: Decimal
    price: Decimal
    extended: Decimal
    tax_code: str
    percent: Decimal
    ledger_code: str
    account: str
    cost_center: str
    open: bool
    received: bool
    grn: bool


def add_users(world: World, password: str = PASSWORD, odata_password: str = ODATA_PASSWORD) -> None:
    """Let our operator log in to both services, and two people to the company; small worlds use it too."""
    world.sessions.operators |= {OPERATOR: password, "ADMIN": "admin-only", "JANE": "jane-only"}
    world.sessions.companies[world.company] = ""
    world.odata.enter(ODATA_USER, odata_password)
    world.odata.restart()


def seeded_world(
    seed: int = 1,
    password: str = PASSWORD,
    clock: Callable[[], datetime] | None = None,
    zone: tzinfo = UTC,
) -> World:
    """A full company; the same seed and the same day give the same records. All dates lie before today."""
    world = World(rng=Random(seed), zone=zone) if clock is None else World(clock, Random(seed), zone)
    add_users(world, password)
    world.sessions.companies[OTHER_COMPANY] = ""

    def build() -> None:
        rng = Random(f"{COMPANY}/{seed}")
        add_masters(world, rng, world.today())
        add_orders(world, rng, world.today())

    seed_once(world, ("SYSPRO", COMPANY, seed, zone, world.today()), build)
    return world


def order_lines(world: World) -> list[OrderLine]:
    """Every stocked line of every purchase order, by order and line."""
    orders = {row["PurchaseOrder"]: row for row in world.rows("PorMasterHdr")}
    rows = [row for row in world.rows("PorMasterDetail") if row["LineType"] == "1"]
    return [
        _order_line(world, orders[row["PurchaseOrder"]], row)
        for row in sorted(rows, key=lambda row: (row["PurchaseOrder"], row["Line"]))
    ]


def _order_line(world: World, order: Record, line: Record) -> OrderLine:
    account, _, center = line["MGlCode"].partition(SEPARATOR)
    supplier = world.find("ApSupplier", order["Supplier"])
    return OrderLine(
        order_number=order["PurchaseOrder"],
        line_number=int(line["Line"]),
        supplier=order["Supplier"],
        currency=order["Currency"],
        stock_code=line["MStockCode"],
        description=line["MStockDes"],
        quantity=line["MOrderQty"],
        received_quantity=line["MReceivedQty"],
        price=line["MForeignPrice"],
        extended=cents(line["MOrderQty"] * line["MForeignPrice"]),
        tax_code=line["MTaxCode"],
        percent=world.tax_rates.get(line["MTaxCode"], Decimal(0)),
        ledger_code=line["MGlCode"],
        account=account,
        cost_center=center,
        open=order["OrderStatus"] == OPEN and line["MCompleteFlag"] != "Y",
        received=line["MReceivedQty"] > 0,
        grn=supplier["GrnMatchReqd"] == "Y",
    )

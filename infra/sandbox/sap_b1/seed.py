"""A seeded company, SBODEMO, that looks like a customer's, and what tests elsewhere need to know of it."""

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

COMPANY = "SBODEMO"
USER = "manager"
PASSWORD = "sandbox-only"  # noqa: S105 - opens nothing but this sandbox


@dataclass(frozen=True)
class OrderLine:
    """An order line as an invoice elsewhere must state it; prices and totals are in document currency.

    open_quantity: what the order itself still has open (`base_type` 22). receipts: (DocEntry, LineNum, quantity) of
    goods receipts that are open to be invoiced (`base_type` 20). account is the Code, not the FormatCode.
    """

    order_number: int
    doc_entry: int
    line_num: int
    card_code: str
    currency: str
    service: bool
    item_code: str
    description: str
    quantity: Decimal
    open_quantity: Decimal
    unit_price: Decimal
    line_total: Decimal
    vat_group: str
    percent: Decimal
    account: str
    cost_centre: str
    open: bool
    received: bool
    receipts: tuple[tuple[int, int, Decimal], ...]


def seeded_world(
    seed: int = 1,
    password: str = PASSWORD,
    clock: Callable[[], datetime] | None = None,
    zone: tzinfo = UTC,
) -> World:
    """A full company; the same seed and the same day give the same records. All dates lie before today."""
    world = World(rng=Random(seed), zone=zone) if clock is None else World(clock, Random(seed), zone)
    world.sessions.accounts[USER] = password
    today = world.now().date()

    def build() -> None:
        rng = Random(f"{COMPANY}/{seed}")
        add_masters(world, rng, today)
        add_orders(world, rng, today)

    # Records are stamped with the time, which a clock of the day itself has no need to tell again.
    seed_once(world, (COMPANY, seed, zone, today if clock is None else world.now()), build)
    return world


def order_lines(world: World) -> list[OrderLine]:
    """Every line of every purchase order, in order of DocEntry and LineNum."""
    receipts = _open_receipts(world)
    return [
        _order_line(world, order, line, receipts.get((order["DocEntry"], line["LineNum"]), ()))
        for order in world.rows("PurchaseOrders")
        for line in order["DocumentLines"]
    ]


def _open_receipts(world: World) -> dict[tuple[int, int], tuple[tuple[int, int, Decimal], ...]]:
    found: dict[tuple[int, int], tuple[tuple[int, int, Decimal], ...]] = {}
    for receipt in world.rows("PurchaseDeliveryNotes"):
        for line in receipt["DocumentLines"]:
            if line["LineStatus"] == "bost_Open":
                key = (line["BaseEntry"], line["BaseLine"])
                entry = (receipt["DocEntry"], line["LineNum"], line["RemainingOpenQuantity"])
                found[key] = (*found.get(key, ()), entry)
    return found


def _order_line(world: World, order: Record, line: Record, receipts: tuple[tuple[int, int, Decimal], ...]) -> OrderLine:
    foreign = order["DocCurrency"] != world.local_currency
    service = order["DocType"] == "dDocument_Service"
    return OrderLine(
        order_number=order["DocNum"],
        doc_entry=order["DocEntry"],
        line_num=line["LineNum"],
        card_code=order["CardCode"],
        currency=order["DocCurrency"],
        service=service,
        item_code=line.get("ItemCode") or "",
        description=line.get("ItemDescription") or "",
        quantity=line["Quantity"],
        open_quantity=line["RemainingOpenQuantity"],
        unit_price=line["UnitPrice"],
        line_total=line["RowTotalFC"] if foreign else line["LineTotal"],
        vat_group=line.get("VatGroup") or "",
        percent=line["TaxPercentagePerRow"],
        account=line.get("AccountCode") or "",
        cost_centre=line.get("CostingCode") or "",
        open=order["DocumentStatus"] == "bost_Open" and line["LineStatus"] == "bost_Open",
        received=bool(receipts) or (not service and line["RemainingOpenQuantity"] < line["Quantity"]),
        receipts=receipts,
    )

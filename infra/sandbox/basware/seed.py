"""A world like a customer's: invoices that wait for transfer, and what a correct connector does with each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from . import seed_invoices, seed_wrong
from .model import Document
from .seed_invoices import TELLING_AMOUNTS, OrderRow, Seeded
from .world import World, real_clock

COUNT = 60
CREDIT_NOTES = 5
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

OrderSource = Iterable[Sequence[object]] | Callable[[], Iterable[Sequence[object]]]
"""Rows (order number, line number, item amount, tax code, account, cost centre, supplier), or what returns them."""


@dataclass(frozen=True)
class Expectation:
    """What a correct connector does with one seeded invoice.

    `fate`: `post`; `hold:account:6999` and the like (the connector's own words for what it waits for); `reject`
    (cannot be posted as it is); `conflict` (a person decides); `not ours`; `post or conflict` (exactly one invoice
    of the pair is posted). `breaks_schema`: the vendor's own schema would not let the invoice out.
    """

    invoice_id: str
    invoice_number: str
    fate: str
    why: str
    breaks_schema: bool = False


def seeded_world(
    seed: int = 1,
    *,
    companies: Sequence[str] = ("1000",),
    orders: OrderSource = (),
    clock: Callable[[], datetime] = real_clock,
    telling: Sequence[Decimal] = TELLING_AMOUNTS,
) -> World:
    """Return a world with `COUNT` invoices WaitingForTransfer, the same for the same arguments and day.

    `orders` lets invoices refer to purchase orders that the accounting system has, one invoice for each order
    number; without it every invoice is for services. The invoices changed during the three days before the clock.
    `telling`: amounts of invoices that are there for their amount.
    """
    world = World(clock=clock, rng=Random(seed), companies=set(companies))
    for number, seeded in enumerate(_seeded(seed, companies, orders, world.now(), telling)):
        # Three invoices share each stamp, so that a cursor that is too strict loses one.
        updated = world.now() - timedelta(days=3) + timedelta(minutes=60 * (number // 3))
        invoice_id = str(seeded.record["invoiceId"])
        world.documents[invoice_id] = Document(seeded.record, updated)
        world.attachments[(invoice_id, "1")] = (f"{invoice_id}.pdf", _PDF)
    return world


def expectations(
    seed: int = 1,
    *,
    companies: Sequence[str] = ("1000",),
    orders: OrderSource = (),
    telling: Sequence[Decimal] = TELLING_AMOUNTS,
) -> list[Expectation]:
    """Return the intended fate of each invoice of `seeded_world` with the same arguments."""
    return [
        Expectation(
            str(seeded.record["invoiceId"]),
            str(seeded.record["invoiceNumber"]),
            seeded.fate,
            seeded.why,
            seeded.breaks_schema,
        )
        for seeded in _seeded(seed, companies, orders, datetime(2026, 1, 1, tzinfo=UTC), telling)
    ]


def _seeded(
    seed: int, companies: Sequence[str], orders: OrderSource, now: datetime, telling: Sequence[Decimal]
) -> list[Seeded]:
    """Return the invoices in a mixed but repeatable order. `now` sets the dates and nothing else."""
    rng = Random(seed)
    maker = seed_invoices.Maker(rng, tuple(companies), now.date())
    wrong = seed_wrong.build(maker)
    found = [*wrong, *(maker.telling(net) for net in telling)]
    found += [maker.credit_note() for _ in range(CREDIT_NOTES)]
    found += _ordered(maker, orders, COUNT - len(found))
    found += [maker.service() for _ in range(COUNT - len(found))]
    rng.shuffle(found)
    return found


def _ordered(maker: seed_invoices.Maker, orders: OrderSource, most: int) -> list[Seeded]:
    rows = [OrderRow(*row) for row in (orders() if callable(orders) else orders)]  # type: ignore[arg-type]
    numbers = list(dict.fromkeys(row.order_number for row in rows))[:most]
    return [maker.for_order([row for row in rows if row.order_number == number]) for number in numbers]

"""One tenant: its two systems, and what its people know of the invoices that should be posted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from infra.sandbox.basware import World as BaswareWorld
from infra.sandbox.basware.model import Document
from infra.sandbox.basware.seed_invoices import Coding, Maker
from tests.simulation import clerks_sap_b1
from tests.simulation.erp_sage_300 import Sage300
from tests.simulation.erp_sage_x3 import SageX3
from tests.simulation.erp_sap_b1 import SapB1
from tests.simulation.erp_syspro import Syspro
from tests.simulation.sides import BaswareSide, Erp

ERPS: tuple[type[Erp], ...] = (SapB1, Sage300, Syspro)
"""The integrations that seeds draw from."""
ASKED: tuple[type[Erp], ...] = (SageX3,)
"""Those that are lived through where they are asked for: another one to draw from would change every seed."""
SapB1.acts = clerks_sap_b1.ACTS
NOWHERE = "499999"
"""An account that no ledger has."""


@dataclass(frozen=True)
class Version:
    """What was approved from a moment on; `total` has its sign, `supplier` is the platform's code."""

    since: datetime
    number: str
    supplier: str
    total: Decimal
    dated: str


def version(record: dict[str, Any], now: datetime) -> Version:
    """Read what an invoice is by now."""
    dated = (record.get("invoiceDate") or "")[:10]
    return Version(now, record["invoiceNumber"], record["supplierCode"], Decimal(record["grossSum"]), dated)


@dataclass
class Paper:
    """One invoice and what must become of it in the end: post, or hold for `waits`.

    `sick`: its posting fails for now; `heavy`: whoever works on it dies; `very_late`: the server carried a posting
    out later than `in_doubt_seconds`; `forgotten`: a restore or a move took our memory of it; `poisoned`: it could
    not be read at a time.

    `versions`: as what it was approved, one after the other. `troubles`: why a person may have to decide on it, and
    what is there as well. `shared`: another invoice of the supplier has its number, of another date. `decided`: a
    person said what it is. `taken`: since when the ERP has taken it, and did not say as what. `rivalled`: two
    installations posted at its time. `cancelled`, `told`: since when its document is taken back, and the platform
    knows of it.
    """

    key: str
    versions: list[Version]
    fate: str = "post"
    by_hand: bool = False
    recalled: bool = False
    waits: str = ""
    very_late: bool = False
    forgotten: bool = False
    poisoned: bool = False
    troubles: dict[str, str] = field(default_factory=dict)
    shared: bool = False
    decided: bool = False
    taken: datetime | None = None
    rivalled: bool = False
    cancelled: datetime | None = None
    told: datetime | None = None

    @property
    def number(self) -> str:
        return self.versions[-1].number

    @property
    def numbers(self) -> set[str]:
        return {one.number for one in self.versions}

    @property
    def supplier(self) -> str:
        return self.versions[-1].supplier

    @property
    def dates(self) -> set[str]:
        return {one.dated for one in self.versions}


@dataclass
class Office:
    """One tenant."""

    name: str
    erp: Erp
    platform: BaswareSide
    maker: Maker
    dice: Random
    papers: dict[str, Paper] = field(default_factory=dict)
    language: str = "en-US"
    edits: int = 0
    orders_used: set[Any] = field(default_factory=set)
    sick: dict[str, datetime] = field(default_factory=dict)
    heavy: set[str] = field(default_factory=set)
    gone: bool = False
    mapped: bool = False
    forgotten_orders: set[str] = field(default_factory=set)
    rivalled: bool = False
    mappings: dict[tuple[str, str], list[tuple[datetime, str]]] = field(default_factory=dict)
    """By kind and the platform's code: to what it was mapped, and since when; "" where the mapping was taken away."""

    shared: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """By supplier and field that both sides keep: the side on which people changed it last, and to what.

    Empty where an older request of ours came to lie over it, which the platform lets through.
    """
    hand_edits: dict[str, str] = field(default_factory=dict)
    """By cost center: the name that people gave it at the platform, which stays whatever the ERP says."""
    centers_late: bool = False
    """An older request of ours with cost centers was carried out late: the platform may import it over an edit."""
    rolled_back: bool = False
    """Our state was once restored: what both sides had agreed on before may look as if nobody had changed it since."""

    shut: datetime | None = None
    """Until when a list of the ERP shows nothing."""

    def hidden(self) -> bool:
        """Tell whether a list of the ERP shows nothing now."""
        return self.shut is not None and self.ap.now() < self.shut

    @property
    def ap(self) -> BaswareWorld:
        return self.platform.world

    def paper(self, number: str) -> Paper | None:
        folded = number.casefold()
        return next((p for p in self.papers.values() if folded in {n.casefold() for n in p.numbers}), None)

    def partner(self, supplier: str) -> str:
        """Give the ERP's code for a supplier of the platform's, as people have mapped it."""
        return self.partners(supplier)[-1]

    def partners(self, supplier: str, since: datetime | None = None) -> list[str]:
        """List the ERP's codes for a supplier, each that was right at any time since a moment; the present one last."""
        known = self.mappings.get(("supplier", supplier), [])
        told = [(datetime.min.replace(tzinfo=UTC), supplier), *((at, to or supplier) for at, to in known)]
        return [to for n, (_, to) in enumerate(told) if since is None or n == len(told) - 1 or told[n + 1][0] > since]


def make_office(
    kind: type[Erp], name: str, number: int, dice: Random, clock: Callable[[], datetime], sleep: Any
) -> Office:
    """Make both systems of a tenant; names and secrets carry the tenant, so that a mixture shows."""
    erp = kind(name, number, Random(dice.random()), clock, sleep)
    ap = BaswareWorld(clock=clock, rng=Random(dice.random()), sleep=sleep)
    ap.clients = {f"client-{name}": f"hidden-client-{name}-0"}
    ap.verdict_delay = dice.choice((0.5, 0.5, 20.0, 1800.0))
    maker = Maker(Random(dice.random()), ("1000",), clock().date())
    office = Office(name, erp, BaswareSide(ap), maker, dice)
    for _ in range(dice.randint(2, 6)):
        invoice(office)
    return office


def invoice(office: Office, *, account: str | None = None, card: str | None = None) -> Paper:
    """Approve an invoice in the platform: for services, a credit note, or for an order; offered for transfer."""
    dice, erp = office.dice, office.erp
    kind = dice.random()
    fate, waits = "post", ""
    rows = erp.order_rows(office) if kind < 0.3 and account is None and card is None else []
    rows = [] if rows and ("supplier", rows[0].supplier) in office.mappings else rows
    if rows:
        record = office.maker.for_order(rows).record
    else:
        sign = -1 if kind > 0.88 else 1
        if account is None and dice.random() < 0.06:
            account = NOWHERE
            if not office.mapped:
                fate, waits = "hold", f"account:{NOWHERE}"
        accounts, centers = erp.accounts(), erp.centers()
        tax = dice.choice(erp.tax_codes)
        codings = [
            Coding(
                account if n == 0 and account else dice.choice(accounts),
                dice.choice(centers),
                sign * Decimal(dice.randrange(100, 2_500_000)) / 100,
                tax if erp.one_tax else dice.choice(erp.tax_codes),
            )
            for n in range(dice.choice((1, 1, 2, 3)))
        ]
        record = office.maker.invoice(codings, supplier=card or dice.choice(erp.suppliers()))
    record = record | {"invoiceNumber": f"{office.name}-{record['invoiceNumber']}"}
    record["currencyCode"] = erp.currency_of(record)
    record = erp.worded(record)
    record["voucherDate"] = record["voucherDate"][:10] + "T00:00:00"
    office.ap.documents[record["invoiceId"]] = Document(
        record, office.ap.now() - timedelta(minutes=dice.choice((0, 0, 5)))
    )
    paper = Paper(record["invoiceId"], [version(record, office.ap.now())], fate, waits=waits, rivalled=office.rivalled)
    office.papers[paper.key] = paper
    return paper

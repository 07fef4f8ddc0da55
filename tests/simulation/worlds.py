"""Two small systems for one tenant: enough of everything, and quick to make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from infra.sandbox import sap_b1
from infra.sandbox.basware import World as BaswareWorld
from infra.sandbox.basware.model import Document
from infra.sandbox.basware.seed_invoices import Coding, Maker, OrderRow
from infra.sandbox.sap_b1 import clerk
from infra.sandbox.sap_b1.seed_masters import _finance

SUPPLIERS, ACCOUNTS, CENTERS, ORDERS = 7, 6, 3, 3
NOWHERE = "499999"
"""An account that no ledger has, and none ever will."""


@dataclass
class Paper:
    """One invoice and what must become of it in the end: post, hold, or none (taken back)."""

    key: str
    number: str
    supplier: str
    fate: str = "post"
    by_hand: bool = False
    recalled: bool = False
    waits: str = ""


@dataclass
class Office:
    """One tenant: its ERP, its platform, its people's knowledge of what should be."""

    name: str
    erp: sap_b1.World
    ap: BaswareWorld
    maker: Maker
    dice: Random
    papers: dict[str, Paper] = field(default_factory=dict)
    password: str = ""
    orders_used: set[int] = field(default_factory=set)
    edits: int = 0


def make_office(name: str, number: int, dice: Random, clock: Callable[[], datetime], sleep: Any) -> Office:
    """Make both systems of a tenant; names and secrets carry the tenant, so that a mixture shows."""
    erp = _erp(name, number, Random(dice.random()), clock, sleep)
    ap = BaswareWorld(clock=clock, rng=Random(dice.random()), sleep=sleep)
    ap.clients = {f"client-{name}": f"hidden-client-{name}-0"}
    ap.verdict_delay = dice.choice((0.5, 0.5, 20.0, 1800.0))
    maker = Maker(Random(dice.random()), ("1000",), clock().date())
    office = Office(name, erp, ap, maker, dice, password=erp.sessions.accounts["manager"])
    for _ in range(dice.randint(4, 7)):
        invoice(office)
    return office


def _erp(name: str, number: int, rng: Random, clock: Callable[[], datetime], sleep: Any) -> sap_b1.World:
    world = sap_b1.World(clock=clock, rng=rng, sleep=sleep, company=f"DB_{name.upper()}")
    world.sessions.company = world.company
    world.sessions.accounts["manager"] = f"hidden-password-{name}-0"
    world.stamp_base_documents = True
    world.user_fields = {"PurchaseInvoices": ["U_ExtId"]}
    _finance(world)
    _accounts(world, name)
    for n in range(SUPPLIERS):
        supplier(world, name, f"V{number}{n:03d}")
        day = (clock() - timedelta(days=rng.randrange(3, 400))).date().isoformat()
        world.tables["BusinessPartners"][f"V{number}{n:03d}"] |= {"UpdateDate": day, "CreateDate": day}
    world.items = {"I1000", "I1001"}
    for n in range(ORDERS):
        order(world, f"V{number}{n:03d}", rng, service=n == ORDERS - 1)
    return world


def _accounts(world: sap_b1.World, name: str) -> None:
    flags = dict.fromkeys(("LockManualTransaction", "BlockManualPosting", "Protected", "FrozenFor"), "tNO")
    for n in range(ACCOUNTS):
        code = f"{400000 + n}"
        key = code if n < ACCOUNTS - 1 else f"_SYS{n:011d}"
        row = {"Code": key, "FormatCode": code, "Name": f"{name} account {n}", "ActiveAccount": "tYES"}
        world.put("ChartOfAccounts", row | flags | {"AccountType": "at_Expenses", "AccountLevel": 5})
    for code in ("157600", "180000"):
        row = {"Code": code, "FormatCode": code, "Name": f"{name} {code}", "ActiveAccount": "tYES"}
        world.put("ChartOfAccounts", row | flags | {"AccountType": "at_Other", "CashAccount": "tYES"})
    world.put(
        "Dimensions", {"DimensionCode": 1, "DimensionName": "D1", "DimensionDescription": "C", "IsActive": "tYES"}
    )
    for n in range(CENTERS):
        row = {"CenterCode": f"CC{100 + n}", "CenterName": f"{name} centre {n}", "GroupCode": "Z"}
        world.put("ProfitCenters", row | {"InWhichDimension": 1, "EffectiveFrom": "2010-01-01", "Active": "tYES"})


def supplier(world: sap_b1.World, name: str, code: str) -> None:
    """Enter a supplier, stamped now."""
    world.upsert(
        "BusinessPartners",
        {
            "CardCode": code, "CardName": f"{name} supplier {code}", "CardType": "cSupplier", "Currency": "##",
            "Valid": "tYES", "Frozen": "tNO", "PayTermsGrpCode": 1, "VatGroup": "V2", "VatLiable": "vLiable",
            "BPAddresses": [], "BPBankAccounts": [], "ContactEmployees": [],
        },
    )  # fmt: skip


def order(world: sap_b1.World, supplier_code: str, rng: Random, *, service: bool = False) -> Any:
    """Enter a purchase order of two lines."""
    lines = []
    for n in range(2):
        line: dict[str, Any] = {"VatGroup": "V2", "AccountCode": f"{400000 + n}", "CostingCode": f"CC{100 + n}"}
        if service:
            line |= {"ItemDescription": f"Service {n}", "LineTotal": Decimal(rng.randrange(500, 90_000)) / 100}
        else:
            line |= {"ItemCode": f"I{1000 + n}", "ItemDescription": f"Item {n}", "WarehouseCode": "01"}
            line |= {"Quantity": Decimal(rng.randrange(1, 50)), "UnitPrice": Decimal(rng.randrange(100, 9_000)) / 100}
        lines.append(line)
    kind = "dDocument_Service" if service else "dDocument_Items"
    body = {"CardCode": supplier_code, "DocType": kind, "DocumentLines": lines}
    return clerk.change(world, "PurchaseOrders", body)


def invoice(office: Office, *, account: str | None = None, card: str | None = None) -> Paper:
    """Approve an invoice in the platform: for services, a credit note, or for an order; offered for transfer."""
    dice = office.dice
    kind = dice.random()
    fate, waits = "post", ""
    seeded = _for_order(office) if kind < 0.3 and account is None and card is None else None
    if seeded is None:
        sign = -1 if kind > 0.88 else 1
        if account is None and dice.random() < 0.05:
            account, fate, waits = NOWHERE, "hold", f"account:{NOWHERE}"
        cards = sorted(office.erp.tables["BusinessPartners"])
        codings = [
            Coding(
                account if n == 0 and account else f"{400000 + dice.randrange(ACCOUNTS)}",
                f"CC{100 + dice.randrange(CENTERS)}",
                sign * Decimal(dice.randrange(100, 2_500_000)) / 100,
                dice.choice(("V0", "V1", "V2")),
            )
            for n in range(dice.choice((1, 1, 2, 3)))
        ]
        seeded = office.maker.invoice(codings, supplier=card or dice.choice(cards))
    record = seeded | {"invoiceNumber": f"{office.name}-{seeded['invoiceNumber']}"}
    record["voucherDate"] = record["voucherDate"][:10] + "T00:00:00"
    document = Document(record, office.ap.now() - timedelta(minutes=dice.choice((0, 0, 5))))
    office.ap.documents[record["invoiceId"]] = document
    paper = Paper(record["invoiceId"], record["invoiceNumber"], record["supplierCode"], fate, waits=waits)
    office.papers[paper.key] = paper
    return paper


def _for_order(office: Office) -> Any:
    lines = [
        line
        for line in sap_b1.order_lines(office.erp)
        if line.open and not line.received and line.doc_entry not in office.orders_used
    ]
    if not lines:
        return None
    entry = office.dice.choice(sorted({line.doc_entry for line in lines}))
    office.orders_used.add(entry)
    rows = [
        OrderRow(o.order_number, o.line_num, o.line_total, o.vat_group, o.account, o.cost_centre, o.card_code)
        for o in lines
        if o.doc_entry == entry
    ]
    return office.maker.for_order(rows).record


def posted(office: Office, number: str) -> list[Any]:
    """List the live documents of the ERP with an invoice number."""
    return [
        row
        for name in ("PurchaseInvoices", "PurchaseCreditNotes")
        for row in office.erp.rows(name)
        if row.get("NumAtCard") == number and row["CancelStatus"] == "csNo"
    ]

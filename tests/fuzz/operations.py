"""What each adapter is asked to do in front of a spoilt answer, and the sandboxes that the answers come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from infra.sandbox import basware as basware_sandbox
from infra.sandbox import sap_b1 as sap_sandbox
from infra.sandbox.basware.seed import seeded_world as basware_world
from infra.sandbox.sap_b1.seed import order_lines
from ml_connector.errors import Rejected
from ml_connector.flow import Answer
from ml_connector.records import (
    Account,
    Address,
    CodingRow,
    CostCenter,
    Invoice,
    OrderLine,
    Payment,
    PurchaseOrder,
    Supplier,
)
from ml_connector.systems import basware, sap_b1

FEW = 60
"""Rows of a set that are left: answers of several pages, quick to be read."""
Do = Callable[[Any], Any]
Operation = Callable[[Any, Any], Do]
"""Given a bench in front of the sandbox and its world, what is done again and again in front of the tape."""
SAP_PASSWORD, BASWARE_SECRET = 'hidden-"pä\\ss-17', "hidden-clïent-secret&17"


class Codes:
    """Every code is the same on both sides."""

    def erp(self, kind: str, code: str) -> str:
        return code

    def platform(self, kind: str, code: str) -> str:
        return code or "1000"


@dataclass(frozen=True, eq=False)
class System:
    """A vendor: its adapter, its sandbox, and what is asked of it.

    `echoes`: the secret in other forms, which a server may say back too. `absent`: its code for what is not there.
    """

    name: str
    secret: str
    versions: tuple[str, ...]
    connect: Callable[..., Any]
    settings: Callable[[str], Any]
    world: Callable[[Any], tuple[Any, Any]]
    operations: Mapping[str, Operation]
    echoes: tuple[str, ...] = ()
    absent: str = "-2028"


def plainly(do: Do) -> Operation:
    """Say what needs nothing of the world."""
    return lambda bench, world: do


def pages(record: type, since: str | None = None) -> Operation:
    """Read a source of masters, of which a few are left."""

    def prepare(bench: Any, world: Any) -> Do:
        for name in ("BusinessPartners", "ChartOfAccounts", "PurchaseOrders"):
            for key in list(world.tables[name])[FEW:]:
                del world.tables[name][key]
        return lambda b: list(b.connection.source(record).pages(since, None))

    return prepare


# ── SAP Business One ─────────────────────────────────────────────────────────────────────────────────────────


def sap_world(clock: Any) -> tuple[Any, Any]:
    world = sap_sandbox.seeded_world(clock=clock.now)
    world.sleep = clock.sleep
    world.sessions.accounts["manager"] = SAP_PASSWORD
    return world, sap_sandbox.create_app(world)


def sap_settings(version: str) -> Any:
    return sap_b1.Settings.model_validate(
        {
            "service_layer_url": f"https://sl.example:50000/b1s/{version}",
            "company_db": "SBODEMO",
            "user_name": "manager",
            "password": SAP_PASSWORD,
            "timezone": "Europe/Berlin",
        }
    )


def posted(bench: Any, made: Invoice) -> Any:
    """Bring an invoice the whole way."""
    target = bench.connection.target(Invoice)
    prepared = target.prepare(made, bench.codes)
    there = target.look(prepared)
    found = target.send(prepared)
    return [prepared, there, found, target.read_back(found), target.trace(made, bench.codes)]


def _invoice(gross: str, *rows: CodingRow, **more: Any) -> Invoice:
    fields: dict[str, Any] = {
        "key": "inv-1",
        "number": "R-4711",
        "company": "SBODEMO",
        "supplier": "V10000",
        "currency": "EUR",
        "invoice_date": date(2026, 1, 30),
        "accounting_date": date(2026, 2, 1),
    }
    return Invoice(**{**fields, "gross": Decimal(gross), "rows": rows, **more})


def service_invoice(bench: Any, world: Any) -> Do:
    row = CodingRow(key="1", account="400001", cost_center="CC101", net=Decimal("100.00"), tax_percent=Decimal(19))
    return lambda b: posted(b, _invoice("119.00", row))


def credit_note(bench: Any, world: Any) -> Do:
    row = CodingRow(key="1", account="400001", net=Decimal("-100.00"), tax=Decimal("-19.00"), tax_code="V2")
    return lambda b: posted(b, _invoice("-119.00", row))


def order_invoice(bench: Any, world: Any) -> Do:
    line = next(
        o
        for o in order_lines(world)
        if o.open
        and not o.service
        and o.currency == "EUR"
        and o.open_quantity > 1
        and o.card_code in world.tables["BusinessPartners"]
    )
    net = line.unit_price
    gross = net + (net * line.percent / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    row = CodingRow(
        key="1", net=net, quantity=Decimal(1), order_number=str(line.order_number), order_line=str(line.line_num)
    )
    return lambda b: posted(b, _invoice(str(gross), row, supplier=line.card_code))


def sap_payments(bench: Any, world: Any) -> Do:
    _pay(bench, world)
    keys = [o.key for page in bench.connection.source(Payment).list_documents(None, None) for o in page.documents][:2]

    def do(b: Any) -> Any:
        source = b.connection.source(Payment)
        return [list(source.list_documents(None, None)), [source.fetch(key) for key in keys]]

    return do


def _pay(bench: Any, world: Any) -> None:
    """Post an invoice and pay it, so that there is a payment to be read."""
    from infra.sandbox.sap_b1 import back_office

    service_invoice(bench, world)(bench)
    entry = next(iter(world.tables["PurchaseInvoices"]))
    back_office.pay(world, entry)


SAP = System(
    "sap_b1",
    SAP_PASSWORD,
    ("v1", "v2"),
    sap_b1.connect,
    sap_settings,
    sap_world,
    {
        "suppliers": pages(Supplier),
        "suppliers since": pages(Supplier, "2026-01-01"),
        "accounts": pages(Account),
        "cost centers": pages(CostCenter),
        "orders": pages(PurchaseOrder),
        "orders since": pages(PurchaseOrder, "2025-12-01"),
        "service invoice": service_invoice,
        "credit note": credit_note,
        "order invoice": order_invoice,
        "payments": sap_payments,
        "ping": plainly(lambda bench: list(bench.connection.ping())),
    },
)


# ── Basware ──────────────────────────────────────────────────────────────────────────────────────────────────


def basware_seeded(clock: Any) -> tuple[Any, Any]:
    world = basware_world(clock=clock.now)
    world.sleep = clock.sleep
    world.clients = {"sandbox-client": BASWARE_SECRET}
    return world, basware_sandbox.create_app(world)


def basware_settings(version: str) -> Any:
    return basware.Settings.model_validate(
        {
            "region": "EU",
            "client_id": "sandbox-client",
            "client_secret": BASWARE_SECRET,
            "companies": ["1000"],
            "source_system": "ERP1",
            "base_url": "http://basware.test",
            "webhook_url": "https://h.example.com/x",
            "webhook_secret": "hidden-webhook-key",
        }
    )


def _supplier(n: int) -> Supplier:
    return Supplier(
        key=f"F{n}",
        code=f"F{n}",
        name=f"Supplier {n}",
        currency="EUR",
        payment_term="14",
        addresses=(Address(key="main", city="Berlin", country="DE"),),
    )


def _order(n: int) -> PurchaseOrder:
    line = OrderLine(key="0", number="1", quantity=Decimal(10), net=Decimal("12345678901.23"), account="400010")
    return PurchaseOrder(key=f"po{n}", number=f"PO{n}", supplier="F1", currency="EUR", lines=(line,))


def masters(*records: Any) -> Operation:
    """Send records of one type through all stages, ask, read back, and retire."""

    def do(b: Any) -> Any:
        target = b.connection.target(type(records[0]))
        batch = [target.render(record, b.codes) for record in records]
        said: list[Any] = [batch]
        for stage in target.stages:
            sent = target.send(stage, batch)
            b.clock.sleep(3)
            said += [sent, target.verdicts(stage, batch, sent.tokens), target.read_back(stage, batch)]
        return [*said, target.deactivate([record.key for record in records[:1]])]

    return plainly(do)


def _good(bench: Any) -> str:
    source = bench.connection.source(Invoice)
    for page in source.list_documents(None, None):
        for offer in page.documents:
            try:
                if source.fetch(offer.key).record.gross > 0:
                    return str(offer.key)
            except Rejected:
                continue
    raise AssertionError("no good invoice in the sandbox")


def answered(success: bool) -> Operation:
    """Take a document and answer it."""

    def prepare(bench: Any, world: Any) -> Do:
        key = _good(bench)
        answer = Answer(
            "transferred.0", success, "Posted as 17.", number="17", internal="46", posted_on=date(2026, 3, 2)
        )

        def do(b: Any) -> Any:
            source = b.connection.source(Invoice)
            document = source.fetch(key)
            source.acknowledge(key)
            token = source.answer(key, answer)
            b.clock.sleep(3)
            return [document, token, source.answered(key, token, answer)]

        return do

    return prepare


def offers(bench: Any, world: Any) -> Do:
    return lambda b: [
        list(b.connection.source(Invoice).list_documents(None, None)),
        b.connection.source(Invoice).taken(),
    ]


def paid(bench: Any, world: Any) -> Do:
    source, key = bench.connection.source(Invoice), _good(bench)
    answer = Answer("transferred.0", True, "Posted.", number="17", internal="46", posted_on=date(2026, 3, 2))
    source.acknowledge(key)
    source.answer(key, answer)
    bench.clock.sleep(3)
    source.answered(key, None, answer)
    currency = source.raw(key)["currencyCode"]
    payment = Payment(
        key="1~18~2~1",
        invoice="18:2",
        number="P1",
        amount=Decimal("10.00"),
        currency=currency,
        document=key,
        paid_total=Decimal("10.00"),
        paid_on=date(2026, 3, 2),
    )

    def do(b: Any) -> Any:
        target = b.connection.target(Payment)
        prepared = target.prepare(payment, b.codes)
        there = target.look(prepared)
        found = target.send(prepared)
        return [prepared, there, found, target.read_back(found)]

    return do


BASWARE = System(
    "basware",
    BASWARE_SECRET,
    ("v1",),
    basware.connect,
    basware_settings,
    basware_seeded,
    {
        "offers": offers,
        "delivered": answered(True),
        "refused": answered(False),
        "payment": paid,
        "suppliers": masters(_supplier(1), _supplier(2)),
        "orders": masters(_order(1), _order(2)),
        "accounts": masters(Account(key="a1", code="400010", name="Paper")),
        "cost centers": masters(CostCenter(key="c1", code="CC1", name="X")),
        "subscribe": plainly(lambda bench: bench.connection.subscribe()),
        "ping": plainly(lambda bench: list(bench.connection.ping())),
    },
)

"""What the Sage 300 adapter is asked to do in front of a spoilt answer."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from infra.sandbox.sage_300 import back_office, create_app, order_lines, seeded_world
from ml_connector.records import Account, CodingRow, CostCenter, Invoice, PurchaseOrder, Supplier
from ml_connector.systems import sage_300
from tests.fuzz.operations import Do, Operation, System, plainly, posted

USER, TYPED = "webapi", 'hidden-"pä\\ss-17'
PASSWORD = TYPED.upper()
"""As it is sent, and so as a server may say it back."""
HEADER = base64.b64encode(f"{USER.upper()}:{PASSWORD}".encode()).decode()
PAGE, FEW, FEWER, LINES = 10, 25, 12, 3
"""Rows to a page, and what is left of vendors, of orders and of their lines: some pages of each, quick to be read."""
VERSIONS: dict[str, dict[str, Any]] = {
    "whole": {},
    "parted": {"cost_center_segment": "2", "post_batches": True},
}
"""Whole accounts and batches that wait, accounts in segments and batches that are posted."""


def world(clock: Any) -> tuple[Any, Any]:
    made = seeded_world(password=PASSWORD, clock=clock.now)
    made.sleep, made.page_size = clock.sleep, PAGE
    return made, create_app(made)


def settings(version: str) -> Any:
    plain = {"api_url": "https://erp.example/Sage300WebApi/v1.0/-", "company": "SAMLTD", "user": USER}
    return sage_300.Settings.model_validate(
        plain | {"password": TYPED, "timezone": "America/Vancouver"} | VERSIONS[version]
    )


def parted(bench: Any) -> bool:
    return bench.connection.source(CostCenter).__class__.__name__ != "EmptySource"


def some(world: Any) -> None:
    """Leave a few rows of what is read in bulk: some of each kind of order, with its receipts and returns."""
    given_back = {row["PurchaseOrderNumber"] for row in world.rows("POReturns")}
    received = {row["PurchaseOrderNumber"] for row in world.rows("POGetReceipts")}
    orders = sorted(
        world.rows("POPurchaseOrders"),
        key=lambda row: (row["PurchaseOrderNumber"] not in given_back, row["PurchaseOrderNumber"] not in received),
    )
    kept = {row["PurchaseOrderSequenceKey"] for row in (*orders[: FEWER // 2], *orders[-FEWER // 2 :])}
    world.tables["POPurchaseOrders"] = {k: v for k, v in world.tables["POPurchaseOrders"].items() if k in kept}
    numbers = {row["PurchaseOrderNumber"] for row in world.rows("POPurchaseOrders")}
    for name in ("POGetReceipts", "POReturns"):
        for key, row in list(world.tables[name].items()):
            if row["PurchaseOrderNumber"] not in numbers:
                del world.tables[name][key]
    for name, lines in (("POPurchaseOrders", "PurchaseOrderLines"), ("POGetReceipts", "ReceiptLine2s")):
        for row in world.rows(name):
            row[lines] = row[lines][:LINES]
    vendors = {row["Vendor"] for row in world.rows("POPurchaseOrders")} | {"1200", "O'BRIEN"}
    for name, wanted in (("APVendors", vendors), ("GLAccounts", {"1300"})):
        table = world.tables[name]
        keys = [key for key in table if key in wanted] + [key for key in table if key not in wanted]
        world.tables[name] = {key: table[key] for key in keys[:FEW]}


def older(world: Any) -> None:
    """Let the server speak as older releases do."""
    world.annotations, world.next_link, world.date_tail = "odata.", "keep", "T00:00:00"


def pages(record: type, since: str | None = None, *also: Callable[[Any], None]) -> Operation:
    """Read a source from its beginning, then once more from where the first page ended."""

    def prepare(bench: Any, world: Any) -> Do:
        for change in (some, *also):
            change(world)

        def do(b: Any) -> Any:
            whole = list(b.connection.source(record).pages(since, None))
            place = whole[0].position
            return [whole, list(b.connection.source(record).pages(since, place)) if place else []]

        return do

    return prepare


def reread(record: type) -> Operation:
    """Read some records of a source by their keys."""

    def prepare(bench: Any, world: Any) -> Do:
        some(world)
        read = [one.key for page in bench.connection.source(record).pages(None, None) for one in page.records]
        return lambda b: list(b.connection.source(record).reread([*read[:7], "O'BRIEN", "NOBODY"]))

    return prepare


def invoice(gross: str, *rows: CodingRow, **more: Any) -> Invoice:
    fields: dict[str, Any] = {
        "key": "inv-1",
        "number": "R-4711",
        "company": "SAMLTD",
        "supplier": "1200",
        "currency": "EUR",
        "invoice_date": date(2026, 1, 30),
        "accounting_date": date(2026, 2, 1),
        "due_date": date(2026, 3, 1),
    }
    return Invoice(**{**fields, "gross": Decimal(gross), "rows": rows, **more})


def coded(bench: Any, net: str, **more: Any) -> CodingRow:
    code: dict[str, Any] = {"account": "400001CC101"}
    if parted(bench):
        code = {"account": "400001", "cost_center": "CC101"}
    return CodingRow(key="1", net=Decimal(net), **code, **more)


def plain_invoice(bench: Any, world: Any) -> Do:
    made = invoice("119.00", coded(bench, "100.00", tax=Decimal("19.00")))
    return lambda b: posted(b, made)


def credit_note(bench: Any, world: Any) -> Do:
    row = coded(bench, "-100.00", tax=Decimal("-19.00"), tax_code="V2")
    made = invoice("-119.00", row, due_date=None, payment_term="N30", supplier="O'BRIEN")
    return lambda b: posted(b, made)


def order_invoice(bench: Any, world: Any) -> Do:
    line = next(o for o in order_lines(world) if o.open and o.currency == "EUR" and o.received)
    row = CodingRow(
        key="1", net=Decimal("100.00"), tax=Decimal(0), order_number=line.order_number, order_line=str(line.line_number)
    )
    return lambda b: posted(b, invoice("100.00", row, supplier=line.vendor))


def found_again(bench: Any, world: Any) -> Do:
    """Come back after a crash: the batch stands there open, among others, and is found and finished."""
    rows = [coded(bench, "100.00", tax=Decimal("19.00"))]
    others = [invoice("119.00", *rows, key=f"other-{n}", number=f"R-{n}") for n in range(3)]
    made = invoice("119.00", *rows)
    for one in (*others, made):
        target = bench.connection.target(Invoice)
        target.send(target.prepare(one, bench.codes))

    def do(b: Any) -> Any:
        target = b.connection.target(Invoice)
        (found,) = target.look(target.trace(made, b.codes))
        return [found, target.read_back(found), target.look(target.trace(made, b.codes))]

    return do


def posted_by_hand(bench: Any, world: Any) -> Do:
    """Find what somebody posted from the desktop meanwhile."""
    made = invoice("119.00", coded(bench, "100.00", tax=Decimal("19.00")))
    target = bench.connection.target(Invoice)
    found = target.send(target.prepare(made, bench.codes))
    back_office.post(world, int(found.id.partition(":")[0]))

    def do(b: Any) -> Any:
        target = b.connection.target(Invoice)
        return [target.look(target.trace(made, b.codes)), target.read_back(found)]

    return do


SAGE = System(
    "sage_300", PASSWORD, tuple(VERSIONS), sage_300.connect, settings, world,
    {
        "suppliers": pages(Supplier), "suppliers since": pages(Supplier, "2025-06-01", older),
        "accounts": pages(Account), "accounts again": reread(Account), "suppliers again": reread(Supplier),
        "cost centers": pages(CostCenter), "cost centers again": reread(CostCenter),
        "orders": pages(PurchaseOrder), "orders since": pages(PurchaseOrder, "2026-01-01"),
        "orders of an older server": pages(PurchaseOrder, "2026-02-20", older), "orders again": reread(PurchaseOrder),
        "invoice": plain_invoice, "credit note": credit_note, "order invoice": order_invoice,
        "found again": found_again, "posted by hand": posted_by_hand,
        "ping": plainly(lambda bench: list(bench.connection.ping())),
    },
    echoes=(HEADER,), absent="RecordNotFound",
)  # fmt: skip

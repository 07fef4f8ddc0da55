"""The side of Sage X3 that AvidXchange is joined to: what is read of supplier invoices, and what is written to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.sage_x3 import supplier_invoices as clerk
from infra.sandbox.sage_x3.seed import POOL
from infra.sandbox.sage_x3.supplier_invoices import Line
from ml_connector.context import TenantSettings
from ml_connector.records import InvoiceStatus, Payment, SupplierInvoice
from tests.contract.sage_x3.conftest import Bench, Maker
from tests.contract.sage_x3.posting import Codes

SOAP = {"url": "https://x3.example", "pool_alias": POOL, "templates": {"payment": "PAY"}}
PAYMENT = {"type": "VIRMT", "bank": "BNK01", "site": "FR011"}
WRITABLE: dict[str, Any] = {
    "payment": {"representation": "ZPAYMENTH"},
    "open_item": {"representation": "ZGACCDUDATE"},
    "supplier_invoice": {"representation": "ZPINVOICE"},
}
WAYS: dict[str, dict[str, Any]] = {
    "api1": {"write_via": "api1", "classes": WRITABLE},
    "soap": {"write_via": "soap", "soap": SOAP, "classes": WRITABLE},
}
ways = pytest.mark.parametrize("way", WAYS)


def opened(
    make: Maker, way: str = "api1", starts: dict[str, date] | None = None, flows: tuple[str, ...] = (), **more: Any
) -> Bench:
    """Make a bench of the integration with AvidXchange."""
    bench = make(**{"payment": PAYMENT, **WAYS[way], **more})
    options = TenantSettings(start_dates=starts or {})
    bench.context = replace(bench.context, integration="sage_x3-avidxchange", options=options, flows=lambda: flows)
    return bench.again()


def enter(
    bench: Bench, *lines: Line, supplier: str = "V10000", source: str = "INV-7731", **more: Any
) -> dict[str, Any]:
    """Key in an invoice of 100.00 and its tax, unless lines are given."""
    made = lines or (Line("400001", Decimal("100.00"), tax="FRNOR", center="CC101", text="Cleaning"),)
    return clerk.enter(bench.world, supplier, source, made, **more)


def listed(bench: Bench, since: str | None = None) -> dict[str, Any]:
    """List what the source offers, by key."""
    pages = bench.again().source(SupplierInvoice).list_documents(since, None)
    return {one.key: one for page in pages for one in page.documents}


def fetch(bench: Bench, key: str) -> Any:
    return bench.again().source(SupplierInvoice).fetch(key)


def item(bench: Bench, number: str) -> dict[str, Any]:
    """Give the open item of an invoice as X3 keeps it."""
    return next(row for row in bench.world.rows("GACCDUDATE") if row["NUM"] == number)


def paid(row: dict[str, Any] | None, amount: str = "119.00", **fields: Any) -> Payment:
    """A payment that AvidXchange made."""
    plain: dict[str, Any] = {
        "key": "901~1", "invoice": "own", "number": "P-901", "amount": Decimal(amount), "currency": "EUR",
        "document": row["NUM"] if row else None, "paid_on": date(2026, 2, 9), "reference": "77120", "state": "paid",
        "said": "Cleared", "supplier": row["BPR"] if row else "V10000", "invoice_number": row["BPRVCR"] if row else "",
    }  # fmt: skip
    return Payment(**plain | fields)


def status(row: dict[str, Any] | None, word: Any, **fields: Any) -> InvoiceStatus:
    plain: dict[str, Any] = {"key": "5512", "number": "INV-7731", "status": word, "said": str(word)}
    return InvoiceStatus(**plain | {"document": row["NUM"] if row else None} | fields)


def target(bench: Bench, kind: Any) -> Any:
    return bench.again().connection.target(kind)


def prepared(bench: Bench, record: Any, codes: Codes | None = None) -> Any:
    return target(bench, type(record)).prepare(record, codes or Codes())


def write(bench: Bench, record: Any) -> Any:
    """Bring a record the whole way, and give it as it is read back."""
    one = prepared(bench, record)
    assert target(bench, type(record)).look(one) == []
    found = target(bench, type(record)).send(one)
    assert [there.id for there in target(bench, type(record)).look(one)] == [found.id]
    return target(bench, type(record)).read_back(found)


def rows(bench: Bench, table: str) -> Iterable[dict[str, Any]]:
    return list(bench.world.rows(table))

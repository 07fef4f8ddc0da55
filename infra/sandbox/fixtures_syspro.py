"""SYSPRO and Basware that know each other: orders of the one stand on invoices of the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from . import syspro
from .basware.seed import expectations, seeded_world
from .basware.seed_invoices import TELLING_AMOUNTS
from .fixtures import Fixtures
from .syspro import back_office
from .syspro.seed import COMPANY, ODATA_PASSWORD, ODATA_USER, OPERATOR, PASSWORD
from .syspro.seed_masters import SEPARATOR, add_account

__all__ = ["COMPANY", "ODATA_PASSWORD", "ODATA_USER", "OPERATOR", "PASSWORD", "seeded_systems"]
TAX = {"V0": "Z", "V1": "B", "V2": "A"}
"""The platform's tax code to SYSPRO's letter, of the same percentage."""
ORDERED = 30
"""So many orders have their goods received, and wait for an invoice."""
ROWS = 10
"""So many of an order's lines are invoiced at most: each receipt adds to the address in which an invoice is posted."""


def _now() -> datetime:
    return datetime.now(UTC)


def seeded_systems(
    seed: int = 1, clock: Callable[[], datetime] = _now, telling: Sequence[Decimal] = TELLING_AMOUNTS
) -> Fixtures:
    """Make both worlds from one seed; suppliers and accounts of invoices that can be posted are usable in the ERP.

    Each invoice is in its supplier's currency, the only one that SYSPRO can post it in, and has SYSPRO's tax codes.
    """
    erp = syspro.seeded_world(seed, clock=clock)
    orders = _orders(erp)
    ap = seeded_world(seed, orders=orders, clock=clock, telling=telling)
    fates = {e.invoice_id: e for e in expectations(seed, orders=orders, telling=telling)}
    for name, document in ap.documents.items():
        _recode(document.record)
        supplier = erp.get("ApSupplier", document.record["supplierCode"])
        if supplier is not None:
            document.record["currencyCode"] = supplier["Currency"]
        if fates[name].fate != "reject":
            _make_usable(erp, document.record)
    return Fixtures(erp, ap, fates)


def _orders(erp: syspro.World) -> list[tuple[str, str, Decimal, str, str, str, str]]:
    """Receive the goods of some open orders in the company's own currency; gives their lines."""
    letters = {letter: code for code, letter in TAX.items()}
    lines = [o for o in syspro.order_lines(erp) if o.open and o.currency == erp.local_currency]
    received = {o.order_number for o in syspro.order_lines(erp) if o.received}
    numbers = [n for n in dict.fromkeys(o.order_number for o in lines) if n not in received][:ORDERED]
    for number in numbers:
        back_office.receive(erp, number)
    return [
        (o.order_number, str(o.line_number), o.extended, letters[o.tax_code], o.account, o.cost_center, o.supplier)
        for number in numbers
        for o in [line for line in lines if line.order_number == number][:ROWS]
    ]


def _recode(record: dict[str, Any]) -> None:
    for part in (record, *(record.get("codingRows") or [])):
        if part.get("taxCode") in TAX:
            part["taxCode"] = TAX[part["taxCode"]]


def _make_usable(erp: syspro.World, record: dict[str, Any]) -> None:
    """Let people have released the supplier, opened each account for its cost center, and coded by whole codes."""
    supplier = erp.get("ApSupplier", record["supplierCode"])
    if supplier is not None:
        erp.foreign_tax.discard(supplier["Supplier"])
        wanted = supplier["GrnMatchReqd"] if record.get("orderNumbers") else "N"
        erp.upsert("ApSupplier", {"Supplier": supplier["Supplier"], "OnHold": "N", "GrnMatchReqd": wanted})
    codes = [row["GlCode"].partition(SEPARATOR) for row in erp.rows("GenMaster")]
    accounts, centers = {account for account, _, center in codes if center}, {center for _, _, center in codes}
    for row in record.get("codingRows") or []:
        code = f"{row.get('accountCode')}{SEPARATOR}{row.get('costCenterCode')}"
        usable = row.get("accountCode") in accounts and row.get("costCenterCode") in centers
        if usable and erp.get("GenMaster", erp.company, code) is None:
            add_account(erp, code, "Expense")
        if usable:
            row["accountCode"] = code

"""Sage X3 and Basware that know each other: orders of the one stand on invoices of the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from . import sage_x3
from .basware.seed import expectations, seeded_world
from .basware.seed_invoices import TELLING_AMOUNTS
from .fixtures import Fixtures
from .sage_x3 import back_office
from .sage_x3.entries import YES
from .sage_x3.seed import CHART, COMPANY, FOLDER, PASSWORD, SITE, USER

__all__ = ["CHART", "COMPANY", "FOLDER", "PASSWORD", "SITE", "TAX", "USER", "seeded_systems"]
TAX = {"V0": "FREXO", "V1": "FRRED", "V2": "FRNOR"}
"""The platform's tax code to X3's, of the same percentage."""
ORDERED, ROWS = 30, 10
"""So many orders have their goods received and wait for an invoice, over so many of their lines at most."""


def _now() -> datetime:
    return datetime.now(UTC)


def seeded_systems(
    seed: int = 1, clock: Callable[[], datetime] = _now, telling: Sequence[Decimal] = TELLING_AMOUNTS
) -> Fixtures:
    """Make both worlds from one seed; suppliers and accounts of invoices that can be posted are usable in the ERP."""
    erp = sage_x3.seeded_world(seed, clock=clock)
    orders = _orders(erp)
    ap = seeded_world(seed, orders=orders, clock=clock, telling=telling)
    fates = {e.invoice_id: e for e in expectations(seed, orders=orders, telling=telling)}
    for name, document in ap.documents.items():
        if not document.record.get("grossSum") and fates[name].fate == "post":
            fates[name] = replace(fates[name], fate="reject", why="it comes to nothing, so it has no journal line")
        for part in (document.record, *(document.record.get("codingRows") or [])):
            if part.get("taxCode") in TAX:
                part["taxCode"] = TAX[part["taxCode"]]
        if fates[name].fate != "reject":
            _make_usable(erp, document.record)
    return Fixtures(erp, ap, fates)


def _orders(erp: sage_x3.World) -> list[tuple[str, str, Decimal, str, str, str, str]]:
    """Receive the goods of some open orders in the company's own currency; gives their lines, with an account each."""
    codes = {code: name for name, code in TAX.items()}
    lines = [o for o in sage_x3.order_lines(erp) if o.open and o.currency == erp.currency and o.amount]
    received = {o.order_number for o in sage_x3.order_lines(erp) if o.received}
    numbers = [n for n in dict.fromkeys(o.order_number for o in lines) if n not in received][:ORDERED]
    for number in numbers:
        back_office.receive(erp, number)
    return [
        (number, str(o.line_number), o.amount, codes[o.tax_code], f"{400000 + place % 100}", o.cost_center, o.supplier)
        for place, number in enumerate(numbers)
        for o in [line for line in lines if line.order_number == number][:ROWS]
    ]


def _make_usable(erp: sage_x3.World, record: dict[str, Any]) -> None:
    """Let people have activated the supplier, and each account and cost center that exists."""
    wanted: list[tuple[str, tuple[Any, ...]]] = [("BPSUPPLIER", (record["supplierCode"],))]
    wanted.append(("BPARTNER", (record["supplierCode"],)))
    for row in record.get("codingRows") or []:
        wanted += [("GACCOUNT", (CHART, row.get("accountCode"))), ("CACCE", ("CCT", row.get("costCenterCode")))]
    for table, key in wanted:
        known = erp.get(table, *key)
        if known is not None:
            known["ENAFLG"] = YES

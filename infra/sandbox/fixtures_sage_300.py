"""Sage 300 and Basware that know each other: orders of the one stand on invoices of the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from . import sage_300
from .basware.seed import expectations, seeded_world
from .basware.seed_invoices import TELLING_AMOUNTS
from .fixtures import Fixtures
from .sage_300.seed import COMPANY, COST_CENTER_SEGMENT, PASSWORD, USER
from .sage_300.seed_masters import account

__all__ = ["COMPANY", "COST_CENTER_SEGMENT", "PASSWORD", "USER", "seeded_systems"]


def _now() -> datetime:
    return datetime.now(UTC)


def seeded_systems(
    seed: int = 1, clock: Callable[[], datetime] = _now, telling: Sequence[Decimal] = TELLING_AMOUNTS
) -> Fixtures:
    """Make both worlds from one seed; vendors and accounts of invoices that can be posted are usable in the ERP.

    Each invoice is in its vendor's currency: Sage 300 knows one for each vendor.
    """
    erp = sage_300.seeded_world(seed, clock=clock)
    orders = _orders(erp)
    ap = seeded_world(seed, orders=orders, clock=clock, telling=telling)
    fates = {e.invoice_id: e for e in expectations(seed, orders=orders, telling=telling)}
    for name, document in ap.documents.items():
        vendor = erp.get("APVendors", document.record["supplierCode"])
        if vendor is not None:
            document.record["currencyCode"] = vendor["CurrencyCode"]
        if fates[name].fate != "reject":
            _make_usable(erp, document.record)
    return Fixtures(erp, ap, fates)


def _orders(erp: sage_300.World) -> list[tuple[str, str, Decimal, str, str, str, str]]:
    """Pick open order lines in the company's own currency that nothing has been received of."""
    lines = [o for o in sage_300.order_lines(erp) if o.open and not o.received and o.currency == erp.currency]
    return [
        (o.order_number, str(o.line_number), o.extended, o.tax_group, o.natural, o.cost_centre, o.vendor) for o in lines
    ]


def _make_usable(erp: sage_300.World, record: dict[str, Any]) -> None:
    """Let people have activated the vendor, and opened each account that exists for its department."""
    vendor = erp.get("APVendors", record["supplierCode"])
    if vendor is not None:
        erp.put("APVendors", {**vendor, "Status": "Active", "InactiveDate": None})
    accounts = erp.tables["GLAccounts"].values()
    naturals = {row["AccountSegmentCode1"] for row in accounts if row["AccountSegmentCode2"]}
    centres = {row["AccountSegmentCode2"] for row in accounts}
    for row in record.get("codingRows") or []:
        number, centre = row.get("accountCode"), row.get("costCenterCode")
        if number in naturals and centre in centres:
            known = erp.get("GLAccounts", f"{number}{centre}") or account(number, centre)
            erp.put("GLAccounts", {**known, "Status": "Active"})

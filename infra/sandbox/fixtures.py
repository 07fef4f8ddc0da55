"""SAP Business One and Basware that know each other: orders of the one stand on invoices of the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from . import sap_b1
from .basware.seed import Expectation, expectations, seeded_world
from .basware.seed_invoices import TELLING_AMOUNTS

COMPANY, USER, PASSWORD = "SBODEMO", "manager", "sandbox-only"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Fixtures:
    """Both worlds, and what should become of each seeded invoice."""

    erp: Any
    ap: Any
    fates: dict[str, Expectation] = field(default_factory=dict)


def seeded_systems(
    seed: int = 1, clock: Callable[[], datetime] = _now, telling: Sequence[Decimal] = TELLING_AMOUNTS
) -> Fixtures:
    """Make both worlds from one seed; suppliers and cost centres of good invoices are usable in the ERP."""
    erp = sap_b1.seeded_world(seed, password=PASSWORD, clock=clock)
    orders = _orders(erp)
    ap = seeded_world(seed, orders=orders, clock=clock, telling=telling)
    fates = {e.invoice_id: e for e in expectations(seed, orders=orders, telling=telling)}
    for name, document in ap.documents.items():
        if fates[name].fate != "reject":
            _make_usable(erp, document.record)
    return Fixtures(erp, ap, fates)


def _orders(erp: Any) -> list[tuple[str, str, Decimal, str, str, str, str]]:
    """Pick open order lines in the ERP's own currency that an invoice can be based on."""
    lines = [o for o in sap_b1.order_lines(erp) if o.open and o.currency == "EUR" and not o.service and not o.received]
    return [
        (
            str(o.order_number),
            str(o.line_num),
            o.line_total,
            o.vat_group,
            _visible(erp, o.account),
            o.cost_centre,
            o.card_code,
        )
        for o in lines
    ]


def _visible(erp: Any, code: str) -> str:
    """Give the account code that the platform knows: the visible one where the ERP's own is generated."""
    account = erp.tables["ChartOfAccounts"][code]
    return str(account["FormatCode"]) if code.startswith("_SYS") else code


def _make_usable(erp: Any, record: dict[str, Any]) -> None:
    supplier = erp.tables["BusinessPartners"].get(record["supplierCode"])
    if supplier is not None:
        erp.put("BusinessPartners", {**supplier, "Valid": "tYES", "Frozen": "tNO", "Currency": "##"})
    for row in record.get("codingRows") or []:
        center = erp.tables["ProfitCenters"].get(row.get("costCenterCode"))
        if center is not None:
            erp.put("ProfitCenters", {**center, "Active": "tYES"})

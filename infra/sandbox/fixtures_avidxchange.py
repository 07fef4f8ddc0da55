"""Sage X3 and AvidXchange that know each other: AvidXchange has the company and the dimensions of the folder.

Suppliers and accounts are not there: they come with the integration, or by `with_masters`, where people had entered
them before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from . import avidxchange, sage_x3
from .avidxchange.model import Company
from .fixtures import Fixtures
from .sage_x3.entries import YES
from .sage_x3.seed import CHART, COMPANY
from .sage_x3.supplier_invoices import POSTED


def _now() -> datetime:
    return datetime.now(UTC)


def seeded_systems(seed: int = 1, clock: Callable[[], datetime] = _now) -> Fixtures:
    """Make both worlds from one seed; the codes of X3's dimensions are accounting codes, grouped by dimension type."""
    erp, ap = sage_x3.seeded_world(seed, clock=clock), avidxchange.seeded_world(seed, clock=clock)
    ap.companies.append(Company(COMPANY, erp.company))
    for row in erp.rows("CACCE"):
        if row["ENAFLG"] == YES:
            avidxchange.add_code(ap, row["CCE"], row["DIE"], row["DES"])
    return Fixtures(erp, ap)


def with_masters(both: Fixtures) -> Fixtures:
    """Let people have entered every active supplier and account in AvidXchange under X3's codes."""
    for row in both.erp.rows("BPSUPPLIER"):
        if row["ENAFLG"] == YES:
            avidxchange.add_vendor(both.ap, row["BPSNUM"])
    for row in both.erp.rows("GACCOUNT"):
        if row["ENAFLG"] == YES and row["COA"] == CHART:
            avidxchange.add_code(both.ap, row["ACC"], text=row["DES"])
    return both


def unpaid(erp: sage_x3.World) -> list[dict[str, Any]]:
    """The posted invoices of X3 that nothing was paid of: those that a first run submits."""
    items = {row["NUM"]: row for row in erp.rows("GACCDUDATE")}
    posted = [row for row in erp.rows("PINVOICE") if row["STA"] == POSTED]
    return [row for row in posted if not items[row["NUM"]]["PAYCUR"] and not items[row["NUM"]]["TMPCUR"]]

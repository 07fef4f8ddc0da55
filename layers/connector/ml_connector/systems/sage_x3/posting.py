"""What of X3's journal entries is called how (`kit/journal_entries`), and what is looked up for an invoice.

An entry's own key is TYP~NUM. Our key stands in REFINT, the partner in BPR of a line (`docs/vendors/sage_x3.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ml_connector.errors import Transient
from ml_connector.flow import Broken
from ml_connector.records import PurchaseOrder
from ml_connector.systems.kit.declared import there
from ml_connector.systems.kit.journal_entries import Columns
from ml_connector.systems.kit.values import text
from ml_connector.systems.sage_x3.entities import ACCOUNT, DIMENSION, SUPPLIER, Entity, Reader, menu
from ml_connector.systems.sage_x3.faults import VENDOR
from ml_connector.systems.sage_x3.masters import Folder, active
from ml_connector.systems.sage_x3.orders import Orders

LINES, SHARES = "GACCENTRYD", "GACCENTRYA"
LEGAL, REVERSED = 1, 3
"""LEDTYP of the ledger that we post to, since X3 fills the others; RVS of an entry that was reversed, 2 being one that
will be, or a reversal."""
STATES = {1: "temporary", 2: "final"}
COLUMNS = Columns(
    own="REFINT", number="BPRVCR", dated="BPRDATVCR", name="NUM", posted="ACCDAT", company="CPY", currency="CUR",
    lines=LINES, partner="BPR", account="ACC", amount="AMTCUR", sign="SNS", shares=SHARES, kinds="DIE", codes="CCE",
    counts=lambda line: (menu(line, "LEDTYP") or LEGAL) == LEGAL,
    stands=lambda row: menu(row, "RVS") != REVERSED and not text(row, "RVSORINUM"),
    state=lambda row: STATES.get(menu(row, "STA") or 0, ""),
)  # fmt: skip


class Lookups:
    """What is looked up for an invoice, each time anew: what stands in the way is fixed there meanwhile."""

    def __init__(self, reader: Reader, folder: Folder, orders: Orders) -> None:
        self._reader, self._folder, self._orders = reader, folder, orders

    def supplier(self, code: str) -> bool:
        """Tell whether there is a supplier who can be invoiced."""
        return bool(self._there(SUPPLIER, [code]))

    def ledger(self, codes: Iterable[str]) -> set[str]:
        """Tell which of some accounts the company's chart has, and lets be posted to."""
        found = self._there(ACCOUNT, [f"{self._folder.chart()}~{code}" for code in codes])
        return {key.partition("~")[2] for key in found}

    def missing(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Tell which of some dimensions (type and code) are not there."""
        asked = {f"{kind}~{code}": (kind, code) for kind, code in pairs}
        there_ = self._there(DIMENSION, list(asked))
        return sorted(pair for key, pair in asked.items() if key not in there_)

    def order(self, number: str) -> PurchaseOrder | None:
        """Read an order; None where there is none."""
        rows, broken = [row for batch in self._orders.by_keys([number]) for row in batch.rows], list[Broken]()
        found = next(iter(self._orders.convert(rows, broken)), None) if rows else None
        if broken and found is None:
            raise Transient(f"Order {number} of {VENDOR} cannot be read: {broken[0].reason}")
        return found

    def _there(self, what: Entity, keys: Sequence[str]) -> set[str]:
        return there(self._reader, self._folder.entity(what), keys, active, VENDOR)

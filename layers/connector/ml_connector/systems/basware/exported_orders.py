"""Purchase orders that P2P exports: read one, by the id that a notification names (`docs/vendors/basware.md`).

Read only. To acknowledge one is the business of whoever imports it, and would take it away from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml_connector.errors import LoginRefused, Rejected
from ml_connector.systems.basware import invoice_document as doc
from ml_connector.systems.basware import rights
from ml_connector.systems.basware.client import Basware, one_of, quoted
from ml_connector.systems.http import dumps
from ml_connector.systems.kit.compare import comparable

PATH, KEY = "/v1/exportedPurchaseOrders", "exportedPurchaseOrders"
SCOPE = "exportedPurchaseOrders.read"
CODE_LIMIT = 100


@dataclass(frozen=True, slots=True)
class ExportedOrder:
    """An order as Basware shows it now; `stamp` compares as text.

    `number` is P2P's, `erp_number` the ERP's where the order came from there. `status` is how the order stands
    (Ordered, Received, Closed, …), `export` whether somebody has acknowledged it (WaitingForExport, Exported).
    """

    key: str
    number: str
    erp_number: str | None = None
    status: str | None = None
    export: str | None = None
    stamp: str | None = None


class ExportedOrders:
    """Reads exported orders of the tenant's companies."""

    def __init__(self, client: Basware) -> None:
        """Ask through the tenant's client; its token needs the scope `exportedPurchaseOrders.read`."""
        self._client = client

    def fetch(self, key: str) -> ExportedOrder | None:
        """Read an order by its external code; None where there is none, or it is of a company that is not ours.

        Raises `Rejected` where it cannot be read as an order or the client has no right to read one, `LoginRefused`
        where the server refuses although its token has the scope.
        """
        if not key.strip() or len(key) > CODE_LIMIT:
            raise Rejected(f"'{key[:CODE_LIMIT]}' is no external code of an exported order.")
        self._must_be_allowed(key)
        try:
            answer = self._client.get(f"{PATH}/{quoted(key)}")
        except LoginRefused:
            self._must_be_allowed(key)  # the new token that came of the refusal may tell why
            raise
        found = one_of(answer, KEY)
        if found is None or doc.text(found, "companyCode") not in (None, *self._client.settings.companies):
            return None
        return _order(key, found)

    def _must_be_allowed(self, key: str) -> None:
        if SCOPE in self._client.lacking():
            raise Rejected(f"A notice came of the order {key}, which was not read: {rights.lack({SCOPE})}")


def _order(key: str, found: dict[str, Any]) -> ExportedOrder:
    number = doc.text(found, "orderNumber")
    shown = doc.text(found, "externalCode")
    if number is None or shown != key:
        wrong = "has no orderNumber" if number is None else f"is {shown}"
        raise Rejected(f"The exported order {key} that Basware gave {wrong}: {dumps(found)[:300]}")
    return ExportedOrder(
        key=key,
        number=number,
        erp_number=doc.text(found, "extOrderNumber"),
        status=doc.text(found, "orderStatus"),
        export=doc.text(found, "processingStatus"),
        stamp=comparable(doc.text(found, "lastUpdated")),
    )

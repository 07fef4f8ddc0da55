"""The stand of a SYSPRO that is read through e.net, with the one session that its operator has."""

from __future__ import annotations

from typing import Any, ClassVar
from xml.etree.ElementTree import tostring

import httpx
from defusedxml.ElementTree import fromstring

from infra.sandbox.syspro.seed import OPERATOR
from ml_connector.records import Account, CostCenter, PurchaseOrder, Record, Supplier
from tests.contract.conformance.parts import Row
from tests.contract.conformance.stands.syspro import IDLE, TABLES, SysproStand


class EnetStand(SysproStand):
    secret: ClassVar[dict[str, Any]] = {
        **{name: value for name, value in SysproStand.secret.items() if not name.startswith("odata_")},
        "read_via": "enet",
    }
    wrong: ClassVar[dict[str, Any]] = {"operator_password": "not-this-one"}
    envelope = "ERROR: e.net exception raised: 100032"

    def is_login(self, request: httpx.Request) -> bool:
        return request.url.path.endswith("/Logon")

    def change_password(self) -> None:
        self.world.sessions.operators[OPERATOR] = "another"

    def expire(self) -> None:
        """Sessions end while nobody uses them; one that ends in use was taken by somebody, and is left to them."""
        self.later(IDLE.total_seconds())
        self.world.sessions.end()

    def _asked(self, request: httpx.Request) -> Any:
        document = request.url.params.get("XmlIn", "")
        return fromstring(document) if request.url.path.endswith("/Query/Query") and document else None

    def _table(self, request: httpx.Request) -> str:
        asked = self._asked(request)
        return "" if asked is None else asked.findtext("TableName") or ""

    def shrink(self, request: httpx.Request, size: int) -> None:
        asked = self._asked(request)
        if asked is not None and any(self.asks(record, request) for record in TABLES):
            rows = asked.find("ReturnRows")
            if rows.text != "0" and int(rows.text) > size:
                rows.text = str(size)
                request.url = request.url.copy_set_param("XmlIn", tostring(asked, encoding="unicode"))

    def garble(self, record: type[Record], row: Row) -> str | None:
        """Texts are all that there is: only a date can be none, and a key be missing."""
        if record is PurchaseOrder:
            row["OrderEntryDate"] = "31.02.2026"
            return str(row["PurchaseOrder"])
        row[{Supplier: "Supplier", Account: "GlCode", CostCenter: "GlCode"}[record]] = " "
        return None


STAND = EnetStand

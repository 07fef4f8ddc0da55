"""The stand of SYSPRO, read through OData."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from infra.sandbox.syspro import World, back_office, create_app, seeded_world
from infra.sandbox.syspro.seed import COMPANY, ODATA_PASSWORD, ODATA_USER, OPERATOR, PASSWORD
from ml_connector.records import Account, CostCenter, PurchaseOrder, Record, Supplier
from tests.contract.conformance.odata import ODataPages
from tests.contract.conformance.parts import START, Row, decoded, recoded
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.syspro_documents import SysproDocuments
from tests.contract.conformance.wire import ALWAYS, Go, instead

TABLES: dict[type[Record], tuple[str, str]] = {
    Supplier: ("ApSupplier", "Supplier"),
    Account: ("GenMaster", "GlCode"),
    CostCenter: ("GenMaster", "GlCode"),
    PurchaseOrder: ("PorMasterHdr", "PurchaseOrder"),
}
LINES = "PorMasterDetail"
PSEUDO = {"FORCED", "RETAINED"}
UNREADABLE = {Supplier: "TermsCode", Account: "Description", CostCenter: "Description", PurchaseOrder: "OrderEntryDate"}
IDLE = timedelta(minutes=10)
"""Longer than a session stays while nobody uses it."""


class SysproStand(SysproDocuments, ODataPages, Stand):
    system = "syspro"
    secret: ClassVar[dict[str, Any]] = {
        "enet_url": "https://erp.example/SYSPROWCFService/Rest", "operator": OPERATOR, "operator_password": PASSWORD,
        "company_id": COMPANY, "odata_url": "https://erp.example/SYSPRO8Odata/SYSPROOData", "odata_user": ODATA_USER,
        "odata_password": ODATA_PASSWORD, "cost_centers": {"from": "ledger_code", "section": 2},
        "timezone": "Europe/London",
    }  # fmt: skip
    wrong: ClassVar[dict[str, Any]] = {"odata_password": "not-this-one"}
    envelope = json.dumps({"error": {"code": "", "message": "Sorry"}})
    addressed = True

    def make_world(self) -> World:
        world = seeded_world(1, clock=lambda: START)
        for table, kept in (("ApSupplier", 60), ("PorMasterHdr", 26)):
            for key in sorted(world.tables[table])[kept:]:
                del world.tables[table][key]
        for key in [key for key in world.tables["GenMaster"] if "-" in key[1] and key[1] > "400003"]:
            del world.tables["GenMaster"][key]
        return world

    def make_app(self) -> Any:
        return create_app(self.world)

    def is_login(self, request: httpx.Request) -> bool:
        """OData has no login: the credentials are proven by reading one supplier's code."""
        proof = request.url.params.get("$top") == "1" and request.url.params.get("$select") == "Supplier"
        return proof or request.url.path.endswith("/Logon")

    def refused_logins(self) -> int:
        return int(self.world.odata.refused + sum(self.world.sessions.failures.values()))

    def change_password(self) -> None:
        self.world.odata.enter(ODATA_USER, "another")
        self.world.odata.restart()

    def expire(self) -> None:
        """OData has no session to end; the service doubts the credentials once."""
        self.wire.spoil(instead(401), lambda request: not self.is_login(request))

    def open_sessions(self) -> int:
        return len(self.world.sessions.open)

    # ── sources ─────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, record: type[Record]) -> set[str]:
        table, name = TABLES[record]
        rows = self.world.rows(table)
        if table == "GenMaster":
            rows = [row for row in rows if row["Company"] == COMPANY and row[name] not in PSEUDO]
        if record is CostCenter:
            return {row[name].partition("-")[2] for row in rows if "-" in row[name]}
        if record is PurchaseOrder:
            rows = [row for row in rows if row["OrderStatus"] == "1"]
        return {row[name] for row in rows}

    def _places(self, record: type[Record], key: str) -> list[Any]:
        if record is CostCenter:
            return [(COMPANY, code) for company, code in self.world.tables["GenMaster"] if code.endswith(f"-{key}")]
        return [(COMPANY, key)] if record is Account else [key]

    def touch(self, record: type[Record], key: str) -> None:
        table = TABLES[record][0]
        for place in self._places(record, key):
            row = dict(self.world.tables[table][place])
            today = (START + timedelta(seconds=sum(self.clock.slept))).date().isoformat()
            change = {"OrderEntryDate": today} if record is PurchaseOrder else {}
            back_office.change(self.world, table, row | change)

    def remove(self, record: type[Record], key: str) -> None:
        for place in self._places(record, key):
            del self.world.tables[TABLES[record][0]][place]

    def _table(self, request: httpx.Request) -> str:
        return request.url.path.rpartition("/")[2]

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        return self._table(request) == TABLES[record][0] and not self.is_login(request)

    def shrink(self, request: httpx.Request, size: int) -> None:
        """Of tables that hang on others, pages stay long: else one reading would take hundreds of calls."""
        small = any(self.asks(record, request) for record in TABLES)
        self.world.page_limit = size if small else 5000

    def key_of(self, record: type[Record], row: Row) -> str:
        code = str(row.get(TABLES[record][1], ""))
        return code.partition("-")[2] if record is CostCenter else code

    def garble(self, record: type[Record], row: Row) -> str | None:
        row[UNREADABLE[record]] = [1, 2]
        return str(row[TABLES[record][1]])

    def rewrite(self, record: type[Record], key: str, change: Callable[[Row], Any]) -> None:
        """Change an order's lines as well, which come in answers of their own."""
        super().rewrite(record, key, change)
        if record is not PurchaseOrder:
            return

        def changed(_: httpx.Request, go: Go) -> httpx.Response:
            response = go()
            body = decoded(response)
            for row in self.rows(body):
                if row.get("PurchaseOrder") == key and "MOrderQty" in row:
                    change(row)
            return recoded(response, body)

        self.wire.spoil(changed, lambda request: self._table(request) == LINES, times=ALWAYS)

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        if "MOrderQty" in row:
            row |= {"MStockCode": "X", "MOrderQty": 1, "MPrice": amount, "MForeignPrice": amount}

    # ── suppliers that are changed at the platform ──────────────────────────────────────────────────────────────

    def shared(self, key: str) -> dict[str, str]:
        row = self.world.get("ApSupplier", key)
        return {"payment_term": row["TermsCode"].strip(), "vat_number": row["TaxRegnNum"].strip()}

    def changes(self) -> tuple[dict[str, str], dict[str, str]]:
        return {"payment_term": "2N", "vat_number": "DE&<9>"}, {"payment_term": "ZZ", "vat_number": "9" * 21}

    def empties(self) -> None:
        self.world.blanks_omitted = True


STAND = SysproStand

"""The stand of Sage X3, read by api1 with Basic credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from infra.sandbox.sage_x3 import World, back_office, create_app, seeded_world
from infra.sandbox.sage_x3.seed import CHART, COMPANY, FOLDER, PASSWORD, USER
from infra.sandbox.sage_x3.tables import TABLES as COLUMNS
from ml_connector.records import Account, CostCenter, PurchaseOrder, Record, Supplier
from tests.contract.conformance.parts import START, Row, decoded, recoded
from tests.contract.conformance.sage_x3_documents import SageX3Documents
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, ELSEWHERE, Go, instead

TABLES: dict[type[Record], str] = {
    Supplier: "BPSUPPLIER",
    Account: "GACCOUNT",
    CostCenter: "CACCE",
    PurchaseOrder: "PORDER",
}
ENDPOINT = f"/api1/x3/erp/{FOLDER}"
CENTER = "CCT"
FIRST: dict[type[Record], str] = {Account: CHART, CostCenter: CENTER}
FEW = {"PORDER": 30, "BPSUPPLIER": 60, "GACCOUNT": 60}
"""Rows that are left of the seeded ones, so that a reading by single records stays short."""


class SageX3Stand(SageX3Documents, Stand):
    system = "sage_x3"
    secret: ClassVar[dict[str, Any]] = {
        "url": "https://x3.example", "folder": FOLDER, "company": COMPANY, "chart": CHART, "timezone": "Europe/Paris",
        "auth": {"type": "basic", "user": USER, "password": PASSWORD}, "cost_center_dimension": CENTER,
        **SageX3Documents.written,
    }  # fmt: skip
    wrong: ClassVar[dict[str, Any]] = {"auth": {"type": "basic", "user": USER, "password": "not-this-one"}}
    envelope = json.dumps({"$diagnoses": [{"$severity": "error", "$message": "Sorry"}]})
    refusal = json.dumps({"$diagnoses": [{"$severity": "error", "$message": "It is sour"}]})

    def make_world(self) -> World:
        world = seeded_world(1, clock=lambda: START)
        for table, kept in FEW.items():
            used = {row["BPSNUM"] for row in world.rows("PORDER")} | {"401100"}
            for key in sorted(world.tables[table], key=lambda key: (key[-1] not in used, str(key)))[kept:]:
                del world.tables[table][key]
        return self.posting(world)

    def make_app(self) -> Any:
        return create_app(self.world)

    def is_login(self, request: httpx.Request) -> bool:
        """api1 has no login: the credentials are proven by reading one supplier."""
        return request.url.path.endswith("/BPSUPPLIER") and b"%24query&count=1" in request.url.query

    def refused_logins(self) -> int:
        return int(self.world.logins.refused.total())

    def change_password(self) -> None:
        self.world.logins.users[USER] = "another"

    def expire(self) -> None:
        """There is no session to end; the server doubts the credentials once."""
        self.wire.spoil(instead(401), lambda request: not self.is_login(request))

    # ── sources ─────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, record: type[Record]) -> set[str]:
        rows = self.world.rows(TABLES[record])
        if record is PurchaseOrder:
            rows = [row for row in rows if row["CLEFLG"] == 1 and row["POHTYP"] == 1]
        if record is CostCenter:
            rows = [row for row in rows if row["DIE"] == CENTER]
        return {self.key_of(record, row) for row in rows}

    def key_of(self, record: type[Record], row: Row) -> str:
        return self.short(record, [str(row.get(name, "")) for name in COLUMNS[TABLES[record]].key])

    def short(self, record: type[Record], parts: list[str]) -> str:
        """Leave out what people leave out: the company's chart, and the type of cost centers."""
        return parts[-1] if parts[0] == FIRST.get(record) else "~".join(parts)

    def _key(self, record: type[Record], key: str) -> dict[str, str]:
        parts = [FIRST[record], key] if record in FIRST else [key]
        return dict(zip(COLUMNS[TABLES[record]].key, parts, strict=True))

    def touch(self, record: type[Record], key: str) -> None:
        back_office.change(self.world, TABLES[record], self._key(record, key))

    def remove(self, record: type[Record], key: str) -> None:
        back_office.remove(self.world, TABLES[record], *self._key(record, key).values())

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        """Only of lists: what is asked of a single order with its lines is tried in `tests/contract/sage_x3`."""
        return request.url.path == f"{ENDPOINT}/{TABLES[record]}" and not self.is_login(request)

    def rewrite(self, record: type[Record], key: str, change: Callable[[Row], Any]) -> None:
        """Change an order where it is read with its lines as well."""
        super().rewrite(record, key, change)

        def changed(_: httpx.Request, go: Go) -> httpx.Response:
            response = go()
            body = decoded(response)
            for row in self.rows(body):
                change(row)
            return recoded(response, body)

        path = f"{ENDPOINT}/{TABLES[record]}('{key}')"
        self.wire.spoil(changed, lambda request: request.url.path == path, times=ALWAYS)

    def shrink(self, request: httpx.Request, size: int) -> None:
        self.world.page_limit = size

    def rows(self, body: Any) -> list[Row]:
        if not isinstance(body, dict) or "$diagnoses" in body:
            return []
        rows = body.get("$resources", [body])
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def repage(self, request: httpx.Request, response: httpx.Response, change: str) -> httpx.Response:
        body = decoded(response)
        if not isinstance(body, dict) or "$resources" not in body:
            return response
        links = body.setdefault("$links", {})
        link = links.get("$next", {}).get("$url")
        if change == "loop":
            links["$next"] = {"$url": str(request.url)}
        elif change == "onward":
            links["$next"] = {"$url": str(request.url.copy_set_param("key", f"gt.{self._last(request, body)}"))}
        elif change == "foreign" and link:
            links["$next"] = {"$url": f"https://{ELSEWHERE}/{link.rpartition('/')[2]}"}
        if change == "empty":
            body["$resources"] = []
        return recoded(response, body)

    def _last(self, request: httpx.Request, body: Row) -> str:
        rows = body["$resources"]
        return (
            str(rows[-1].get("$key", len(self.wire.seen)))
            if rows
            else request.url.params.get("key", "gt.").partition(".")[2]
        )

    def garble(self, record: type[Record], row: Row) -> str | None:
        row["ORDDAT" if record is PurchaseOrder else "ENAFLG"] = "31.02.2026"
        return self.key_of(record, row)

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        if "PORDERQ" in row:
            row["PORDERQ"][0] |= {"QTYUOM": 1, "LINAMT": amount}
            row["PORDERP"][0] |= {"NETPRI": amount, "GROPRI": amount}


STAND = SageX3Stand

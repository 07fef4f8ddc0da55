"""The stand of AvidXchange, by the profile that takes invoices: each record is a call, and is answered in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from infra.sandbox.avidxchange import World, add_code, add_vendor, back_office, create_app, paying, small_world
from infra.sandbox.avidxchange.model import GL_GROUP
from infra.sandbox.avidxchange.seed import CLIENT, SECRET
from ml_connector.records import Account, CodingRow, Payment, Record, Supplier, SupplierInvoice
from tests.contract.conformance.parts import START, Row, decoded, recoded
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, instead

HOST = "https://avidxchange.example"
PAID = 40
PATHS: dict[type[Record], str] = {
    Supplier: "/vendors", Account: "/accounting-codes", SupplierInvoice: "/invoices", Payment: "/payments",
}  # fmt: skip


class AvidxchangeStand(Stand):
    system = "avidxchange"
    secret: ClassVar[dict[str, Any]] = {
        "base_url": HOST, "token_url": f"{HOST}/token", "client_id": CLIENT, "client_secret": SECRET,
    }  # fmt: skip
    wrong: ClassVar[dict[str, Any]] = {"client_secret": "not-this-one"}
    envelope = json.dumps({"errors": [{"code": "INTERNAL", "message": "Sorry"}]})
    refusal = json.dumps({"errors": [{"code": "INVALID", "message": "It is sour"}]})
    at_once = True
    keeps_totals = frozenset({SupplierInvoice})
    like_its_own = frozenset({"an empty list of nobody", "an empty list with 200"})

    def make_world(self) -> World:
        world = small_world(lambda: START)
        world.currencies = {"EUR", "USD"}
        for vendor in ("V10000", "V10001"):
            add_vendor(world, vendor)
        add_code(world, "6100")
        for number in range(PAID):
            one = back_office.capture(world, "V10000", f"CAP-{number}", [("6100", Decimal("75.00"))], company="101")
            back_office.approve(world, one.id)
            paying.clear(world, paying.pay(world, [one.id]).id)
        return world

    def make_app(self) -> Any:
        return create_app(self.world)

    def is_login(self, request: httpx.Request) -> bool:
        return request.url.path == "/token"

    def refused_logins(self) -> int:
        return int(self.world.logins.refused)

    def change_password(self) -> None:
        self.world.logins.clients[CLIENT] = "another"

    def expire(self) -> None:
        self.world.logins.expire()

    # ── payments out ────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, record: type[Record]) -> set[str]:
        return {self._key(str(one.id), one.parts[0].number) for one in self.world.payments.values()}

    def _key(self, name: str, number: str) -> str:
        return f"{name}~{number}"

    def _payment(self, key: str) -> Any:
        return self.world.payments[int(key.partition("~")[0])]

    def touch(self, record: type[Record], key: str) -> None:
        paying.void(self.world, self._payment(key).id)

    def remove(self, record: type[Record], key: str) -> None:
        del self.world.payments[self._payment(key).id]

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        return request.method == "GET" and request.url.path.startswith(PATHS[record])

    def shrink(self, request: httpx.Request, size: int) -> None:
        if "pageSize" in request.url.params and request.url.params["pageSize"] != "1":
            request.url = request.url.copy_set_param("pageSize", str(size))

    def rows(self, body: Any) -> list[Row]:
        if not isinstance(body, dict):
            return []
        found = body.get("items", [body] if "id" in body else [])
        return [row for row in found if isinstance(row, dict)]

    def repage(self, request: httpx.Request, response: httpx.Response, change: str) -> httpx.Response:
        """Pages are asked for by number: there are no links that lead anywhere."""
        body = decoded(response)
        if change == "empty" and isinstance(body, dict) and "paging" in body:
            body["items"] = []
        if change == "loop" and isinstance(body, dict) and "paging" in body:
            body["paging"] |= {"pages": 10**6, "totalItems": 10**6}
        return recoded(response, body)

    def key_of(self, record: type[Record], row: Row) -> str:
        return self._key(str(row["id"]), str(row["invoices"][0]["invoiceNumber"]))

    def garble(self, record: type[Record], row: Row) -> str | None:
        row["invoices"][0]["amountApplied"] = "seventy"
        return str(row["id"])

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        row["invoices"][0] |= {"amountApplied": amount, "net": amount, "gross": amount}

    # ── invoices in ─────────────────────────────────────────────────────────────────────────────────────────────

    def document(self, record: type[Record], key: str, amount: str, **fields: Any) -> SupplierInvoice:
        total = Decimal(amount)
        plain: dict[str, Any] = {"number": f"R-{key}", "company": "101", "supplier": "V10000", "currency": "EUR"}
        plain |= {"gross": total, "invoice_date": date(2026, 2, 2), "due_date": date(2026, 3, 4)}
        plain["rows"] = (CodingRow(key="1", account="6100", net=total),)
        return SupplierInvoice(key=key, **{**plain, **fields})

    def foreign(self, record: type[Record]) -> dict[str, Any]:
        return {"currency": "USD"}

    def booked(self, record: type[Record]) -> int:
        return sum(not one.captured for one in self.world.invoices.values())

    def unwelcome(self, record: type[Record]) -> dict[str, dict[str, Any]]:
        return {
            "supplier": {"supplier": "V99999"},
            "account": {"rows": (CodingRow(key="1", account="9999", net=Decimal("10.00")),)},
            "currency": {"currency": "GBP"},
            "company": {"company": "999"},
            "number": {"number": "R" * 300},
            "lines": {"rows": (CodingRow(key="1", account="6100", net=Decimal("9.00")),)},
            "no line": {"rows": ()},
        }

    # ── masters in ──────────────────────────────────────────────────────────────────────────────────────────────

    def kept(self, record: type[Record]) -> dict[str, bool]:
        if record is Supplier:
            rows = {code: row for code, row in self.world.vendors.items() if not code.startswith("V100")}
        else:
            rows = {v: row for (group, v), row in self.world.codes.items() if group == GL_GROUP and v != "6100"}
        return {code: row.get("active") is not False for code, row in rows.items()}

    def sour(self, record: type[Record], key: str) -> None:
        code = json.dumps(f"K{key.rpartition('-')[2].removeprefix('K')}").encode()

        def is_it(request: httpx.Request) -> bool:
            return request.method == "POST" and request.url.path == PATHS[record] and code in request.content

        self.wire.spoil(instead(422, self.refusal), is_it, times=ALWAYS)

    def misshape(self, entity: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**entity, **{name: 7 for name in ("externalVendorCode", "value") if name in entity}}


STAND = AvidxchangeStand

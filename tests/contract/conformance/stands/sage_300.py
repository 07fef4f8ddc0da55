"""The stand of Sage 300."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar

import httpx

from infra.sandbox.sage_300 import World, back_office, create_app, order_lines, seeded_world
from ml_connector.records import Account, CodingRow, CostCenter, Invoice, PurchaseOrder, Record, Supplier
from tests.contract.conformance.odata import ODataPages
from tests.contract.conformance.parts import START, Row
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import instead

RESOURCES: dict[type[Record], tuple[str, str]] = {
    Supplier: ("AP/APVendors", "VendorNumber"),
    Account: ("GL/GLAccounts", "UnformattedAccount"),
    CostCenter: ("GL/GLSegmentCodes", "SegmentCodeKey"),
    PurchaseOrder: ("PO/POPurchaseOrders", "PurchaseOrderNumber"),
}
UNREADABLE = {Supplier: "Terms", Account: "Status", PurchaseOrder: "PurchaseOrderLines"}
REFUSED = json.dumps({"error": {"code": "Unauthorized", "message": {"lang": "en-US", "value": "Access denied"}}})


class SageStand(ODataPages, Stand):
    system = "sage_300"
    secret: ClassVar[dict[str, Any]] = {
        "api_url": "https://erp.example/Sage300WebApi/v1.0/-",
        "company": "SAMLTD",
        "user": "webapi",
        "password": "sandbox-only",
        "timezone": "America/Vancouver",
        "cost_center_segment": "2",
    }
    wrong: ClassVar[dict[str, Any]] = {"password": "not-this-one"}
    envelope = json.dumps({"error": {"code": "InternalServerError", "message": {"lang": "en-US", "value": "Sorry"}}})
    refusal = json.dumps({"error": {"code": "RecordInvalid", "message": {"lang": "en-US", "value": "It is sour"}}})
    keeps_totals = frozenset({Invoice})

    def make_world(self) -> World:
        world = World(lambda: START)
        for name, kept in pickle.loads(_template()).items():
            setattr(world, name, kept)
        return world

    def make_app(self) -> Any:
        return create_app(self.world)

    def is_login(self, request: httpx.Request) -> bool:
        """The API has no login: the credentials are proven by reading one vendor's number."""
        return request.url.params.get("$top") == "1" and request.url.params.get("$select") == "VendorNumber"

    def refused_logins(self) -> int:
        return int(self.world.users.refused)

    def change_password(self) -> None:
        self.world.users.add("WEBAPI", "ANOTHER")

    def expire(self) -> None:
        """There is no session to end; the server doubts the credentials once."""
        self.wire.spoil(instead(401, REFUSED), lambda request: not self.is_login(request))

    # ── sources ─────────────────────────────────────────────────────────────────────────────────────────────

    def _rows(self, record: type[Record]) -> list[Row]:
        return list(self.world.rows(RESOURCES[record][0].partition("/")[2]))

    def keys(self, record: type[Record]) -> set[str]:
        rows = self._rows(record)
        if record is Account:
            return {row["AccountSegmentCode1"] for row in rows}
        if record is CostCenter:
            rows = [row for row in rows if row["SegmentNumber"] == "000002"]
        if record is PurchaseOrder:
            plans = {"Standing", "Future"}
            rows = [row for row in rows if row["Completed"] == "No" and row["PurchaseOrderType"] not in plans]
        return {row[RESOURCES[record][1]] for row in rows}

    def _found(self, record: type[Record], key: str) -> list[Row]:
        name = "AccountSegmentCode1" if record is Account else RESOURCES[record][1]
        return [row for row in self._rows(record) if row[name] == key]

    def touch(self, record: type[Record], key: str) -> None:
        for row in self._found(record, key):
            if record is PurchaseOrder:
                row["LastPostingDate"] = self.world.today().isoformat()
            else:
                self.world.stamp(RESOURCES[record][0].partition("/")[2], row)

    def remove(self, record: type[Record], key: str) -> None:
        for row in self._found(record, key):
            back_office.remove(self.world, RESOURCES[record][0].partition("/")[2], row)

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        path = request.url.path.partition("(")[0]
        return request.method == "GET" and path.endswith(RESOURCES[record][0]) and not self.is_login(request)

    def shrink(self, request: httpx.Request, size: int) -> None:
        """Of other resources, which hang on those, pages stay long: else one reading would take hundreds of calls."""
        small = any(self.asks(record, request) for record in (Supplier, CostCenter, PurchaseOrder))
        self.world.page_size = size if small else 100

    def key_of(self, record: type[Record], row: Row) -> str:
        name = "AccountSegmentCode1" if record is Account else RESOURCES[record][1]
        return str(row.get(name))

    def garble(self, record: type[Record], row: Row) -> str | None:
        if record is CostCenter:
            del row["SegmentNumber"]
            return None
        row[UNREADABLE[record]] = [1, 2]
        return str(row[RESOURCES[record][1]])

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        row["PurchaseOrderLines"][0] |= {"ExtendedCost": amount, "NetExtendedCost": amount}

    # ── invoices ────────────────────────────────────────────────────────────────────────────────────────────

    def document(self, record: type[Record], key: str, amount: str, **fields: Any) -> Invoice:
        net = Decimal(amount)
        row = CodingRow(key="1", account="400001", cost_center="CC101", net=net, tax=Decimal(0))
        plain: dict[str, Any] = {"number": f"R-{key}", "company": "SAMLTD", "supplier": "1200", "currency": "EUR"}
        plain |= {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "gross": net, "rows": (row,)}
        return Invoice(key=key, **{**plain, **fields})

    def foreign(self, record: type[Record]) -> dict[str, Any]:
        return {"supplier": "V10007", "currency": "USD"}

    def booked(self, record: type[Record]) -> int:
        return sum(len(batch["Invoices"]) for batch in self.world.rows("APInvoiceBatches"))

    def unwelcome(self, record: type[Record]) -> dict[str, dict[str, Any]]:
        def coded(**more: Any) -> dict[str, Any]:
            plain = {"account": "400001", "cost_center": "CC101", "net": Decimal(10), "tax": Decimal(0)}
            return {"rows": (CodingRow(key="1", **{**plain, **more}),)}

        return {
            "account": coded(account="999999"),
            "cost_center": coded(cost_center="NOWHERE"),
            "tax": coded(tax_code="X9"),
            "supplier": {"supplier": "NOBODY"},
            "currency": {"currency": "USD"},
            "order": coded(order_number="PO777777", order_line="1"),
            "sum": {"gross": Decimal(11)},
            "number": {"number": "R" * 300},
            "period": {"accounting_date": date(2031, 1, 1)},
        }

    def on_order(self) -> tuple[dict[str, Any], Callable[[], None]]:
        line = next(one for one in order_lines(self.world) if one.open and one.currency == "EUR" and one.received)
        row = CodingRow(
            key="1",
            account=line.natural,
            cost_center=line.cost_centre,
            net=Decimal(100),
            tax=Decimal(0),
            order_number=line.order_number,
            order_line=str(line.line_number),
        )
        fields = {"supplier": line.vendor, "gross": Decimal(100), "rows": (row,)}
        return fields, lambda: back_office.complete(self.world, line.order_key) and None

    def cancel(self, found_id: str) -> None:
        self.world.find("APInvoiceBatches", int(found_id.partition(":")[0]))["BatchStatus"] = "Deleted"

    def book(self, found_id: str) -> None:
        back_office.post(self.world, int(found_id.partition(":")[0]))


@cache
def _template() -> bytes:
    """Make the company once: the seed's, with fewer vendors, accounts and orders."""
    world = seeded_world(password="SANDBOX-ONLY", clock=lambda: START)
    vendors, orders = world.tables["APVendors"], world.tables["POPurchaseOrders"]
    for key in list(orders)[26:]:
        del orders[key]
    numbers = {order["PurchaseOrderNumber"] for order in orders.values()}
    for key, row in list(world.tables["POGetReceipts"].items()):
        if row["PurchaseOrderNumber"] not in numbers:
            del world.tables["POGetReceipts"][key]
    for key in list(vendors)[60:290]:
        del vendors[key]
    used = {line["ExpenseAccount"] for order in orders.values() for line in order["PurchaseOrderLines"]}
    for key, row in list(world.tables["GLAccounts"].items()):
        if row["AccountSegmentCode1"] > "400004" and key not in used and len(key) > 6:
            del world.tables["GLAccounts"][key]
    names = ("tables", "numbers", "rates", "tax_rates", "tax_groups", "items", "users", "optional_fields")
    return pickle.dumps({name: getattr(world, name) for name in names})


STAND = SageStand

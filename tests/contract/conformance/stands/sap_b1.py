"""The stand of SAP Business One."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar

import httpx

from infra.sandbox.sap_b1 import World, back_office, changes, create_app, order_lines, seeded_world
from ml_connector.records import Account, CodingRow, CostCenter, Invoice, Payment, PurchaseOrder, Record, Supplier
from tests.contract.conformance.odata import ODataPages
from tests.contract.conformance.parts import START, Row
from tests.contract.conformance.stand import Stand

SETS: dict[type[Record], tuple[str, str]] = {
    Supplier: ("BusinessPartners", "CardCode"),
    Account: ("ChartOfAccounts", "Code"),
    CostCenter: ("ProfitCenters", "CenterCode"),
    PurchaseOrder: ("PurchaseOrders", "DocEntry"),
    Payment: ("VendorPayments", "DocEntry"),
}
UNREADABLE = {
    Supplier: "BPAddresses",
    Account: "Name",
    CostCenter: "InWhichDimension",
    PurchaseOrder: "DocumentLines",
    Payment: "PaymentInvoices",
}
PAYMENTS = 24


class SapStand(ODataPages, Stand):
    system = "sap_b1"
    secret: ClassVar[dict[str, Any]] = {
        "service_layer_url": "https://sl.example:50000/b1s/v2",
        "company_db": "SBODEMO",
        "user_name": "manager",
        "password": "sandbox-only",
        "timezone": "Europe/Berlin",
        "external_id_field": "U_ExtId",
    }
    wrong: ClassVar[dict[str, Any]] = {"password": "not-this-one"}
    envelope = json.dumps({"error": {"code": "-5002", "message": "Internal error (-5002) occurred"}})
    refusal = json.dumps({"error": {"code": "-10", "message": "It is sour"}})
    keeps_totals = frozenset({Invoice})

    def make_world(self) -> World:
        world = World(lambda: START)
        world.sessions.accounts["manager"] = "sandbox-only"
        for name, kept in pickle.loads(_template()).items():
            setattr(world, name, kept)
        return world

    def make_app(self) -> Any:
        return create_app(self.world)

    def is_login(self, request: httpx.Request) -> bool:
        return request.url.path.endswith("/Login")

    def is_session(self, cookie: str) -> bool:
        return cookie == "B1SESSION"

    def refused_logins(self) -> int:
        return int(self.world.login_failures)

    def change_password(self) -> None:
        self.world.sessions.accounts["manager"] = "another"

    def expire(self) -> None:
        self.world.expire_sessions()

    def open_sessions(self) -> int:
        return len(self.world.sessions.open)

    # ── sources ─────────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, record: type[Record]) -> set[str]:
        name, key = SETS[record]
        rows = self.world.rows(name)
        if record is Payment:
            return {_payment_key(row) for row in rows}
        only = {
            Supplier: ("CardType", "cSupplier"),
            Account: ("ActiveAccount", "tYES"),
            PurchaseOrder: ("DocumentStatus", "bost_Open"),
        }.get(record)
        return {str(row[key]) for row in rows if only is None or row[only[0]] == only[1]}

    def touch(self, record: type[Record], key: str) -> None:
        if record is Payment:
            self.world.find("VendorPayments", int(key.partition("~")[0]))["Cancelled"] = "tYES"
        else:
            name, field = SETS[record]
            self.world.upsert(name, {field: int(key) if record is PurchaseOrder else key})

    def remove(self, record: type[Record], key: str) -> None:
        entry = key.partition("~")[0]
        del self.world.tables[SETS[record][0]][int(entry) if record in {PurchaseOrder, Payment} else key]

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        return request.method == "GET" and request.url.path.rpartition("/")[2].partition("(")[0] == SETS[record][0]

    def shrink(self, request: httpx.Request, size: int) -> None:
        if "odata.maxpagesize" in request.headers.get("prefer", ""):
            request.headers["Prefer"] = f"odata.maxpagesize={size}"

    def key_of(self, record: type[Record], row: Row) -> str:
        return _payment_key(row) if record is Payment else str(row[SETS[record][1]])

    def garble(self, record: type[Record], row: Row) -> str | None:
        told = str(row[SETS[record][1]])
        row[UNREADABLE[record]] = [1, 2]
        return told

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        if record is Payment:
            row["PaymentInvoices"][0] |= {"SumApplied": amount, "AppliedFC": 0}
        else:
            row["DocumentLines"][0] |= {"LineTotal": amount, "RowTotalFC": 0}

    # ── invoices ────────────────────────────────────────────────────────────────────────────────────────────

    def document(self, record: type[Record], key: str, amount: str, **fields: Any) -> Invoice:
        net = Decimal(amount)
        row = CodingRow(key="1", account="400001", cost_center="CC101", tax_code="V0", net=net, tax=Decimal(0))
        plain: dict[str, Any] = {"number": f"R-{key}", "company": "SBODEMO", "supplier": "V10000", "currency": "EUR"}
        plain |= {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "gross": net, "rows": (row,)}
        return Invoice(key=key, **{**plain, **fields})

    def foreign(self, record: type[Record]) -> dict[str, Any]:
        return {"supplier": "V10007", "currency": "USD"}

    def booked(self, record: type[Record]) -> int:
        return len(self.world.rows("PurchaseInvoices")) + len(self.world.rows("PurchaseCreditNotes")) - PAYMENTS

    def unwelcome(self, record: type[Record]) -> dict[str, dict[str, Any]]:
        def coded(**more: Any) -> dict[str, Any]:
            plain = {"account": "400001", "cost_center": "CC101", "tax_code": "V0", "net": Decimal(10)}
            return {"rows": (CodingRow(key="1", **{**plain, **more}),)}

        return {
            "account": coded(account="999999"),
            "cost_center": coded(cost_center="NOWHERE"),
            "tax": coded(tax_code="X9"),
            "supplier": {"supplier": "NOBODY"},
            "currency": {"currency": "XXX"},
            "order": coded(order_number="777777", order_line="1"),
            "sum": {"gross": Decimal(11)},
            "number": {"number": "R" * 300},
        }

    def on_order(self) -> tuple[dict[str, Any], Callable[[], None]]:
        line = next(one for one in order_lines(self.world) if one.open and one.currency == "EUR" and one.service)
        row = CodingRow(
            key="1",
            account=line.account,
            cost_center=line.cost_centre,
            tax_code="V0",
            tax=Decimal(0),
            net=line.line_total,
            order_number=str(line.order_number),
            order_line=str(line.line_num),
        )
        order = self.world.find("PurchaseOrders", line.doc_entry)
        fields = {"supplier": line.card_code, "gross": line.line_total, "rows": (row,)}
        return fields, lambda: order.update(DocumentStatus="bost_Close")

    def cancel(self, found_id: str) -> None:
        kind, _, entry = found_id.partition(":")
        changes.act(self.world, {"18": "PurchaseInvoices", "19": "PurchaseCreditNotes"}[kind], int(entry), "Cancel")


def _payment_key(row: Row) -> str:
    (line,) = row["PaymentInvoices"]
    return f"{row['DocEntry']}~18~{line['DocEntry']}~1"


@cache
def _template() -> bytes:
    """Make the company once: the seed's masters and some of its orders, and invoices that were paid."""
    world = seeded_world(clock=lambda: START)
    for order in list(world.tables["PurchaseOrders"].values())[44:]:
        del world.tables["PurchaseOrders"][order["DocEntry"]]
    ordered_from = {order["CardCode"] for order in world.rows("PurchaseOrders")}
    for name in set(list(world.tables["BusinessPartners"])[60:290]) - ordered_from:
        del world.tables["BusinessPartners"][name]
    for number in range(PAYMENTS):
        line = {"ItemDescription": "Repair", "LineTotal": Decimal("0.30"), "AccountCode": "400001", "VatGroup": "V0"}
        body = {
            "CardCode": "V10000",
            "DocType": "dDocument_Service",
            "NumAtCard": f"P{number}",
            "DocumentLines": [line],
        }
        back_office.pay(world, back_office.change(world, "PurchaseInvoices", body)["DocEntry"])
    user_fields = {name: ["U_ExtId"] for name in ("PurchaseInvoices", "PurchaseCreditNotes")}
    kept = {name: getattr(world, name) for name in ("tables", "numbers", "rates", "items")}
    return pickle.dumps(kept | {"user_fields": user_fields})


STAND = SapStand

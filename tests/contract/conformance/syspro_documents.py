"""What the stands of SYSPRO tell of invoices: a posting is a GET, told by its address, and refused with status 200."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx
from defusedxml.ElementTree import fromstring

from infra.sandbox.syspro import World, back_office
from ml_connector.records import CodingRow, Invoice, Record
from tests.contract.conformance.wire import Wire

MATCHED, ORDER = "V10003", "000000000770001"
"""A supplier whose invoices must name receipts, and an order of his."""


class SysproDocuments:
    """Mixed into the stands."""

    world: World
    wire: Wire
    refusal = (
        "<postapinvoice Language='05'><Item><ItemNumber>00001</ItemNumber><invoice><Value>R</Value><ErrorNumber>1"
        "</ErrorNumber><ErrorDescription>It is sour</ErrorDescription></invoice></Item><StatusOfItems><ItemsProcessed>"
        "00000</ItemsProcessed><ItemsInvalid>00001</ItemsInvalid></StatusOfItems></postapinvoice>"
    )
    refuses: ClassVar[tuple[int, ...]] = (200,)
    unnamed: ClassVar[tuple[tuple[int, str], ...]] = (
        (200, "<postapinvoice Language='05'><Item><ItemNumber>00001</ItemNumber></Item></postapinvoice>"),
        (200, "<postapinvoice><StatusOfItems><ItemsProcessed>000001</ItemsProcessed></StatusOfItems></postapinvoice>"),
    )
    shows_cancelled = False
    keeps_totals: ClassVar[frozenset[type[Record]]] = frozenset({Invoice})

    def writes(self, request: httpx.Request) -> bool:
        return request.url.path.endswith(("/Transaction/Post", "/Setup/Update"))

    def posts(self, request: httpx.Request) -> bool:
        return self.writes(request) and "<ValidateOnly>Y" not in request.url.params.get("XmlParameters", "")

    def posted(self) -> list[str]:
        sent = [one.url.params["XmlIn"] for one in self.wire.seen if one.url.path.endswith("/Transaction/Post")]
        return ["".join(f">{one.text}<" for one in fromstring(document).iter()) for document in sent]

    def spelled(self, number: str) -> str:
        return unicodedata.normalize("NFC", number).upper()

    def keeps_letters(self, number: str) -> bool:
        return number.encode("cp1252", "ignore").decode("cp1252") == number

    def document(self, record: type[Record], key: str, amount: str, **fields: Any) -> Invoice:
        net = Decimal(amount)
        row = CodingRow(key="1", account="400001-CC101", cost_center="CC101", net=net, tax=Decimal(0))
        plain: dict[str, Any] = {"number": f"R-{key}", "company": "A", "supplier": "V10000", "currency": "EUR"}
        plain |= {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "gross": net, "rows": (row,)}
        return Invoice(key=key, **{**plain, **fields})

    def foreign(self, record: type[Record]) -> dict[str, Any]:
        return {"supplier": "V10017", "currency": "USD"}

    def booked(self, record: type[Record]) -> int:
        return len(self.world.rows("ApInvoice"))

    def unwelcome(self, record: type[Record]) -> dict[str, dict[str, Any]]:
        def coded(**more: Any) -> dict[str, Any]:
            plain = {"account": "400001-CC101", "cost_center": "CC101", "net": Decimal(10), "tax": Decimal(0)}
            return {"rows": (CodingRow(key="1", **{**plain, **more}),)}

        return {
            "account": coded(account="999999", cost_center=None), "cost_center": coded(cost_center="NOWHERE"),
            "tax": coded(tax_code="X9"), "supplier": {"supplier": "NOBODY"}, "currency": {"currency": "USD"},
            "order": coded(order_number="777777", order_line="1") | {"supplier": MATCHED},
            "sum": {"gross": Decimal(11)}, "number": {"number": "R" * 300},
            "period": {"accounting_date": date(2031, 1, 1)},
        }  # fmt: skip

    def on_order(self) -> tuple[dict[str, Any], Callable[[], None]]:
        lines = [{"MStockCode": "A1-1", "MOrderQty": Decimal(10), "MPrice": Decimal(10), "MGlCode": "400001-CC101"}]
        back_office.order(self.world, MATCHED, lines, number=ORDER)
        back_office.receive(self.world, ORDER)
        row = CodingRow(
            key="1", account="400001-CC101", cost_center="CC101", net=Decimal(100), tax=Decimal(0), order_number=ORDER,
            order_line="1",
        )  # fmt: skip
        fields = {"supplier": MATCHED, "gross": Decimal(100), "rows": (row,)}
        return fields, lambda: back_office.complete(self.world, ORDER) and None

    def cancel(self, found_id: str) -> None:
        _, supplier, number = (unquote(part) for part in found_id.removesuffix(":").split("~"))
        back_office.cancel_invoice(self.world, supplier, number)

"""What the stands of Sage X3 tell of invoices: one way of writing for each, and the same entries whatever the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from infra.sandbox.sage_x3 import World, back_office
from infra.sandbox.sage_x3.seed import POOL
from infra.sandbox.sage_x3.seed_masters import add_account
from ml_connector.records import CodingRow, Invoice, Record
from ml_connector.systems.kit.xml import below, parsed, text_of
from tests.contract.conformance.wire import Wire

JOURNAL = {
    "entry_type": "PITMP", "journal": "ACH", "site": "FR011", "payable_account": "401100", "tax_account": "445660",
}  # fmt: skip
"""PITMP enters temporary entries, which people delete."""
PAYMENT = {"type": "VIRMT", "bank": "BNK01"}


class SageX3Documents:
    """Mixed into the stands; this one writes by api1."""

    world: World
    wire: Wire
    written: ClassVar[dict[str, Any]] = {
        "journal": JOURNAL, "payment": PAYMENT, "write_via": "api1",
        "classes": {"journal": {"representation": "ZGACCENTRY"}, "payment": {"representation": "ZPAYMENTH"}},
    }  # fmt: skip
    keeps_totals: ClassVar[frozenset[type[Record]]] = frozenset({Invoice})

    def posting(self, world: World) -> World:
        """Let entries be made in a world of few accounts."""
        for code, control in (("401100", "401"), ("445660", "")):
            add_account(world, code, code, control=control)
        world.operations.add("x3Finance.journalEntry")
        return world

    def writes(self, request: httpx.Request) -> bool:
        return request.method in {"POST", "PUT"} and "/api1/" in request.url.path

    def posts(self, request: httpx.Request) -> bool:
        return self.writes(request)

    def posted(self) -> list[str]:
        sent = [one for one in self.wire.seen if self.posts(httpx.Request(one.method, one.url, content=one.body))]
        return [self._document(one.body) for one in sent]

    def _document(self, body: bytes) -> str:
        return json.dumps(json.loads(body, parse_float=str), ensure_ascii=False)

    def document(self, record: type[Record], key: str, amount: str, **fields: Any) -> Invoice:
        net = Decimal(amount)
        row = CodingRow(key="1", account="400001", cost_center="CC101", net=net, tax=Decimal(0))
        plain: dict[str, Any] = {"number": f"R-{key}", "company": "FR10", "supplier": "V10000", "currency": "EUR"}
        plain |= {"invoice_date": date(2026, 1, 30), "accounting_date": date(2026, 2, 1), "gross": net, "rows": (row,)}
        return Invoice(key=key, **{**plain, **fields})

    def foreign(self, record: type[Record]) -> dict[str, Any]:
        return {"currency": "USD"}

    def booked(self, record: type[Record]) -> int:
        return sum(row["TYP"] == "PITMP" for row in self.world.rows("GACCENTRY"))

    def unwelcome(self, record: type[Record]) -> dict[str, dict[str, Any]]:
        def coded(**more: Any) -> dict[str, Any]:
            plain = {"account": "400001", "cost_center": "CC101", "net": Decimal(10), "tax": Decimal(0)}
            return {"rows": (CodingRow(key="1", **{**plain, **more}),)}

        return {
            "account": coded(account="999999"), "cost_center": coded(cost_center="NOWHERE"),
            "supplier": {"supplier": "NOBODY"}, "currency": {"currency": "CHF"}, "sum": {"gross": Decimal(11)},
            "order": coded(account=None, order_number="777777", order_line="1"), "number": {"number": "R" * 300},
            "period": {"accounting_date": date(2031, 1, 1)},
        }  # fmt: skip

    def on_order(self) -> tuple[dict[str, Any], Callable[[], None]]:
        order = back_office.order(self.world, "V10000", [{"QTYUOM": Decimal(10), "NETPRI": Decimal(10)}])
        row = CodingRow(
            key="1", account="400001", cost_center="CC101", net=Decimal(100), tax=Decimal(0),
            order_number=order["POHNUM"], order_line="1000",
        )  # fmt: skip
        fields = {"gross": Decimal(100), "rows": (row,)}
        return fields, lambda: back_office.remove(self.world, "PORDER", order["POHNUM"])

    def cancel(self, found_id: str) -> None:
        back_office.delete_entry(self.world, *found_id.split("~"))


class ByGraphQL(SageX3Documents):
    """It writes by GraphQL."""

    written: ClassVar[dict[str, Any]] = {"journal": JOURNAL, "payment": PAYMENT, "write_via": "graphql"}
    refusal = json.dumps({"errors": [{"message": "It is sour", "path": ["x3Finance", "journalEntry", "create"]}]})
    refuses: ClassVar[tuple[int, ...]] = (200, 400)
    unnamed: ClassVar[tuple[tuple[int, str], ...]] = tuple(
        (200, json.dumps({"data": {"x3Finance": {"journalEntry": {"create": made}}}})) for made in ({}, {"_id": ""})
    )

    def writes(self, request: httpx.Request) -> bool:
        return b"mutation ($data" in request.content

    def reads(self, request: httpx.Request) -> bool:
        """What a mutation takes is asked of the schema, which no look-up is."""
        asked = request.content
        return not (self.writes(request) or b"__typename" in asked or b"__schema" in asked or b"__type(" in asked)

    def _document(self, body: bytes) -> str:
        return json.dumps(json.loads(body, parse_float=str)["variables"]["data"], ensure_ascii=False)


class ByImport(SageX3Documents):
    """It imports files, whose answers tell no number."""

    written: ClassVar[dict[str, Any]] = {
        "journal": JOURNAL, "payment": PAYMENT, "write_via": "soap",
        "soap": {"url": "https://x3.example", "pool_alias": POOL, "templates": {"journal": "GACCENTRY"}},
    }  # fmt: skip
    refusal = _answer = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><runResponse><runReturn><messages>'
        "<message>It is sour</message><type>3</type></messages><resultXml/><status>0</status></runReturn></runResponse>"
        "</e:Body></e:Envelope>"
    )
    refuses: ClassVar[tuple[int, ...]] = (200,)
    unnamed: ClassVar[tuple[tuple[int, str], ...]] = (
        (200, _answer.replace("<status>0", "<status>1").replace("It is sour", "")),
        (
            200,
            _answer.replace("<status>0", "<status>1").replace("It is sour</message><type>3", "Done</message><type>1"),
        ),
    )

    def writes(self, request: httpx.Request) -> bool:
        return "soap-generic" in request.url.path and b"|END" in request.content

    def _document(self, body: bytes) -> str:
        (given,) = [text_of(one) for _, one in below(parsed(body.decode()), "inputXml")]
        file = str(json.loads(given)["GRP1"]["I_FILE"])
        return "".join(f">{field}<" for record in file.split("|") for field in record.split(";"))

    def keeps_letters(self, number: str) -> bool:
        return not set(number) & set(';|"')

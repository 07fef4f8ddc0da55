"""A company behind the simulated e.net and OData, a settable clock, and a client that sends what the dossier shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from infra.sandbox.kit.codec import decode
from infra.sandbox.syspro import World, create_app, seeded_world
from infra.sandbox.syspro.seed import ODATA_PASSWORD, ODATA_USER, OPERATOR, PASSWORD
from tests.clock import Hand

HOST = "https://syspro.example"
REST, ODATA = "/SYSPROWCFService/Rest", "/SYSPRO8Odata/SYSPROOData"
Fields = Mapping[str, Any]


def xml(name: str, content: Any) -> str:
    """Write nested fields as elements; a sequence repeats its element."""
    if isinstance(content, Mapping):
        inner = "".join(xml(child, value) for child, value in content.items())
        return f"<{name}>{inner}</{name}>"
    if isinstance(content, (list, tuple)):
        return "".join(xml(name, one) for one in content)
    text = str(content).replace("&", "&amp;").replace("<", "&lt;")
    return f"<{name}>{text}</{name}>"


class Api:
    """Calls one company; `get` is raw, all else has a session."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = httpx.Client(transport=httpx.WSGITransport(create_app(world)), base_url=HOST)
        self.user_id = ""

    # ── e.net ───────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, path: str, **args: str) -> httpx.Response:
        return self.http.get(f"{REST}{path}", params=args)

    def log_on(self, operator: str = OPERATOR, password: str = PASSWORD, company: str = "A") -> str:
        reply = self.get("/Logon", Operator=operator, OperatorPassword=password, CompanyId=company, CompanyPassword="")
        assert reply.status_code == 200
        self.user_id = reply.text if len(reply.content) == 36 else self.user_id
        return reply.text

    def call(self, path: str, **args: str) -> str:
        """The text of an answer; logs on first."""
        if not self.user_id:
            assert len(self.log_on()) == 36
        reply = self.get(path, UserId=self.user_id, **args)
        assert reply.status_code == 200, reply.text
        return reply.content.decode("cp1252")

    def find(self, table: str, columns: Sequence[str], *conditions: tuple[str, str, str], **more: Any) -> str:
        """COMFND with conditions (column, condition, value) that all hold."""
        expressions = [
            {"OpenBracket": "(", "AndOr": "And", "Column": c, "Condition": w, "Value": v, "CloseBracket": ")"}
            for c, w, v in conditions
        ]
        query: dict[str, Any] = {"TableName": table, "ReturnRows": more.get("rows", 0)}
        query["Columns"] = {"Column": list(columns)}
        if expressions:
            query["Where"] = {"Expression": expressions}
        if more.get("order"):
            query["OrderBy"] = {"Column": list(more["order"])}
        return self.query(xml("Query", query))

    def query(self, document: str) -> str:
        return self.call("/Query/Query", BusinessObject="COMFND", XmlIn=document)

    def rows(self, *args: Any, **more: Any) -> list[dict[str, str]]:
        return [
            {child.tag: child.text or "" for child in row} for row in parsed(self.find(*args, **more)).findall("Row")
        ]

    def post(self, name: str, document: str, parameters: str = "", path: str = "/Transaction/Post") -> str:
        return self.call(path, BusinessObject=name, XmlParameters=parameters, XmlIn=document)

    def invoice(self, *entries: Fields, **options: Any) -> str:
        """APSTIN with these items and parameters."""
        parameters = xml("PostApInvoice", {"Parameters": options})
        return self.post("APSTIN", xml("PostApInvoice", {"Item": list(entries)}), parameters)

    def journal(self, *entries: Fields, **options: Any) -> str:
        parameters = xml("PostGlJournal", {"Parameters": options})
        return self.post("GENTJL", xml("PostGlJournal", {"Item": list(entries)}), parameters)

    def supplier(self, code: str, fields: Fields, verb: str = "Update", **options: Any) -> str:
        parameters = xml("SetupApSupplier", {"Parameters": options}) if options else ""
        document = xml("SetupApSupplier", {"Item": {"Key": {"Supplier": code}, **fields}})
        return self.post("APSSSP", document, parameters, f"/Setup/{verb}")

    # ── OData ───────────────────────────────────────────────────────────────────────────────────────────────

    def odata(self, path: str, user: str = ODATA_USER, password: str = ODATA_PASSWORD) -> httpx.Response:
        return self.http.get(f"{ODATA}/{path}", auth=(user, password))

    def read(self, path: str) -> list[dict[str, Any]]:
        reply = self.odata(path)
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = decode(reply.content)["value"]
        return found


def parsed(text: str) -> ElementTree.Element:
    assert not text.startswith("ERROR"), text
    return ElementTree.fromstring(text.partition("?>")[2])


def errors(text: str) -> list[str]:
    """The descriptions in an answer, wherever they stand."""
    return [node.text or "" for node in parsed(text).iter("ErrorDescription")]


def counts(text: str) -> dict[str, int] | None:
    status = parsed(text).find("StatusOfItems")
    return None if status is None else {node.tag: int(node.text or "") for node in status}


def posted(text: str) -> dict[str, str]:
    """The key of an item that was posted."""
    assert not errors(text), text
    return {node.tag: (node.text or "").strip() for node in parsed(text).findall("Item/Key/*")}


@pytest.fixture
def clock() -> Hand:
    return Hand(datetime(2026, 2, 10, 9, 30, tzinfo=UTC))


@pytest.fixture
def world(clock: Hand) -> World:
    return seeded_world(1, clock=clock)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def entry() -> Callable[..., dict[str, Any]]:
    """A correct invoice of V10000 over 119.00, 19.00 of it tax; keywords change the item, `None` leaves one out."""

    def make(*lines: Fields, **fields: Any) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "Supplier": "V10000",
            "TransactionCode": "I",
            "Invoice": "INV-1",
            "TransactionValue": "119.00",
            "TransactionReference": "our-key",
            "InvoiceDate": "2026-02-01",
            "TaxCode": "A",
            "TaxValue": "19.00",
            "LedgerDistribution": list(lines) or [line("100.00")],
        }
        return {name: value for name, value in (plain | fields).items() if value is not None}

    return make


def line(value: str, code: str = "400001-CC101", **fields: Any) -> dict[str, Any]:
    """One distribution."""
    return {"LedgerCode": code, "LedgerValue": value, **fields}


def balance(world: World) -> Decimal:
    """What all journals add up to."""
    return sum((row["EntryValue"] for row in world.rows("GenJournalDetail")), Decimal(0))

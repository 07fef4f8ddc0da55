"""The stand of a Sage X3 that is read by GraphQL, with the token of a connected application."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from infra.sandbox.sage_x3.seed import CLIENT_ID, CLIENT_SECRET, USER
from ml_connector.records import Account, CostCenter, PurchaseOrder, Record, Supplier
from tests.contract.conformance.parts import Row, decoded, recoded
from tests.contract.conformance.sage_x3_documents import ByGraphQL
from tests.contract.conformance.stands.sage_x3 import SageX3Stand

NODES: dict[type[Record], tuple[str, str]] = {
    Supplier: ("x3MasterData", "supplier"),
    Account: ("x3FinanceData", "account"),
    CostCenter: ("x3FinanceData", "dimension"),
    PurchaseOrder: ("x3Purchasing", "purchaseOrder"),
}
AUTH = {
    "type": "connected_app", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "user": USER,
    "audience": "https://x3.example/xtrem/api",
}  # fmt: skip


class GraphStand(ByGraphQL, SageX3Stand):
    secret: ClassVar[dict[str, Any]] = {**SageX3Stand.secret, "api": "graphql", "auth": AUTH, **ByGraphQL.written}
    wrong: ClassVar[dict[str, Any]] = {"auth": {**AUTH, "client_secret": "not-this-one"}}
    envelope = json.dumps({"errors": [{"message": "Sorry"}], "extensions": {}})

    def is_login(self, request: httpx.Request) -> bool:
        return b"__typename" in request.content

    def change_password(self) -> None:
        self.world.logins.applications[CLIENT_ID].secret = "another"

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        return re.search(rf"{{ {NODES[record][1]} {{ (query|read)\(", _asked(request)) is not None

    def shrink(self, request: httpx.Request, size: int) -> None:
        """A page is as long as it was asked for: so fewer are asked for."""
        if any(self.asks(record, request) for record in NODES):
            said = re.sub(r"query\(first: (?:100|25)\b", f"query(first: {size}", _asked(request), count=1)
            content = json.dumps({"query": said}).encode()
            request.stream = httpx.ByteStream(content)
            request._content = content
            request.headers["content-length"] = str(len(content))

    def _page(self, body: Any) -> tuple[type[Record], dict[str, Any]] | None:
        data = body.get("data") if isinstance(body, dict) else None
        for record, (package, node) in NODES.items():
            found = ((data or {}).get(package) or {}).get(node) or {}
            if isinstance(found.get("query"), dict):
                return record, found["query"]
        return None

    def rows(self, body: Any) -> list[Row]:
        found = self._page(body)
        return [edge["node"] for edge in found[1]["edges"] if isinstance(edge["node"], dict)] if found else []

    def repage(self, request: httpx.Request, response: httpx.Response, change: str) -> httpx.Response:
        body = decoded(response)
        found = self._page(body)
        if found is None:
            return response
        _, page = found
        asked = re.search(r'after: "([^"]*)"', _asked(request))
        if change == "loop":
            page["pageInfo"] = {"hasNextPage": True, "endCursor": asked[1] if asked else ""}
        elif change == "onward":
            page["pageInfo"]["hasNextPage"] = True
        if change == "empty":
            page["edges"] = []
        return recoded(response, body)

    def key_of(self, record: type[Record], row: Row) -> str:
        return self.short(record, str(row["_id"]).split("|")) if "_id" in row else super().key_of(record, row)

    def garble(self, record: type[Record], row: Row) -> str | None:
        row["orderDate" if record is PurchaseOrder else "isActive"] = "31.02.2026"
        return self.key_of(record, row)

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        lines = (row.get("purchaseOrderLines") or {}).get("query", {}).get("edges", ())
        for edge in lines[:1]:
            edge["node"] |= {"quantityInOrderUnitOrdered": "1", "netPrice": str(amount)}
            edge["node"] |= {"lineAmountExcludingTax": str(amount)}


def _asked(request: httpx.Request) -> str:
    try:
        return str(json.loads(request.content)["query"])
    except (ValueError, KeyError):
        return ""


STAND = GraphStand

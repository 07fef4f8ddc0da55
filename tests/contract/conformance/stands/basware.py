"""The stand of Basware."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar

import httpx

from infra.sandbox.basware import World, create_app
from infra.sandbox.basware.model import ForcedVerdict
from infra.sandbox.basware.model import Row as ApiRow
from infra.sandbox.basware.scopes import SCOPES
from infra.sandbox.basware.seed import seeded_world
from ml_connector.records import (
    Account,
    CostCenter,
    Invoice,
    Payment,
    PurchaseOrder,
    Record,
    Supplier,
    SupplierEnrichment,
)
from tests.contract.conformance.parts import START, Row
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ELSEWHERE

DOCUMENTS, TOKEN = "/v1/accountingDocuments", "x-amz-meta-continuationtoken"
ENTITIES: dict[type[Record], tuple[str, str, str, str]] = {
    Supplier: ("vendors", "vendorCode", "Vendor", "vendor"),
    Account: ("accounts", "accountCode", "Account", "account"),
    CostCenter: ("costCenters", "costCenterCode", "CostCenter", "cost_center"),
    PurchaseOrder: ("matchingOrders", "externalCode", "MatchingOrder", "order"),
}
"""By record type: how Basware keeps it, the field that names it, its type in request statuses, our kind of code."""
LISTS: dict[type[Record], tuple[str, str, str]] = {
    SupplierEnrichment: ("vendors", "vendorEntities", "vendorCode"),
    Supplier: ("vendors", "vendorEntities", "vendorCode"),
    Account: ("accounts", "accounts", "accountCode"),
    CostCenter: ("costCenters", "costCenters", "costCenterCode"),
}
"""By record type that is read here: its list, the list's name in the wrapper, the field that names a row."""


class BaswareStand(Stand):
    system = "basware"
    secret: ClassVar[dict[str, Any]] = {
        "region": "EU",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "companies": ["1000"],
        "source_system": "ERP1",
        "base_url": "http://basware.test",
    }
    wrong: ClassVar[dict[str, Any]] = {"client_secret": "not-this-one"}
    envelope = json.dumps(
        {
            "requestId": "r",
            "hasErrors": True,
            "errors": [{"code": "UNEXPECTED_ERROR", "message": "Sorry", "externalCode": None}],
        }
    )
    refusal = json.dumps(
        {"errors": [{"code": "DATA_VALIDATION_FAILED", "message": "It is sour", "externalCode": None}]}
    )

    def make_world(self) -> World:
        self._token = ""
        world, _ = _server()
        vars(world).update(vars(seeded_world(clock=lambda: START)))
        for name, make in (("vendors", _vendor), ("accounts", _account), ("costCenters", _center)):
            world.entities[name] = {f"theirs-{n}": make(n) for n in range(100, 160)}
        return world

    def make_app(self) -> Any:
        return _server()[1]

    def is_login(self, request: httpx.Request) -> bool:
        return request.url.path == "/v1/tokens"

    def refused_logins(self) -> int:
        return int(self.world.refused_logins)

    def change_password(self) -> None:
        self.world.clients["sandbox-client"] = "another"

    def expire(self) -> None:
        self.world.tokens.clear()

    def forbid(self, path: str) -> Callable[[], None]:
        """Rights are scopes, and asked for with the token."""
        api = path.split("/")[2]
        self.world.granted -= {f"{api}.read", f"{api}.write"}
        return lambda: setattr(self.world, "granted", SCOPES)

    # ── invoices and lists out ──────────────────────────────────────────────────────────────────────────────

    def keys(self, record: type[Record]) -> set[str]:
        if record in LISTS:
            return set(self._listed(record))
        documents = self.world.documents.items()
        return {key for key, d in documents if d.status == "WaitingForTransfer" and d.record["companyCode"] == "1000"}

    def _listed(self, record: type[Record]) -> dict[str, Any]:
        """Give the rows of a list, by the code that people read."""
        name, _, code = LISTS[record]
        return {row.record[code]: row for row in self.world.entities[name].values()}

    def touch(self, record: type[Record], key: str) -> None:
        row = self._listed(record)[key] if record in LISTS else self.world.documents[key]
        row.updated = self.world.now()

    def remove(self, record: type[Record], key: str) -> None:
        if record in LISTS:
            del self.world.entities[LISTS[record][0]][self._listed(record)[key].record["externalCode"]]
            return
        del self.world.documents[key]

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        path = request.url.path
        if record in LISTS:
            return request.method == "GET" and path.startswith(f"/v1/{LISTS[record][0]}")
        return request.method == "GET" and (path.startswith("/_documents/") or path.startswith(DOCUMENTS))

    def shrink(self, request: httpx.Request, size: int) -> None:
        if request.url.params.get("pageSize", "1") != "1":
            request.url = request.url.copy_set_param("pageSize", str(size))

    def rows(self, body: Any) -> list[Row]:
        if not isinstance(body, dict):
            return []
        if any(code in body for _, _, code in LISTS.values()):
            return [body]
        named = {"accountingDocuments", *(wrapper for _, wrapper, _ in LISTS.values())}
        found = next((body[name] for name in body if name in named), None)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def repage(self, request: httpx.Request, response: httpx.Response, change: str) -> httpx.Response:
        if request.url.path.startswith("/v1/"):  # else a document that such a request was led to
            self._token = request.headers.get(TOKEN, "")
        if change == "foreign" and "location" in response.headers:
            response.headers["Location"] = f"https://{ELSEWHERE}/{response.headers['location'].rpartition('/')[2]}"
        if change == "onward":
            response.headers[TOKEN] = f"token-{len(self.wire.seen)}"
        if change == "loop" and self._token:
            response.headers[TOKEN] = self._token
        if change == "empty" and TOKEN in request.headers:  # such a page is no end here: its records come later
            return httpx.Response(200, headers={TOKEN: request.headers[TOKEN]}, json=self._none(request))
        return response

    def _none(self, request: httpx.Request) -> dict[str, list[Any]]:
        wrappers = {name: wrapper for name, wrapper, _ in LISTS.values()}
        return {wrappers.get(request.url.path.split("/")[2], "accountingDocuments"): []}

    def key_of(self, record: type[Record], row: Row) -> str:
        return str(row.get(LISTS[record][2] if record in LISTS else "invoiceId"))

    def garble(self, record: type[Record], row: Row) -> str | None:
        key = self.key_of(record, row)
        if record in {Account, CostCenter}:  # a code that is none
            row[LISTS[record][2]] = ["none"]
            return None
        row["identifiers" if record in LISTS else "codingRows"] = "none"
        return key

    def price(self, record: type[Record], row: Row, amount: Decimal) -> None:
        row["grossSum"] = amount

    def answers(self, record: type[Record], key: str) -> int:
        self.world.settle()
        return len(self.world.documents[key].answers.get("transferResponses", []))

    # ── payments in ─────────────────────────────────────────────────────────────────────────────────────────

    def _transferred(self, currency: str) -> str:
        """Name an invoice that was transferred, in this currency."""
        documents = self.world.documents.items()
        key, found = next((key, d) for key, d in documents if d.record["companyCode"] == "1000" and d.gross > 1000)
        found.record |= {"processingStatus": "Transferred", "currencyCode": currency}
        return str(key)

    def document(self, record: type[Record], key: str, amount: str, **fields: Any) -> Payment:
        plain: dict[str, Any] = {"invoice": "46", "number": f"P-{key}", "amount": Decimal(amount), "currency": "EUR"}
        plain |= {"document": self._transferred(fields.get("currency", "EUR")), "paid_on": date(2026, 2, 9)}
        return Payment(key=key, **{**plain, "paid_total": Decimal(amount), **fields})

    def foreign(self, record: type[Record]) -> dict[str, Any]:
        return {"currency": "USD"}

    def booked(self, record: type[Record]) -> int:
        self.world.settle()
        return sum(len(d.answers.get("paymentResponses", [])) for d in self.world.documents.values())

    def unwelcome(self, record: type[Record]) -> dict[str, dict[str, Any]]:
        waiting = next(iter(self.keys(Invoice)))
        return {
            "unknown document": {"document": "no-such-document"},
            "no document": {"document": None},
            "not transferred": {"document": waiting},
            "number": {"number": "P" * 300},
        }

    # ── masters in ──────────────────────────────────────────────────────────────────────────────────────────

    def kept(self, record: type[Record]) -> dict[str, bool]:
        self.world.settle()
        name, code, _, _ = ENTITIES[record]
        active: dict[type[Record], Callable[[Row], bool]] = {
            Supplier: lambda row: row["processingStatus"]["active"],
            PurchaseOrder: lambda row: not row.get("isClosed"),
        }
        tell = active.get(record, lambda row: all(company["active"] for company in row["companies"]))
        return {row[code]: tell(row) for row in self.world.imported.get(name, {}).values()}

    def sour(self, record: type[Record], key: str) -> None:
        _, _, kind, ours = ENTITIES[record]
        code = self._made[-1].context.outward(ours, key)  # type: ignore[attr-defined]
        self.world.forced.append(ForcedVerdict(kind, "Error", "sour", code=code))

    def edit(self, record: type[Record], code: str) -> None:
        for name in self._listed(record)[code].record["costCenterNames"]:
            name["translation"] = "As people say"

    def misshape(self, entity: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**entity, "companies": "none", "companyCode": 7}


def _vendor(number: int) -> ApiRow:
    """Make a vendor of Basware's own, with a payment term and a tax id."""
    record = {
        "externalCode": f"theirs-{number}",
        "vendorCode": f"V{number}",
        "name": f"Vendor {number}",
        "companies": [{"companyCode": "1000"}],
        "paymentTerms": {"paymentTermCode": "30D"},
        "identifiers": [{"id": f"DE{number}", "schemeId": "VAT"}],
    }
    return ApiRow(record, START, "seed")


def _account(number: int) -> ApiRow:
    return _named(number, {"accountCode": f"A{number}", "accountNames": [_name(f"Account {number}")]})


def _center(number: int) -> ApiRow:
    return _named(number, {"costCenterCode": f"C{number}", "costCenterNames": [_name(f"Center {number}")]})


def _name(text: str) -> dict[str, str]:
    return {"language": "en-US", "translation": text}


def _named(number: int, fields: dict[str, Any]) -> ApiRow:
    """Make a record of Basware's own, of the tenant's company."""
    companies = [{"companyCode": "1000", "active": True}]
    return ApiRow({"externalCode": f"theirs-{number}", "companies": companies, **fields}, START, "seed")


@cache
def _server() -> tuple[World, Any]:
    """Make the application once, which takes a while: its world is filled again for each stand, one at a time."""
    world = World()
    return world, create_app(world)


STAND = BaswareStand

"""How the company's own currency is found out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import Transient
from ml_connector.flow import Found
from ml_connector.records import Invoice, Supplier
from tests.unit.sap_b1.test_sap_b1_posting import Codes, invoice


class Company:
    """Documents and an admin info, and how often each was asked for."""

    def __init__(self, bench: Any, rows: list[dict[str, Any]], admin: httpx.Response | None = None) -> None:
        none = httpx.Response(404, json={"error": {"code": "-1000", "message": "Unrecognized resource path."}})
        self.rows, self.admin = rows, admin if admin is not None else none
        self.asked = {"documents": 0, "admin": 0}
        bench.server.answer = self.answer

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("CompanyService_GetAdminInfo"):
            self.asked["admin"] += 1
            return self.admin
        if "DocTotalFc eq 0" in request.url.params.get("$filter", ""):
            self.asked["documents"] += 1
            return httpx.Response(200, json={"value": self.rows})
        return httpx.Response(200, json={"value": []})


def lines_of(bench: Any, currency: str) -> dict[str, Any]:
    body = bench.connection.target(Invoice).prepare(invoice(currency=currency), Codes()).body
    line: dict[str, Any] = body["DocumentLines"][0]
    return line


@pytest.mark.parametrize(
    "foreign",
    [
        {"DocEntry": 1, "DocCurrency": "USD", "DocTotal": 90.5, "DocTotalFc": 100},
        {"DocEntry": 1, "DocCurrency": "USD", "DocTotal": 0, "DocTotalFc": 0},
        {"DocEntry": 1, "DocCurrency": None, "DocTotal": 5, "DocTotalFc": None},
    ],
)
def test_a_foreign_document_does_not_tell_the_local_currency(bench: Any, foreign: dict[str, Any]) -> None:
    """A server that does not filter by amounts hands out any document."""
    Company(bench, [foreign, {"DocEntry": 2, "DocCurrency": "EUR", "DocTotal": 119}])
    assert "RowTotalFC" in lines_of(bench, "USD")
    assert "RowTotalFC" not in lines_of(bench, "EUR")


def test_the_company_is_asked_late_and_once(bench: Any) -> None:
    there = Company(bench, [], httpx.Response(200, json={"LocalCurrency": "CHF"}))
    list(bench.connection.source(Supplier).pages(None, None))
    assert there.asked == {"documents": 0, "admin": 0}
    for _ in range(3):
        assert "RowTotalFC" in lines_of(bench, "EUR")
    assert there.asked == {"documents": 2, "admin": 1}


TROUBLE = {"error": {"code": "-5002", "message": "Internal error (-5002) occurred"}}


@pytest.mark.parametrize("entity", ["PurchaseInvoices", "PurchaseOrders"])
def test_a_question_that_failed_is_asked_again(bench: Any, entity: str) -> None:
    """Taken for an answer, it would have the next foreign document posted with its amounts in the local currency."""
    there = Company(bench, [], httpx.Response(200, json={"LocalCurrency": "CHF"}))

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.path.endswith(entity) and "DocTotalFc eq 0" in request.url.params.get("$filter", "")
        return httpx.Response(200, json=TROUBLE) if asked else there.answer(request)

    bench.server.answer = answer
    with pytest.raises(Transient):
        lines_of(bench, "EUR")
    bench.server.answer = there.answer
    assert "RowTotalFC" in lines_of(bench, "EUR")


def test_a_company_that_tells_nothing_is_asked_once_too(bench: Any) -> None:
    there = Company(bench, [])
    for _ in range(3):
        assert "RowTotalFC" not in lines_of(bench, "EUR")
    assert there.asked == {"documents": 2, "admin": 1}


@pytest.mark.parametrize("answer", [httpx.Response(502), httpx.Response(503), httpx.Response(200, json=TROUBLE)])
def test_nothing_is_sent_while_the_company_is_in_trouble(bench: Any, answer: httpx.Response) -> None:
    """A passing error does not tell whether the amounts are foreign ones."""
    there = Company(bench, [], answer)
    for _ in range(2):
        with pytest.raises(Transient, match="GetAdminInfo"):
            lines_of(bench, "EUR")
    there.admin = httpx.Response(200, json={"LocalCurrency": "CHF"})
    assert "RowTotalFC" in lines_of(bench, "EUR")


def test_a_company_for_which_a_gateway_answers_is_asked_again(bench: Any) -> None:
    there = Company(bench, [], httpx.Response(404, text="404 page not found"))
    lines_of(bench, "EUR")
    before = there.asked["admin"]
    lines_of(bench, "EUR")
    assert there.asked["admin"] > before


@pytest.mark.parametrize(("currency", "total"), [("EUR", "119.00"), ("USD", "130.00")])
def test_a_total_is_the_foreign_one_only_in_a_foreign_document(bench: Any, currency: str, total: str) -> None:
    """Some servers fill the foreign total of local documents too, in the system currency."""
    Company(bench, [], httpx.Response(200, json={"LocalCurrency": "EUR"}))
    row = {"DocEntry": 4, "DocNum": 44, "DocTotal": 119.00, "DocTotalFc": 130.00, "DocCurrency": currency}
    usual = bench.server.answer
    bench.server.answer = lambda r: httpx.Response(200, json=row) if "(4)" in r.url.path else usual(r)
    assert bench.connection.target(Invoice).read_back(Found("18:4", "44")).amount == Decimal(total)

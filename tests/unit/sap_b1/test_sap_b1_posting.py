"""Invoices on the wire: bodies, answers without a body, refusals in other words."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Prepared
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.sap_b1.refusals import judge
from ml_connector.systems.sap_b1.replies import Fault


class Codes:
    """Every code is the same on both sides."""

    def erp(self, kind: str, code: str) -> str:
        return code


def invoice(**fields: Any) -> Invoice:
    row = CodingRow(key="1", account="4711", net=Decimal("100.00"), tax=Decimal("19.00"), tax_code="V1")
    plain = {"key": "i", "number": "R1", "company": "C", "supplier": "S", "currency": "EUR", "gross": Decimal("119")}
    return Invoice(**{**plain, "rows": (row,), "accounting_date": date(2026, 2, 1), **fields})


def target(desk: Any, posted: Any = None, found: Any = ()) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("CompanyService_GetAdminInfo"):
            return httpx.Response(404)  # not every release has it
        if request.method == "POST":
            return posted
        name = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json={"value": list(found) if name == "PurchaseInvoices" else []})

    desk.server.answer = answer
    return desk.connection.target(Invoice)


def posted_body(desk: Any) -> dict[str, Any]:
    (request,) = [r for r in desk.server.requests if r.method == "POST" and "AdminInfo" not in r.url.path]
    body: dict[str, Any] = json.loads(request.content, parse_float=Decimal)
    return body


def test_the_body_names_documented_fields_only_and_money_is_a_number(desk: Any) -> None:
    one = target(desk, httpx.Response(201, json={"DocEntry": 812, "DocNum": 50231}))
    found = one.send(one.prepare(invoice(payment_block=True, description="x" * 300), Codes()))
    assert (found.id, found.number) == ("18:812", "50231")
    body = posted_body(desk)
    assert body == {
        "CardCode": "S",
        "DocType": "dDocument_Service",
        "DocCurrency": "EUR",
        "NumAtCard": "R1",
        "DocDate": "2026-02-01",
        "TaxDate": "2026-02-01",
        "Comments": "x" * 254,
        "PaymentBlock": "tYES",
        "DocumentLines": [
            {"ItemDescription": "x" * 100, "AccountCode": "4711", "LineTotal": Decimal("100.00"), "VatGroup": "V1"}
        ],
    }


@pytest.mark.parametrize("place", ["/b1s/v1/PurchaseInvoices(812)", "https://h/b1s/v2/PurchaseInvoices(DocEntry=812)"])
def test_204_with_a_location_is_a_success(desk: Any, place: str) -> None:
    one = target(desk, httpx.Response(204, headers={"Location": place}))
    assert one.send(one.prepare(invoice(), Codes())).id == "18:812"


def test_a_success_without_a_number_is_looked_for(desk: Any) -> None:
    row = {"DocEntry": 9, "DocNum": 90, "NumAtCard": "R1", "DocTotal": "119.00", "DocCurrency": "EUR"}
    one = target(desk, httpx.Response(204), [row])
    assert one.send(one.prepare(invoice(), Codes())).number == "90"
    one = target(desk, httpx.Response(204))
    with pytest.raises(OutcomeUnknown):
        one.send(one.prepare(invoice(), Codes()))


def test_cancelled_and_other_documents_are_not_ours(desk: Any) -> None:
    rows = [
        {"DocEntry": 1, "NumAtCard": "R1", "Cancelled": "tYES"},
        {"DocEntry": 2, "NumAtCard": "R1", "CancelStatus": "csCancellation"},
        {"DocEntry": 3, "NumAtCard": "R10"},
        {"DocEntry": 4, "DocNum": 44, "NumAtCard": "r1", "DocTotal": 130.05, "DocTotalFc": 119.0, "DocCurrency": "USD"},
    ]
    one = target(desk, found=rows)
    (found,) = one.look(one.prepare(invoice(), Codes()))
    assert (found.id, found.amount, found.currency) == ("18:4", Decimal("119.0"), "USD")


def test_a_tax_code_field_of_other_localizations(make: Any) -> None:
    desk = make(tax_code_field="TaxCode")
    one = target(desk)
    line = one.prepare(invoice(), Codes()).body["DocumentLines"][0]
    assert (line["TaxCode"], "VatGroup" in line) == ("V1", False)


@pytest.mark.parametrize(("extra", "ok"), [("100.000", True), ("100.001", False)])
def test_two_decimals_and_no_more(desk: Any, extra: str, ok: bool) -> None:
    row = CodingRow(key="1", account="1", net=Decimal(extra), tax=Decimal("19"), tax_code="V1")
    one = target(desk)
    if ok:
        assert one.prepare(invoice(rows=(row,)), Codes()).body["DocumentLines"][0]["LineTotal"] == Decimal("100.00")
    else:
        with pytest.raises(Rejected, match=r"net amount of row 1 is 100\.001"):
            one.prepare(invoice(rows=(row,)), Codes())


def test_gross_rows_are_split_by_their_percentage(desk: Any) -> None:
    row = CodingRow(key="1", account="1", gross=Decimal("119.00"), tax_percent=Decimal(19), tax_code="V1")
    body = target(desk).prepare(invoice(rows=(row,)), Codes()).body
    assert body["DocumentLines"][0]["LineTotal"] == Decimal("100.00")


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

PREPARED = Prepared(
    key="i",
    body={"DocDate": "2026-01-31", "U_ExtId": "k"},
    lookup={
        "entity": "PurchaseInvoices",
        "supplier=V10": "SUP-10",
        "currency=USD": "USD",
        "tax=V1": "T1",
        "tax=V2": "T2",
        "account=4711": "A-4711",
        "cost_center=CC1": "K1",
        "order=33": "5001",
        "branch=": "HH",
    },
    amount=Decimal(1),
    currency="USD",
)


@pytest.mark.parametrize(
    ("code", "text", "waiting_for"),
    [
        ("-10", "Invalid BP code [OPCH.CardCode] , 'V10'", "supplier:SUP-10"),
        ("-10", "Ungültiger Geschäftspartner [OPCH.CardCode]", "supplier:SUP-10"),
        ("-10", "Date deviates from permissible range", "period:2026-01"),
        ("-5002", "Datum liegt nicht im zulässigen Bereich [OPCH.DocDate]", "period:2026-01"),
        ("-10", "Définition de taxe incorrecte [PCH1.VatGroup][line: 1] , 'V2'", "tax:T2"),
        ("-10", "Sachkonto '4711' ist gesperrt", "account:A-4711"),
        ("-10", "'4711' no es válido", "account:A-4711"),
        ("-10", "Distribution rule 'CC1' is inactive [CostingCode][line: 0]", "cost_center:K1"),
        ("-4006", "Wechselkurs pflegen , 'USD'", "currency:USD"),
        ("-10", "Specify a valid branch [BPL_IDAssignedToInvoice]", "branch:HH"),
        ("-5002", "One of the base documents has already been closed", "order:5001"),
        ("-10", "Base document card and target document card do not match.", "order:5001"),
        ("234103405", "anything", "order:5001"),
    ],
)
def test_refusals_that_a_person_can_mend_hold(code: str, text: str, waiting_for: str) -> None:
    error = judge(Fault(400, code, text), PREPARED)
    assert isinstance(error, Held)
    assert error.waiting_for == waiting_for
    assert text in str(error)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(400, "-5002", "Internal error (-5002) occurred"), Rejected),
        (Fault(400, "-10", "Value too long in property 'NumAtCard'"), Rejected),
        (Fault(400, "1299", "Our own rule says no"), Rejected),
        (Fault(400, "-10", "Value too long in property 'U_ExtId'"), Misconfigured),
        (Fault(403, "", "No authorization"), Misconfigured),
        (Fault(412, "-2039", "Another user modified data"), Transient),
        (Fault(400, "", "<html>Bad Request", worded=False), OutcomeUnknown),
    ],
)
def test_other_refusals(fault: Fault, kind: type[Exception]) -> None:
    assert type(judge(fault, PREPARED)) is kind

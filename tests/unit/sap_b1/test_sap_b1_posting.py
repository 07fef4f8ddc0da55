"""Invoices on the wire: bodies, answers without a body, refusals in other words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured, NotUnderstood, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Prepared
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.sap_b1.faults import DIALECT, Fault


class Codes:
    """Every code is the same on both sides."""

    def erp(self, kind: str, code: str) -> str:
        return code


def invoice(**fields: Any) -> Invoice:
    row = CodingRow(key="1", account="4711", net=Decimal("100.00"), tax=Decimal("19.00"), tax_code="V1")
    plain = {"key": "i", "number": "R1", "company": "C", "supplier": "S", "currency": "EUR", "gross": Decimal("119")}
    return Invoice(**{**plain, "rows": (row,), "accounting_date": date(2026, 2, 1), **fields})


def target(bench: Any, posted: Any = None, found: Any = ()) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("CompanyService_GetAdminInfo"):
            return httpx.Response(404)  # not every release has it
        if request.method == "POST":
            return posted
        name = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json={"value": list(found) if name == "PurchaseInvoices" else []})

    bench.server.answer = answer
    return bench.connection.target(Invoice)


def posted_body(bench: Any) -> dict[str, Any]:
    (request,) = [r for r in bench.server.requests if r.method == "POST" and "AdminInfo" not in r.url.path]
    body: dict[str, Any] = json.loads(request.content, parse_float=Decimal)
    return body


def test_the_body_names_documented_fields_only_and_money_is_a_number(bench: Any) -> None:
    one = target(bench, httpx.Response(201, json={"DocEntry": 812, "DocNum": 50231}))
    found = one.send(one.prepare(invoice(payment_block=True, description="x" * 300), Codes()))
    assert (found.id, found.number) == ("18:812", "50231")
    body = posted_body(bench)
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
def test_204_with_a_location_is_a_success(bench: Any, place: str) -> None:
    one = target(bench, httpx.Response(204, headers={"Location": place}))
    assert one.send(one.prepare(invoice(), Codes())).id == "18:812"


def test_a_success_without_a_number_is_looked_for(bench: Any) -> None:
    row = {"DocEntry": 9, "DocNum": 90, "NumAtCard": "R1", "DocTotal": "119.00", "DocCurrency": "EUR"}
    one = target(bench, httpx.Response(204), [row])
    assert one.send(one.prepare(invoice(), Codes())).number == "90"
    one = target(bench, httpx.Response(204))
    with pytest.raises(OutcomeUnknown):
        one.send(one.prepare(invoice(), Codes()))


def test_cancelled_and_other_documents_are_not_ours(bench: Any) -> None:
    rows = [
        {"DocEntry": 1, "NumAtCard": "R1", "Cancelled": "tYES"},
        {"DocEntry": 2, "NumAtCard": "R1", "CancelStatus": "csCancellation"},
        {"DocEntry": 3, "NumAtCard": "R10"},
        {"DocEntry": 4, "DocNum": 44, "NumAtCard": "r1", "DocTotal": 130.05, "DocTotalFc": 119.0, "DocCurrency": "USD"},
    ]
    one = target(bench, found=rows)
    (found,) = one.look(one.prepare(invoice(), Codes()))
    assert (found.id, found.amount, found.currency) == ("18:4", Decimal("119.0"), "USD")


@pytest.mark.parametrize("told", ["2025-01-30", "2025-01-30T00:00:00Z", None, "", "soon"])
def test_dates_come_with_or_without_a_time_or_not_at_all(bench: Any, told: str | None) -> None:
    row = {"DocEntry": 4, "NumAtCard": "R1", "TaxDate": told, "DocDate": told}
    one = target(bench, found=[row])
    (found,) = one.look(one.prepare(invoice(), Codes()))
    assert found.dated == found.posted_on == (date(2025, 1, 30) if told and told[0] == "2" else None)


def test_two_spellings_of_a_number_are_one_document_and_a_credit_note_is_another(bench: Any) -> None:
    one = target(bench)
    plain, spelt, credit = (
        one.trace(invoice(**fields), Codes())
        for fields in ({"number": "INV-7"}, {"number": " inv-7 "}, {"number": "INV-7", "gross": Decimal(-119)})
    )
    assert plain.natural == spelt.natural == one.prepare(invoice(number="INV-7"), Codes()).natural
    assert plain.natural != credit.natural
    assert plain.dated is None, "what is sent for want of a date is no date of the supplier's"
    assert one.trace(invoice(invoice_date=date(2026, 1, 30)), Codes()).dated == date(2026, 1, 30)


def test_a_tax_code_field_of_other_localizations(make: Any) -> None:
    bench = make(tax_code_field="TaxCode")
    one = target(bench)
    line = one.prepare(invoice(), Codes()).body["DocumentLines"][0]
    assert (line["TaxCode"], "VatGroup" in line) == ("V1", False)


@pytest.mark.parametrize(("extra", "ok"), [("100.000", True), ("100.001", False)])
def test_two_decimals_and_no_more(bench: Any, extra: str, ok: bool) -> None:
    row = CodingRow(key="1", account="1", net=Decimal(extra), tax=Decimal("19"), tax_code="V1")
    one = target(bench)
    if ok:
        assert one.prepare(invoice(rows=(row,)), Codes()).body["DocumentLines"][0]["LineTotal"] == Decimal("100.00")
    else:
        with pytest.raises(Rejected, match=r"net amount of coding row 1 of invoice R1 is 100\.001"):
            one.prepare(invoice(rows=(row,)), Codes())


def test_gross_rows_are_split_by_their_percentage(bench: Any) -> None:
    row = CodingRow(key="1", account="1", gross=Decimal("119.00"), tax_percent=Decimal(19), tax_code="V1")
    body = target(bench).prepare(invoice(rows=(row,)), Codes()).body
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
    posted_on=date(2026, 1, 31),
)


@pytest.mark.parametrize(
    ("code", "text", "waiting_for"),
    [
        ("-10", "Invalid BP code [OPCH.CardCode] , 'V10'", "supplier:SUP-10"),
        ("-10", "Ungültiger Geschäftspartner [OPCH.CardCode]", "supplier:SUP-10"),
        ("-10", "Currency 'USD' differs from the business partner's 'EUR' [DocCurrency]", "currency:USD"),
        ("-10", "Währung des Geschäftspartners 'V10' weicht ab [OPCH.CardCode]", "currency:USD"),
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
        ("-2028", "No matching records found [DocumentLines.AccountCode][line: 0] (ODBC -2028)", "account:A-4711"),
        ("-2028", "Kein Satz [OPCH.CardCode] (ODBC -2028)", "supplier:SUP-10"),
        ("-2028", "No matching records found (ODBC -2028) [PCH1.VatGroup] 'V2'", "tax:T2"),
        ("-2028", "No matching records found [DocumentLines.CostingCode3]", "cost_center:K1"),
        ("-2028", "No matching records found [DocumentLines.ItemCode][line: 0]", "order:5001"),
        ("-10", "Fiscal year is closed", "period:2026-01"),
    ],
)
def test_refusals_that_a_person_can_mend_hold(code: str, text: str, waiting_for: str) -> None:
    error = DIALECT.judge(Fault(404 if code == "-2028" else 400, code, text), PREPARED)
    assert isinstance(error, Held)
    assert error.waiting_for == waiting_for
    assert text in str(error)


@pytest.mark.parametrize("code", [-2028, "-2028"])
def test_no_records_without_a_field_on_a_posting_is_a_draft_or_taken(bench: Any, code: Any) -> None:
    said = httpx.Response(404, json={"error": {"code": code, "message": "No matching records found (ODBC -2028)"}})
    one = target(bench, said)
    with pytest.raises(OutcomeUnknown, match="took invoice R1") as caught:
        one.send(one.prepare(invoice(), Codes()))
    assert caught.value.taken
    row = {"DocEntry": 9, "DocNum": 90, "NumAtCard": "R1", "DocTotal": "119.00", "DocCurrency": "EUR"}
    one = target(bench, said, found=[row])
    assert one.send(one.prepare(invoice(), Codes())).id == "18:9"


def test_no_date_but_the_posting_date_moves_a_month(make: Any) -> None:
    bench = make(options={"closed_period": "next_open"})
    fault = {"error": {"code": "-10", "message": "Date deviates from permissible range [OPCH.DocDueDate]"}}
    one = target(bench, httpx.Response(400, json=fault))
    with pytest.raises(NotUnderstood):
        one.send(one.prepare(invoice(), Codes()))
    assert posted_body(bench)["DocDate"] == "2026-02-01"


def test_another_currency_of_the_supplier_is_said_to_be_that() -> None:
    said = str(DIALECT.judge(Fault(400, "-10", "Currency 'USD' differs from the business partner's 'EUR'"), PREPARED))
    assert "The supplier has another currency in SAP Business One than the invoice" in said
    assert "exchange rate" not in said


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(400, "-5002", "Internal error (-5002) occurred"), NotUnderstood),
        (Fault(400, "-10", "Due date deviates from permissible range [OPCH.DocDueDate]"), NotUnderstood),
        (Fault(400, "-10", "Datum liegt nicht im zulässigen Bereich [OPCH.TaxDate]"), NotUnderstood),
        (Fault(400, "-10", "To generate this document, first define the numbering series"), Misconfigured),
        (Fault(400, "-10", "Serie [OPCH.Series]"), Misconfigured),
        (Fault(400, "-5002", "Attachments folder not defined"), Misconfigured),
        (Fault(400, "-10", "Record is locked by another user [OPCH.CardCode]"), Transient),
        (Fault(404, "-1000", "Unrecognized resource path."), Misconfigured),
        (Fault(404, "", "404 page not found", worded=False), OutcomeUnknown),
        (Fault(400, "-10", "Value too long in property 'NumAtCard'"), Rejected),
        (Fault(400, "1299", "Our own rule says no"), NotUnderstood),
        (Fault(400, "-10", "Value too long in property 'U_ExtId'"), Misconfigured),
        (Fault(403, "", "No authorization"), Misconfigured),
        (Fault(412, "-2039", "Another user modified data"), Transient),
        (Fault(400, "", "<html>Bad Request", worded=False), OutcomeUnknown),
    ],
)
def test_other_refusals(fault: Fault, kind: type[Exception]) -> None:
    assert type(DIALECT.judge(fault, PREPARED)) is kind


# ── the rounding account ─────────────────────────────────────────────────────────────────────────────────────

ROUNDED = replace(
    PREPARED, body={"DocDate": "2026-01-31", "DocumentLines": [{}, {}]}, lookup={**PREPARED.lookup, "rounding": "9900"}
)


@pytest.mark.parametrize(
    "text",
    [
        "Account '9900' is locked for manual transactions [AccountCode][line: 1]",
        "Invalid G/L account 9900",
        "Sachkonto [PCH1.AcctCode][line: 2]",
        "'9900' no es válido",
    ],
)
def test_a_refused_rounding_account_is_named_as_the_setting_that_it_is(text: str) -> None:
    error = DIALECT.judge(Fault(400, "-10", text), ROUNDED)
    assert isinstance(error, Misconfigured)
    assert "9900" in str(error) and "'rounding_account'" in str(error)


@pytest.mark.parametrize(
    ("text", "waiting_for", "hint"),
    [
        ("Account '4711' is locked [AccountCode][line: 2]", "account:A-4711", False),
        ("Account is locked [AccountCode][line: 0]", "account:A-4711", True),
        ("Distribution rule 'CC1' is inactive [CostingCode][line: 2]", "cost_center:K1", False),
    ],
)
def test_a_refusal_of_a_coded_row_is_not_laid_on_the_rounding_account(text: str, waiting_for: str, hint: bool) -> None:
    error = DIALECT.judge(Fault(400, "-10", text), ROUNDED)
    assert isinstance(error, Held) and error.waiting_for == waiting_for
    assert ("rounding_account" in str(error)) is hint

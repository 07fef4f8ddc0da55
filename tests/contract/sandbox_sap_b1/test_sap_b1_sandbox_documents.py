"""What a posted invoice must satisfy (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.sap_b1 import back_office

CLOSED = "One of the base documents has already been closed"


def test_a_service_invoice_is_201_with_number_location_and_etag(api, service):
    reply = api.post("PurchaseInvoices", service())
    body = reply.json()
    assert reply.status_code == 201
    assert (body["DocEntry"], body["DocNum"]) == (800, 50800)
    assert reply.headers["Location"].endswith("/b1s/v2/PurchaseInvoices(800)")
    assert reply.headers["ETag"] == body["@odata.etag"]
    assert (body["DocumentStatus"], body["Cancelled"], body["CancelStatus"]) == ("bost_Open", "tNO", "csNo")


def test_return_no_content_is_204_with_the_location_only(api, service):
    reply = api.post("PurchaseInvoices", service(), Prefer="return-no-content")
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["Location"].endswith("PurchaseInvoices(800)")


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"CardCode": "V99999"}, "Invalid BP code [OPCH.CardCode] , 'V99999'"),
        ({"CardCode": None}, "Invalid BP code"),
        ({"CardCode": "C20000"}, "Invalid BP code"),
        ({"CardCode": "L30000"}, "Invalid BP code"),
        ({"CardCode": "V10039"}, "inactive"),
        ({"CardCode": "V10029"}, "inactive"),
        ({"DocCurrency": "XXX"}, "Invalid currency 'XXX'"),
        ({"DocCurrency": "USD"}, "differs from the business partner's 'EUR'"),
        ({"DocumentLines": []}, "Document has no lines"),
        ({"DocType": None}, "Item number is missing"),
    ],
)
def test_a_wrong_header_is_refused(api, service, expect_refusal, header, text):
    expect_refusal(api.post("PurchaseInvoices", service(**header)), 400, -10, text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"AccountCode": None}, "Invalid G/L account"),
        ({"AccountCode": "999999"}, "Invalid G/L account '999999'"),
        ({"AccountCode": "400117"}, "Invalid G/L account '400117'"),
        ({"AccountCode": "4000"}, "title account"),
        ({"AccountCode": "160000"}, "locked for manual transactions"),
        ({"VatGroup": "V7"}, "Invalid tax group 'V7'"),
        ({"VatGroup": "A2"}, "Invalid tax group 'A2'"),
        ({"TaxCode": "V2"}, "TaxCode is not used"),
        ({"CostingCode": "CC999"}, "Invalid distribution rule 'CC999'"),
        ({"CostingCode": "PR1"}, "Invalid distribution rule 'PR1' for dimension 1"),
        ({"CostingCode2": "CC100"}, "Invalid distribution rule 'CC100' for dimension 2"),
        ({"CostingCode": "CC119"}, "inactive"),
        ({"LineTotal": None}, "Row total is missing"),
        ({"LineTotal": "100000000000000"}, "Value too long"),
    ],
)
def test_a_wrong_service_line_is_refused(api, service, expect_refusal, line, text):
    expect_refusal(api.post("PurchaseInvoices", service(line)), 400, -10, text)


def test_an_account_is_named_by_its_code_not_by_its_format_code(api, service):
    made = api.made("PurchaseInvoices", service({"AccountCode": "_SYS00000000117", "CostingCode2": "PR1"}))
    assert made["DocumentLines"][0]["AccountCode"] == "_SYS00000000117"


@pytest.mark.parametrize(
    "change",
    [{"Nonsense": 1}, {"U_ExtId": "p2p-1"}, {"DocType": "Service"}, {"DocDate": "01.02.2026"}, {"CardCode": 10000}],
)
def test_a_body_that_does_not_fit_the_type_is_400(api, service, expect_refusal, change):
    expect_refusal(api.post("PurchaseInvoices", service(**change)), 400, -1000)


def test_an_unknown_property_of_a_line_is_400(api, service, expect_refusal):
    expect_refusal(api.post("PurchaseInvoices", service({"Amount": 1})), 400, -1000, "'Amount' of 'DocumentLine'")


def test_text_that_is_not_json_is_400(api, expect_refusal):
    expect_refusal(
        api.http.post("PurchaseInvoices", content=b"{", headers={"Cookie": f"B1SESSION={api.session}"}), 400, -1000
    )


def test_user_fields_exist_only_where_the_company_has_them(api, world, service):
    world.user_fields = {"PurchaseInvoices": ["U_ExtId"], "DocumentLines": ["U_Row"]}
    made = api.made("PurchaseInvoices", service({"U_Row": "r1"}, U_ExtId="p2p-1"))
    assert (made["U_ExtId"], made["DocumentLines"][0]["U_Row"]) == ("p2p-1", "r1")
    assert api.rows("PurchaseInvoices?$filter=U_ExtId eq 'p2p-1'&$select=DocEntry,U_ExtId")
    assert api.rows("Drafts?$filter=U_ExtId eq 'p2p-1'") == []


def test_a_reference_has_at_most_100_characters(api, service, expect_refusal):
    assert api.post("PurchaseInvoices", service(NumAtCard="x" * 100)).status_code == 201
    reply = api.post("PurchaseInvoices", service(NumAtCard="x" * 101))
    expect_refusal(reply, 400, -1, "Value too long in property 'NumAtCard'")


def test_a_reference_may_repeat_unless_the_company_blocks_it(api, world, service, expect_refusal):
    api.made("PurchaseInvoices", service())
    api.made("PurchaseInvoices", service())
    world.block_duplicate_reference = True
    expect_refusal(api.post("PurchaseInvoices", service()), 400, -10, "already exists")


def test_a_closed_period_refuses_the_posting_date(api, world, service, expect_refusal):
    world.closed_periods = {"2026-01"}
    reply = api.post("PurchaseInvoices", service(DocDate="2026-01-31"))
    expect_refusal(reply, 400, -10, "Date deviates from permissible range")
    assert api.post("PurchaseInvoices", service(TaxDate="2026-01-31")).status_code == 201


def test_a_company_with_branches_needs_one_on_each_document(api, world, service, expect_refusal):
    world.branches = {1: "Hamburg", 2: "Wien"}
    expect_refusal(api.post("PurchaseInvoices", service()), 400, -10, "branch")
    expect_refusal(api.post("PurchaseInvoices", service(BPL_IDAssignedToInvoice=3)), 400, -10, "branch")
    assert api.made("PurchaseInvoices", service(BPL_IDAssignedToInvoice=2))["BPLName"] == "Wien"
    assert [row["BPLID"] for row in api.rows("BusinessPlaces")] == [1, 2]


def test_an_item_invoice_draws_from_its_order(api, order, drawn):
    made = api.made("PurchaseInvoices", drawn())
    line = made["DocumentLines"][0]
    assert (line["ItemCode"], line["UnitPrice"], line["LineTotal"], line["VatGroup"]) == (
        "I1001",
        Decimal("12.5"),
        50,
        "V2",
    )
    base = api.get(f"PurchaseOrders({order['DocEntry']})").json()["DocumentLines"][0]
    assert (base["RemainingOpenQuantity"], base["LineStatus"]) == (6, "bost_Open")


def test_an_order_is_closed_once_all_lines_are_invoiced(api, order, drawn):
    body = drawn(Quantity=10)
    body["DocumentLines"].append({"BaseType": 22, "BaseEntry": order["DocEntry"], "BaseLine": 1})
    api.made("PurchaseInvoices", body)
    assert api.get(f"PurchaseOrders({order['DocEntry']})").json()["DocumentStatus"] == "bost_Close"


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ({"BaseEntry": 5001}, -10, "Base document 5001 not found"),
        ({"BaseLine": 2}, -10, "Base line 2 not found"),
        ({"BaseType": 18}, -10, "Base type 18"),
        ({"Quantity": 11}, -5002, "Quantity exceeds"),
        ({"Quantity": 0}, -10, "Quantity must be positive"),
    ],
)
def test_a_wrong_base_is_refused(api, drawn, expect_refusal, line, code, text):
    expect_refusal(api.post("PurchaseInvoices", drawn(**line)), 400, code, text)


def test_two_lines_cannot_share_more_than_is_open(api, drawn, expect_refusal):
    body = drawn(Quantity=6)
    body["DocumentLines"] *= 2
    expect_refusal(api.post("PurchaseInvoices", body), 400, -5002)


def test_the_order_of_another_supplier_is_refused(api, drawn, expect_refusal):
    reply = api.post("PurchaseInvoices", drawn() | {"CardCode": "V10001"})
    expect_refusal(reply, 400, -10, "Base document card and target document card do not match.")


def test_an_item_base_in_a_service_invoice_is_refused(api, drawn, expect_refusal):
    reply = api.post("PurchaseInvoices", drawn() | {"DocType": "dDocument_Service"})
    expect_refusal(reply, 400, 234103405)


def test_what_was_received_must_be_based_on_the_receipt(api, world, order, drawn, expect_refusal):
    receipt = back_office.receive(world, order["DocEntry"], {0: Decimal(8)})
    expect_refusal(api.post("PurchaseInvoices", drawn()), 400, -5002, CLOSED)
    assert api.post("PurchaseInvoices", drawn(Quantity=2)).status_code == 201
    expect_refusal(api.post("PurchaseInvoices", drawn(Quantity=1)), 400, -10, CLOSED)
    made = api.made("PurchaseInvoices", drawn(BaseType=20, BaseEntry=receipt["DocEntry"], Quantity=8))
    assert made["DocumentLines"][0]["LineTotal"] == Decimal("100.00")
    assert api.get(f"PurchaseDeliveryNotes({receipt['DocEntry']})").json()["DocumentStatus"] == "bost_Close"


def test_a_return_lowers_what_a_receipt_still_has_open(api, world, order, drawn, expect_refusal):
    receipt = back_office.receive(world, order["DocEntry"])
    back_office.give_back(world, receipt["DocEntry"], {0: Decimal(4)})
    over = drawn(BaseType=20, BaseEntry=receipt["DocEntry"], Quantity=7)
    expect_refusal(api.post("PurchaseInvoices", over), 400, -5002)
    back = api.rows("PurchaseReturns?$orderby=DocEntry desc&$top=1")[0]
    assert back["DocumentLines"][0]["BaseType"] == 20


def test_a_cancelled_order_is_closed(api, order, drawn, expect_refusal):
    assert api.post(f"PurchaseOrders({order['DocEntry']})/Cancel", None).status_code == 204
    expect_refusal(api.post("PurchaseInvoices", drawn()), 400, -10, CLOSED)


def test_a_service_order_is_drawn_by_amount(api, world):
    order = next(
        row
        for row in world.rows("PurchaseOrders")
        if row["DocType"] == "dDocument_Service"
        and row["DocumentStatus"] == "bost_Open"
        and row["DocCurrency"] == "EUR"
    )
    line = order["DocumentLines"][0]
    base = {"BaseType": 22, "BaseEntry": order["DocEntry"], "BaseLine": line["LineNum"]}
    body = {"CardCode": order["CardCode"], "DocType": "dDocument_Service", "DocumentLines": [base]}
    assert api.made("PurchaseInvoices", body)["DocumentLines"][0]["LineTotal"] == line["LineTotal"]
    assert line["LineStatus"] == "bost_Close"


def test_an_approval_template_answers_nothing_and_leaves_a_draft(api, world, service, expect_refusal):
    world.approval_for = {"V10000"}
    reply = api.post("PurchaseInvoices", service())
    assert (reply.status_code, reply.content, "Location" in reply.headers) == (204, b"", False)
    draft = api.rows("Drafts?$filter=NumAtCard eq 'INV-1'&$select=DocEntry,DocObjectCode,AuthorizationStatus")[0]
    assert (draft["DocObjectCode"], draft["AuthorizationStatus"]) == ("oPurchaseInvoices", "dasPending")
    assert api.rows("PurchaseInvoices") == []
    posted = back_office.approve(world, draft["DocEntry"])
    assert api.rows("PurchaseInvoices?$select=DocEntry,NumAtCard")[0]["DocEntry"] == posted["DocEntry"]
    world.approval_reply = "-2028"
    expect_refusal(api.post("PurchaseInvoices", service()), 404, -2028)


def test_a_draft_is_parked_without_touching_the_order(api, order, drawn, expect_refusal):
    expect_refusal(api.post("Drafts", drawn()), 400, -10, "DocObjectCode")
    draft = api.made("Drafts", drawn() | {"DocObjectCode": "oPurchaseInvoices"})
    assert order["DocumentLines"][0]["RemainingOpenQuantity"] == 10
    assert api.rows("PurchaseInvoices") == []
    assert api.call("DELETE", f"Drafts({draft['DocEntry']})").status_code == 204


def test_a_credit_note_draws_from_an_invoice(api, drawn):
    invoice = api.made("PurchaseInvoices", drawn())
    base = {"BaseType": 18, "BaseEntry": invoice["DocEntry"], "BaseLine": 0, "Quantity": 4}
    note = api.made("PurchaseCreditNotes", {"CardCode": "V10000", "DocDate": "2026-02-02", "DocumentLines": [base]})
    assert note["DocTotal"] == invoice["DocTotal"]
    assert api.get(f"PurchaseInvoices({invoice['DocEntry']})").json()["DocumentStatus"] == "bost_Close"

"""Invoices that are submitted: what is taken, what is refused, and what is done only once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.avidxchange import back_office
from tests.contract.sandbox_avidxchange.conftest import line


def test_an_invoice_is_taken_and_found_again(api, world, bill):
    reply = api.submit(bill())
    assert reply.status_code == 201 and reply.json() == {"id": "5501", "externalId": "p2p-123", "status": "Submitted"}
    found = api.get("/invoices/5501")
    sent = bill()
    assert {name: found[name] for name in sent if name != "lines"} == {n: v for n, v in sent.items() if n != "lines"}
    assert found["lines"] == [line(item=None)] and found["status"] == "Submitted"
    for query in ("externalId=p2p-123", "vendorExternalCode=V10000&invoiceNumber=INV-7731"):
        assert [one["id"] for one in api.items(f"/invoices?{query}")] == ["5501"]
    for query in ("externalId=p2p-12", "vendorExternalCode=V10001&invoiceNumber=INV-7731", "invoiceNumber=inv-7731"):
        assert api.items(f"/invoices?{query}") == []
    assert world.invoices[5501].amount == Decimal(250) and not world.offences


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"surprise": 1}, 400, "UNKNOWN_FIELD"),
        ({"lines": [line(surprise=1)]}, 400, "UNKNOWN_FIELD"),
        ({"lines": [line(codes=[{"group": "Department", "value": "NY_B", "name": "x"}])]}, 400, "UNKNOWN_FIELD"),
        ({"lines": [line(item={"sku": "A1"})]}, 400, "UNKNOWN_FIELD"),
        ({"vendorExternalCode": None}, 422, "REQUIRED"),
        ({"invoiceNumber": ""}, 422, "REQUIRED"),
        ({"currency": None}, 422, "REQUIRED"),
        ({"lines": []}, 422, "REQUIRED"),
        ({"lines": [line(code="")]}, 422, "REQUIRED"),
        ({"lines": {}}, 400, "INVALID"),
        ({"lines": ["x"]}, 400, "INVALID"),
        ({"invoiceNumber": 7731}, 400, "INVALID"),
        ({"invoiceNumber": "9" * 51}, 422, "TOO_LONG"),
        ({"externalId": "9" * 101}, 422, "TOO_LONG"),
        ({"invoiceDate": "30.01.2026"}, 400, "INVALID_DATE"),
        ({"invoiceDate": "2026-02-30"}, 400, "INVALID_DATE"),
        ({"invoiceDate": "20260130"}, 400, "INVALID_DATE"),
        ({"dueDate": "2026-03-01T00:00:00"}, 400, "INVALID_DATE"),
        ({"amount": "250,00"}, 400, "INVALID_AMOUNT"),
        ({"amount": "NaN"}, 422, "INVALID_AMOUNT"),
        ({"amount": "250.001"}, 422, "INVALID_AMOUNT"),
        ({"amount": True}, 400, "INVALID_AMOUNT"),
        ({"amount": "249.99"}, 422, "TOTAL_MISMATCH"),
        ({"currency": "usd"}, 400, "INVALID"),
        ({"companyExternalCode": "103"}, 422, "INVALID_COMPANY"),
        ({"vendorExternalCode": "V10009"}, 422, "INVALID_VENDOR"),
        ({"vendorExternalCode": "V10000 "}, 422, "INVALID_VENDOR"),
        ({"lines": [line("125.00"), line("125.00", "6999")]}, 422, "INVALID_CODE"),
        ({"lines": [line(codes=[{"group": "Department", "value": "LA"}])]}, 422, "INVALID_CODE"),
        ({"lines": [line(codes=[{"group": "", "value": "LA"}])]}, 422, "REQUIRED"),
    ],
)
def test_what_is_refused_leaves_nothing(api, world, bill, fields, status, code):
    assert api.refused(api.submit(bill(**fields)), status) == code
    assert not world.invoices


def test_the_longest_number_is_taken(api, bill):
    assert api.submit(bill(invoiceNumber="9" * 50)).status_code == 201


def test_bodies_that_are_none(api):
    assert api.refused(api.raw("POST", "/invoices", [1]), 400) == "INVALID_JSON"
    api.log_in()
    headers = api.signed | {"Content-Type": "application/json"}
    assert api.refused(api.http.post("/invoices", content=b'{"a":1,"a":2}', headers=headers), 400) == "INVALID_JSON"
    assert api.refused(api.http.post("/invoices", content=b"{}", headers=api.signed), 415) == "UNSUPPORTED_MEDIA_TYPE"


def test_a_vendor_or_a_code_that_went_away_is_refused(api, world, bill):
    back_office.deactivate_vendor(world, "V10001")
    assert "not active" in api.submit(bill(vendorExternalCode="V10001")).text
    back_office.remove_code(world, "GL Account", "6100")
    assert "GL account '6100' is not valid" in api.submit(bill()).text
    assert api.submit(bill(lines=[line(code="6200")])).status_code == 201


@pytest.mark.parametrize(("demanded", "good", "bad"), [("string", "250.00", 250), ("number", Decimal("250.00"), "250")])
def test_amounts_are_texts_or_numbers(api, world, bill, demanded, good, bad):
    world.amounts_in = world.amounts_out = demanded
    assert api.refused(api.submit(bill(amount=bad, lines=[line(good)])), 400) == "INVALID_AMOUNT"
    assert api.refused(api.submit(bill(amount=good, lines=[line(bad)])), 400) == "INVALID_AMOUNT"
    assert api.submit(bill(amount=good, lines=[line(good)])).status_code == 201
    assert api.get("/invoices/5501")["amount"] == good


def test_credit_notes_are_negative_or_are_not_taken_so(api, world, bill):
    credit = bill(amount="-250.00", lines=[line("-250.00")])
    world.credit_notes = "type"
    assert api.refused(api.submit(credit), 422) == "NEGATIVE_AMOUNT"
    assert api.submit(bill(type="CreditMemo", invoiceNumber="CN-2", externalId="c2")).status_code == 201
    world.credit_notes = "negative"
    assert api.submit(credit).status_code == 201
    assert api.refused(api.submit(bill(type="CreditMemo")), 400) == "UNKNOWN_FIELD"


def test_switches_of_what_is_demanded(api, world, bill):
    world.orders_must_exist, world.currencies = True, {"EUR"}
    assert api.refused(api.submit(bill()), 422) == "INVALID_CURRENCY"
    assert api.refused(api.submit(bill(currency="EUR")), 422) == "INVALID_ORDER"
    assert api.post("/purchase-orders", {"purchaseOrderNumber": "50231"}).status_code == 201
    world.more_fields, world.lengths = {"taxAmount"}, {"description": 3}
    assert api.refused(api.submit(bill(currency="EUR")), 422) == "TOO_LONG"
    assert api.submit(bill(currency="EUR", taxAmount="0", description="abc")).status_code == 201


# ── only once ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_key_gives_the_first_answer_again(api, world, bill, clock):
    first = api.submit(bill(), "k1")
    again = api.submit(bill(), "k1")
    assert (again.status_code, again.content) == (first.status_code, first.content) and len(world.invoices) == 1
    assert api.submit(bill(invoiceNumber="INV-2"), "k1").content == first.content
    clock.forward(hours=24)
    api.log_in()
    assert api.refused(api.submit(bill(), "k1"), 409) == "DUPLICATE"


def test_a_strict_server_refuses_the_same_key_with_another_payload(api, world, bill):
    world.idempotency = "strict"
    first = api.submit(bill(), "k1")
    assert api.submit(bill(), "k1").content == first.content
    assert api.refused(api.submit(bill(description="changed"), "k1"), 422) == "IDEMPOTENCY_KEY_REUSED"


def test_a_server_that_ignores_keys_has_its_invoices_twice_if_it_checks_nothing(api, world, bill):
    world.idempotency, world.duplicates = "ignored", "allowed"
    for _ in range(2):
        assert api.submit(bill(), "k1").status_code == 201
    assert len(world.invoices) == 2 and world.offences == ["externalId p2p-123 was submitted twice"]


def test_a_refused_invoice_is_tried_anew_under_its_key(api, world, bill):
    assert api.submit(bill(lines=[line(code="6999")]), "k1").status_code == 422
    assert api.submit(bill(), "k1").status_code == 201
    world.create_answer = "results"
    for code, success in (("6999", False), ("6100", True)):
        sent = bill(externalId="p2", invoiceNumber="INV-2", lines=[line(code=code)])
        assert api.submit(sent, "k2").json()["results"][0]["success"] is success


def test_a_company_is_named_by_its_id_or_its_name(api, world, bill):
    api.submit(bill(companyExternalCode=" sandbox DISTRIBUTION"))
    assert api.get("/invoices/5501")["companyExternalCode"] == "102"
    back_office.approve(world, 5501)
    assert [one.company for one in world.batches.values()] == ["102"]


def test_a_look_up_may_find_what_was_not_asked_for(api, world, bill):
    api.submit(bill())
    world.ignored_filters = {"externalId"}
    assert len(api.items("/invoices?externalId=other")) == 1


@pytest.mark.parametrize(("how", "status"), [("refused", 409), ("unprocessable", 422)])
def test_duplicates_are_refused_by_external_id_and_by_vendor_and_number(api, world, bill, how, status):
    world.duplicates = how
    api.submit(bill())
    assert api.refused(api.submit(bill(invoiceNumber="INV-2")), status) == "DUPLICATE"
    assert api.refused(api.submit(bill(externalId="other")), status) == "DUPLICATE"
    assert api.submit(bill(externalId="o2", vendorExternalCode="V10001")).status_code == 201
    back_office.reject(world, 5501)
    assert api.submit(bill(externalId="other")).status_code == 201, "the number of a rejected one is free"


# ── what the answer may look like ───────────────────────────────────────────────────────────────────────────────


def test_results_for_each_item_under_200(api, world, bill):
    world.create_answer = "results"
    reply = api.submit(bill())
    assert reply.status_code == 200
    expected = {"externalId": "p2p-123", "success": True, "id": "5501", "status": "Submitted"}
    assert reply.json() == {"results": [expected]}
    bad = api.submit(bill())
    assert bad.status_code == 200 and bad.json()["results"][0]["success"] is False
    assert bad.json()["results"][0]["errors"][0]["code"] == "DUPLICATE"


def test_a_single_result_and_success_as_text(api, world, bill):
    world.create_answer, world.success = "single", "text"
    assert api.submit(bill()).json()["results"]["success"] == "true"
    found = api.submit(bill()).json()["results"]
    assert found["success"] == "false" and found["errors"]["code"] == "DUPLICATE"


def test_an_operation_whose_invoice_is_found_later(api, world, bill, clock):
    world.create_answer, world.visible_seconds = "202", 300
    reply = api.submit(bill())
    assert reply.status_code == 202 and reply.json().keys() == {"operationId"}
    assert api.items("/invoices?externalId=p2p-123") == []
    assert api.refused(api.raw("GET", "/invoices/5501"), 404) == "NOT_FOUND"
    clock.forward(seconds=300)
    assert len(api.items("/invoices?externalId=p2p-123")) == 1 and api.get("/invoices/5501")["id"] == "5501"


def test_validation_may_refuse_hours_later(api, world, bill, clock):
    world.validation = "later"
    assert api.submit(bill(lines=[line(code="6999")])).status_code == 201
    assert api.get("/invoices/5501")["status"] == "Submitted"
    clock.forward(hours=2)
    api.log_in()
    found = api.get("/invoices/5501")
    assert found["status"] == "Rejected" and found["errors"] == [{"message": "GL account '6999' is not valid"}]
    assert found["modifiedAt"] == "2026-02-10T11:30:00Z"


def test_members_and_fields_may_have_other_names(api, world, bill):
    world.renamed, world.members = {"invoiceNumber": "docNo", "amount": "total"}, "Pascal"
    sent = bill(docNo="INV-1", total="250.00", invoiceNumber=None, amount=None)
    sent["lines"] = [{("total" if k == "amount" else k): v for k, v in line().items()}]
    assert api.submit(sent).status_code == 201
    assert "Unknown field 'amount?'" in api.submit(bill()).text
    assert api.raw("GET", "/invoices?invoiceNumber=INV-1").status_code == 400
    found = api.get("/invoices?docNo=INV-1&vendorExternalCode=V10000")
    assert found["Items"][0]["docNo"] == "INV-1" and found["Items"][0]["total"] == "250.00" and "Paging" in found


def test_states_have_the_words_of_the_server(api, world, bill):
    world.words = {"received": "In Review"}
    assert api.submit(bill()).json()["status"] == "In Review"


# ── attachments ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_attachments_come_as_a_form_or_inside(api, world, bill):
    inside = [{"fileName": "a.pdf", "contentType": "application/pdf", "content": "UERG"}]
    api.submit(bill(attachments=inside))
    files = {"file": ("b.pdf", b"PDF2", "application/pdf")}
    reply = api.http.post("/invoices/5501/attachments", files=files, headers=api.signed)
    assert reply.status_code == 201 and reply.json()["fileName"] == "b.pdf"
    assert [(a["fileName"], a["size"]) for a in world.invoices[5501].attachments] == [("a.pdf", 3), ("b.pdf", 4)]
    assert [a["fileName"] for a in api.get("/invoices/5501")["attachments"]] == ["a.pdf", "b.pdf"]


def test_attachments_that_are_refused(api, world, bill):
    api.submit(bill())
    assert api.refused(api.post("/invoices/5501/attachments", {}), 400) == "FILE_REQUIRED"
    files = {"file": ("b.pdf", b"PDF2", "application/pdf")}
    post = {"files": files, "headers": api.signed}
    assert api.refused(api.http.post("/invoices/9/attachments", **post), 404) == "NOT_FOUND"
    world.attachment_limit = 3
    assert api.refused(api.http.post("/invoices/5501/attachments", **post), 413) == "FILE_TOO_LARGE"
    more = {"externalId": "x", "invoiceNumber": "x"}
    bad = [{"fileName": "a.pdf", "content": "?"}]
    assert api.refused(api.submit(bill(**more, attachments=bad)), 422) == "INVALID"

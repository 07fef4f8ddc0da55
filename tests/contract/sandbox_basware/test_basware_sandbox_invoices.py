from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

PATH = "/v1/accountingDocuments"


def test_the_list_is_a_redirect_that_refuses_authorization(basware):
    basware.put()
    answer = basware.get(PATH, params={"ProcessingStatus": "WaitingForTransfer"})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("http://basware.test/_documents/")
    refused = basware.get(answer.headers["location"])
    assert refused.status_code == 400
    assert refused.text.startswith("<?xml")
    assert basware.follow(answer).json()["accountingDocuments"][0]["invoiceId"] == "inv1"


def test_a_link_expires(basware):
    basware.put()
    answer = basware.get(PATH)
    basware.later(900)
    assert basware.follow(answer).status_code == 403


def test_a_link_can_be_made_to_work_once(basware):
    basware.world.single_use_links = True
    basware.put()
    answer = basware.get(PATH)
    assert [basware.follow(answer).status_code for _ in range(2)] == [200, 403]


def test_a_single_invoice_comes_in_the_wrapper_by_redirect(basware):
    basware.put(grossSum=0)
    assert basware.invoice("inv1")["invoiceId"] == "inv1"
    assert basware.get(f"{PATH}/none").status_code == 404


def test_amounts_keep_every_digit(basware):
    body = b'{"invoiceId":"i","processingStatus":"New","companyCode":"1","supplierCode":"V","currencyCode":"EUR",'
    body += b'"paymentBlock":false,"grossSum":12345678901.23,"netSum":0.30}'
    basware.http.post("/_sandbox/documents", content=body, headers={"Content-Type": "application/json"})
    answer = basware.follow(basware.get(f"{PATH}/i"))
    assert b'"grossSum":12345678901.23,"netSum":0.30' in answer.content
    assert basware.invoice("i")["netSum"] == Decimal("0.30")


def test_the_status_filter_is_found_in_any_case_and_unknown_values_are_refused(basware):
    basware.put()
    assert basware.get(PATH, params={"processingstatus": "WaitingForTransfer"}).status_code == 302
    assert basware.get(PATH, params={"ProcessingStatus": "Transferred"}).status_code == 404
    assert basware.get(PATH, params={"ProcessingStatus": "Waiting"}).status_code == 400
    assert basware.get(PATH, params={"companyCode": "2000"}).status_code == 404
    assert basware.get(PATH, params={"p2pProcessingMode": "InvoiceEnrichment"}).status_code == 404
    assert basware.get(PATH, params={"pageSize": 101}).status_code == 400


def test_the_token_comes_with_the_redirect_and_with_the_document(basware):
    for number in range(3):
        basware.put(invoiceId=f"inv{number}")
    answer = basware.get(PATH, params={"pageSize": 2})
    token = answer.headers["x-amz-meta-continuationtoken"]
    assert basware.follow(answer).headers["x-amz-meta-continuationtoken"] == token
    last = basware.get(PATH, params={"pageSize": 2}, headers={"x-amz-meta-continuationtoken": token})
    assert "x-amz-meta-continuationtoken" not in last.headers
    assert len(basware.follow(last).json()["accountingDocuments"]) == 1


def test_a_page_is_short_when_invoices_have_many_coding_rows(basware):
    basware.world.coding_rows_per_page = 3
    rows = [{"externalCode": str(n)} for n in range(2)]
    for number in range(3):
        basware.put(invoiceId=f"inv{number}", codingRows=rows)
    answer = basware.get(PATH, params={"pageSize": 100})
    assert "x-amz-meta-continuationtoken" in answer.headers
    assert len(basware.follow(answer).json()["accountingDocuments"]) == 1


def test_acknowledging_works_once(basware):
    basware.put()
    answer = basware.post(f"{PATH}/inv1/acknowledge")
    assert (answer.status_code, answer.json()) == (200, "Acknowledged")
    assert basware.invoice("inv1")["processingStatus"] == "TransferInProgress"
    assert basware.post(f"{PATH}/inv1/acknowledge").status_code == 405
    assert basware.post(f"{PATH}/none/acknowledge").status_code == 404


def test_a_transfer_changes_the_invoice_when_its_verdict_is_due(basware, make):
    basware.put()
    sent = basware.post(f"{PATH}/inv1/transferResponses", make.transfer())
    assert (sent.status_code, sent.json()) == (200, make.transfer())
    assert basware.invoice("inv1")["processingStatus"] == "WaitingForTransfer"
    assert basware.verdicts(sent) == {"T1": ("Success", None)}
    invoice = basware.invoice("inv1")
    assert (invoice["processingStatus"], invoice["voucherNumber1"]) == ("Transferred", "4711")
    assert invoice["transferResponses"] == [make.transfer()]
    status = basware.get("/v1/requestStatus", params={"entityType": "TransferResponse"}).json()
    assert status["requestStatus"][0]["systems"][0]["items"][0]["parentExternalCode"] == "inv1"


def test_a_refusal_saves_no_voucher(basware, make):
    basware.put()
    basware.verdicts(basware.post(f"{PATH}/inv1/transferResponses", make.transfer(success=False)))
    invoice = basware.invoice("inv1")
    assert invoice["processingStatus"] == "TransferFailed"
    assert "voucherNumber1" not in invoice


def test_a_transfer_code_is_used_once_and_a_transferred_invoice_takes_no_more(basware, make):
    basware.put()
    path = f"{PATH}/inv1/transferResponses"
    assert basware.post(path, make.transfer()).status_code == 200
    repeated = basware.post(path, make.transfer())
    assert (repeated.status_code, repeated.json()["errors"][0]["code"]) == (400, "DATA_VALIDATION_FAILED")
    basware.later(1)
    late = basware.post(path, make.transfer("T2"))
    assert late.json()["errors"][0]["type"] == "BUSINESS"


def test_a_second_transfer_on_its_way_is_an_error_in_the_target(basware, make):
    basware.put()
    basware.post(f"{PATH}/inv1/transferResponses", make.transfer("T1"))
    second = basware.post(f"{PATH}/inv1/transferResponses", make.transfer("T2"))
    assert basware.verdicts(second)["T2"][0] == "Error"


def test_a_recall_before_the_verdict_makes_the_answer_an_error(basware, make):
    basware.put()
    sent = basware.post(f"{PATH}/inv1/transferResponses", make.transfer())
    basware.http.post("/_sandbox/documents/inv1", json={"processingStatus": "New"})
    assert basware.verdicts(sent)["T1"][0] == "Error"
    assert basware.invoice("inv1")["processingStatus"] == "New"


def test_answers_follow_their_schema(basware, make):
    basware.put()
    path = f"{PATH}/inv1/transferResponses"
    assert basware.post(path, [make.transfer()]).status_code == 400
    assert basware.post(path, make.transfer(paymentBlock=None)).status_code == 400
    assert basware.post(path, make.transfer(voucherNumber1="1" * 26)).status_code == 400
    assert basware.post(path, make.transfer(responseMessage="")).status_code == 400
    assert basware.post(f"{PATH}/none/transferResponses", make.transfer()).status_code == 404
    assert basware.post(f"{PATH}/inv1/transferResponse", make.transfer()).status_code == 404


def transferred(basware, make, **changes):
    basware.put(**changes)
    basware.verdicts(basware.post(f"{PATH}/inv1/transferResponses", make.transfer()))
    return f"{PATH}/inv1/paymentResponses"


def test_a_payment_needs_a_transferred_invoice(basware, make):
    basware.put()
    assert basware.post(f"{PATH}/inv1/paymentResponses", make.payment()).status_code == 400


def test_a_part_payment_leaves_transferred_and_the_whole_makes_paid(basware, make):
    path = transferred(basware, make)
    basware.verdicts(basware.post(path, make.payment("P1", paidTotal=19)))
    assert basware.invoice("inv1")["processingStatus"] == "Transferred"
    basware.verdicts(basware.post(path, make.payment("P2", paidTotal=100, cashDiscount=19)))
    assert basware.invoice("inv1")["processingStatus"] == "Paid"


def test_a_credit_note_is_paid_by_a_negative_total(basware, make):
    path = transferred(basware, make, grossSum=-50)
    basware.verdicts(basware.post(path, make.payment("P1", paidTotal=-20)))
    assert basware.invoice("inv1")["processingStatus"] == "Transferred"
    basware.verdicts(basware.post(path, make.payment("P2", paidTotal=-50)))
    assert basware.invoice("inv1")["processingStatus"] == "Paid"


def test_payment_fields_left_out_are_cleared(basware, make):
    path = transferred(basware, make)
    full = make.payment("P1", paymentMethod="Bank", checkNumber="7", paymentReversalDocument="R")
    basware.verdicts(basware.post(path, full))
    assert basware.invoice("inv1")["paymentRevelsalDocument"] == "R"
    basware.verdicts(basware.post(path, make.payment("P2", paymentNumber="8")))
    invoice = basware.invoice("inv1")
    assert "paymentMethod" not in invoice
    assert "paymentRevelsalDocument" not in invoice
    held = basware.world.documents["inv1"].payment
    assert (held["checkNumber"], held["paymentNumber"]) == (None, "8")
    assert [answer["externalCode"] for answer in invoice["paymentResponses"]] == ["P1", "P2"]


def test_a_payment_code_or_content_twice_is_a_conflict(basware, make):
    path = transferred(basware, make)
    assert basware.post(path, make.payment("P1")).status_code == 200
    assert basware.post(path, make.payment("P1", paidTotal=1)).status_code == 409
    assert basware.post(path, make.payment("P2")).status_code == 409


def test_a_payment_without_success_changes_nothing(basware, make):
    path = transferred(basware, make)
    basware.verdicts(basware.post(path, make.payment(success=False)))
    assert basware.invoice("inv1")["processingStatus"] == "Transferred"
    assert basware.world.documents["inv1"].payment == {}


def test_a_prebook_belongs_to_a_prebook_state(basware, make):
    basware.put(processingStatus="WaitingForPrebook")
    path = f"{PATH}/inv1/prebookResponses"
    assert basware.verdicts(basware.post(path, make.transfer()))["T1"][0] == "Success"
    assert basware.invoice("inv1")["processingStatus"] == "Prebooked"
    assert basware.post(path, make.transfer("T2")).status_code == 409


def test_an_invoice_offered_again_takes_a_new_answer(basware, make):
    basware.put()
    basware.verdicts(basware.post(f"{PATH}/inv1/transferResponses", make.transfer(success=False)))
    basware.put(grossSum=120)
    assert basware.post(f"{PATH}/inv1/transferResponses", make.transfer()).status_code == 400
    assert basware.verdicts(basware.post(f"{PATH}/inv1/transferResponses", make.transfer("T2")))["T2"][0] == "Success"


def test_the_look_up_needs_three_parameters_and_may_be_off(basware):
    basware.put()
    asked = {"companyCode": "1000", "invoiceNumber": "R-1", "invoiceDate": "2026-02-20"}
    found = basware.get(f"{PATH}/status", params=asked)
    assert (found.status_code, found.json()[0]["invoiceId"]) == (200, "inv1")
    assert basware.get(f"{PATH}/status", params={**asked, "grossSum": "1.00"}).status_code == 404
    del asked["companyCode"]
    assert basware.get(f"{PATH}/status", params=asked).status_code == 400
    basware.world.status_lookup = False
    assert basware.get(f"{PATH}/status", params={**asked, "companyCode": "1000"}).status_code == 404


def test_attachments_appear_after_the_transfer(basware, make):
    basware.world.attachments["inv1", "1"] = ("a.pdf", b"%PDF")
    basware.put()
    assert basware.get(f"{PATH}/inv1/attachments/1").status_code == 404
    transferred(basware, make)
    assert basware.invoice("inv1")["attachments"][0]["filename"] == "a.pdf"
    assert basware.follow(basware.get(f"{PATH}/inv1/attachments/1")).content == b"%PDF"


def test_a_deleted_invoice_is_gone(basware):
    basware.put()
    assert basware.ask("DELETE", PATH, json={"externalCode": "inv1"}).status_code == 200
    assert basware.get(PATH).status_code == 404


def test_a_client_that_lets_its_library_follow_redirects_is_refused(basware):
    basware.put()
    headers = {"Authorization": f"Bearer {basware.token}", "X-BW-REQUEST-ID": str(uuid4())}
    assert basware.http.get(PATH, headers=headers, follow_redirects=True).status_code == 400

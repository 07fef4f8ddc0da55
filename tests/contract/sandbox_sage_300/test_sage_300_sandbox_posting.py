"""Posting: the process resource, what it writes, what becomes of entries that fail (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

from decimal import Decimal

import pytest

BATCHES = "AP/APInvoiceBatches"
PROCESS = "AP/APPostInvoices('$process')"


def test_posting_writes_the_document_and_answers_nothing(api, ready):
    number = ready(PONumber="PO000001", InvoiceDescription="Cleaning")
    api.posted(number)
    batch = api.read(f"{BATCHES}({number})")
    assert (batch["BatchStatus"], batch["NumberOfErrors"], batch["PostingSequenceNumber"]) == ("Posted", 0, 1)
    document = api.read("AP/APPostedDocuments('V10000','INV-1')")
    assert (document["BatchNumber"], document["EntryNumber"], document["PONumber"]) == (number, 1, "PO000001")
    assert (document["DocumentTotalIncludingTax"], document["DocumentDescription"]) == (Decimal("297.5"), "Cleaning")
    assert api.rows("AP/APPostingErrorMessages") == []


def test_only_ready_batches_of_the_range_are_posted(api, invoice, ready):
    early = ready(DocumentNumber="A")
    still_open = api.made(BATCHES, invoice(DocumentNumber="B"))["BatchNumber"]
    late = ready(DocumentNumber="C")
    api.posted(still_open, still_open)
    states = {row["BatchNumber"]: row["BatchStatus"] for row in api.rows(BATCHES)}
    assert states == {early: "ReadyToPost", still_open: "Open", late: "ReadyToPost"}
    api.posted(early, late)
    states = {row["BatchNumber"]: row["BatchStatus"] for row in api.rows(BATCHES)}
    assert states == {early: "Posted", still_open: "Open", late: "Posted"}


def test_all_ready_batches_can_be_posted(api, ready):
    ready(DocumentNumber="A"), ready(DocumentNumber="B")
    assert api.call("POST", PROCESS, {"ProcessAllBatches": "Postallbatches"}).status_code == 204
    assert len(api.rows("AP/APPostedDocuments")) == 2


def test_without_a_range_nothing_is_posted(api, ready):
    ready()
    assert api.call("POST", PROCESS, {}).status_code == 204
    assert api.rows("AP/APPostedDocuments") == []


def test_the_template_tells_the_body(api):
    reply = api.call("POST", "AP/APPostInvoices('$template')")
    body = {name: value for name, value in reply.json().items() if "odata" not in name}
    assert body == {
        "ProcessAllBatches": "Donotpostallbatches",
        "FromBatch": 0,
        "ToBatch": 0,
        "UpdateOperation": "Unspecified",
    }


@pytest.mark.parametrize("key", ["", "('$post')", "(109)", "()"])
def test_another_key_is_an_invalid_action(api, expect_refusal, key):
    expect_refusal(api.call("POST", f"AP/APPostInvoices{key}", {}), 400, "InvalidAction")


def test_the_names_of_the_receivables_twin_are_refused(api, expect_refusal):
    body = {"PostAllBatches": "Donotpostallbatches", "PostBatchFrom": 1, "PostBatchTo": 1}
    expect_refusal(api.call("POST", PROCESS, body), 400, "InvalidPayload", "PostAllBatches")


@pytest.mark.parametrize(("total", "by"), [("297.49", "-0.01"), ("250.00", "-47.50"), ("0", "-297.50")])
def test_an_entry_out_of_balance_goes_to_an_error_batch_without_an_http_error(api, ready, total, by):
    number = ready(DocumentTotalIncludingTax=Decimal(total))
    api.posted(number)
    batch = api.read(f"{BATCHES}({number})")
    assert (batch["BatchStatus"], batch["NumberOfErrors"], batch["Invoices"]) == ("Posted", 1, [])
    assert api.rows("AP/APPostedDocuments") == []
    error = api.rows("AP/APPostingErrorMessages")[0]
    assert (error["BatchNumber"], error["EntryNumber"], error["DocumentNumber"]) == (number, 1, "INV-1")
    assert f"out of balance by {by}" in error["ErrorMessage"]
    left = api.read(f"{BATCHES}({error['ErrorBatchNumber']})")
    assert (left["BatchStatus"], left["Invoices"][0]["DocumentNumber"]) == ("Open", "INV-1")


def test_the_good_entries_of_a_batch_are_posted(api, invoice):
    body = {"BatchStatus": "ReadyToPost", "Invoices": []}
    for number, total in (("A", "297.50"), ("B", "1.00"), ("C", "297.50")):
        body["Invoices"] += invoice(DocumentNumber=number, DocumentTotalIncludingTax=Decimal(total))["Invoices"]
    api.posted(api.made(BATCHES, body)["BatchNumber"])
    assert [row["DocumentNumber"] for row in api.rows("AP/APPostedDocuments")] == ["A", "C"]
    assert api.rows("AP/APPostingErrorMessages")[0]["EntryNumber"] == 2


def test_a_number_that_was_posted_meanwhile_fails_at_posting(world, api, ready):
    world.duplicates = "posting"
    first, second = ready(), ready()
    api.posted(first, second)
    assert len(api.rows("AP/APPostedDocuments")) == 1
    assert "exists already" in api.rows("AP/APPostingErrorMessages")[0]["ErrorMessage"]


def test_a_locked_period_can_fail_at_posting(world, api, ready):
    number = ready()
    world.closed_periods = {"2026-02"}
    api.posted(number)
    assert "2026 - 02" in api.rows("AP/APPostingErrorMessages")[0]["ErrorMessage"]


def test_an_account_closed_meanwhile_fails_at_posting(world, api, ready):
    number = ready()
    world.tables["GLAccounts"]["400001CC101"]["Status"] = "Inactive"
    api.posted(number)
    assert "inactive" in api.rows("AP/APPostingErrorMessages")[0]["ErrorMessage"]


def test_a_batch_that_somebody_has_open_stops_the_posting(world, api, ready, expect_refusal):
    number = ready()
    world.locked_batches = {number}
    body = {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": number, "ToBatch": number}
    expect_refusal(api.call("POST", PROCESS, body), 500, "General", "in use")
    assert api.read(f"{BATCHES}({number})")["BatchStatus"] == "ReadyToPost"


def test_a_posted_batch_cannot_be_changed(api, ready, expect_refusal):
    number = ready()
    api.posted(number)
    expect_refusal(api.call("PATCH", f"{BATCHES}({number})", {"BatchStatus": "Open"}), 400, "RecordInvalid", "Posted")


def test_a_credit_note_lowers_what_is_owed_and_can_name_its_invoice(api, ready):
    api.posted(ready())
    number = ready(DocumentNumber="CN-1", DocumentType="CreditNote", ApplytoDocument="INV-1")
    api.posted(number)
    document = api.read("AP/APPostedDocuments('V10000','CN-1')")
    assert (document["DocumentType"], document["DocumentBalance"]) == ("CreditNote", Decimal("-297.5"))


def test_posting_moves_the_activity_of_a_vendor_but_not_its_day_of_maintenance(api, ready, clock):
    before = api.read("AP/APVendors('V10000')")["DateLastMaintained"]
    api.posted(ready())
    vendor = api.read("AP/APVendors('V10000')")
    assert (vendor["DateLastMaintained"], vendor["DateOfLastActivity"][:10]) == (before, "2026-02-10")


def test_a_zero_invoice_can_be_posted(api, ready):
    line = {"GLAccount": "400001CC101", "DistributedAmount": Decimal("0.00")}
    api.posted(ready(line=line, DocumentTotalIncludingTax=0))
    assert len(api.rows("AP/APPostedDocuments")) == 1


def test_a_refused_entry_may_stay_in_its_batch_and_stand_in_the_error_batch_too(world, api, ready):
    world.failed_entries, world.error_names = "copied", False
    number = ready()
    world.tables["GLAccounts"]["400001CC101"]["Status"] = "Inactive"
    api.posted(number)
    batch, copy = api.read(f"{BATCHES}({number})"), api.read(f"{BATCHES}({number + 1})")
    assert (batch["BatchStatus"], batch["NumberOfErrors"], copy["BatchStatus"]) == ("Posted", 1, "Open")
    assert [one["BatchNumber"] for one in (*batch["Invoices"], *copy["Invoices"])] == [number, number + 1]
    (error,) = api.rows("AP/APPostingErrorMessages")
    assert (error["VendorNumber"], error["DocumentNumber"], error["BatchNumber"]) == ("", "", number)


def test_a_release_may_lack_a_resource(world, api, expect_refusal):
    world.not_offered = {"APPostedDocuments"}
    expect_refusal(api.get("AP/APPostedDocuments"), 404, "ResourceNotFound", "APPostedDocuments")

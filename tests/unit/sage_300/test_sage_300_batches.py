"""Looking for a document, and bringing its batch to an end, whoever comes back to it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured, Transient
from ml_connector.flow import Found

BATCHES = "AP/APInvoiceBatches"
OWN = "ml-connector inv-1-0123456789abcdef"


class Ledger:
    """Batches that can be created, changed, posted and read, one entry each."""

    def __init__(self, server, *, ready=None, posting=None):
        self.rows, self.posted, self.errors = {}, [], []
        self.ready, self.posting = ready, posting
        server.answers |= {
            BATCHES: self.batches,
            "AP/APPostInvoices('$process')": self.post,
            "AP/APPostedDocuments": lambda r: self.listed(r, self.posted),
            "AP/APPostingErrorMessages": lambda r: self.listed(r, self.errors),
        }

    @staticmethod
    def listed(_, rows):
        return httpx.Response(200, json={"value": rows})

    def enter(self, number=109, status="Open", description=OWN, **entry):
        plain = {
            "EntryNumber": 1,
            "VendorNumber": "1200",
            "DocumentNumber": "R-4711",
            "DocumentType": "Invoice",
            "CurrencyCode": "CAD",
            "DocumentTotalIncludingTax": 86.6,
            "TaxAmount1": 6.6,
            "InvoiceDetails": [{"GLAccount": "6260", "DistributedAmount": 80}],
        }
        self.rows[number] = {
            "BatchNumber": number,
            "BatchStatus": status,
            "Description": description,
            "Invoices": [plain | entry],
        }

    def batches(self, request):
        key = re.search(r"\((\d+)\)$", request.url.path)
        if request.method == "PATCH":
            if self.ready is not None:
                return self.ready
            self.rows[int(key[1])]["BatchStatus"] = "ReadyToPost"
            return httpx.Response(204)
        if key:
            row = self.rows.get(int(key[1]))
            return (
                httpx.Response(200, json=row)
                if row
                else httpx.Response(404, json={"error": {"code": "RecordNotFound", "message": {"value": "gone"}}})
            )
        where = request.url.params.get("$filter", "")
        rows = [r for r in self.rows.values() if r["Description"] in where or f"'{r['BatchStatus']}'" in where]
        return httpx.Response(200, json={"value": rows})

    def post(self, request):
        if self.posting is not None:
            return self.posting(self)
        for row in self.rows.values():
            row["BatchStatus"] = "Posted"
            self.posted.append({"VendorNumber": "1200", "DocumentNumber": "R-4711"})
        return httpx.Response(204)


def looked(bench, invoice):
    return bench.target.look(bench.target.trace(invoice, bench.codes))


def test_a_document_is_looked_for_in_open_batches_and_among_posted_ones(bench, invoice):
    ledger = Ledger(bench.server)
    assert looked(bench, invoice()) == []
    (asked,) = bench.server.asked(BATCHES)
    assert asked.startswith("Description eq 'ml-connector inv-1-")
    assert asked.endswith("or BatchStatus eq 'Open' or BatchStatus eq 'ReadyToPost'")
    assert bench.server.asked("AP/APPostedDocuments") == [
        "VendorNumber eq '1200' and DocumentNumber eq 'R-4711' or "
        "VendorNumber eq '1200' and DocumentDate eq 2026-01-30T00:00:00Z"
    ]
    ledger.enter(description="typed by hand")
    (found,) = looked(bench, invoice())
    assert (found.id, found.number, found.amount, found.currency, found.ours) == (
        "109:1",
        "109",
        Decimal("86.6"),
        "CAD",
        False,
    )


def test_a_posted_document_is_found_by_batch_and_entry(bench, invoice):
    ledger = Ledger(bench.server)
    ledger.posted.append(
        {
            "VendorNumber": "1200",
            "DocumentNumber": "R-4711",
            "DocumentType": "Invoice",
            "BatchNumber": 55,
            "EntryNumber": 2,
            "DocumentTotalIncludingTax": 86.6,
        }
    )
    (found,) = looked(bench, invoice())
    assert (found.id, found.number, found.amount) == ("55:2", "55", Decimal("86.6"))
    assert (found.dated, found.posted_on) == (None, None)


@pytest.mark.parametrize("told", ["2025-01-30T00:00:00Z", "2025-01-30", None, "", "soon"])
def test_dates_are_told_of_entries_and_posted_documents_where_the_server_gives_them(bench, invoice, told):
    ledger = Ledger(bench.server)
    ledger.enter(description="typed by hand", DocumentDate=told, PostingDate=told)
    ledger.posted.append(
        {
            "VendorNumber": "1200",
            "DocumentNumber": "R-4711",
            "DocumentType": "Invoice",
            "BatchNumber": 55,
            "EntryNumber": 2,
            "DocumentDate": told,
            "PostingDate": told,
        }
    )
    days = [(found.dated, found.posted_on) for found in looked(bench, invoice())]
    day = date(2025, 1, 30) if told and told[0] == "2" else None
    assert days == [(day, day)] * 2


def test_two_spellings_of_a_number_are_one_document(bench, invoice):
    plain, spelt = (bench.target.trace(invoice(number=number), bench.codes) for number in ("INV-7", " inv-7 "))
    assert plain.natural == spelt.natural == "invoice~1200~inv-7"


def test_a_posted_document_whose_batch_is_not_told_is_found_all_the_same(bench, invoice):
    ledger = Ledger(bench.server)
    ledger.posted.append({"VendorNumber": "1200", "DocumentNumber": "R-4711", "DocumentTotalIncludingTax": 86.6})
    (found,) = looked(bench, invoice())
    assert bench.target.read_back(found).amount == Decimal("86.6")


def test_our_own_batch_is_recognised_in_every_status_and_counted_once(bench, invoice):
    own = bench.target.trace(invoice(), bench.codes).lookup["own"]
    ledger = Ledger(bench.server)
    ledger.enter(status="Posted", description=own)
    ledger.posted.append({"VendorNumber": "1200", "DocumentNumber": "R-4711", "DocumentTotalIncludingTax": 86.6})
    (found,) = looked(bench, invoice())
    assert (found.id, found.ours) == ("109:1", True)


@pytest.mark.parametrize(
    "other",
    [
        {"VendorNumber": "1300"},
        {"DocumentNumber": "R-47111"},
        {"DocumentType": "CreditNote"},
    ],
)
def test_another_document_is_not_taken_for_ours(bench, invoice, other):
    Ledger(bench.server).enter(description="typed by hand", **other)
    assert looked(bench, invoice()) == []


def test_a_deleted_batch_does_not_count(bench, invoice):
    Ledger(bench.server).enter(status="Deleted")
    assert looked(bench, invoice()) == []


def test_a_debit_note_counts_as_what_it_is_owed_for(bench, invoice):
    Ledger(bench.server).enter(description="typed by hand", DocumentType="DebitNote")
    assert looked(bench, invoice())[0].amount == Decimal("86.6")


def test_a_credit_note_is_found_with_a_negative_total(bench, invoice, row):
    Ledger(bench.server).enter(description="typed by hand", DocumentType="CreditNote")
    found = looked(bench, invoice("-86.60", row(net="-80", tax="-6.60")))
    assert found[0].amount == Decimal("-86.6")


def test_reading_back_sets_the_batch_ready_to_post_and_gives_the_total(bench):
    ledger = Ledger(bench.server)
    ledger.enter()
    back = bench.target.read_back(Found("109:1", "109"))
    assert (back.number, back.amount, ledger.rows[109]["BatchStatus"]) == ("109", Decimal("86.6"), "ReadyToPost")
    assert bench.server.sent("PATCH", f"{BATCHES}(109)") == [{"BatchNumber": 109, "BatchStatus": "ReadyToPost"}]
    assert not [r for r in bench.server.requests if "$process" in str(r.url)]


def test_whoever_comes_back_after_a_crash_finds_the_batch_and_finishes_it(bench, invoice):
    own = bench.target.trace(invoice(), bench.codes).lookup["own"]
    ledger = Ledger(bench.server)
    ledger.enter(description=own)  # created, and then the process died
    (found,) = looked(bench, invoice())
    assert found.ours
    for _ in range(2):
        bench.target.read_back(found)
    assert len(bench.server.sent("PATCH", f"{BATCHES}(109)")) == 1
    assert ledger.rows[109]["BatchStatus"] == "ReadyToPost"


def test_a_batch_of_somebody_else_is_adopted_but_not_touched(bench):
    ledger = Ledger(bench.server)
    ledger.enter(description="typed by hand")
    (note,) = bench.target.read_back(Found("109:1", "109")).notes
    assert note == "Batch 109 was not made by us and is Open: whoever entered it posts it in Sage 300."
    assert ledger.rows[109]["BatchStatus"] == "Open"


@pytest.mark.parametrize("code", ["MethodNotAllowed", "RecordInvalid", "InvalidPayload"])
def test_a_server_before_2021_leaves_the_batch_open_and_a_note_says_so(bench, fault, code):
    ledger = Ledger(bench.server, ready=fault(400, code, "Not allowed"))
    ledger.enter()
    found = bench.target.read_back(Found("109:1", "109"))
    assert found.number == "109"
    assert any("Sage 300 2021" in note for note in found.notes)


def test_a_batch_on_somebodys_screen_is_tried_again_later(bench, fault):
    ledger = Ledger(bench.server, ready=fault(400, "General", "Batch 109 is locked by user JANE."))
    ledger.enter()
    with pytest.raises(Transient, match="screen"):
        bench.target.read_back(Found("109:1", "109"))
    ledger.ready = None
    bench.target.read_back(Found("109:1", "109"))
    assert ledger.rows[109]["BatchStatus"] == "ReadyToPost"


def test_a_missing_right_to_change_batches_is_told(bench, fault):
    Ledger(bench.server, ready=fault(403, "Forbidden", "no")).enter()
    with pytest.raises(Misconfigured, match="ready to post"):
        bench.target.read_back(Found("109:1", "109"))


def test_a_batch_that_does_not_balance_is_not_set_ready(bench):
    ledger = Ledger(bench.server)
    ledger.enter(TaxAmount1=9.6)
    with pytest.raises(Held, match="does not balance"):
        bench.target.read_back(Found("109:1", "109"))
    assert ledger.rows[109]["BatchStatus"] == "Open"


@pytest.mark.parametrize("post", [False, True])
@pytest.mark.parametrize("how", ["batch deleted", "batch gone", "entry removed"])
def test_what_somebody_deleted_before_it_was_posted_is_cancelled(make, how, post):
    bench = make(post_batches=post)
    ledger = Ledger(bench.server)
    ledger.enter(status="Deleted" if how == "batch deleted" else "Open")
    if how == "batch gone":
        ledger.rows.clear()
    elif how == "entry removed":
        ledger.rows[109]["Invoices"].clear()
    sent = Found("109:1", "109", partner="1200", reference="R-4711")
    assert bench.target.read_back(sent).state == "cancelled" and not bench.target.stands(sent)
    assert bench.server.sent("PATCH", f"{BATCHES}(109)") == []


@pytest.mark.parametrize("post", [False, True])
def test_a_batch_that_is_gone_and_whose_document_is_posted_still_counts(make, post):
    bench = make(post_batches=post)
    Ledger(bench.server).posted.append({"VendorNumber": "1200", "DocumentNumber": "R-4711", "BatchNumber": 109})
    sent = Found("109:1", "109", partner="1200", reference="R-4711")
    assert bench.target.read_back(sent).state == "posted" and bench.target.stands(sent)


def test_a_batch_that_is_gone_and_of_which_nothing_tells_what_it_was_is_held(bench):
    Ledger(bench.server)
    with pytest.raises(Held, match="somebody removed it"):
        bench.target.read_back(Found("109:1", "109"))
    assert bench.target.stands(Found("109:1", "109"))


def test_with_post_batches_the_batch_is_posted_and_its_status_read(make):
    bench = make(post_batches=True)
    ledger = Ledger(bench.server)
    ledger.enter()
    bench.target.read_back(Found("109:1", "109"))
    assert ledger.rows[109]["BatchStatus"] == "Posted"
    assert bench.server.sent("POST", "AP/APPostInvoices('$process')") == [
        {"ProcessAllBatches": "Donotpostallbatches", "FromBatch": 109, "ToBatch": 109}
    ]
    bench.target.read_back(Found("109:1", "109"))
    assert len(bench.server.sent("POST", "AP/APPostInvoices('$process')")) == 1


@pytest.mark.parametrize(
    ("message", "waits"),
    [
        ("Account 6260 is inactive.", "account:6260"),
        ("Fiscal period 2 is locked.", "period:2026-02"),
        ("The moon is full.", "conflict:R-4711"),
    ],
)
def test_a_posting_that_failed_is_held_with_the_servers_messages(make, message, waits):
    bench = make(post_batches=True)

    def failing(ledger):
        ledger.errors.append({"BatchNumber": 109, "EntryNumber": 1, "ErrorMessage": message})
        ledger.errors.append({"BatchNumber": 7, "ErrorMessage": "of another batch"})
        return httpx.Response(204)

    Ledger(bench.server, posting=failing).enter(PostingDate="2026-02-01")
    with pytest.raises(Held, match=re.escape(message)) as held:
        bench.target.read_back(Found("109:1", "109"))
    assert held.value.waiting_for == waits
    assert "another batch" not in str(held.value)


def test_a_posting_without_an_answer_is_looked_at_again(make):
    bench = make(post_batches=True)

    def cut(ledger):
        ledger.rows[109]["BatchStatus"] = "Posted"
        ledger.posted.append({"VendorNumber": "1200", "DocumentNumber": "R-4711"})
        raise httpx.ReadError("cut")

    ledger = Ledger(bench.server, posting=cut)
    ledger.enter()
    with pytest.raises(Transient, match="checked again"):
        bench.target.read_back(Found("109:1", "109"))
    assert bench.target.read_back(Found("109:1", "109")).number == "109"
    assert len(bench.server.sent("POST", "AP/APPostInvoices('$process')")) == 1


def test_a_batch_that_is_being_posted_is_waited_for(make):
    bench = make(post_batches=True)
    Ledger(bench.server).enter(status="PostInProgress")
    with pytest.raises(Transient, match="PostInProgress"):
        bench.target.read_back(Found("109:1", "109"))

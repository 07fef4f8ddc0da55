"""A posted batch proves nothing: what the posting refused is followed, and never called a success."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from infra.sandbox.sage_300 import back_office
from ml_connector.errors import Held
from ml_connector.flow import Found
from ml_connector.records import PurchaseOrder

BATCHES = "APInvoiceBatches"
LACKING = [set(), {"APPostedDocuments"}, {"APPostingErrorMessages"}, {"APPostedDocuments", "APPostingErrorMessages"}]
lacking = pytest.mark.parametrize("lacking", LACKING, ids=lambda names: "+".join(sorted(names)) or "all offered")
failed = pytest.mark.parametrize("failed_entries", ["moved", "copied"])
named = pytest.mark.parametrize("named", [True, False], ids=["named", "bare"])


@pytest.fixture
def refusing(make, invoice, row):
    """A company that takes an invoice, and whose posting refuses it: the period is locked at posting only."""

    def maker(failed_entries="moved", lacking=(), *, named=True):
        bench = make(post_batches=True)
        bench.world.locked_period, bench.world.closed_periods = "posting", {"2026-02"}
        bench.world.failed_entries, bench.world.error_names = failed_entries, named
        bench.world.not_offered = set(lacking)
        prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
        return bench, prepared, bench.target.send(prepared)

    return maker


def held(bench, found):
    """Read back as a process does that knows nothing but the row."""
    bench.restart()
    with pytest.raises(Held) as error:
        bench.target.read_back(Found(found.id, found.number))
    return error.value


def error_batch(world):
    return max(batch["BatchNumber"] for batch in world.rows(BATCHES))


@lacking
@failed
@named
def test_what_a_posting_refused_is_held_in_every_run_until_a_person_posts_it(refusing, failed_entries, lacking, named):
    bench, _, found = refusing(failed_entries, lacking, named=named)
    for _ in range(3):
        said = str(held(bench, found))
        assert f"in batch {error_batch(bench.world)}" in said
    assert bench.calls("POST", "APPostInvoices") == 1
    bench.world.closed_periods.clear()
    back_office.post(bench.world, error_batch(bench.world))
    bench.restart()
    back = bench.target.read_back(Found(found.id, found.number))
    assert (back.number, back.amount) == (str(error_batch(bench.world)), Decimal("100.00"))


@lacking
def test_what_was_refused_twice_is_held_and_names_the_latest_batch(refusing, lacking):
    bench, _, found = refusing("copied", lacking)
    held(bench, found)
    back_office.post(bench.world, error_batch(bench.world))
    again = held(bench, found)
    assert f"in batch {error_batch(bench.world)}" in str(again)
    assert error_batch(bench.world) == 103


@failed
@lacking
def test_an_error_batch_that_was_deleted_bars_nothing(refusing, failed_entries, lacking):
    bench, prepared, found = refusing(failed_entries, lacking)
    held(bench, found)
    back_office.delete_batch(bench.world, error_batch(bench.world))
    bench.restart()
    sent = Found(found.id, found.number, partner="1200", reference="R-4711")
    assert bench.target.read_back(sent).state == "cancelled" and not bench.target.stands(sent)
    assert bench.target.look(prepared) == [], "so a person may have it posted again"


@failed
def test_a_refused_entry_is_ours_alone_when_it_is_looked_for(refusing, failed_entries):
    bench, prepared, found = refusing(failed_entries)
    held(bench, found)
    (one,) = bench.target.look(prepared)
    assert (one.id, one.ours) == (found.id, True)
    bench.world.closed_periods.clear()
    back_office.post(bench.world, error_batch(bench.world))
    (one,) = bench.target.look(prepared)
    assert (one.id, bench.target.read_back(one).number) == (found.id, str(error_batch(bench.world)))


@lacking
def test_a_posting_without_errors_is_confirmed_by_whatever_is_offered(make, invoice, row, lacking):
    bench = make(post_batches=True)
    bench.world.not_offered = lacking
    prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    back = bench.target.read_back(bench.target.send(prepared))
    assert (back.number, back.amount) == ("101", Decimal("100.00"))


def test_an_entry_that_nothing_names_any_more_is_held_with_what_to_look_for(refusing):
    bench, _, found = refusing(named=False)
    held(bench, found)
    lost = held(bench, Found(found.id, "101"))
    assert lost.waiting_for == "lookup:101:1"
    assert "error batch" in str(lost)


def test_a_document_that_is_posted_but_not_shown_yet_is_waited_for(make, invoice, row):
    bench = make(post_batches=True)
    found = bench.target.send(bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes))
    bench.target.read_back(found)
    hidden = dict(bench.world.tables["APPostedDocuments"])
    bench.world.tables["APPostedDocuments"].clear()
    late = held(bench, found)
    assert (late.waiting_for, late.soon) == ("lookup:R-4711", True)
    bench.world.tables["APPostedDocuments"].update(hidden)
    assert bench.target.read_back(found).number == "101"


def test_a_number_that_somebody_posted_before_is_no_proof_of_ours(refusing):
    bench, _, found = refusing("copied")
    before = {"VendorNumber": "1200", "DocumentNumber": "R-4711", "BatchNumber": 40, "DocumentType": "Invoice"}
    bench.world.put("APPostedDocuments", before | {"DocumentTotalIncludingTax": Decimal(100)})
    assert "in batch 102" in str(held(bench, found))
    bench.world.closed_periods.clear()
    back_office.delete_batch(bench.world, 102)
    bench.restart()
    assert bench.target.read_back(found).state == "cancelled"


def test_a_batch_that_people_post_is_confirmed_too(make, invoice, row):
    bench = make()
    bench.world.locked_period = "posting"
    found = bench.target.send(bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes))
    bench.world.closed_periods |= {"2026-02"}
    bench.world.failed_entries = "copied"
    back_office.post(bench.world, 101)
    assert "in batch 102" in str(held(bench, found))


# ── filters that are not taken ───────────────────────────────────────────────────────────────────────────────

FIELDS = {
    "accounts": {"UnformattedAccount", "AccountSegmentCode1", "AccountSegmentCode2"},
    "vendors": {"VendorNumber"},
    "documents": {"VendorNumber", "DocumentNumber"},
    "orders": {"PurchaseOrderNumber"},
    "receipts": {"PurchaseOrderNumber", "Vendor", "ReceiptDate", "ReturnDate", "LastPostingDate", "ReceiptNumber"},
    "all": {"UnformattedAccount", "AccountSegmentCode1", "VendorNumber", "DocumentNumber", "PurchaseOrderNumber",
            "Vendor", "ReceiptDate", "ReturnDate", "LastPostingDate", "PurchaseOrderDate", "DateCompleted",
            "ReceiptNumber", "Description", "BatchStatus", "BatchNumber", "DateLastMaintained"},
}  # fmt: skip
refused = pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS.keys())


def firsts(bench, part):
    """How often a list was begun without a filter."""
    return sum(
        call.status == 200
        and call.path.endswith(part)
        and "filter" not in call.query
        and "skip" not in call.query
        and "top" not in call.query
        for call in bench.world.log
    )


@refused
@pytest.mark.parametrize("either", [True, False], ids=["or", "no or"])
def test_orders_are_the_same_whatever_filters_are_refused(make, fields, either):
    plain, sparing = make(orders=40), make(orders=40)
    wanted = plain.all(PurchaseOrder)
    assert len(wanted) > 20 and any(one.receipts for order in wanted for one in order.lines)
    sparing.world.unfiltered, sparing.world.filter_or = fields, either
    assert sparing.all(PurchaseOrder) == wanted
    for name in ("GLAccounts", "APVendors", "POGetReceipts", "POReturns"):
        assert firsts(sparing, name) <= 1, name
    since = (sparing.clock.now().date() - timedelta(days=3)).isoformat()
    keys = {one.key for one in plain.all(PurchaseOrder, since)}
    assert keys <= {one.key for one in sparing.all(PurchaseOrder, since)}
    assert [
        one.key for page in sparing.connection.source(PurchaseOrder).reread([wanted[0].key]) for one in page.records
    ] == [wanted[0].key]


@refused
@pytest.mark.parametrize("post", [True, False], ids=["posted", "ready"])
def test_invoices_go_whatever_filters_are_refused_and_whole_lists_are_read_once(make, invoice, row, fields, post):
    bench = make(post_batches=post)
    bench.world.unfiltered = fields
    for n in range(3):
        one = invoice("100.00", row(net="100.00", tax="0"), key=f"inv-{n}", number=f"R-{n}")
        assert bench.post(one)["BatchStatus"] == ("Posted" if post else "ReadyToPost")
    for name in ("GLAccounts", "APVendors"):
        assert firsts(bench, name) <= 1, name


@pytest.mark.parametrize("either", [True, False], ids=["or", "no or"])
@pytest.mark.parametrize("there", ["R\u20134711", "r-4711\u00a0", "\uff32-4711"])
def test_what_was_posted_by_hand_in_another_spelling_is_found_by_its_date(make, invoice, row, there, either):
    bench = make()
    bench.world.filter_or = either
    prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    plain = {"VendorNumber": "1200", "DocumentType": "Invoice", "DocumentDate": prepared.dated.isoformat()}
    bench.world.put("APPostedDocuments", plain | {"DocumentNumber": there, "BatchNumber": 40, "EntryNumber": 3})
    bench.world.put("APPostedDocuments", plain | {"DocumentNumber": "R-4712", "BatchNumber": 41, "EntryNumber": 1})
    before = len(bench.world.log)
    assert [one.id for one in bench.target.look(prepared)] == ["40:3"]
    asked = [call for call in list(bench.world.log)[before:] if "APPostedDocuments" in call.path]
    whole = [call for call in asked if "VendorNumber" not in call.query]
    assert len(whole) == (not either), "no whole list, unless the server takes no such filter"


def test_a_server_that_takes_no_date_in_a_filter_is_read_whole_once(make, invoice, row, caplog):
    bench = make()
    bench.world.unfiltered = {"DocumentDate"}
    prepared = bench.target.prepare(invoice("100.00", row(net="100.00", tax="0")), bench.codes)
    plain = {"VendorNumber": "1200", "DocumentType": "Invoice", "DocumentNumber": "R-4711"}
    bench.world.put("APPostedDocuments", plain | {"BatchNumber": 40, "EntryNumber": 1})
    for _ in range(3):
        assert [one.id for one in bench.target.look(prepared)] == ["40:1"]
    assert "Check 'date_literal'" in caplog.text
    assert firsts(bench, "APPostedDocuments") == 1

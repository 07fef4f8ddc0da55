"""An invoice is found whatever the letters and zeros of its codes, and known by our key; nothing is taken on trust."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from urllib.parse import quote

import httpx
import pytest

from infra.sandbox.syspro import back_office
from ml_connector.engine.write.identity import differences
from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Unreachable
from tests.contract.conformance.wire import acted, breaks, instead, page

TOLERANCE = Decimal("0.05")
ERROR = "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"


@pytest.fixture
def one(invoice, row):
    return invoice("119.00", row(net="100.00", tax="19.00", tax_code="A"))


def posts(request: httpx.Request) -> bool:
    return request.url.path.endswith("Transaction/Post")


def misspell(bench, name: str) -> None:
    """Let SYSPRO see another name in place of an element's: it ignores what it does not know."""

    def outgoing(request: httpx.Request) -> None:
        if posts(request):
            query = request.url.query.decode()
            for tag in (f"<{name}>", f"</{name}>"):
                query = query.replace(quote(tag, safe=""), quote(tag.replace(name, f"{name}x"), safe=""))
            request.url = request.url.copy_with(query=query.encode())

    bench.wire.outgoing = outgoing


# ── looked for ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("supplier", ["1234", "000000000001234", "00000000000000001234"])
@pytest.mark.parametrize("number", ["inv-9", "INV-9"])
def test_codes_are_in_capitals_and_padded_as_there(bench, invoice, row, supplier, number):
    kept = "000000000001234"
    bench.world.put("ApSupplier", {**bench.world.get("ApSupplier", "V10000"), "Supplier": kept})
    bill = invoice("10.00", row(net="10.00", tax="0"), supplier=supplier, number=number)
    posted = bench.post(bill)
    assert bench.world.get("ApInvoice", kept, "INV-9")["OrigInvValue"] == 10
    for spelt in ("1234", kept, " 1234"):
        bench.codes.mapped["supplier", supplier] = spelt
        assert [found.id for found in bench.target.look(bench.target.trace(bill, bench.codes))] == [posted.id]


def test_a_lower_case_supplier_is_found(bench, invoice, row):
    bench.post(invoice("10.00", row(net="10.00", tax="0"), supplier="v10000"))


@pytest.mark.parametrize(
    ("typed", "number"), [("000000000004711", "4711"), ("4711", "000000000004711"), ("RE-7 A", "re-7 a")]
)
def test_one_that_was_keyed_in_is_found_by_its_number_and_is_not_ours(bench, invoice, row, typed, number):
    back_office.enter_invoice(bench.world, "V10000", typed, [("400001-CC101", Decimal(100))], dated="2026-01-30")
    bill = invoice("100.00", row(net="100.00", tax="0"), number=number)
    (found,) = bench.target.look(bench.prepare(bill))
    assert (found.ours, found.amount, found.reference) == (False, Decimal(100), typed)


def test_one_that_was_keyed_in_with_our_number_meanwhile_is_a_conflict(bench, one):
    prepared = bench.prepare(one)
    back_office.enter_invoice(bench.world, "V10000", "R-4711", [("400001-CC101", Decimal(7))])
    with pytest.raises(Held, match="lets no second document") as held:
        bench.target.send(prepared)
    assert held.value.waiting_for == "conflict:inv-1"


def test_what_was_reversed_still_bars_its_number(bench, one):
    """Nothing documents how a reversal shows: whoever took it for nothing would post beside an invoice that stands."""
    found = bench.post(one)
    back_office.cancel_invoice(bench.world, "V10000", "R-4711")
    assert bench.target.stands(found) and len(bench.target.look(bench.prepare(one))) == 1


def test_a_paid_invoice_is_found_and_not_sent_again(bench, one):
    found = bench.post(one)
    back_office.pay(bench.world, "V10000", "R-4711")
    assert [there.id for there in bench.target.look(bench.prepare(one))] == [found.id]


# ── read back ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "what"), [("DueDate", "due date"), ("EcAcquisition", "tax code"), ("InvoiceDate", "dated")]
)
def test_an_element_that_was_ignored_in_silence_shows_when_it_is_read_back(bench, invoice, row, name, what):
    bill = invoice("100.00", row(net="100.00", tax="0", tax_code="Z"), supplier="V10011", due_date=date(2026, 4, 7))
    prepared = bench.prepare(bill)
    misspell(bench, name)
    target = bench.target
    points = differences(target.read_back(target.send(prepared)), prepared, TOLERANCE)
    assert points and what in points[0]


def test_a_reference_that_was_ignored_leaves_an_invoice_that_is_not_known_as_ours(bench, one):
    misspell(bench, "TransactionReference")
    prepared = bench.prepare(one)
    found = bench.target.send(prepared)
    assert not found.ours


def test_a_distribution_that_went_elsewhere_shows(bench, one):
    prepared, target = bench.prepare(one), bench.target
    found = target.send(prepared)
    assert differences(target.read_back(found), prepared, TOLERANCE) == []
    entry = next(row for row in bench.world.rows("GenJournalDetail") if row["GlCode"] == "400001-CC101")
    entry["EntryValue"] -= 7
    (point,) = differences(target.read_back(found), prepared, TOLERANCE)
    assert point.startswith("account 400001-CC101 93")


def test_a_distribution_that_went_wholly_elsewhere_shows(bench, one):
    prepared, target = bench.prepare(one), bench.target
    found = target.send(prepared)
    entry = next(row for row in bench.world.rows("GenJournalDetail") if row["GlCode"] == "400001-CC101")
    entry["GlCode"] = "FORCED"
    assert differences(target.read_back(found), prepared, TOLERANCE) == ["account 400001-CC101 0 there, 100.00 here"]


@pytest.mark.parametrize(("rate", "supplier", "currency"), [("0.9215", "V10017", "USD"), ("0.0061", "V10017", "USD")])
def test_rows_of_a_foreign_invoice_agree_whatever_its_rate_and_signs(bench, invoice, row, rate, supplier, currency):
    bench.world.rates["USD"] = Decimal(rate)
    taken = row(key="2", net="-990.00", tax="0", account="400002-CC101")
    bill = invoice("13.03", row(net="1003.03", tax="0"), taken, supplier=supplier, currency=currency)
    prepared, target = bench.prepare(bill), bench.target
    found = target.send(prepared)
    assert differences(target.read_back(found), prepared, TOLERANCE) == []
    entry = next(row for row in bench.world.rows("GenJournalDetail") if row["GlCode"] == "400002-CC101")
    entry["GlCode"] = "FORCED"
    assert differences(target.read_back(found), prepared, TOLERANCE)


def test_without_entries_in_the_ledger_a_note_says_that_nothing_was_compared(bench, one):
    prepared, target = bench.prepare(one), bench.target
    found = target.send(prepared)
    bench.world.tables["GenJournalDetail"].clear()
    back = target.read_back(found)
    assert differences(back, prepared, TOLERANCE) == [] and "could not be compared" in back.notes[1]


def test_the_period_that_an_invoice_went_into_is_noted(bench, one):
    """A letter names it, and only what stands there tells which one accounts payable took it for."""
    found = bench.target.send(bench.prepare(one))
    (stands,) = bench.world.rows("ApInvoice")
    stands["InvoiceYear"], stands["InvoiceMonth"] = 2025, 11
    assert bench.target.read_back(found).notes == ("It is in period 11 of 2025 of SYSPRO.",)


@pytest.mark.parametrize("shown", ["always", "refused", "never"])
@pytest.mark.parametrize("journal", [True, False])
def test_a_success_is_what_is_read_back_and_not_what_is_said(bench, one, shown, journal):
    bench.world.status_of_items, bench.world.journal_in_answer = shown, journal
    bench.post(one)


@pytest.mark.parametrize(
    "body",
    [
        "<postapinvoice Language='05'><Item/></postapinvoice>",
        "<postapinvoice><StatusOfItems><ItemsProcessed>000001</ItemsProcessed></StatusOfItems></postapinvoice>",
    ],
)
def test_a_success_that_shows_nowhere_is_in_doubt(bench, one, body):
    prepared = bench.prepare(one)
    rule = bench.wire.spoil(instead(200, body), posts)
    with pytest.raises(OutcomeUnknown, match="took invoice R-4711"):
        bench.target.send(prepared)
    assert rule.hits == 1


# ── in doubt ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("did", [True, False], ids=["carried out", "not carried out"])
@pytest.mark.parametrize(
    "damage",
    [breaks(httpx.ReadError), breaks(httpx.ReadTimeout), instead(200, ERROR), page(200), instead(500), instead(200, ""),
     instead(200, "<postapinvoice><Item>")],
    ids=["reset", "time-out", "error text", "html", "500", "nothing", "half"],
)  # fmt: skip
def test_what_may_have_been_carried_out_is_sent_once_and_looked_for(bench, one, damage, did):
    prepared = bench.prepare(one)
    bench.wire.spoil(acted(damage) if did else damage, posts)
    before = len(bench.sent())
    with pytest.raises(OutcomeUnknown):
        bench.target.send(prepared)
    assert len(bench.sent()) == before + 1
    found = bench.target.look(prepared)
    assert [there.ours for there in found] == [True] * did
    if not did:
        assert bench.target.send(prepared).ours


def test_what_could_not_be_sent_had_no_effect(bench, one):
    prepared = bench.prepare(one)
    bench.wire.spoil(breaks(httpx.ConnectError), posts, times=9)
    with pytest.raises(Unreachable):
        bench.target.send(prepared)


def test_a_business_object_that_is_not_licensed_is_told_as_such(bench, one):
    bench.world.unlicensed = {"APSTIN"}
    with pytest.raises(Misconfigured, match="not licensed: APSTIN"):
        bench.target.send(bench.prepare(one))


def test_only_what_syspro_refuses_twice_is_sent_again_at_once(bench, one, invoice, row):
    credit = invoice("-10.00", row(net="-10.00", tax="0"), number="CN-1")
    assert (bench.prepare(one).unique, bench.prepare(credit).unique) == (True, False)
    target, prepared = bench.target, bench.prepare(one)
    target.send(prepared)
    with pytest.raises(Held, match="lets no second document"):
        target.send(prepared)
    assert len(bench.world.rows("ApInvoice")) == 1


@pytest.mark.parametrize("via", ["odata", "enet"])
def test_both_ways_of_reading_find_the_same(make, one, via):
    bench = make(read_via=via)
    bench.post(one)


def test_two_spaces_of_a_session_are_kept(make, one):
    bench = make()
    bench.world.sessions.demands_spaces = True
    bench.post(one)

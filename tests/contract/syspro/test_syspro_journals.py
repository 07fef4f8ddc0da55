"""Invoices as journals of the general ledger: in local currency, once, and they make nothing together."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import httpx
import pytest

from ml_connector.engine.write.identity import differences
from ml_connector.errors import Held, Misconfigured, OutcomeUnknown
from tests.contract.conformance.wire import acted, breaks

PAYABLE = "4000"


@pytest.fixture
def books(make):
    bench = make(post_as="gl_journal", payable_account=PAYABLE)
    bench.codes.mapped["tax", "A"] = "1540"
    return bench


@pytest.fixture
def one(invoice, row):
    def maker(**fields):
        rows = [
            row(key="1", net="100.00", tax="19.00", tax_code="A"),
            row(key="2", account="400002-CC101", net="10.00", tax="1.90", tax_code="A"),
        ]
        return invoice("130.90", *rows, **fields)

    return maker


def test_a_journal_has_the_rows_the_tax_and_the_payable(books, one):
    target, prepared = books.target, books.prepare(one())
    assert target.look(prepared) == []
    found = target.send(prepared)
    own = prepared.lookup["own"]
    assert books.entries(Reference=own) == {
        "400001-CC101": Decimal(100), "400002-CC101": Decimal(10), "1540": Decimal("20.90"),
        PAYABLE: Decimal("-130.90"),
    }  # fmt: skip
    (sent,) = books.sent()
    assert f"<JournalReference>{own}</JournalReference>" in sent
    assert sent.count(f"<Reference>{own}</Reference>") == sent.count("<JournalDetails>") >= 4
    assert (found.ours, found.amount) == (True, Decimal("130.90"))
    back = target.read_back(found)
    assert differences(back, prepared, Decimal(0)) == [] and back.id == found.id and back.id.endswith(f":{back.number}")
    row = books.world.rows("GenJournalDetail")[0]
    assert (row["GlYear"], row["GlPeriod"]) == (2026, 2)
    assert books.world.rows("ApInvoice") == []


def test_a_credit_note_is_the_other_way_round(books, invoice, row):
    target = books.target
    prepared = books.prepare(invoice("-119.00", row(net="-100.00", tax="-19.00", tax_code="A")))
    found = target.send(prepared)
    assert (found.amount, found.kind) == (Decimal("-119.00"), "credit note")
    assert differences(target.read_back(found), prepared, Decimal(0)) == []


def test_a_foreign_invoice_is_held(books, one):
    with pytest.raises(Held, match="the general ledger of SYSPRO in EUR") as held:
        books.prepare(one(currency="USD", supplier="V10017"))
    assert held.value.waiting_for == "currency:USD"


def test_a_tax_code_names_the_account_of_its_tax(books, one):
    del books.codes.mapped["tax", "A"]
    with pytest.raises(Held, match="has no account A") as held:
        books.prepare(one())
    assert held.value.waiting_for == "tax:A"


def test_tax_that_no_code_tells_the_account_of_is_held(books, invoice, row):
    with pytest.raises(Held, match="which account the tax goes") as held:
        books.prepare(invoice("119.00", row(net="100.00", tax="19.00")))
    assert held.value.waiting_for == "conflict:inv-1"
    books.target.send(books.prepare(invoice("100.00", row(net="100.00", tax="0"))))


@pytest.mark.parametrize(
    ("dated", "waits"),
    [(date(2025, 1, 7), ""), (date(2026, 3, 1), "period:2026-03"), (date(2024, 12, 31), "period:2024-12")],
)
def test_no_future_period_and_none_before_last_year(books, one, dated, waits):
    bill = one(accounting_date=dated)
    if not waits:
        target = books.target
        assert target.read_back(target.send(books.prepare(bill))).written["period"] == "2025/1"
        return
    with pytest.raises(Held) as held:
        books.prepare(bill)
    assert held.value.waiting_for == waits


def test_a_payable_account_that_is_not_there_is_a_wrong_secret(make, one):
    bench = make(post_as="gl_journal", payable_account="NOWHERE")
    bench.codes.mapped["tax", "A"] = "1540"
    with pytest.raises(Misconfigured, match="payable_account"):
        bench.prepare(one())


def test_nothing_guards_against_a_second_one_so_it_is_looked_for_by_our_key(books, one):
    prepared = books.prepare(one())
    books.wire.spoil(acted(breaks(httpx.ReadError)), lambda request: request.url.path.endswith("Transaction/Post"))
    with pytest.raises(OutcomeUnknown):
        books.target.send(prepared)
    (found,) = books.target.look(prepared)
    assert found.ours and not prepared.unique and len(books.sent()) == 1


def test_one_that_stands_in_accounts_payable_is_found(make, books, one):
    """It was sent before the secret said `gl_journal`, or somebody keyed it in."""
    other = make()
    found = other.post(one())
    for table in ("ApInvoice", "GenJournalDetail"):
        books.world.tables[table].update(other.world.tables[table])
    assert [there.id for there in books.target.look(books.prepare(one()))] == [found.id]


def test_a_journal_in_doubt_is_looked_for_also_once_invoices_are_posted_to_accounts_payable(make, books, one):
    prepared = books.prepare(one())
    found = books.target.send(prepared)
    other = make()
    for table in ("ApInvoice", "GenJournalDetail"):
        other.world.tables[table].update(books.world.tables[table])
    (there,) = other.target.look(prepared)
    assert there.id == found.id and other.target.read_back(there).amount == prepared.amount

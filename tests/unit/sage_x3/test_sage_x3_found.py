"""Journal entries as they are found, believed and read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held, Misconfigured, NotUnderstood, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Prepared
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.sage_x3.entities import Created
from tests.unit.sage_x3.books import Books, Codes, invoice, row, target


@pytest.fixture
def books() -> Books:
    return Books()


def prepared(books: Books, **fields: Any) -> Prepared:
    return target(books).prepare(invoice(**fields), Codes())


def test_what_was_written_is_found_by_our_key_and_read_back_whole(books: Books) -> None:
    one = target(books)
    wanted = one.prepare(invoice(row(cost_center="PROD")), Codes())
    found = one.send(wanted)
    assert (found.id, found.number, found.ours) == ("BWINV~BWINV2602-0001", "BWINV2602-0001", True)
    (there,) = one.look(wanted)
    assert there.ours and there.id == found.id
    shown = one.read_back(found)
    assert (shown.amount, shown.currency, shown.partner, shown.reference) == (Decimal(120), "EUR", "FR053", "F-2026/17")
    assert (shown.kind, shown.dated, shown.posted_on) == ("invoice", date(2026, 2, 3), date(2026, 2, 10))
    assert shown.notes == ("Entry BWINV BWINV2602-0001 of Sage X3 is temporary.",)
    assert {name: Decimal(value) for name, value in wanted.written.items()} == {
        name: Decimal(value) for name, value in shown.written.items() if name in wanted.written
    }
    assert wanted.written["dimension CCT PROD"] == "100.00"


def test_lines_of_other_ledgers_say_nothing(books: Books) -> None:
    one = target(books)
    found = one.send(one.prepare(invoice(), Codes()))
    entry = books.records["journal"][0]
    entry["STA"] = 2
    entry["GACCENTRYD"] = [*entry["GACCENTRYD"], *({**line, "LEDTYP": 2} for line in entry["GACCENTRYD"])]
    shown = one.read_back(found)
    assert shown.amount == Decimal(120) and shown.written["account 606100"] == "100.00"
    assert shown.notes == ("Entry BWINV BWINV2602-0001 of Sage X3 is final.",)


def test_a_success_counts_only_once_the_entry_shows(books: Books) -> None:
    one = target(books)
    wanted = one.prepare(invoice(), Codes())
    books.answers = [Created(None, {"O_MESSA": "1 record created"})]
    with pytest.raises(OutcomeUnknown, match="it reports: 1 record created") as doubt:
        one.send(wanted)
    assert doubt.value.taken and len(books.sent) == 1


def test_an_import_that_does_not_tell_the_number_is_read_back_by_our_key(books: Books) -> None:
    books.tells_key = False
    one = target(books)
    found = one.send(one.prepare(invoice(), Codes()))
    assert (found.number, found.ours) == ("BWINV2602-0001", True)


def test_a_failure_that_wrote_all_the_same_is_none(books: Books) -> None:
    one = target(books)
    wanted = one.prepare(invoice(), Codes())
    books.enter(wanted.body)
    books.answers = [Fault(200, "", "Time-out of the batch")]
    assert one.send(wanted).number == "BWINV2602-0001"


@pytest.mark.parametrize(
    ("said", "error", "waits"),
    [
        ("Account FRA 606100 : Record does not exist", Held, "account:606100"),
        ("BP FR053 is not active", Held, "supplier:FR053"),
        ("Dimension CCT PROD is not active", Held, "cost_center:PROD"),
        ("2026-02-10 : No fiscal year", Held, "period:2026-02"),
        ("Source document F-2026/17 already exists for this BP", Held, "conflict:i1"),
        ("BPRVCR : 20 characters at most, too long", Rejected, ""),
        ("Err. -7 in GASCPT", NotUnderstood, "lookup:i1"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_what_x3_says_decides_what_is_done(
    books: Books, status: int, said: str, error: type[Exception], waits: str
) -> None:
    one = target(books)
    wanted = one.prepare(invoice(row(cost_center="PROD")), Codes())
    books.answers = [Fault(status, "", said)]
    with pytest.raises(error) as raised:
        one.send(wanted)
    assert getattr(raised.value, "waiting_for", "") == waits


def test_words_of_a_well_ended_import_explain_only_what_does_not_show(books: Books) -> None:
    one = target(books)
    wanted = one.prepare(invoice(), Codes())
    books.answers = [Created(None, {"O_MESSA": "Account FRA 606100 : Record does not exist"})]
    with pytest.raises(Held) as held:
        one.send(wanted)
    assert held.value.waiting_for == "account:606100"
    books.enter(wanted.body)
    books.answers = [Created(None, {"O_MESSA": "Account FRA 606100 : Record does not exist"})]
    assert one.send(wanted).number == "BWINV2602-0001"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(404, "", "Not here", worded=False), OutcomeUnknown),
        (Fault(400, "", "Record is being modified"), Transient),
        (Fault(403, "", "Access denied"), Misconfigured),
        (Fault(404, "", "Representation GACCENTRY.$create does not exist"), Misconfigured),
    ],
)
def test_what_is_no_fault_of_the_invoice_refuses_none(books: Books, fault: Fault, error: type[Exception]) -> None:
    one = target(books)
    books.answers = [fault]
    with pytest.raises(error):
        one.send(one.prepare(invoice(), Codes()))


# ── somebody else's ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("spelt", ["F-2026/17", "f-2026/17", "F\u20102026/17 "])
def test_an_entry_without_our_key_is_found_by_supplier_and_number_in_any_spelling(books: Books, spelt: str) -> None:
    wanted = prepared(books)
    books.enter(wanted.body, REFINT=" ", BPRVCR=spelt)
    (found,) = target(books).look(wanted)
    assert not found.ours and found.amount == Decimal(120)


def test_what_is_of_another_supplier_kind_or_company_is_not_it(books: Books) -> None:
    wanted = prepared(books)
    others = {**wanted.body, "REFINT": " "}
    turned = [{**one, "SNS": -one["SNS"]} for one in others["GACCENTRYD"]]
    other = [{**one, "BPR": "FR999"} if "BPR" in one else one for one in others["GACCENTRYD"]]
    for lines in (turned, other):
        books.enter(others, GACCENTRYD=lines)
    books.enter(others, CPY="FR20")
    assert target(books, company="FR10").look(wanted) == []


def test_two_entries_with_our_key_are_both_told(books: Books) -> None:
    wanted = prepared(books)
    for _ in range(2):
        books.enter(wanted.body)
    assert [one.ours for one in target(books).look(wanted)] == [True, True]


def test_reversed_entries_do_not_count_and_a_reversal_is_none(books: Books) -> None:
    one = target(books)
    wanted = one.prepare(invoice(), Codes())
    found = one.send(wanted)
    books.records["journal"][0]["RVS"] = 3
    books.enter(wanted.body, RVS=2, RVSORINUM=found.number)
    assert one.look(wanted) == [] and not one.stands(found)
    assert one.read_back(found).state == "cancelled"


def test_a_deleted_entry_is_cancelled(books: Books) -> None:
    one = target(books)
    found = one.send(one.prepare(invoice(), Codes()))
    assert one.stands(found)
    books.records["journal"].clear()
    gone = one.read_back(found)
    assert gone.state == "cancelled" and not one.stands(found)
    assert gone.notes == ("Sage X3 has no entry BWINV BWINV2602-0001 any more.",)


def test_an_entry_whose_lines_are_cut_proves_nothing(books: Books) -> None:
    wanted = prepared(books)
    books.enter(wanted.body, cut=True)
    with pytest.raises(Transient, match="without all of its lines"):
        target(books).look(wanted)


def test_a_list_that_shows_neither_key_nor_number_is_a_wrong_representation(books: Books) -> None:
    wanted = prepared(books)
    books.records["journal"].append({"TYP": "X", "NUM": "1"})
    with pytest.raises(Misconfigured, match=r"classes\.journal\.representation"):
        target(books).look(wanted)


def test_a_list_without_our_key_is_searched_by_number(books: Books) -> None:
    wanted = prepared(books)
    entry = books.enter(wanted.body)
    del entry["REFINT"]
    (found,) = target(books).look(wanted)
    assert not found.ours
    assert all("REFINT" not in str(where) for name, where in books.asked if name == "journal")


def test_entries_are_found_by_their_own_number_and_listed_with_our_key(books: Books) -> None:
    one = target(books)
    wanted = one.prepare(invoice(), Codes())
    found = one.send(wanted)
    assert [there.id for there in one.numbered(f" {found.number}", wanted)] == [found.id]
    assert one.numbered("BWINV2602-0001", replace(wanted, lookup={**wanted.lookup, "kind": "credit note"})) == []
    listed = list(one._payables.recent(date(2026, 2, 1)))
    assert [(there.number, there.reference) for there in listed] == [(found.number, "i1-0000000000000000")]
    assert list(one._payables.recent(date(2026, 3, 1))) == []


def test_an_account_that_got_another_amount_shows_when_it_is_read_back(books: Books) -> None:
    one = target(books)
    wanted = one.prepare(invoice(), Codes())
    found = one.send(wanted)
    books.records["journal"][0]["GACCENTRYD"][0]["ACC"] = "606200"
    shown = one.read_back(found)
    assert "account 606100" not in shown.written and shown.written["account"] == "0"

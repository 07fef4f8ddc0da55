"""What stands at a target is known for what it is: ours by our key, in other letters, by the number it has there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.engine.write.identity import foreign
from ml_connector.flow import Found
from ml_connector.records import Invoice, Supplier
from tests.contract.conformance.cases import Case, each, of
from tests.contract.conformance.posting import finish, prepare
from tests.contract.conformance.stand import Stand

INVOICES = of("target", "document", [Invoice])


def _fields(there: Found) -> tuple[str | None, str | None, str | None]:
    return there.partner, there.reference, there.kind


@each(INVOICES)
def test_what_carries_our_own_key_is_found_whatever_else_it_says(stand: Stand, case: Case) -> None:
    """A mapping, the number or the kind may have been corrected since; our rows may have forgotten what was sent."""
    target, prepared = prepare(stand, case)
    found = finish(stand, target, target.send(prepared))
    sent = stand.document(case.record, "one", "119.00")
    other = next(key for key in sorted(stand.keys(Supplier)) if key != sent.supplier)
    for fields in ({"supplier": other}, {"number": "another"}, {"gross": Decimal("-119.00")}):
        again = stand.connect().target(case.record)
        record = stand.document(case.record, "one", "119.00", **fields)
        (there,) = again.look(again.trace(record, stand.codes))
        assert (there.id, there.ours) == (found.id, True)
        assert _fields(there) == (prepared.partner, stand.spelled(prepared.reference), prepared.kind)
        assert (there.amount, there.currency, there.dated) == (prepared.amount, prepared.currency, prepared.dated)


@each(INVOICES)
@pytest.mark.parametrize("booked", [False, True], ids=["handed over", "booked"])
@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("Ré-7 a", "Ré-7 a".lower()),
        ("re-7 a", "RE-7 A"),
        ("Ré-7 a", "Re\u0301-7 a"),
        ("Re\u0301-7 a", "Ré-7 a"),
        ("Re-7\u00a0a", "Re-7 a"),
        ("Re-7 a", "Re-7\u00a0a"),
        ("Re\u20137 a", "Re-7 a"),
        ("Re-7 a", "Re\u20137 a"),
        (" Re-7 a", "Re-7 a "),
    ],
)
def test_a_number_is_found_in_every_spelling_and_sent_as_it_came(
    stand: Stand, case: Case, there: str, here: str, *, booked: bool
) -> None:
    target, prepared = prepare(stand, case, number=there)
    found = finish(stand, target, target.send(prepared))
    assert any(stand.spelled(there) in document for document in stand.posted()), "it is sent as it came"
    if booked:
        stand.book(found.id)
    other, same = prepare(stand, case, key="two", number=here)
    assert same.natural == prepared.natural
    assert [one.id for one in other.look(same)] == [found.id]


@each(INVOICES)
def test_a_document_is_found_by_the_number_that_the_target_gives_it(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case)
    found = finish(stand, target, target.send(prepared))
    assert [one.id for one in target.numbered(found.number, prepared)] == [found.id]
    assert target.stands(found)
    sent = stand.document(case.record, "one", "119.00")
    other = next(key for key in sorted(stand.keys(Supplier)) if key != sent.supplier)
    for fields in ({"supplier": other}, {"gross": Decimal("-119.00")}):
        record = stand.document(case.record, "one", "119.00", **fields)
        assert target.numbered(found.number, target.trace(record, stand.codes)) == []
    for number in ("999999", "", "x", f"{found.number}9", "-1", "1" * 40):
        assert target.numbered(number, prepared) == []


@each(INVOICES)
def test_a_document_shows_its_currency_so_that_no_other_one_is_taken_for_it(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case)
    posted = finish(stand, target, target.send(prepared))
    other = target.trace(stand.document(case.record, "one", "119.00", currency="USD"), stand.codes)
    (found,) = target.numbered(posted.number, other)
    assert found.currency == prepared.currency
    assert foreign(found, other) and not foreign(found, prepared)


@each(INVOICES)
def test_a_cancelled_document_bars_nothing_where_that_shows(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case)
    found = finish(stand, target, target.send(prepared))
    stand.cancel(found.id)
    again = stand.connect().target(case.record)
    if not stand.shows_cancelled:  # then it must count: what stands would be posted a second time
        assert [one.id for one in again.look(prepared)] == [found.id] and again.stands(found)
        return
    assert again.look(prepared) == [] and again.numbered(found.number, prepared) == []
    assert not again.stands(found)


@each(INVOICES)
def test_a_partner_is_known_in_other_letters(stand: Stand, case: Case) -> None:
    """A server without regard to case answers `V10000` where `v10000` was mapped."""
    target, prepared = prepare(stand, case, **stand.foreign(case.record))
    found = finish(stand, target, target.send(prepared))
    lower = {**stand.foreign(case.record), "supplier": prepared.partner.lower()}
    assert lower["supplier"] != prepared.partner
    trace = target.trace(stand.document(case.record, "two", "119.00", number=prepared.reference, **lower), stand.codes)
    assert trace.natural == prepared.natural
    assert [one.id for one in target.look(trace)] == [found.id]


@each(INVOICES)
def test_what_another_installation_has_sent_is_listed_as_such(stand: Stand, case: Case) -> None:
    """Its key tells; what this one has sent is known by its link, or by what it remembers of its sending."""
    target, prepared = prepare(stand, case)
    assert target.recent() == []
    found = target.send(prepared)
    (there,) = target.recent()
    assert (there.id, there.reference) == (found.id, prepared.lookup["own"])

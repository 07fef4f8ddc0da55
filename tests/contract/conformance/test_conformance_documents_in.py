"""A document is posted once, found again, and never changed on the way."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest

from ml_connector.errors import Held, Rejected
from ml_connector.records import Invoice
from tests.contract.conformance.cases import DOCUMENT_TARGETS, Case, each, of
from tests.contract.conformance.posting import WAITS, check, finish, prepare
from tests.contract.conformance.reading import naming
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, instead

INVOICES = of("target", "document", [Invoice])


@each(DOCUMENT_TARGETS)
def test_a_document_is_not_there_before_it_is_sent_and_found_afterwards(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case)
    assert target.look(prepared) == []
    found = target.send(prepared)
    back = finish(stand, target, found)
    check(case, stand, back, prepared)
    for process in (target, stand.connect().target(case.record)):
        (there,) = process.look(prepared)
        assert there.id == back.id
        check(case, stand, there, prepared)
        assert finish(stand, process, there).id == back.id
    assert stand.booked(case.record) == 1


@each(DOCUMENT_TARGETS)
def test_another_document_is_not_taken_for_it(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case)
    finish(stand, target, target.send(prepared))
    _, other = prepare(stand, case, key="other", amount="7.00")
    assert target.look(other) == []
    finish(stand, target, target.send(other))
    assert len(target.look(prepared)) == len(target.look(other)) == 1
    assert stand.booked(case.record) == 2


@each(DOCUMENT_TARGETS)
def test_the_same_sent_twice_shows(stand: Stand, case: Case) -> None:
    """Either the target lets no second one in, or a look finds both."""
    target, prepared = prepare(stand, case)
    first = target.send(prepared)
    finish(stand, target, first)
    again = stand.connect().target(case.record)
    try:
        second = again.send(prepared)
    except (Held, Rejected) as error:
        assert isinstance(error, Rejected) or WAITS.fullmatch(error.waiting_for)
        assert stand.booked(case.record) == 1
        return
    finish(stand, again, second)
    if target.refuses_duplicates or stand.booked(case.record) == 1:  # it knows our key, and gave the same again
        assert stand.booked(case.record) == 1 and second.id == first.id
    else:
        assert len({one.id for one in again.look(prepared)}) == 2


@each(DOCUMENT_TARGETS)
@pytest.mark.parametrize("number", range(9))
def test_what_cannot_be_posted_is_refused_or_waits_for_something_that_has_a_name(
    stand: Stand, case: Case, number: int
) -> None:
    wrong = stand.unwelcome(case.record)
    for name in list(wrong)[number : number + 1]:
        before = stand.booked(case.record)
        with pytest.raises((Rejected, Held)) as caught:
            target, prepared = prepare(stand, case, amount="10.00", **wrong[name])
            assert target.look(prepared) == []
            finish(stand, target, target.send(prepared))
        assert len(str(caught.value)) > 30
        if isinstance(caught.value, Held):
            assert WAITS.fullmatch(caught.value.waiting_for), caught.value.waiting_for
            kind = caught.value.waiting_for.partition(":")[0]
            assert name not in {"account", "supplier", "tax", "currency", "period"} or kind == name
        assert stand.booked(case.record) == before
    assert len(wrong) <= 9, "raise the range"


@each(DOCUMENT_TARGETS)
def test_a_refusal_in_the_targets_own_words_is_one(stand: Stand, case: Case) -> None:
    """It is no doubt and no passing trouble: the record itself is told of, with what the target said."""
    for status in stand.refuses:
        target, prepared = prepare(stand, case)
        stand.wire.rules.clear()
        stand.wire.spoil(instead(status, stand.refusal), stand.posts, times=ALWAYS)
        with naming(str(status)), pytest.raises((Rejected, Held), match="sour"):
            target.send(prepared)


@each(INVOICES)
@pytest.mark.parametrize("kind", ["account", "cost_center", "supplier"])
def test_a_code_without_a_counterpart_holds(stand: Stand, case: Case, kind: str) -> None:
    record = stand.document(case.record, "one", "119.00")
    code = {"account": record.rows[0].account, "cost_center": record.rows[0].cost_center, "supplier": record.supplier}
    stand.codes.missing.add((kind, str(code[kind])))
    with pytest.raises(Held) as caught:
        prepare(stand, case)
    assert caught.value.waiting_for == f"{kind}:{code[kind]}"


@each(DOCUMENT_TARGETS)
def test_preparing_writes_nothing_and_gives_the_same_each_time(stand: Stand, case: Case) -> None:
    first = prepare(stand, case)[1]
    stand.later(3600)
    assert prepare(stand, case)[1] == first and prepare(stand, case)[1] == first
    assert stand.booked(case.record) == 0
    body = msgspec.json.encode(first.body)
    target, _ = prepare(stand, case)
    finish(stand, target, target.send(first))
    assert msgspec.json.encode(first.body) == body, "sending leaves what was prepared as it is"


@each(DOCUMENT_TARGETS)
def test_a_trace_finds_what_was_sent(stand: Stand, case: Case) -> None:
    record = stand.document(case.record, "one", "119.00")
    target = stand.connect().target(case.record)
    trace = target.trace(record, stand.codes)
    assert target.look(trace) == []
    found = finish(stand, target, target.send(target.prepare(record, stand.codes)))
    (there,) = stand.connect().target(case.record).look(target.trace(record, stand.codes))
    assert there.id == found.id
    assert (trace.key, trace.amount, trace.currency) == (record.key, Decimal("119.00"), "EUR")


@each(INVOICES)
def test_a_trace_needs_no_order(stand: Stand, case: Case) -> None:
    """The posting itself may have used up what the rows draw on."""
    fields, close = stand.on_order()
    target, prepared = prepare(stand, case, **fields)
    found = target.send(prepared)
    close()
    other = stand.connect().target(case.record)
    record = stand.document(case.record, "one", "119.00", **fields)
    (there,) = other.look(other.trace(record, stand.codes))
    assert there.id == found.id


@each(INVOICES)
def test_a_credit_note_is_one_and_no_invoice(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case, amount="-119.00")
    back = finish(stand, target, target.send(prepared))
    assert back.amount == Decimal("-119.00") == prepared.amount
    check(case, stand, back, prepared)
    _, invoice = prepare(stand, case, key="two", number="R-one")
    assert target.look(invoice) == [], "an invoice of the same number is another document"
    assert stand.booked(case.record) == 1


@each(DOCUMENT_TARGETS)
def test_a_currency_is_kept(stand: Stand, case: Case) -> None:
    fields = stand.foreign(case.record)
    target, prepared = prepare(stand, case, **fields)
    assert prepared.currency == fields["currency"] != "EUR"
    check(case, stand, finish(stand, target, target.send(prepared)), prepared)


@each(DOCUMENT_TARGETS)
@pytest.mark.parametrize("amount", ["0.30", "0.01", "12345678901.23", "1000000.10", "999.99"])
def test_an_amount_arrives_to_the_last_digit(stand: Stand, case: Case, amount: str) -> None:
    target, prepared = prepare(stand, case, amount=amount)
    check(case, stand, finish(stand, target, target.send(prepared)), prepared)
    assert prepared.amount == Decimal(amount)
    digits = re.escape(amount.rstrip("0"))
    assert any(re.search(rf'[:, ">]{digits}0*[,}}\]"<]', document) for document in stand.posted())


@each(INVOICES)
def test_a_text_is_cut_with_a_note_and_a_number_never(stand: Stand, case: Case) -> None:
    target, prepared = prepare(stand, case, description="Wörter " * 1000)
    assert any("cut" in note for note in prepared.notes)
    finish(stand, target, target.send(prepared))
    number = "R" * 300
    with pytest.raises(Rejected) as caught:
        prepare(stand, case, number=number)
    assert number in str(caught.value)
    assert number[:200] not in str(prepared.body)


@each(DOCUMENT_TARGETS)
@pytest.mark.parametrize("text", ["O'Brien & Söhne", 'a "b" <c> \\ / ;', "株式会社", "%27 or 1 eq 1", "a\nb\tc"])
def test_odd_letters_arrive_and_are_found(stand: Stand, case: Case, text: str) -> None:
    name = "description" if case.record is Invoice else "reference"
    number = f"{text[:12]} 7".replace("\n", " ").replace("\t", " ")
    if not stand.keeps_letters(number):
        with pytest.raises(Rejected, match="cannot keep"):
            prepare(stand, case, number=number)
        number = "R-7"
    target, prepared = prepare(stand, case, number=number, **{name: text})
    assert target.look(prepared) == []
    found = finish(stand, target, target.send(prepared))
    assert [one.id for one in target.look(prepared)] == [found.id]

"""Everything is read, once, whatever the size of the pages and whatever happens between them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ml_connector.errors import Rejected, Transient
from ml_connector.records import Invoice, Payment, PurchaseOrder, Record
from tests.contract.conformance.cases import DOCUMENT_SOURCES, MASTER_SOURCES, SOURCES, Case, each, of
from tests.contract.conformance.reading import amount_of, highest, keys, leaves, reread
from tests.contract.conformance.stand import Stand

MOST_CALLS = 50
"""For a hundred keys, whatever hangs on them."""
MONEY = of("source", records=(PurchaseOrder, Invoice, Payment))
ODD = (
    "O'BRIEN",
    "a&b=c?d#e%41+/..",
    "Müller ß",
    "'",
    "x" * 300,
    " ",
    "-1",
    "0",
    "999999999999999999999",
    "1 or 1 eq 1",
)


@each(SOURCES)
@pytest.mark.parametrize("size", [1, 2, 5, 7, 0])
def test_everything_is_read_once_whatever_the_page_size(stand: Stand, case: Case, size: int) -> None:
    stand.size = size
    read = keys(stand.connect(), case)
    assert sorted(read) == sorted(stand.keys(case.record)) and read


@each(SOURCES)
def test_a_reading_goes_on_in_another_process_after_any_page(stand: Stand, case: Case) -> None:
    stand.size = 7
    read: set[str] = set()
    for leaf in leaves(stand.connect(), case):
        read |= set(leaf.keys)
        if leaf.position is None:
            break
        rest = [key for on in leaves(stand.connect(), case, None, leaf.position) for key in on.keys]
        assert read | set(rest) == stand.keys(case.record)
        assert len(rest) == len(set(rest))
    assert read == stand.keys(case.record)


@each(SOURCES)
def test_a_page_is_given_again_where_the_process_died_before_its_position_was_saved(stand: Stand, case: Case) -> None:
    stand.size = 7
    first = stand.connect()
    died = leaves(first, case)
    seen = [next(died)]
    if seen[0].position is not None:
        seen.append(next(died))
    first.close()
    again = [key for on in leaves(stand.connect(), case, None, seen[0].position) for key in on.keys]
    assert set(seen[0].keys) | set(again) == stand.keys(case.record)
    assert set(seen[-1].keys) <= set(again) | set(seen[0].keys)


@each(SOURCES)
@pytest.mark.parametrize("leaving", [1, 2, 3])
def test_records_that_leave_while_the_list_is_read_take_no_others_along(stand: Stand, case: Case, leaving: int) -> None:
    stand.size, place, left = 7, None, False
    whole, read = stand.keys(case.record), []
    for _ in range(3):
        try:
            for number, leaf in enumerate(leaves(stand.connect(), case, None, place)):
                read, place = [*read, *leaf.keys], leaf.position
                if number == 1 and not left:
                    left = True
                    for key in read[:leaving]:
                        stand.remove(case.record, key)
            break
        except Transient:  # it was noticed, and is read again from the last position on
            continue
    assert set(read) == whole


@each(MASTER_SOURCES)
def test_a_change_on_the_day_of_the_watermark_is_not_lost(stand: Stand, case: Case) -> None:
    """Stamps may be days without a time: what changes later on the same day has the watermark's own stamp."""
    one, other, *_ = sorted(stand.keys(case.record))
    stand.touch(case.record, one)
    mark = highest(list(leaves(stand.connect(), case)))
    stand.later(3600)
    stand.touch(case.record, other)
    for _ in range(3):
        assert other in keys(stand.connect(), case, mark)
        stand.later(86_400)


@each(MASTER_SOURCES)
def test_stamps_grow_as_text(stand: Stand, case: Case) -> None:
    """Over the ends of months and years, from a day of one digit to one of two."""
    stamps: list[str | None] = []
    for days in (0, 1, 20, 8, 240, 50, 3650):
        stand.later(days * 86_400)
        stand.touch(case.record, min(stand.keys(case.record)))
        stamps.append(highest(list(leaves(stand.connect(), case))))
    told = [stamp for stamp in stamps if stamp is not None]
    assert told == sorted(told)
    assert len(told) in {0, len(stamps)}, "a source has stamps or has none"
    assert not told or len(set(told)) > 4, "a change moves the stamp"


@each(MASTER_SOURCES)
def test_only_what_changed_is_read_where_there_is_a_stamp(stand: Stand, case: Case) -> None:
    mark = highest(list(leaves(stand.connect(), case)))
    stand.later(30 * 86_400)
    changed = min(stand.keys(case.record))
    stand.touch(case.record, changed)
    if mark is None:
        assert set(keys(stand.connect(), case, mark)) == stand.keys(case.record)
        return
    after = highest(list(leaves(stand.connect(), case)))
    stand.later(2 * 86_400)
    read = keys(stand.connect(), case, after)
    assert changed in read and len(read) < len(stand.keys(case.record)) / 2


@each(MASTER_SOURCES)
def test_keys_read_again_are_given_as_far_as_they_are_there(stand: Stand, case: Case) -> None:
    there = sorted(stand.keys(case.record))
    gone = there.pop()
    stand.remove(case.record, gone)
    connection = stand.connect()
    whole = {one.key: one for leaf in leaves(connection, case) for one in leaf.items}
    wanted = there[:60]
    before = len(stand.wire.seen)
    found, broken = reread(connection, case, [*wanted, gone, *(f"9999{n:04d}" for n in range(99 - len(wanted)))])
    assert sorted(one.key for one in found) == wanted and broken == []
    assert [msgspec.to_builtins(one) for one in found] == [msgspec.to_builtins(whole[one.key]) for one in found]
    assert len(stand.wire.seen) - before <= MOST_CALLS


@each(MASTER_SOURCES)
def test_reading_no_keys_again_asks_nothing_and_gives_nothing(stand: Stand, case: Case) -> None:
    connection = stand.connect()
    keys(connection, case)
    before = len(stand.wire.seen)
    assert reread(connection, case, []) == ([], [])
    assert len(stand.wire.seen) - before <= 1


@each(MASTER_SOURCES)
def test_an_odd_key_opens_nothing_and_hides_nothing(stand: Stand, case: Case) -> None:
    """A key goes into addresses and filters: what it says there must stay a key."""
    there = min(stand.keys(case.record))
    known = stand.keys(case.record)
    found, broken = reread(stand.connect(), case, [*ODD, there])
    assert {one.key for one in found} == {key for key in (*ODD, there) if key in known}
    assert {one.key for one in broken} <= set(ODD)


@each(MASTER_SOURCES)
def test_a_key_asked_for_twice_is_given_once(stand: Stand, case: Case) -> None:
    there = min(stand.keys(case.record))
    found, _ = reread(stand.connect(), case, [there, there, there])
    assert [one.key for one in found] == [there]


@each(MASTER_SOURCES)
@pytest.mark.parametrize("size", [0, 5])
def test_a_record_that_does_not_parse_is_told_and_the_rest_goes_on(stand: Stand, case: Case, size: int) -> None:
    stand.size, told = size, []
    bad = sorted(stand.keys(case.record))[3]
    stand.rewrite(case.record, bad, lambda row: told.append(stand.garble(case.record, row)))
    read = list(leaves(stand.connect(), case))
    broken = {one.key: one for leaf in read for one in leaf.broken}
    assert {key for key in told if key} <= set(broken)
    assert stand.keys(case.record) - {bad} <= {key for leaf in read for key in leaf.keys}
    assert broken, "a record was left out in silence"
    for one in broken.values():
        assert one.key and one.reason and one.raw


@each(MASTER_SOURCES)
def test_a_record_that_does_not_parse_is_told_when_it_is_read_again(stand: Stand, case: Case) -> None:
    bad, good, *_ = sorted(stand.keys(case.record))
    stand.rewrite(case.record, bad, lambda row: stand.garble(case.record, row))
    found, broken = reread(stand.connect(), case, [bad, good])
    assert good in {one.key for one in found}
    assert broken and all(one.key and one.reason and one.raw for one in broken)


@each(DOCUMENT_SOURCES)
def test_a_document_that_does_not_parse_is_told_and_the_others_are_offered(stand: Stand, case: Case) -> None:
    stand.size = 5
    bad = sorted(stand.keys(case.record))[3]
    stand.rewrite(case.record, bad, lambda row: stand.garble(case.record, row))
    read = list(leaves(stand.connect(), case))
    offered, broken = {k for leaf in read for k in leaf.keys}, [one for leaf in read for one in leaf.broken]
    assert stand.keys(case.record) - {bad} <= offered
    assert bad in offered or any(one.key in bad and one.reason and one.raw for one in broken)
    with pytest.raises(Rejected):
        stand.connect().source(case.record).fetch(bad)


AMOUNTS = (
    "0.1",
    "0.2",
    "0.30",
    "-0.01",
    "12345678901234567.89",
    "123456789012345678.90",
    "99999999999999999999",
    "0.0000000000000000001",
)


@each(MONEY)
def test_amounts_are_read_to_the_last_digit(stand: Stand, case: Case) -> None:
    chosen = dict(zip(sorted(stand.keys(case.record)), map(Decimal, AMOUNTS), strict=False))
    for key, amount in chosen.items():
        stand.wire.rules.clear()
        stand.rewrite(case.record, key, lambda row, amount=amount: stand.price(case.record, row, amount))  # type: ignore[misc]
        assert amount_of(_one(stand, case, key)) == amount
        assert str(abs(amount)) in str(amount_of(_one(stand, case, key)))


def _one(stand: Stand, case: Case, key: str) -> Record:
    connection = stand.connect()
    if case.manner == "document":
        record = connection.source(case.record).fetch(key).record
    else:
        ((record,), _) = reread(connection, case, [key])
    assert isinstance(record, Record)
    return record


@each(MONEY)
def test_a_tenth_and_two_tenths_are_three_tenths(stand: Stand, case: Case) -> None:
    one, other, *_ = sorted(stand.keys(case.record))
    found = []
    for key, amount in ((one, "0.1"), (other, "0.2")):
        stand.wire.rules.clear()
        stand.rewrite(case.record, key, lambda row, amount=amount: stand.price(case.record, row, Decimal(amount)))  # type: ignore[misc]
        found.append(amount_of(_one(stand, case, key)))
    assert sum(one for one in found if one is not None) == Decimal("0.3")

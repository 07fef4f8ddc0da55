"""Entries in the simulated Sage X3 as they are found and read back, whatever way they were written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import httpx
import pytest

from infra.sandbox.sage_x3 import back_office
from ml_connector.engine.write.identity import differences
from ml_connector.errors import Misconfigured, OutcomeUnknown, Transient
from tests.contract.conformance.wire import acted, breaks, page
from tests.contract.sage_x3.conftest import Bench, Maker
from tests.contract.sage_x3.posting import JOURNAL, Codes, invoice, opened, post, row, target, ways

TOLERANCE = Decimal("0.05")


def writes(request: httpx.Request) -> bool:
    return (
        (request.method == "POST" and "/api1/" in request.url.path)
        or b"|END" in request.content
        or b"mutation ($data" in request.content
    )


def keyed_in(bench: Bench, number: str, amount: str = "119", **head: object) -> str:
    lines = [
        {"ACC": "400001", "SNS": 1, "AMTCUR": Decimal(amount), "CCE": "CC101"},
        {"ACC": "401100", "SNS": -1, "AMTCUR": Decimal(amount), "BPR": "V10000"},
    ]
    entry = back_office.enter(bench.world, "STDJE", lines, BPRVCR=number, BPRDATVCR=date(2026, 1, 30), **head)
    return str(entry["NUM"])


@ways
@pytest.mark.parametrize("typed", ["R-4711", "r-4711", "R\u20104711"])
def test_one_that_was_keyed_in_is_found_by_supplier_and_number(make: Maker, way: str, typed: str) -> None:
    bench = opened(make, way)
    number = keyed_in(bench, typed)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    (found,) = one.look(wanted)
    assert (found.ours, found.number, found.amount, found.partner) == (False, number, Decimal(119), "V10000")
    assert [there.id for there in one.numbered(number, wanted)] == [found.id]
    other = one.prepare(invoice(supplier="V10001"), Codes())
    credit = one.prepare(invoice(row(net="-100", tax="-19"), gross="-119.00"), Codes())
    assert one.look(other) == [] and one.look(credit) == [] and one.numbered(number, other) == []


@ways
def test_two_entries_with_our_key_are_both_found(make: Maker, way: str) -> None:
    bench = opened(make, way)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    for _ in range(2):
        one.send(wanted)
    assert [there.ours for there in target(bench).look(wanted)] == [True, True]


@ways
def test_an_answer_that_broke_off_is_looked_for(make: Maker, way: str) -> None:
    bench = opened(make, way)
    for damage in (acted(breaks(httpx.ReadTimeout)), acted(page(200))):
        bench.wire.spoil(damage, writes)
    one = target(bench)
    for key in ("a", "b"):
        wanted = one.prepare(invoice(key=key, number=key), Codes())
        with pytest.raises(OutcomeUnknown):
            one.send(wanted)
        assert [there.ours for there in target(bench).look(wanted)] == [True]
    assert sum(writes(httpx.Request(one.method, one.url, content=one.body)) for one in bench.wire.seen) == 2


@ways
def test_a_reversed_entry_is_cancelled_and_its_reversal_is_no_credit_note(make: Maker, way: str) -> None:
    bench = opened(make, way)
    back = post(bench)
    bench.world.reversal_copies |= {"REFINT"}
    back_office.reverse(bench.world, "PIINV", back.number)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    if bench.settings.api == "api1":
        assert one.look(wanted) == [] and not one.stands(back)
        assert one.read_back(back).state == "cancelled"


@ways
def test_a_deleted_entry_is_cancelled(make: Maker, way: str) -> None:
    bench = opened(make, way, journal={**JOURNAL, "entry_type": "PITMP"})
    back = post(bench)
    back_office.delete_entry(bench.world, "PITMP", back.number)
    one = target(bench)
    assert one.read_back(back).state == "cancelled" and not one.stands(back)


@ways
def test_what_somebody_changed_shows_when_it_is_read_back(make: Maker, way: str) -> None:
    bench = opened(make, way)
    back = post(bench)
    line = next(one for one in bench.world.rows("GACCENTRYD") if one["NUM"] == back.number and one["ACC"] == "400001")
    line["ACC"] = "400002"
    share = next(one for one in bench.world.rows("GACCENTRYA") if one["NUM"] == back.number)
    share["CCE"] = ["CC102"]
    one = target(bench)
    points = differences(one.read_back(back), one.prepare(invoice(), Codes()), TOLERANCE)
    assert any(point.startswith("account 400001") for point in points)
    assert any(point.startswith("dimension CCT CC101") for point in points)


def test_an_entry_of_another_company_is_not_it(make: Maker) -> None:
    bench = opened(make, "api1")
    keyed_in(bench, "R-4711", FCY="US011")
    assert target(bench).look(target(bench).prepare(invoice(), Codes())) == []


def test_a_cut_collection_proves_nothing(make: Maker) -> None:
    bench = opened(make, "api1")
    rows = tuple(row(key=str(n), net="10.00", tax="1.90") for n in range(30))
    given = invoice(*rows, gross="357.00")
    one = target(bench)
    wanted = one.prepare(given, Codes())
    one.send(wanted)
    bench.world.nested_limit = 20
    with pytest.raises(Transient):
        target(bench).look(wanted)


def test_a_list_without_our_key_is_searched_by_number_and_one_without_both_is_named(make: Maker) -> None:
    bench = opened(make, "api1")
    back = post(bench)
    shown = bench.world.representations["GACCENTRY", "ZGACCENTRY"]
    shown.hidden.add("REFINT")
    wanted = target(bench).prepare(invoice(), Codes())
    (found,) = target(bench).look(wanted)
    assert (found.id, found.ours) == (back.id, False)
    shown.hidden.add("BPRVCR")
    with pytest.raises(Misconfigured, match=r"classes\.journal\.representation"):
        target(bench).look(wanted)


def test_keys_of_another_installation_are_listed(make: Maker) -> None:
    bench = opened(make, "api1")
    back = post(bench)
    assert [(one.number, (one.reference or "")[:6]) for one in target(bench).recent()] == [(back.number, "inv-1-")]


@pytest.mark.parametrize("way", ["api1", "soap"])
def test_an_entry_that_is_found_in_three_ways_is_read_once(make: Maker, way: str) -> None:
    bench = opened(make, way)
    one = target(bench)
    wanted = one.prepare(invoice(), Codes())
    one.send(wanted)
    one, before = target(bench), len(bench.world.log)
    assert len(one.look(wanted)) == 1
    read = [call.path for call in list(bench.world.log)[before:] if "GACCENTRY('" in call.path]
    assert len(read) == 1, "each call counts against the day's"

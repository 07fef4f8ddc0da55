"""What people changed of suppliers at the platform, written in an ERP: these fields, and nothing else."""

from __future__ import annotations

import httpx
import pytest

from ml_connector.enrichment import FIELDS, ErpSupplier, SupplierFields
from ml_connector.errors import Held, OutcomeUnknown, Rejected, Transient
from ml_connector.records import Supplier
from tests.contract.conformance.cases import ENRICHED, Case, each
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.test_conformance_reading import ODD
from tests.contract.conformance.wire import ALWAYS, acted, breaks, page, truncated

LOST = {"reset": breaks(httpx.ReadError), "late": breaks(httpx.ReadTimeout), "half": truncated, "page": page(200)}


def fields(stand: Stand, case: Case) -> SupplierFields:
    target: SupplierFields = stand.connect().target(case.record)
    return target


def one(stand: Stand) -> str:
    return sorted(stand.keys(Supplier))[1]


def read(target: SupplierFields, key: str) -> ErpSupplier:
    found = target.read(key)
    assert found is not None
    return found


def changed(before: ErpSupplier, after: ErpSupplier) -> set[str]:
    names = before.row.keys() | after.row.keys()
    return {name for name in names if before.row.get(name, "") != after.row.get(name, "")}


@each(ENRICHED)
def test_a_supplier_is_read_with_its_whole_row(stand: Stand, case: Case) -> None:
    target = fields(stand, case)
    assert set(target.fields) <= set(FIELDS) and target.fields
    for key in sorted(stand.keys(Supplier)):
        found = read(target, key)
        assert dict(found.values) == stand.shared(key)
        assert set(found.columns) == set(target.fields)
        assert set(found.columns.values()) <= found.row.keys()
        assert len(found.row) > len(found.columns)


@each(ENRICHED)
def test_what_is_written_changes_and_nothing_else_does(stand: Stand, case: Case) -> None:
    target, key = fields(stand, case), one(stand)
    good, _ = stand.changes()
    assert good.keys() == set(target.fields)
    for name, value in good.items():
        before = read(target, key)
        assert before.values[name] != value, "the stand names what is there already"
        target.write(key, {name: value})
        after = read(target, key)
        assert dict(after.values) == {**before.values, name: value} == stand.shared(key)
        assert changed(before, after) == {after.columns[name]}


@each(ENRICHED)
def test_the_same_again_is_harmless_and_several_fields_go_in_one_call(stand: Stand, case: Case) -> None:
    target, key = fields(stand, case), one(stand)
    good, _ = stand.changes()
    rule = stand.wire.spoil(lambda _, go: go(), stand.writes, times=ALWAYS)
    for _ in range(2):
        target.write(key, good)
        assert stand.shared(key) == good
    assert rule.hits == 2


@each(ENRICHED)
def test_a_supplier_that_is_not_there_is_none_whatever_its_name(stand: Stand, case: Case) -> None:
    target, there = fields(stand, case), stand.keys(Supplier)
    for key in (*ODD, "NOBODY"):
        assert (target.read(key) is not None) == (key in there)


@each(ENRICHED)
def test_what_the_erp_refuses_changes_nothing(stand: Stand, case: Case) -> None:
    target, key = fields(stand, case), one(stand)
    before = stand.shared(key)
    _, bad = stand.changes()
    for name, value in bad.items():
        with pytest.raises((Rejected, Held), match=r"\w+ \w+") as caught:
            target.write(key, {name: value})
        assert value in str(caught.value) and key in str(caught.value)
    assert stand.shared(key) == before


@each(ENRICHED)
@pytest.mark.parametrize("lost", sorted(LOST))
def test_a_write_without_a_trustworthy_answer_is_in_doubt_and_not_repeated(stand: Stand, case: Case, lost: str) -> None:
    target, key = fields(stand, case), one(stand)
    read(target, key)
    good, _ = stand.changes()
    rule = stand.wire.spoil(acted(LOST[lost]), stand.writes, times=ALWAYS)
    with pytest.raises(OutcomeUnknown):
        target.write(key, good)
    assert rule.hits == 1
    assert dict(read(target, key).values) == good


@each(ENRICHED)
def test_a_write_that_never_left_had_no_effect(stand: Stand, case: Case) -> None:
    target, key = fields(stand, case), one(stand)
    before = read(target, key)
    stand.wire.spoil(breaks(httpx.ConnectError), stand.writes, times=ALWAYS)
    good, _ = stand.changes()
    with pytest.raises(Transient):
        target.write(key, good)
    assert changed(before, read(target, key)) == set()


@each(ENRICHED)
def test_a_stranger_is_no_proof_that_a_supplier_is_not_there(stand: Stand, case: Case) -> None:
    target, key = fields(stand, case), one(stand)
    read(target, key)
    for status in (404, 410):
        stand.wire.rules.clear()
        stand.wire.spoil(page(status), lambda request: not stand.is_login(request), times=ALWAYS)
        with pytest.raises(Transient):
            target.read(key)


@each(ENRICHED)
def test_what_an_erp_empties_besides_shows_in_the_row(stand: Stand, case: Case) -> None:
    target, key = fields(stand, case), one(stand)
    stand.empties()
    name, value = next(iter(stand.changes()[0].items()))
    before = read(target, key)
    target.write(key, {name: value})
    assert changed(before, read(target, key)) > {before.columns[name]}

"""What people edit at a target is read right before a record is sent, and what is to be left stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml_connector.errors import Transient
from tests.contract.conformance.cases import GUARDED, Case, each
from tests.contract.conformance.delivering import confirm, deliver, rendered, samples
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.test_conformance_absence import STRANGERS
from tests.contract.conformance.wire import ALWAYS


@each(GUARDED)
@pytest.mark.parametrize("count", [1, 9])
def test_what_stands_there_is_told_field_by_field(stand: Stand, case: Case, count: int) -> None:
    target, batch = rendered(stand, case, samples(case, count))
    stage = target.stages[0]
    assert target.present(stage, batch) == {}
    deliver(stand, case, samples(case, count))
    target, _ = rendered(stand, case, [])
    known = [replace(one, known=True) for one in batch]
    found = target.present(stage, known)
    assert {key: target.fields(stage, row) for key, row in found.items()} == {
        one.key: target.fields(stage, one.entities[stage][0]) for one in batch
    }


@each(GUARDED)
@pytest.mark.parametrize("stranger", list(STRANGERS))
def test_a_stranger_takes_no_known_record_for_absent(stand: Stand, case: Case, stranger: str) -> None:
    deliver(stand, case, samples(case, 1))
    target, (one,) = rendered(stand, case, samples(case, 1))
    target.read_back(target.stages[0], [one])
    stand.wire.spoil(STRANGERS[stranger], lambda r: stand.reads(r) and not stand.is_login(r), times=ALWAYS)
    with pytest.raises(Transient):
        target.present(target.stages[0], [replace(one, known=True)])


@each(GUARDED)
def test_what_was_edited_stays_until_it_is_to_be_overwritten(stand: Stand, case: Case) -> None:
    deliver(stand, case, samples(case, 1))
    target, (one,) = rendered(stand, case, samples(case, 1))
    stage, ours = target.stages[0], target.fields(target.stages[0], one.entities[target.stages[0]][0])
    stand.edit(case.record, one.target_id)
    for kept in (True, False):
        row = target.present(stage, [replace(one, known=True)])[one.key]
        edited = {name for name, value in target.fields(stage, row).items() if value != ours.get(name)}
        assert edited and edited < set(ours)
        stand.later(60)
        sent = target.send(stage, [replace(one, present=row, kept=frozenset(edited if kept else ()))])
        assert not sent.refused
        confirm(stand, lambda sent=sent: target.verdicts(stage, [one], sent.tokens))  # type: ignore[misc]
        shown = target.fields(stage, target.present(stage, [replace(one, known=True)])[one.key])
        assert {name for name, value in ours.items() if shown[name] != value} == (edited if kept else set())

"""Master data by a call for each record, under the ERP's own code, answered at once: again is harmless, too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ml_connector.errors import Rejected, Transient
from ml_connector.flow import Sent
from tests.contract.conformance.cases import AT_ONCE, MASTER_TARGETS, Case, each
from tests.contract.conformance.delivering import GOOD, as_request, deliver, is_write, rendered
from tests.contract.conformance.doing import sample
from tests.contract.conformance.reading import naming
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.test_conformance_absence import STRANGERS
from tests.contract.conformance.test_conformance_masters_doubt import DOUBT
from tests.contract.conformance.wire import ALWAYS


def _samples(case: Case, count: int) -> list[Any]:
    """Make records whose key is their code, as an ERP has them that this is for."""
    return [sample(case.record, number, key=f"K{number}") for number in range(1, count + 1)]


@each(MASTER_TARGETS)
def test_a_target_that_answers_at_once_says_so(stand: Stand, case: Case) -> None:
    target, batch = rendered(stand, case, _samples(case, 1))
    assert getattr(target, "at_once", False) is stand.at_once
    assert bool(target.send(target.stages[0], batch).tokens) is not stand.at_once


@each(AT_ONCE)
def test_what_was_sent_is_kept_under_its_own_code_and_again_is_harmless(stand: Stand, case: Case) -> None:
    for _ in range(2):
        assert {v.outcome for v in deliver(stand, case, _samples(case, 5)).values()} == {"delivered"}
        assert stand.kept(case.record) == {f"K{n}": True for n in range(1, 6)}
        stand.later(60)


@each(AT_ONCE)
def test_each_record_is_a_call(stand: Stand, case: Case) -> None:
    deliver(stand, case, _samples(case, 7))
    posts = [one for one in stand.wire.seen if one.method != "GET" and not stand.is_login(as_request(one))]
    assert len(posts) == 7


@each(AT_ONCE)
def test_a_code_is_refused_or_arrives_whole(stand: Stand, case: Case) -> None:
    code = "K" * 300
    try:
        deliver(stand, case, [sample(case.record, 1, key=code, code=code)])
    except Rejected as error:
        assert code in str(error), "the message names it whole"
    else:
        assert set(stand.kept(case.record)) <= {code}


@each(AT_ONCE)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_record_that_is_refused_at_the_door_costs_only_itself(stand: Stand, case: Case, place: int) -> None:
    target, batch = rendered(stand, case, _samples(case, 4))
    stage, bad = target.stages[0], batch[place]
    entities = {**bad.entities, stage: [stand.misshape(one) for one in bad.entities[stage]]}
    sent = target.send(stage, [replace(one, entities=entities) if one is bad else one for one in batch])
    assert list(sent.refused) == [bad.key] and len(sent.refused[bad.key]) > 30
    assert set(stand.kept(case.record)) == {one.target_id for one in batch if one is not bad}


@each(AT_ONCE)
def test_what_is_not_there_is_told_apart_from_what_is(stand: Stand, case: Case) -> None:
    deliver(stand, case, _samples(case, 2))
    target, batch = rendered(stand, case, _samples(case, 3))
    said = target.read_back(target.stages[0], batch)
    assert [said[f"K{n}"].outcome in GOOD for n in (1, 2, 3)] == [True, True, False]
    assert said["K3"].outcome == "held" and (said["K3"].waiting_for or "").endswith(":K3")


@each(AT_ONCE)
def test_what_vanished_is_deactivated_and_a_record_that_returns_is_active_again(stand: Stand, case: Case) -> None:
    deliver(stand, case, _samples(case, 3))
    for _ in range(2):
        target = stand.connect().target(case.record)
        sent = target.deactivate(["K2"])
        assert sent == Sent() and target.deactivated(["K2"], sent.tokens) == {}
        assert stand.kept(case.record) == {"K1": True, "K2": False, "K3": True}
    deliver(stand, case, _samples(case, 2))
    assert stand.kept(case.record)["K2"]


@each(AT_ONCE)
def test_a_deactivation_that_is_refused_is_told(stand: Stand, case: Case) -> None:
    deliver(stand, case, _samples(case, 2))
    stand.sour(case.record, "K1")
    sent = stand.connect().target(case.record).deactivate(["K1", "K2"])
    assert list(sent.refused) == ["K1"] and "sour" in sent.refused["K1"]
    assert stand.kept(case.record) == {"K1": True, "K2": False}


@each(AT_ONCE)
@pytest.mark.parametrize("fault", ["reset after", "500 after", "html", "refused", "502 before"])
def test_a_deactivation_in_doubt_is_done_again(stand: Stand, case: Case, fault: str) -> None:
    deliver(stand, case, _samples(case, 2))
    stand.wire.spoil(DOUBT[fault], is_write(stand), times=ALWAYS)
    with pytest.raises(Transient):
        stand.connect().target(case.record).deactivate(["K1"])
    stand.wire.rules.clear()
    assert not stand.connect().target(case.record).deactivate(["K1"]).refused
    assert stand.kept(case.record) == {"K1": False, "K2": True}


@each(AT_ONCE)
def test_a_stranger_neither_takes_nor_refuses_a_record(stand: Stand, case: Case) -> None:
    for name, damage in STRANGERS.items():
        if name in {"204", *stand.like_its_own}:  # a success, to which the server need not add a word
            continue
        with naming(name):
            stand.wire.rules.clear()
            target, batch = rendered(stand, case, _samples(case, 1))
            stand.wire.spoil(damage, lambda r: not stand.is_login(r), times=ALWAYS)
            with pytest.raises(Transient):
                target.send(target.stages[0], batch)
            with pytest.raises(Transient):
                target.deactivate(["K1"])
    assert stand.kept(case.record) == {}

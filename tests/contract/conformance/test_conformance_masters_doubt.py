"""Trouble on the way refuses no record and confirms none; what vanished is switched off, and nothing else."""

from __future__ import annotations

import httpx
import pytest

from ml_connector.errors import ConnectorError, Held, OutcomeUnknown, Rejected, Transient
from tests.contract.conformance.cases import BULK_TARGETS, MASTER_TARGETS, Case, each
from tests.contract.conformance.delivering import (
    GOOD,
    confirm,
    deliver,
    is_write,
    rendered,
    samples,
)
from tests.contract.conformance.doing import sample
from tests.contract.conformance.reading import naming
from tests.contract.conformance.stand import Stand
from tests.contract.conformance.wire import ALWAYS, Damage, acted, breaks, broken_off, instead, page, truncated

DOUBT: dict[str, Damage] = {
    "reset before": breaks(httpx.ReadError),
    "reset after": acted(breaks(httpx.ReadError)),
    "truncated": truncated,
    "hang after": acted(breaks(httpx.ReadTimeout)),
    "broken off": broken_off,
    "500 after": acted(instead(500)),
    "502 before": page(502),
    "503 after": acted(page(503)),
    "504 after": acted(page(504)),
    "html": page(200),
    "html after": acted(page(200)),
    "429": instead(429),
    "404 html": page(404),
    "refused": breaks(httpx.ConnectError),
    "null after": acted(instead(200, "null")),
    "400 html": page(400),
    "redirect": instead(302, location="https://e.invalid/"),
}


@each(MASTER_TARGETS)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for good"])
def test_trouble_on_the_way_refuses_no_record(stand: Stand, case: Case, lasting: bool) -> None:
    """Whatever came of it, it may be sent again, and then it is in."""
    for number, (fault, damage) in enumerate(DOUBT.items()):
        with naming(fault):
            records = [sample(case.record, number * 10 + one) for one in (1, 2, 3)]
            stand.connect()
            stand.wire.spoil(damage, is_write(stand), times=ALWAYS if lasting else 1)
            target, batch = rendered(stand, case, records)
            try:
                sent = target.send(target.stages[0], batch)
            except ConnectorError as error:
                assert not isinstance(error, (Rejected, Held)) and len(str(error)) > 30
            else:
                assert not sent.refused
                assert not lasting or fault.endswith("after"), "it cannot have arrived"
            stand.wire.rules.clear()
            assert {v.outcome for v in deliver(stand, case, records).values()} <= GOOD


@each(MASTER_TARGETS)
@pytest.mark.parametrize("fault", ["html", "500", "null", "envelope", "reset", "an empty object", "a list"])
def test_trouble_in_asking_is_no_verdict(stand: Stand, case: Case, fault: str) -> None:
    damages = {
        "html": page(200),
        "500": instead(500),
        "null": instead(200, "null"),
        "reset": breaks(httpx.ReadError),
        "envelope": instead(200, stand.envelope),
        "an empty object": instead(200, "{}"),
        "a list": instead(200, "[]"),
    }
    target, batch = rendered(stand, case, samples(case, 2))
    sent = target.send(target.stages[0], batch)
    stand.wire.spoil(damages[fault], lambda request: request.method == "GET", times=ALWAYS)
    for ask in (
        lambda: target.verdicts(target.stages[0], batch, sent.tokens),
        lambda: target.read_back(target.stages[0], batch),
    ):
        try:
            said = ask()
        except Transient:
            continue
        assert said is None or {v.outcome for v in said.values()} <= {"held"}, "neither in nor refused: nobody said so"


# ── retiring ────────────────────────────────────────────────────────────────────────────────────────────────────


@each(BULK_TARGETS)
def test_what_vanished_is_switched_off_and_nothing_else(stand: Stand, case: Case) -> None:
    deliver(stand, case, samples(case, 3))
    stand.later(60)
    for _ in range(2):
        target = stand.connect().target(case.record)
        sent = target.deactivate(["key-2", "never-there"])
        assert not sent.refused
        said = confirm(
            stand, lambda target=target, sent=sent: target.deactivated(["key-2", "never-there"], sent.tokens)
        )  # type: ignore[misc]
        assert {v.outcome for v in said.values()} <= GOOD
        ids = [one.target_id for one in rendered(stand, case, samples(case, 3))[1]]
        assert stand.kept(case.record) == {ids[0]: True, ids[1]: False, ids[2]: True}
        stand.later(60)
    assert deliver(stand, case, samples(case, 2))["key-2"].outcome in GOOD
    assert stand.kept(case.record)[ids[1]], "a record that returns is active again"


@each(BULK_TARGETS)
def test_a_switch_off_that_the_target_refuses_is_told(stand: Stand, case: Case) -> None:
    deliver(stand, case, samples(case, 2))
    stand.sour(case.record, "key-1")
    target = stand.connect().target(case.record)
    sent = target.deactivate(["key-1", "key-2"])
    said = confirm(stand, lambda: target.deactivated(["key-1", "key-2"], sent.tokens))
    assert said["key-1"].outcome == "rejected" and "sour" in (said["key-1"].reason or "")
    assert "key-2" not in said or said["key-2"].outcome in GOOD


@each(BULK_TARGETS)
@pytest.mark.parametrize("fault", ["reset after", "500 after", "html", "refused", "502 before"])
def test_a_switch_off_in_doubt_is_done_again(stand: Stand, case: Case, fault: str) -> None:
    deliver(stand, case, samples(case, 2))
    stand.later(60)
    stand.wire.spoil(DOUBT[fault], is_write(stand), times=ALWAYS)
    with pytest.raises((Transient, OutcomeUnknown)):
        stand.connect().target(case.record).deactivate(["key-1"])
    stand.wire.rules.clear()
    target = stand.connect().target(case.record)
    sent = target.deactivate(["key-1"])
    confirm(stand, lambda: target.deactivated(["key-1"], sent.tokens))
    ids = [one.target_id for one in rendered(stand, case, samples(case, 2))[1]]
    assert stand.kept(case.record) == {ids[0]: False, ids[1]: True}

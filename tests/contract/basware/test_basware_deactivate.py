"""What vanished at its source: switched off in the simulated Basware, and confirmed."""

from __future__ import annotations

from typing import Any

import pytest

from infra.sandbox.basware.model import Fault, ForcedVerdict
from ml_connector.records import Account, CostCenter, Supplier

KINDS: dict[type, tuple[Any, Any, str, str]] = {
    Supplier: (
        Supplier(key="V1", code="V1", name="One"),
        Supplier(key="V2", code="V2", name="Two"),
        "vendors",
        "Vendor",
    ),
    Account: (
        Account(key="_SYS01", code="400010", name="Paper"),
        Account(key="400020", code="400020", name="Ink"),
        "accounts",
        "Account",
    ),
    CostCenter: (
        CostCenter(key="C1", code="C1", name="Sales"),
        CostCenter(key="C2", code="C2", name="Works"),
        "costCenters",
        "CostCenter",
    ),
}
"""Records, and under which names Basware keeps them."""


@pytest.fixture(params=list(KINDS), ids=lambda kind: kind.__name__)
def filled(request: pytest.FixtureRequest, bench: Any) -> tuple[Any, type]:
    """A Basware that has imported two records of a kind."""
    kind = request.param
    target, (one, two, stage, _) = bench.connection.target(kind), KINDS[kind]
    target.send(stage, [target.render(record, bench.codes) for record in (one, two)])
    bench.later(5)
    return bench, kind


def active(bench: Any, kind: type) -> dict[str, bool]:
    """Which codes P2P itself (behind the interface) has active."""
    bench.later(2)
    bench.connection.client.get("/v1/requestStatus", {"pageSize": "1"})  # brings the sandbox up to date
    rows = bench.world.imported[KINDS[kind][2]].values()
    if kind is Supplier:
        return {r["vendorCode"]: r["processingStatus"]["active"] for r in rows}
    name = "accountCode" if kind is Account else "costCenterCode"
    return {r[name]: r["companies"][0]["active"] for r in rows}


def test_a_vanished_record_is_inactive_in_p2p_and_the_others_are_not(filled: tuple[Any, type]) -> None:
    bench, kind = filled
    (one, two, _, _), target = KINDS[kind], bench.connection.target(kind)
    sent = target.deactivate([one.key, "never-there"])
    assert len(sent.tokens) == 1 and not sent.refused
    assert target.deactivated([one.key, "never-there"], sent.tokens) is None, "the import is still under way"
    assert active(bench, kind) == {one.code: False, two.code: True}
    said = target.deactivated([one.key, "never-there"], sent.tokens)
    assert {key: verdict.outcome for key, verdict in said.items()} == {one.key: "delivered"}


def test_the_same_again_is_harmless_and_a_record_that_returns_is_active(filled: tuple[Any, type]) -> None:
    bench, kind = filled
    (one, two, stage, _), target = KINDS[kind], bench.connection.target(kind)
    target.deactivate([one.key])
    assert active(bench, kind)[one.code] is False
    sent = target.deactivate([one.key])
    assert active(bench, kind) == {one.code: False, two.code: True}
    assert {v.outcome for v in target.deactivated([one.key], sent.tokens).values()} == {"unchanged"}
    target.send(stage, [target.render(one, bench.codes)])
    assert active(bench, kind)[one.code] is True


def test_a_refusal_of_p2p_is_told_for_the_record(filled: tuple[Any, type]) -> None:
    bench, kind = filled
    (one, two, _, entity), target = KINDS[kind], bench.connection.target(kind)
    sent = target.deactivate([one.key, two.key])
    code = bench.context.outward({"Vendor": "vendor", "Account": "account"}.get(entity, "cost_center"), one.key)
    bench.world.forced.append(ForcedVerdict(entity, "Error", "in use", code=code))
    bench.later(2)
    said = target.deactivated([one.key, two.key], sent.tokens)
    assert (said[one.key].outcome, said[one.key].reason) == ("rejected", "in use")
    assert said[two.key].outcome == "delivered"


def test_a_switch_off_without_a_request_id_is_told_by_reading(filled: tuple[Any, type]) -> None:
    bench, kind = filled
    (one, two, _, _), target = KINDS[kind], bench.connection.target(kind)
    target.deactivate([one.key])
    assert {key: v.outcome for key, v in target.deactivated([one.key, two.key, "none"], [""]).items()} == {
        two.key: "rejected"
    }


def test_a_refused_call_names_its_record_and_the_others_go_on(filled: tuple[Any, type]) -> None:
    bench, kind = filled
    (one, two, stage, _), target = KINDS[kind], bench.connection.target(kind)
    bench.world.faults.append(Fault("error_envelope", path=f"/v1/{stage}/.*", method="PATCH"))
    sent = target.deactivate([one.key, two.key])
    assert list(sent.refused) == [one.key] and len(sent.tokens) == 1
    assert active(bench, kind)[two.code] is False

"""Cost centers and items of lists that people edit in Basware too: read before they are sent, and changed in part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from infra.sandbox.basware.model import Row
from infra.sandbox.basware.world import World
from ml_connector.flow import Rendered
from ml_connector.records import CostCenter

PLACES = ["costCenters", "lists/ACC_LIST_1"]
both = pytest.mark.parametrize("stage", PLACES)


@pytest.fixture
def there(make: Callable[..., Any]) -> Any:
    """Give an account with a list for dimension 1, and a cost center and an item that the ERP sent first."""
    made = make(World(), dimension_lists={"1": "ACC_LIST_1"}, language="de-DE")
    for stage in PLACES:
        send(made, stage, [record(stage)])
    made.world.calls.clear()
    yield made
    made.connection.close()


def record(stage: str, key: str = "C1", **more: Any) -> CostCenter:
    given = {"key": key, "code": key, "name": "Sales", "dimension": 1 if stage.startswith("lists") else None}
    return CostCenter(**{**given, **more})


def rendered(bench: Any, stage: str, records: Sequence[CostCenter], touch: str | None = None) -> list[Rendered]:
    target = bench.connection.target(CostCenter)
    made = [target.render(one, bench.codes, touch) for one in records]
    assert all(list(one.entities) == [stage] for one in made)
    return made


def send(bench: Any, stage: str, records: Sequence[CostCenter], *left: str, touch: str | None = None) -> dict[str, Any]:
    """Send records as the engine does: what stands there is read first."""
    target, batch = bench.connection.target(CostCenter), rendered(bench, stage, records, touch)
    present = target.present(stage, batch)
    batch = [replace(one, present=present.get(one.key), kept=frozenset(left)) for one in batch]
    sent = target.send(stage, batch)
    assert sent.refused == {}
    bench.later(2)
    verdicts = target.verdicts(stage, batch, sent.tokens)
    assert verdicts is not None
    return {key: verdict.outcome for key, verdict in verdicts.items()}


def code(bench: Any, key: str = "C1") -> str:
    return str(bench.context.outward("cost_center", key))


def entity(bench: Any, stage: str) -> dict[str, Any]:
    bench.world.settle()
    return dict(bench.world.entities[stage][code(bench)].record)


def edit(bench: Any, stage: str, **fields: Any) -> None:
    """Edit one by hand, as people do in P2P."""
    row = bench.world.entities[stage][code(bench)]
    bench.world.entities[stage][code(bench)] = Row({**row.record, **fields}, bench.world.now(), "p2p")


def writes(bench: Any) -> list[str]:
    found = [name.split(" ")[0] for name in bench.world.calls if not name.startswith(("GET", "POST /v1/tokens"))]
    bench.world.calls.clear()
    return found


NAME = {"costCenters": "name.en-US", "lists/ACC_LIST_1": "name"}


@both
def test_a_dimension_is_told_field_by_field(there: Any, stage: str) -> None:
    target, (one,) = there.connection.target(CostCenter), rendered(there, stage, [record(stage)])
    present = target.present(stage, [one])["C1"]
    names = {"name.en-US": "Sales", "name.de-DE": "Sales"} if stage == "costCenters" else {"name": "Sales"}
    assert target.fields(stage, present) == {"code": "C1", "active.1000": "true", **names}
    assert target.fields(stage, one.entities[stage][0]) == target.fields(stage, present)


@both
def test_one_that_is_there_goes_by_patch_with_what_the_erp_changed(there: Any, stage: str) -> None:
    edit(there, stage, text1="ours", text_3="ours")
    assert send(there, stage, [record(stage, active=False)]) == {"C1": "delivered"}
    assert writes(there) == ["PATCH"]
    body = there.world.log[-2].body if there.world.log[-1].method == "GET" else there.world.log[-1].body
    assert b"ame" not in body.replace(b"externalCode", b"") and b"text" not in body
    now = entity(there, stage)
    assert now["companies"] == [{"companyCode": "1000", "active": False}]
    assert (now["text1"], now["text_3"]) == ("ours", "ours")


@both
def test_a_name_that_was_edited_there_is_left(there: Any, stage: str) -> None:
    other = {"costCenterNames": [{"language": "en-US", "translation": "By hand"}]}
    edit(there, stage, **(other if stage == "costCenters" else {"text_2": "By hand"}))
    left = {"name.en-US", "name"}
    assert send(there, stage, [record(stage, name="Marketing", active=False)], *left) == {"C1": "delivered"}
    now = entity(there, stage)
    assert now["companies"][0]["active"] is False
    if stage == "costCenters":
        names = {one["language"]: one["translation"] for one in now["costCenterNames"]}
        assert names == {"en-US": "By hand", "de-DE": "Marketing"}
    else:
        assert now["text_2"] == "By hand"


def test_a_language_and_a_company_that_people_added_stay(there: Any) -> None:
    names = [{"language": tongue, "translation": "Sales"} for tongue in ("en-US", "de-DE", "fi-FI")]
    companies = [{"companyCode": "1000", "active": True}, {"companyCode": "2000", "active": True}]
    edit(there, "costCenters", costCenterNames=names, companies=companies)
    send(there, "costCenters", [record("costCenters", name="Marketing", active=False)])
    now = entity(there, "costCenters")
    assert [one["translation"] for one in now["costCenterNames"]] == ["Marketing", "Marketing", "Sales"]
    assert [one["active"] for one in now["companies"]] == [False, True]


@both
def test_a_new_one_goes_by_post(there: Any, stage: str) -> None:
    assert send(there, stage, [record(stage, "C2"), record(stage, "C3")]) == {"C2": "delivered", "C3": "delivered"}
    assert writes(there) == ["POST"]


@both
def test_a_replay_touches_what_is_there_unless_people_use_that_field(there: Any, stage: str) -> None:
    field = "text10" if stage == "costCenters" else "text_5"
    assert send(there, stage, [record(stage)], touch="2026-03-02") == {"C1": "delivered"}
    assert entity(there, stage)[field] == "replayed 2026-03-02"
    assert send(there, stage, [record(stage)], touch="2026-03-03") == {"C1": "delivered"}
    edit(there, stage, **{field: "by hand"})
    send(there, stage, [record(stage)], touch="2026-03-04")
    assert entity(there, stage)[field] == "by hand"


@both
@pytest.mark.parametrize("wrapped", [True, False])
def test_many_are_read_with_one_call_in_both_shapes_of_a_list(there: Any, stage: str, wrapped: bool) -> None:
    there.world.wrapped_lists = wrapped
    records = [record(stage, f"N{n}") for n in range(40)]
    send(there, stage, records)
    there.world.calls.clear()
    target = there.connection.target(CostCenter)
    batch = [replace(one, known=True) for one in rendered(there, stage, records)]
    assert len(target.present(stage, batch)) == 40
    assert sum(there.world.calls.values()) == 1


@both
def test_without_a_request_status_it_is_compared_without_what_is_left(there: Any, stage: str) -> None:
    edit(there, stage, **({"text_2": "x"} if stage != "costCenters" else {}))
    target, (one,) = there.connection.target(CostCenter), rendered(there, stage, [record(stage, name="Other")])
    left = frozenset({"name", "name.en-US", "name.de-DE"})
    assert target.read_back(stage, [replace(one, kept=left)])["C1"].outcome == "delivered"
    assert target.read_back(stage, [replace(one, kept=frozenset())])["C1"].outcome == "held"


def test_what_is_deactivated_stays_as_it_is_in_companies_of_others(there: Any) -> None:
    companies = [{"companyCode": "1000", "active": True}, {"companyCode": "2000", "active": True}]
    edit(there, "costCenters", costCenterNames=[{"language": "en-US", "translation": "By hand"}], companies=companies)
    there.world.companies.add("2000")
    target = there.connection.target(CostCenter)
    sent = target.deactivate(["C1"])
    there.later(2)
    assert target.deactivated(["C1"], sent.tokens)["C1"].outcome == "delivered"
    now = entity(there, "costCenters")
    assert now["costCenterNames"][0]["translation"] == "By hand"
    assert [one["active"] for one in now["companies"]] == [False, True]

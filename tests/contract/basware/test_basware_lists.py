"""Values of dimensions in the generic lists of the simulated Basware."""

from __future__ import annotations

from typing import Any

import pytest

from infra.sandbox.basware import World
from ml_connector.records import CostCenter


@pytest.mark.parametrize("name", ["ACC_LIST_2", "ACC_LIST_15", "ACC_LIST_35"])
def test_values_are_imported_confirmed_and_switched_off(make: Any, name: str) -> None:
    bench = make(World(), dimension_lists={"2": name})
    target = bench.connection.target(CostCenter)
    center = CostCenter(key="C1", code="C1", name="Sales", dimension=1)
    value = CostCenter(key="PR2", code="PR2", name="Press" * 30, dimension=2)
    batch = [target.render(one, bench.codes) for one in (center, value)]
    for stage in target.stages:
        sent = target.send(stage, batch)
        assert len(sent.tokens) == 1 and not sent.refused
        bench.later(2)
        said = target.verdicts(stage, batch, sent.tokens)
        assert {key: verdict.outcome for key, verdict in said.items()} == {"C1": "delivered", "PR2": "delivered"}
    (item,) = bench.world.imported[f"lists/{name}"].values()
    assert (item["text_1"], item["companies"][0]["active"]) == ("PR2", True)
    assert target.read_back(f"lists/{name}", batch)["PR2"].outcome == "delivered"
    bench.later(5)
    sent = target.deactivate(["PR2", "C1"])
    bench.later(2)
    assert {v.outcome for v in target.deactivated(["PR2", "C1"], sent.tokens).values()} == {"delivered"}
    (item,) = bench.world.imported[f"lists/{name}"].values()
    assert item["companies"][0]["active"] is False
    bench.connection.close()

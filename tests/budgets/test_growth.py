"""What runs on a schedule holds with many tenants: the deployed functions over services that take 15 ms a call."""

from __future__ import annotations

from decimal import Decimal

import pytest

from benchmarks import growth
from tests.template.loading import expanded

CEILING = {10: Decimal("4.97"), 1_000: Decimal("0.30")}
"""USD a tenant and month while nothing changes, beside the storage of secrets: what is paid by the stack is divided by
the number of tenants, and grows by the alarms and metrics of each system (6.60). Else it may only fall; see
`docs/performance.md`.
"""


@pytest.fixture(scope="module")
def found() -> dict[int, growth.Measured]:
    return {one.count: one for one in growth.measured(list(CEILING))}


@pytest.mark.parametrize("count", CEILING)
def test_every_tick_ends_within_half_of_its_time(found: dict[int, growth.Measured], count: int) -> None:
    one = found[count]
    limits = {name: growth.TIMEOUTS[name.partition(" ")[0]] / 2 for name in {*one.ticks, *one.enrolling}}
    seconds = {name: max(one.ticks.get(name, 0.0), one.enrolling.get(name, 0.0)) for name in limits}
    assert {name: at for name, at in seconds.items() if at > limits[name]} == {}
    assert {"maintain", "enroll", "poll sap_b1 tick"} <= seconds.keys()
    assert one.at_once <= growth.TIMEOUTS["poll"] / 2


@pytest.mark.parametrize("count", CEILING)
def test_every_five_minutes_is_five(found: dict[int, growth.Measured], count: int) -> None:
    shortest, longest = found[count].interval
    assert 295 <= shortest <= longest <= 305
    assert found[count].late < 120
    assert found[count].enrolled_minutes <= 60


@pytest.mark.parametrize("count", CEILING)
def test_an_idle_tenant_costs_no_more_than_it_did(found: dict[int, growth.Measured], count: int) -> None:
    assert found[count].each <= CEILING[count]


def test_a_tick_takes_no_longer_for_a_hundred_times_as_many(found: dict[int, growth.Measured]) -> None:
    """Maintain looks at what is due, and at no tenant."""
    few, many = found[10].ticks["maintain"], found[1_000].ticks["maintain"]
    assert many <= few + 1.0


def test_what_a_stack_pays_whatever_its_tenants_is_counted() -> None:
    resources = [one for one in expanded()["Resources"].values() if one.get("Type") == "AWS::CloudWatch::Alarm"]
    ours = {
        (a["Properties"]["MetricName"], str(a["Properties"].get("Dimensions")))
        for a in resources
        if a["Properties"].get("Namespace") == "MlConnector"
    }
    assert len(resources) == growth.ALARMS
    assert len(ours) < growth.METRICS, "those of the dashboard, and amounts by currency, come in addition"


def test_an_idle_run_writes_where_it_stands_once(found: dict[int, growth.Measured]) -> None:
    """The cursor and the timetable: one write each, the latter with its index; in some runs more flows are due.

    Most runs find the vault's key at hand.
    """
    units = found[10].run.units
    assert units["dynamodb write units"] <= 6
    assert units["dynamodb read units"] <= Decimal("11.5")
    assert units["kms requests"] <= Decimal("0.1")
    assert units["secrets calls"] == 1
